"""The model that is measured, and the text it learns from, generated from 65 characters as in a play."""

from __future__ import annotations

import argparse
import importlib.util
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:  # the command line imports every case; only measured cases should import PyTorch
    from benchmarks.peers.nanogpt import Shape
    from lesson_ct4.device.session import Session
    from lesson_ct4.training.run import TrainingRun

Made = TypeVar("Made")
ALPHABET = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHARACTERS = 100_000
ENDLESS = 1_000_000
"""The number of steps given to the training; no benchmark comes near it."""


def size_options(parser: argparse.ArgumentParser) -> None:
    """Add the model's size, by default the lesson's, and the emulation's arithmetic."""
    for name, value in (("layers", 6), ("heads", 6), ("width", 384), ("block", 256)):
        parser.add_argument(f"--{name}", type=int, default=value, help=f"of the model; {value}")
    parser.add_argument(
        "--matmul",
        choices=("native", "fp32-then-round"),
        help="how the emulation multiplies; default: what is faster on this processor",
    )
    parser.add_argument(
        "--without",
        action="append",
        default=[],
        metavar="WAY",
        help="leave out variants with this in their name",
    )


def shape_of(options: argparse.Namespace, batch: int = 1) -> Shape:
    """Return the shape that the options ask for."""
    from benchmarks.peers.nanogpt import Shape

    return Shape(
        vocabulary=len(ALPHABET),
        block=options.block,
        layers=options.layers,
        heads=options.heads,
        width=options.width,
        batch=batch,
    )


def wanted(makers: Mapping[str, Callable[[], Made]], options: argparse.Namespace) -> dict[str, Made]:
    """Call the makers that are not left out, and return the results by name."""
    left_out: list[str] = options.without
    return {name: make() for name, make in makers.items() if not any(part in name for part in left_out)}


def installed(*packages: str) -> bool:
    """Return whether all of these modules are installed."""
    return all(importlib.util.find_spec(name) is not None for name in packages)


def text_ids() -> Any:
    """Return the text as ids, uint16 ``[N]``; it is the same every time."""
    import numpy as np

    return np.random.default_rng(0).integers(0, len(ALPHABET), CHARACTERS).astype(np.uint16)


@contextmanager
def emulated(shape: Shape, matmul: Any) -> Iterator[tuple[Session, TrainingRun]]:
    """Open the emulation, with the lesson's training in the published recipe and this shape."""
    from lesson_ct4.config import config_from
    from lesson_ct4.data.dataset import load_dataset
    from lesson_ct4.device.session import open_session
    from lesson_ct4.training.run import TrainingRun

    size = {"n_layer": shape.layers, "n_head": shape.heads, "n_embd": shape.width}
    config = config_from(
        {
            "max_steps": ENDLESS,
            "batch_size": shape.batch,
            "sequence_length": shape.block,
            "dropout": shape.dropout,
            **size,
        }
    )
    with tempfile.TemporaryDirectory() as folder, open_session("emulated", matmul=matmul) as session:
        path = Path(folder) / "text.txt"
        path.write_text("".join(ALPHABET[number] for number in text_ids()), "utf-8")
        dataset = load_dataset(path, sequence_length=shape.block)
        yield session, TrainingRun(config, dataset, session, ENDLESS)
