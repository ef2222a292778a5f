"""
Opening a session: the two modules to call, ``ttml`` and ``ttnn``, with a device open behind them.

On a Tenstorrent machine they are the real ones, elsewhere the emulated ones; the code that uses a
session cannot tell. This is the only place that imports ``ttml_emulation``.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, get_args

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from lesson_ct4.device import mesh as meshes
from lesson_runner.errors import HardwareError, LessonError
from lesson_tenstorrent.devices import count_devices

Backend = Literal["auto", "ttml", "emulated"]
Importer = Callable[[str], Any]

_BUILD = (
    "build it in the tt-metal tree with ./build_metal.sh --build-tt-train, then put "
    "<tt-metal>/tt-train/sources/ttml and <tt-metal>/build/tt-train/sources/ttml "
    "on the path of this Python (one .pth file, two lines); "
    "`lesson run ct4-finetuning-basics --only environment` checks it; --backend emulated needs no board"
)


@dataclass(frozen=True, slots=True)
class Session:
    """
    Two modules and what they run on.

    The methods are the few steps that differ with the number of chips; everything else calls
    :attr:`ttml` and :attr:`ttnn` directly.
    """

    ttml: Any
    ttnn: Any
    info: dict[str, Any]
    """What decides the numbers that come out, fit for JSON: ``name`` (ttml or emulated), ``numerics``,
    ``matmul``, ``device``, ``mesh``, ``threads``, ``versions``."""
    labels: tuple[str, ...]
    """``("emulated",)`` for numbers that no board made."""
    chips: meshes.Chips

    @property
    def context(self) -> Any:
        """The ``AutoContext``: seed, gradient mode, graph."""
        return self.ttml.autograd.AutoContext.get_instance()

    def ids(self, array: NDArray[np.uint32], *, split: bool = True) -> Any:
        """Return token ids or targets on the device, the batch split over the chips unless told otherwise."""
        return self.ttml.autograd.Tensor.from_numpy(
            np.ascontiguousarray(array),
            layout=self.ttnn.Layout.ROW_MAJOR,
            new_type=self.ttnn.DataType.UINT32,
            **(self.chips.split_batch() if split else {}),
        )

    def causal_mask(self, length: int) -> Any:
        """
        Return a mask ``[1, 1, T, T]``, 1 where a position may look.

        Always pass one: without it, some versions of ``ttml`` mask the future and some mask nothing.
        """
        ones = np.tril(np.ones((1, 1, length, length), dtype=ml_dtypes.bfloat16))
        return self.ttml.autograd.Tensor.from_numpy(
            np.ascontiguousarray(ones), layout=self.ttnn.Layout.TILE, new_type=self.ttnn.DataType.BFLOAT16
        )

    def read(self, tensor: Any) -> NDArray[np.float32]:
        """Return a tensor's value as float32; on several chips their parts, one after the other."""
        value = tensor.to_numpy(self.ttnn.DataType.FLOAT32, **self.chips.join())
        return np.asarray(value, dtype=np.float32)

    def read_one(self, tensor: Any) -> NDArray[np.float32]:
        """Return a value that every chip holds a copy of, once."""
        value = self.read(tensor)
        return value[: len(value) // self.chips.count]

    @contextlib.contextmanager
    def no_gradients(self) -> Iterator[None]:
        """Record no graph inside; the first versions cannot switch that off, and work all the same."""
        if not hasattr(self.context, "set_gradient_mode"):
            yield
            return
        modes = self.ttml.autograd.GradMode
        self.context.set_gradient_mode(modes.DISABLED)
        try:
            yield
        finally:
            self.context.set_gradient_mode(modes.ENABLED)


@contextlib.contextmanager
def open_session(
    backend: Backend = "auto",
    *,
    numerics: Literal["device", "fp32"] = "device",
    mesh: tuple[int, int] = (1, 1),
    matmul: Literal["native", "fp32-then-round"] | None = None,
    boards: Callable[[], int] = count_devices,
    importer: Importer = importlib.import_module,
) -> Iterator[Session]:
    """
    Open a device, and close it at the end whatever happens: a board that is left open needs a reset.

    Args:
        backend: ``auto`` takes the board if there is one, and never falls back to the emulation then.
        numerics: the emulation can compute as the device does (bfloat16) or in float32.
        mesh: rows and columns of chips; ``(1, n)`` trains on ``n`` chips at once.
        matmul: how the emulation multiplies bfloat16; ``None``: whatever is faster on this processor.
        boards, importer: how to count boards and to import a module; tests replace them.

    Raises:
        HardwareError: the board, or its ``ttml``, is missing or does not work.
        LessonError: the emulation lacks PyTorch, or cannot do what was asked.
    """
    if backend not in get_args(Backend):
        raise LessonError(f"--backend is {backend!r}", fix="--backend must be auto, ttml or emulated")
    found = boards()
    if backend == "emulated" or (backend == "auto" and not found):
        if mesh != (1, 1):
            raise LessonError("the emulation has one chip", fix="leave out --mesh, or use a board")
        ttml, ttnn, info = _load_emulated(numerics, matmul, importer)
    else:
        if not found and not os.environ.get("TT_METAL_SIMULATOR"):
            raise HardwareError(
                "no Tenstorrent board: /dev/tenstorrent lists none",
                fix="install the driver (tt-kmd) and check with tt-smi, or use --backend emulated",
            )
        if numerics != "device":
            raise LessonError(
                f"--numerics {numerics} is for the emulation; a board computes as the device does",
                fix="leave out --numerics, or add --backend emulated",
            )
        ttml, ttnn, info = _load_real(importer)
    chips = meshes.Chips(ttml, mesh)
    session = Session(ttml, ttnn, info, ("emulated",) if info["name"] == "emulated" else (), chips)
    try:
        chips.open()
        info.update(device=info.get("device") or _architecture(ttnn), mesh=list(mesh))
    except RuntimeError as error:
        raise HardwareError(
            f"the device does not open: {str(error).splitlines()[0] if str(error) else error!r}",
            fix="end other programs that use the board, reset it with tt-smi -r, and try again",
        ) from error
    try:
        yield session
    finally:
        chips.close()


def _load_emulated(numerics: str, matmul: str | None, importer: Importer) -> tuple[Any, Any, dict[str, Any]]:
    try:
        emulation = importer("ttml_emulation")
        ttml, ttnn = emulation.load(numerics=numerics, matmul=matmul)
    except ImportError as error:
        raise LessonError(
            f"the emulation of ttml needs PyTorch and numpy: {error}", fix='pip install "lesson-runner[cpu]"'
        ) from error
    info = {**emulation.describe(), "name": "emulated"}
    info["versions"] = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": info.pop("torch"),
    }
    return ttml, ttnn, info


