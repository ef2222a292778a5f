"""`ttml` and `ttnn` on PyTorch: what NanoGPT training and generation need, without a Tenstorrent board.

    ttml, ttnn = ttml_emulation.load()

The shapes, types and errors are a board's, and by default so is the arithmetic: bfloat16 parameters,
activations, gradients and moments, float32 inside an operation. Importing this package imports no PyTorch;
`load` does.
"""

from __future__ import annotations

from types import ModuleType
from typing import Literal

__all__ = ["describe", "load"]


def load(
    numerics: Literal["device", "fp32"] = "device",
    matmul: Literal["native", "fp32-then-round"] | None = None,
) -> tuple[ModuleType, ModuleType]:
    """Return the modules `ttml` and `ttnn`, without putting them in `sys.modules`.

    `numerics`: `device` rounds every stored value to bfloat16; `fp32` stores float32, also where BFLOAT16
    is asked for. `matmul` says how bfloat16 is multiplied (see `ttml_emulation.numerics`); None times both
    ways once and takes the faster. A resumed run passes what `describe` reported, because the two differ in
    the last bits.

    There is one context, and so one choice, in a process: another choice closes the device, drops the graph
    and restores the default seed, and tensors made before must not be used any more. If PyTorch is not
    imported yet, two settings of the process are made first (see `ttml_emulation.tuning`). Raises
    ValueError for an unknown name, ImportError without PyTorch.
    """
    from .tuning import prepare

    prepare()
    from .session import load

    return load(numerics, matmul)


def describe() -> dict[str, str | int]:
    """Return what a run's record needs to reproduce its arithmetic; RuntimeError before `load`.

    Keys: `numerics`, `matmul`, `device` (`cpu` or `cuda:...`), `torch`, `threads`, `cpu_capability`.
    """
    from .session import describe

    return describe()
