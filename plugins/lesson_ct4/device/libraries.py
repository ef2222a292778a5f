"""
Load the modules ``ttml`` and ``ttnn``, real or emulated.

``ttml`` has no version number, so required features are checked for. Only this module imports
``ttml_emulation``.
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
"""``ttml``, ``ttnn``, and information about them that can be written as JSON."""

NEEDED_METAL = "v0.67.0"
"""The first release whose ``ttml`` can train and generate; ``lesson doctor`` checks it."""
SIMULATOR = "TT_METAL_SIMULATOR"
MOCK = "TT_METAL_MOCK_CLUSTER_DESC_PATH"
QUIET: Mapping[str, str] = {
    # Its log goes to standard output, where it would mix with the lesson's lines and JSON.
    "TT_LOGGER_LEVEL": "FATAL",
}
"""Defaults for environment variables that tt-metal reads on import; the user's values take precedence."""
HANG_SECONDS = "300"
"""Timeout after which tt-metal reports a hang; its default is to wait forever. A step takes 0.1 s."""

BUILD = (
    "build it in the tt-metal tree with ./build_metal.sh --build-tt-train, then put "
    "<tt-metal>/tt-train/sources/ttml and <tt-metal>/build/tt-train/sources/ttml "
    "on the path of this Python (one .pth file, two lines); "
    "`lesson run ct4-finetuning-basics --only environment` checks it; --backend emulated needs no board"
)


def load_emulated(numerics: str, matmul: str | None, importer: Importer) -> Loaded:
    """
    Return the emulated modules.

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
    Return the modules of tt-metal.

    Raises:
        HardwareError: they cannot be imported, are other packages of that name, or are too old; or a mock
            device is configured.
    """
    simulated = bool(os.environ.get(SIMULATOR))
    if os.environ.get(MOCK) and not simulated:
        raise HardwareError(
            f"{MOCK} is set: the board is a mock device, which cannot run anything",
            fix=f"unset {MOCK}, or use --backend emulated",
        )
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    if not simulated:  # a simulator needs minutes for operations that take a chip microseconds
        os.environ.setdefault("TT_METAL_OPERATION_TIMEOUT_SECONDS", HANG_SECONDS)
    try:
        ttnn = importer("ttnn")  # before ttml, which needs its types
        ttml = importer("ttml")
    except Exception as error:  # a stale build raises std::bad_cast, which can become any exception type
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
    """Check that ``ttml`` is tt-train's, and recent enough to have NanoGPT in Python."""
    if not hasattr(getattr(ttml, "autograd", None), "AutoContext"):
        raise HardwareError(
            f"the installed ttml is not Tenstorrent's: {getattr(ttml, '__file__', ttml)} has no "
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
"""Names that training needs and that the first versions of ``ttml`` lack."""


def _has(ttml: Any, path: str, importer: Importer) -> bool:
    """Return whether a dotted name exists; a submodule of ``ttml`` may have to be imported first."""
    if path == "models.nanogpt" and not hasattr(getattr(ttml, "models", None), "nanogpt"):
        with contextlib.suppress(ImportError):
            importer("ttml.models.nanogpt")  # this sets the attribute of the parent
    found = ttml
    for name in path.split("."):
        found = getattr(found, name, None)
    return found is not None
