"""The arithmetic of the emulation.

With `device` numerics, every stored value (parameter, activation, gradient, moment) is bfloat16, rounded to
nearest even, and operations compute in float32. With `fp32` numerics, the same operations store float32.

There are two ways to multiply bfloat16 matrices, which differ in the last bits only:

* `native` passes bfloat16 to PyTorch, which is fastest on a processor with bfloat16 instructions;
* `fp32-then-round` converts the operands to float32 (exactly), multiplies, and rounds the result once. On a
  processor without bfloat16 instructions it is about ten times as fast (measured: 70 ms against 7 ms for
  1.2 GFLOP).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal, get_args

import torch

from .enums import DataType

NumericsName = Literal["device", "fp32"]
MatmulName = Literal["native", "fp32-then-round"]


@dataclass(frozen=True)
class Numerics:
    """The arithmetic in use: its name, the matrix product's strategy, and the PyTorch device."""

    name: NumericsName
    matmul: MatmulName
    device: torch.device

    @cached_property
    def dtype(self) -> torch.dtype:
        """The type that values are stored in."""
        return torch.bfloat16 if self.name == "device" else torch.float32

    @cached_property
    def data_type(self) -> DataType:
        """`dtype` as `ttnn` calls it."""
        return DataType.BFLOAT16 if self.name == "device" else DataType.FLOAT32

    @cached_property
    def widens(self) -> bool:
        """Whether stored values are converted to float32 before matrix products."""
        return self.name == "device" and self.matmul == "fp32-then-round"

    def store(self, value: torch.Tensor) -> torch.Tensor:
        """Round `value` to the type that values are stored in."""
        return value if value.dtype == self.dtype else value.to(self.dtype)

    def operand(self, value: torch.Tensor) -> torch.Tensor:
        """Return a stored value in the type for matrix products."""
        return value.float() if self.widens else value


_current: Numerics | None = None


def current() -> Numerics:
    """Return the numerics in use; RuntimeError before `ttml_emulation.load`."""
    if _current is None:
        raise RuntimeError("ttml_emulation is not loaded: call ttml_emulation.load() first")
    return _current


def choose(name: NumericsName, matmul: MatmulName | None) -> Numerics:
    """Set the numerics in use, and return them.

    With `matmul=None`, `device` numerics time both ways once per process and choose the faster.
    Raises ValueError for an unknown name.
    """
    global _current
    if name not in get_args(NumericsName):
        raise ValueError(f"unknown numerics {name!r}; known: {', '.join(get_args(NumericsName))}")
    if matmul is not None and matmul not in get_args(MatmulName):
        raise ValueError(f"unknown matmul {matmul!r}; known: {', '.join(get_args(MatmulName))}")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "fp32":
        matmul = "native"  # there is no bfloat16, so there is no choice
    elif device.type == "cuda":
        torch.backends.cuda.matmul.allow_bf16_reduced_precision_reduction = False
        matmul = matmul or "native"
    else:
        matmul = matmul or fastest_matmul()
    _current = Numerics(name, matmul, device)
    return _current


@lru_cache(maxsize=1)
def fastest_matmul() -> MatmulName:
    """Time both ways on this processor, at the width of a NanoGPT layer, and return the faster.

    This uses one thread and its CPU time, so that other processes do not affect the result.
    """
    x = torch.ones(128, 384, dtype=torch.bfloat16)
    w = torch.ones(1536, 384, dtype=torch.bfloat16)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        native = _seconds(lambda: x @ w.t())
        widened = _seconds(lambda: (x.float() @ w.float().t()).to(torch.bfloat16))
    finally:
        torch.set_num_threads(threads)
    return "native" if native < widened else "fp32-then-round"


def _seconds(work: Callable[[], object]) -> float:
    """Return the best time of three runs after a warmup run."""
    best = float("inf")
    for attempt in range(4):
        start = time.thread_time()
        work()
        if attempt:
            best = min(best, time.thread_time() - start)
    return best
