"""The base of all optimizers: parameters, learning rate, step count and state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from .. import lazy
from ..chips import on_every_chip
from ..enums import DataType
from ..modules import NamedParameters
from ..tensor import Tensor
from ..values import Value


class OptimizerBase:
    """The base of all optimizers. There are no parameter groups: biases and norms are not special."""

    def __init__(self, params: NamedParameters) -> None:
        self._params = NamedParameters(params)
        self._lr = 0.0
        self._steps = 0

    def step(self) -> None:
        """Update the parameters that have a gradient; subclasses define this."""
        raise NotImplementedError(f"{type(self).__name__} does not define step")

    def zero_grad(self) -> None:
        """Drop the gradients."""
        for part in self._params.parts():
            part.grad = None

    def get_name(self) -> str:
        """Return the class name."""
        return type(self).__name__

    def set_lr(self, lr: float) -> None:
        """Set the learning rate for the next steps."""
        self._lr = float(lr)

    def get_lr(self) -> float:
        """Return the learning rate."""
        return self._lr

    def set_steps(self, steps: int) -> None:
        """Set the step count, which Adam's bias correction uses."""
        self._steps = int(steps)

    def get_steps(self) -> int:
        """Return the step count."""
        return self._steps

    def print_stats(self) -> None:
        """Print name, learning rate and step count."""
        name, count = self.get_name(), len(self._params)
        print(f"{name}: lr {self._lr:g}, {self._steps} steps, {count} parameters")  # noqa: T201

    def get_state_dict(self) -> dict[str, Any]:
        """Return the step count and the moments by parameter name, not copied."""
        return {"steps": self._steps} | self._moments()

    def set_state_dict(self, state: Mapping[str, Any]) -> None:
        """Copy a state into this optimizer; RuntimeError unless names and shapes match."""
        moments = self._moments()
        _require_same("the optimizer's state", set(state), {"steps", *moments})
        for kind, mine in moments.items():
            _require_same(kind, set(state[kind]), set(mine))
            for name, tensor in mine.items():
                if state[kind][name].shape() != tensor.shape():
                    raise RuntimeError(
                        f"{kind} of {name}: shape {state[kind][name].shape()}, not {tensor.shape()}"
                    )
        for kind, mine in moments.items():
            for name, tensor in mine.items():
                for mine_part, part in zip(tensor.parts, state[kind][name].parts, strict=True):
                    mine_part.data.copy_(part.data)
        self._steps = int(state["steps"])
        self._restored()

    def _moments(self) -> dict[str, NamedParameters]:
        """Return the moments of each parameter, by kind; subclasses with moments define this."""
        return {}

    def _restored(self) -> None:
        """Called after a state was restored."""

    def _with_gradient(self) -> list[tuple[int, Tensor, torch.Tensor]]:
        """Return index in `NamedParameters.parts`, tensor and gradient of parameters with a gradient.

        The tensors are about to change, so this computes all lazy values first.
        """
        lazy.materialize_all()
        parts = enumerate(self._params.parts())
        return [(place, part, part.grad) for place, part in parts if part.grad is not None]


class NoOp(OptimizerBase):
    """An optimizer that changes nothing."""

    def step(self) -> None:
        """Increment the step count."""
        self._steps += 1


def zeros_like(params: NamedParameters, dtype: torch.dtype | None = None) -> NamedParameters:
    """Return zeros for each parameter on every chip, in its type or in `dtype` (float32)."""
    return NamedParameters((name, _zeros_like(tensor, dtype)) for name, tensor in params.items())


@on_every_chip
def _zeros_like(tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    zeros = torch.zeros_like(tensor.data, dtype=dtype, memory_format=torch.contiguous_format)
    return Tensor(Value(zeros, tensor.dtype() if dtype is None else DataType.FLOAT32), False)


def _require_same(what: str, given: set[str], wanted: set[str]) -> None:
    if given != wanted:
        wrong = ", ".join(sorted(given ^ wanted)[:3])
        raise RuntimeError(f"{what} does not fit this optimizer: {wrong}")
