"""
Open a session: an open device, and the modules ``ttml`` and ``ttnn`` to use it.

On a Tenstorrent machine the modules are real, elsewhere they are emulated. Code that uses a session works
with both.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from lesson_ct4.config import TILE
from lesson_ct4.device import libraries, opening
from lesson_ct4.device import mesh as meshes
from lesson_ct4.device.libraries import Importer
from lesson_ct4.device.opening import Note
from lesson_runner.model.errors import HardwareError, LessonError
from lesson_tenstorrent.devices import count_devices

Backend = Literal["auto", "ttml", "emulated"]
Matmul = Literal["native", "fp32-then-round"]
_LABELS = {"emulated": ("emulated",), "simulator": ("simulator",), "silicon": ()}


@dataclass(frozen=True, slots=True)
class Session:
    """
    Two modules and the device they run on.

    The methods are the operations that depend on the number of chips or the version; other code calls
    :attr:`ttml` and :attr:`ttnn` directly.
    """

    ttml: Any
    ttnn: Any
    info: dict[str, Any]
    """Everything that determines the results, as JSON values: ``name`` (ttml or emulated), ``kind`` (silicon,
    simulator or emulated), ``numerics``, ``matmul``, ``device``, ``mesh``, ``threads``, ``versions``."""
    labels: tuple[str, ...]
    """``("emulated",)`` or ``("simulator",)`` for results that do not come from a board."""
    chips: meshes.Chips

    @property
    def context(self) -> Any:
        """The ``AutoContext``: seed, gradient mode, graph."""
        return self.ttml.autograd.AutoContext.get_instance()

    def seed(self, seed: int) -> None:
        """Seed all generators of ``ttml``: the context's, and the separate one of newer versions."""
        self.context.set_seed(seed)
        if callable(manual_seed := getattr(self.ttml, "manual_seed", None)):
            manual_seed(seed)

    def ids(self, array: NDArray[np.uint32], *, split: bool = True) -> Any:
        """Return token ids or targets on the device; by default the batch is split over the chips."""
        return self.ttml.autograd.Tensor.from_numpy(
            np.ascontiguousarray(array),
            layout=self.ttnn.Layout.ROW_MAJOR,
            new_type=self.ttnn.DataType.UINT32,
            **(self.chips.split_batch() if split else {}),
        )

    def tiled(self, array: NDArray[Any], dtype: Any = None) -> Any:
        """
        Return an array on the device, with a copy on each chip.

        ``dtype`` is a ``ttnn.DataType``, by default BFLOAT16. The array is passed as float32, which every
        version of ``ttml`` accepts and which represents every bfloat16 exactly.
        """
        return self.ttml.autograd.Tensor.from_numpy(
            np.ascontiguousarray(array, dtype=np.float32),
            layout=self.ttnn.Layout.TILE,
            new_type=self.ttnn.DataType.BFLOAT16 if dtype is None else dtype,
        )

    def causal_mask(self, length: int) -> Any:
        """
        Return a mask ``[1, 1, T, T]`` with 1 where attention is allowed.

        Always pass a mask: without one, some versions of ``ttml`` apply a causal mask and some apply none.
        """
        return self.tiled(_lower_triangle(length))

    def read(self, tensor: Any) -> NDArray[np.float32]:
        """Return a tensor's value as float32; the values of several chips are concatenated."""
        value = tensor.to_numpy(self.ttnn.DataType.FLOAT32, **self.chips.join())
        return np.asarray(value, dtype=np.float32)

    def read_one(self, tensor: Any, what: str = "a tensor") -> NDArray[np.float32]:
        """
        Return the value of a tensor that is the same on every chip.

        Raises:
            HardwareError: the chips' copies differ; the message calls the tensor ``what``.
        """
        return self.chips.one_of(self.read(tensor), what)

    def read_row(self, tensor: Any, row: int, what: str = "a tensor") -> NDArray[np.float32]:
        """
        Return one row, ``[B, V]``, of a tensor ``[B, 1, T, V]`` that is the same on every chip.

        If this version of ``ttml`` supports slicing, only the tile with the row is read, as tt-metal's own
        models do for the last token.

        Raises:
            HardwareError: the chips' copies differ; the message calls the tensor ``what``.
        """
        cut, wrapped = getattr(self.ttnn, "slice", None), getattr(self.ttml.autograd, "create_tensor", None)
        if callable(cut) and callable(wrapped):
            batch, _, _, width = tensor.shape()
            first = row // TILE * TILE
            tensor = wrapped(cut(tensor.get_value(), [0, 0, first, 0], [batch, 1, first + TILE, width]))
            row -= first
        return self.read_one(tensor, what)[:, 0, row]

    @contextlib.contextmanager
    def no_gradients(self) -> Iterator[None]:
        """Disable gradients inside the block; the first versions cannot, and work anyway."""
        if not hasattr(self.context, "set_gradient_mode"):
            yield
            return
        modes = self.ttml.autograd.GradMode
        self.context.set_gradient_mode(modes.DISABLED)
        try:
            yield
        finally:
            self.context.set_gradient_mode(modes.ENABLED)