def _load_real(importer: Importer) -> tuple[Any, Any, dict[str, Any]]:
    try:
        ttnn = importer("ttnn")  # first: ttml expects its types to be registered
        ttml = importer("ttml")
    except Exception as error:  # a stale build raises std::bad_cast, which can arrive as anything
        _refuse(error)
    if not hasattr(getattr(ttml, "autograd", None), "AutoContext"):
        raise HardwareError(
            f"the ttml that Python finds is not Tenstorrent's: {getattr(ttml, '__file__', ttml)} has no "
            "autograd.AutoContext (the ttml on PyPI is an unrelated tensor-train package)",
            fix=f"pip uninstall ttml; then {_BUILD}",
        )
    versions = {"python": platform.python_version(), "numpy": np.__version__}
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        versions["ttnn"] = importlib.metadata.version("ttnn")
    info = {"name": "ttml", "numerics": "device", "matmul": "device", "threads": None, "versions": versions}
    return ttml, ttnn, info


def _refuse(error: Exception) -> NoReturn:
    text = f"{type(error).__name__}: {error}"
    if "bad_cast" in text:
        fix = (
            "ttnn was built before tt-train: rebuild both together with "
            "./build_metal.sh --clean && ./build_metal.sh --build-tt-train"
        )
    elif "undefined symbol" in text:
        fix = "a ttnn from pip shadows the built one: pip uninstall ttnn"
    else:
        fix = _BUILD
    raise HardwareError(
        f"there is a Tenstorrent board, but its ttml does not import: {text}", fix=fix
    ) from error


def _architecture(ttnn: Any) -> str:
    try:
        return str(ttnn.get_arch_name()).lower()
    except (AttributeError, RuntimeError):
        return "unknown"
