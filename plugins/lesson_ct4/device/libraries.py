"""
Loading the two modules that everything calls, ``ttml`` and ``ttnn``: the emulated ones, or the real ones.

Versions of ``ttml`` have no number to ask for: what is needed is looked for. This is the only place that
imports ``ttml_emulation``.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lesson_ct4.device import faults
from lesson_runner.model.errors import HardwareError, LessonError

Importer = Callable[[str], Any]
Loaded = tuple[Any, Any, dict[str, Any]]
"""``ttml``, ``ttnn``, and what is known of them, fit for JSON."""

NEEDED_METAL = "v0.67.0"
"""The first release whose ``ttml`` trains and generates; ``lesson doctor`` checks it."""
SIMULATOR = "TT_METAL_SIMULATOR"
MOCK = "TT_METAL_MOCK_CLUSTER_DESC_PATH"
QUIET: Mapping[str, str] = {
    # Its log goes to standard output, between the lines of a lesson and into JSON.
    "TT_LOGGER_LEVEL": "FATAL",
}
"""Settings of tt-metal's that are made unless the user made them; it reads them when it is imported."""
HANG_SECONDS = "300"
"""Without an answer for so long tt-metal reports a hang; by itself it waits for ever. A step takes 0.1 s."""

BUILD = (
    "build it in the tt-metal tree with ./build_metal.sh --build-tt-train, then put "
    "<tt-metal>/tt-train/sources/ttml and <tt-metal>/build/tt-train/sources/ttml "
    "on the path of this Python (one .pth file, two lines); "
    "`lesson run ct4-finetuning-basics --only environment` checks it; --backend emulated needs no board"
)


def load_emulated(numerics: str, matmul: str | None, importer: Importer) -> Loaded:
    """
    Return the emulation.

    Raises:
        LessonError: PyTorch is missing.
    """
    try:
        emulation = importer("ttml_emulation")
        ttml, ttnn = emulation.load(numerics=numerics, matmul=matmul)
    except ImportError as error:
        raise LessonError(
            f"the emulation of ttml needs PyTorch and numpy: {error}", fix='pip install "lesson-runner[cpu]"'
        ) from error
    info = {**emulation.describe(), "name": "emulated", "kind": "emulated"}
    info["versions"] = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": info.pop("torch"),
    }
    return ttml, ttnn, info


def load_real(importer: Importer) -> Loaded:
    """
    Return tt-metal's own modules.

    Raises:
        HardwareError: they do not import, are not what they should be, or are too old; or a mock descriptor
            stands for the board.
    """
    simulated = bool(os.environ.get(SIMULATOR))
    if os.environ.get(MOCK) and not simulated:
        raise HardwareError(
            f"{MOCK} is set: a description stands for the board, and nothing can run on that",
            fix=f"unset {MOCK}, or use --backend emulated",
        )
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if not simulated:  # a simulator may need minutes for what takes a chip microseconds
        os.environ.setdefault("TT_METAL_OPERATION_TIMEOUT_SECONDS", HANG_SECONDS)
    try:
        ttnn = importer("ttnn")  # first: ttml expects its types to be registered
        ttml = importer("ttml")
    except Exception as error:  # a stale build raises std::bad_cast, which can arrive as anything
        fault = faults.find_fault(error, faults.IMPORT_FAULTS)
        there = f"{SIMULATOR} is set" if simulated else "there is a Tenstorrent board"
        what = f"{there}, but ttml does not import: {type(error).__name__}: {error}"
        raise HardwareError(what, fix=fault.fix if fault else BUILD) from error
    _require_known(ttml, importer)
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        versions["ttnn"] = importlib.metadata.version("ttnn")
    kind = "simulator" if simulated else "silicon"
    info = {"name": "ttml", "kind": kind, "numerics": "device", "matmul": "device", "threads": None}
    return ttml, ttnn, {**info, "versions": versions}


def _require_known(ttml: Any, importer: Importer) -> None:
    """Check that this is tt-train's ``ttml``, with a NanoGPT in Python."""
    if not hasattr(getattr(ttml, "autograd", None), "AutoContext"):
        raise HardwareError(
            f"the ttml that Python finds is not Tenstorrent's: {getattr(ttml, '__file__', ttml)} has no "
            "autograd.AutoContext (the ttml on PyPI is an unrelated tensor-train package)",
            fix=f"pip uninstall ttml; then {BUILD}",
        )
    missing = [name for name in _NEEDED if not _has(ttml, name, importer)]
    if missing:
        raise HardwareError(
            f"this ttml is too old: it has no {' and no '.join(missing)}",
            fix=f"update tt-metal to {NEEDED_METAL} or later, and {BUILD}",
        )


_NEEDED = (
    "models.nanogpt",
    "autograd.Tensor.from_numpy",
    "ops.loss.cross_entropy_loss",
    "optimizers.AdamWConfig",
)
"""What training cannot do without, and the first versions of ``ttml`` lack."""


def _has(ttml: Any, path: str, importer: Importer) -> bool:
    """Return whether a dotted name is there; a module below ``ttml`` may have to be imported first."""
    if path == "models.nanogpt" and not hasattr(getattr(ttml, "models", None), "nanogpt"):
        with contextlib.suppress(ImportError):
            importer("ttml.models.nanogpt")  # sets the attribute of its parent
    found = ttml
    for name in path.split("."):
        found = getattr(found, name, None)
    return found is not None
