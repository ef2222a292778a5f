"""`ttml` and `ttnn` on PyTorch: train NanoGPT and generate text without a Tenstorrent board.

    ttml, ttnn = ttml_emulation.load()

Shapes, types and errors are the same as on a board, and by default so is the arithmetic: parameters,
activations, gradients and moments are bfloat16, and operations compute in float32. Importing this package
does not import PyTorch; `load` does.
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

    `numerics`: `device` rounds every stored value to bfloat16; `fp32` stores float32, even if BFLOAT16 is
    requested. `matmul`: how to multiply bfloat16 (see `ttml_emulation.numerics`); None times both ways once
    and chooses the faster. The two differ in the last bits, so a resumed run must pass the value that
    `describe` returned before.

    A process has one context, and therefore one choice. Calling `load` with another choice closes the device,
    drops the graph and restores the default seed; earlier tensors must not be used any more. If PyTorch has
    not been imported yet, two settings of the process are changed first (see `ttml_emulation.tuning`). Raises
    ValueError for an unknown name, ImportError without PyTorch.
    """
    from .tuning import prepare

    prepare()
    from .session import load

    return load(numerics, matmul)


def describe() -> dict[str, str | int]:
    """Return the settings that are needed to reproduce the arithmetic; RuntimeError before `load`.

    Keys: `numerics`, `matmul`, `device` (`cpu` or `cuda:...`), `torch`, `threads`, `cpu_capability`.
    """
    from .session import describe

    return describe()