@functools.lru_cache(maxsize=4)
def _lower_triangle(length: int) -> NDArray[np.float32]:
    """Return ones on and below the diagonal, as a cached read-only array."""
    triangle = np.tril(np.ones((1, 1, length, length), dtype=np.float32))
    triangle.flags.writeable = False
    return triangle


def is_emulated(backend: str, boards: Callable[[], int] = count_devices) -> bool:
    """Return whether a session with this backend is emulated; with a board, only on request."""
    real = boards() or os.environ.get(libraries.SIMULATOR)
    return backend == "emulated" or (backend == "auto" and not real)


@contextlib.contextmanager
def open_session(
    backend: Backend = "auto",
    *,
    numerics: Literal["device", "fp32"] = "device",
    mesh: tuple[int, int] = (1, 1),
    matmul: Matmul | None = None,
    boards: Callable[[], int] = count_devices,
    importer: Importer = importlib.import_module,
    note: Note | None = None,
) -> Iterator[Session]:
    """
    Open a device, and always close it at the end, because a board that is left open needs a reset.

    Args:
        backend: ``auto`` uses the board, or the simulator in ``TT_METAL_SIMULATOR``, if there is one, and
            the emulation otherwise. It never falls back to the emulation if the board fails.
        numerics: the emulation can compute like the device (bfloat16) or in float32.
        mesh: rows and columns of chips; ``(1, n)`` trains on ``n`` chips.
        matmul: how the emulation multiplies bfloat16; ``None`` chooses the faster way on this processor.
        boards, importer: functions to count boards and to import a module; tests replace them.
        note: called with messages to show the user while the device opens.

    Raises:
        HardwareError: the board or its ``ttml`` is missing or does not work.
        LessonError: PyTorch is missing, or the options are invalid.
    """
    if backend not in get_args(Backend):
        raise LessonError(f"--backend is {backend!r}", fix="--backend must be auto, ttml or emulated")
    if is_emulated(backend, boards):
        ttml, ttnn, info = libraries.load_emulated(numerics, matmul, importer)
    else:
        if not boards() and not os.environ.get(libraries.SIMULATOR) and not os.environ.get(libraries.MOCK):
            raise HardwareError(
                "no Tenstorrent board found in /dev/tenstorrent",
                fix="install the driver (tt-kmd) and check with tt-smi, or use --backend emulated",
            )
        if numerics != "device":
            raise LessonError(
                f"--numerics {numerics} works only with the emulation, not on a board",
                fix="leave out --numerics, or add --backend emulated",
            )
        ttml, ttnn, info = libraries.load_real(importer)
    chips = meshes.Chips(ttml, mesh)
    session = Session(ttml, ttnn, info, _LABELS[info["kind"]], chips)
    with opening.terminable():
        opening.open_chips(chips, info["kind"], ttnn, note or (lambda _: None))
        info.update(device=info.get("device") or _architecture(ttnn), mesh=list(mesh))
        try:
            yield session
        finally:
            opening.close_chips(chips)


def _architecture(ttnn: Any) -> str:
    try:
        return str(ttnn.get_arch_name()).lower()
    except (AttributeError, RuntimeError):
        return "unknown"
