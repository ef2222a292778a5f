"""
One training step on the emulated ``ttml``, compared with nanoGPT's and the Trainer's.

All have the lesson's model (10.8 million parameters), batch and dropout. The floor is the time that the
step's matrix products alone would take, at the rate measured for them in the same run.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from benchmarks import models
from benchmarks.turns import Result, Seconds, Timing, Way, in_turns

if TYPE_CHECKING:
    from benchmarks.peers.nanogpt import Shape

OURS = "emulated ttml"
PRODUCTS = "its matrix products alone"


def options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this case."""
    models.size_options(parser)
    parser.add_argument("--batch", type=int, default=4, help="sequences a step; 4")
    parser.add_argument("--steps", type=int, default=5, help="steps a turn; 5")


def run(options: argparse.Namespace) -> Iterator[Result]:
    """Measure."""
    from ttml_emulation import tuning

    tuning.prepare()  # before PyTorch is imported; the peers benefit as well
    shape, steps = models.shape_of(options, options.batch), max(options.steps, 1)
    with (
        models.emulated(shape, options.matmul) as (session, training),
        tempfile.TemporaryDirectory() as folder,
    ):
        wide = session.info["matmul"] != "native"
        makers: dict[str, Callable[[], Way]] = {
            **_peers(shape, steps, folder),
            OURS: lambda: _repeated(training.advance, steps),
            PRODUCTS: lambda: _repeated(products(shape, wide=wide), steps),
        }
        ways = models.wanted(makers, options)
        failed = [name for name, way in ways.items() if "compile" in name and not _compiles(way)]
        for name in failed:
            del ways[name]
        timings = in_turns(ways, options.turns, items=steps)
        what = f"a step of {shape.batch} x {shape.block} tokens, {training.parameters:,} parameters"
        notes = [f"{name}: did not compile here" for name in failed]
        yield Result(what, timings, [*notes, *_notes(shape, timings, session.info["matmul"])])


def _repeated(step: Callable[[], object], steps: int) -> Way:
    def way() -> None:
        for _ in range(steps):
            step()

    return way


def _compiles(way: Way) -> bool:
    """Return whether it works; without a C++ compiler, for example, it does not."""
    try:
        way()
    except Exception:  # whatever PyTorch's compiler raises
        return False
    return True


def _peers(shape: Shape, steps: int, folder: str) -> dict[str, Callable[[], Way]]:
    from benchmarks.peers.nanogpt import Training

    text = models.text_ids()

    def nanogpt(*, autocast: bool = False, compiled: bool = False) -> Way:
        return _repeated(Training(shape, text, autocast=autocast, compiled=compiled).step, steps)

    def trainer() -> Way:
        from benchmarks.peers import gpt2

        model = gpt2.build(shape)
        return lambda: Seconds(gpt2.train(model, shape, text, steps, folder) * steps)

    makers: dict[str, Callable[[], Way]] = {
        "nanoGPT, float32": nanogpt,
        "nanoGPT, bfloat16 autocast": lambda: nanogpt(autocast=True),
        "nanoGPT, torch.compile": lambda: nanogpt(compiled=True),
        "nanoGPT, autocast and compile": lambda: nanogpt(autocast=True, compiled=True),
    }
    if models.installed("accelerate", "transformers"):
        makers["transformers' GPT-2, Trainer"] = trainer
    return makers


def products(shape: Shape, *, wide: bool) -> Callable[[], None]:
    """
    Return a call that computes only the step's products with weights, forwards and backwards.

    Args:
        wide: use float32, as on a processor without instructions for bfloat16.
    """
    import torch

    kind = torch.float32 if wide else torch.bfloat16
    tokens = shape.batch * shape.block
    operands = [
        tuple(torch.randn(size).to(kind) for size in ((tokens, fan_in), (fan_out, fan_in), (tokens, fan_out)))
        for fan_in, fan_out in _weights(shape)
    ]

    def multiply() -> None:
        for x, weight, _ in operands:
            torch.mm(x, weight.t())
        for x, weight, slope in reversed(operands):
            torch.mm(slope, weight)
            torch.mm(slope.t(), x)

    return multiply


def _weights(shape: Shape) -> list[tuple[int, int]]:
    """Return the input and output width of every matrix of the model, in order."""
    wide = shape.width
    layer = [(wide, 3 * wide), (wide, wide), (wide, 4 * wide), (4 * wide, wide)]
    return [*(layer * shape.layers), (wide, -(-shape.vocabulary // 32) * 32)]


def flop(shape: Shape) -> tuple[float, float]:
    """
    Return the number of operations in a step's products with weights and in attention.

    Weights: one product forwards, two backwards. Attention: two and four, without masked scores.
    """
    tokens = shape.batch * shape.block
    weights = 3 * sum(2.0 * tokens * fan_in * fan_out for fan_in, fan_out in _weights(shape))
    seen = shape.batch * shape.block * (shape.block + 1) / 2
    return weights, 6 * shape.layers * 2.0 * seen * shape.width


def _notes(shape: Shape, timings: list[Timing], matmul: Any) -> list[str]:
    median = {item.name: item.median for item in timings}
    weights, attention = flop(shape)
    notes = [
        f"a step is {(weights + attention) / 1e9:.1f} GFLOP, {attention / 1e9:.1f} of them for attention"
    ]
    if {OURS, PRODUCTS} <= set(median):
        rate = weights / median[PRODUCTS]
        floor = (weights + attention) / rate
        notes.append(
            f"matrix products: {rate / 1e9:.0f} GFLOP/s ({matmul}); the floor is {floor * 1000:.1f} ms"
        )
        notes.append(f"{OURS}: {median[OURS] / floor:.2f} times the floor")
    return notes
