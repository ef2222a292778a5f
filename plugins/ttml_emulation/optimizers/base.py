"""What every optimizer has: parameters, a learning rate, a step count, and a state to save."""

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
    """The base of optimizers. There are no groups: every parameter is treated alike, biases and norms too."""

    def __init__(self, params: NamedParameters) -> None:
        self._params = NamedParameters(params)
        self._lr = 0.0
        self._steps = 0

    def step(self) -> None:
        """Change the parameters that have a gradient; a sub-class defines it."""
        raise NotImplementedError(f"{type(self).__name__} does not define step")

    def zero_grad(self) -> None:
        """Drop the gradients."""
        for part in self._params.parts():
            part.grad = None

    def get_name(self) -> str:
        """Return the name of the class."""
        return type(self).__name__

    def set_lr(self, lr: float) -> None:
        """Set the learning rate of the steps to come."""
        self._lr = float(lr)

    def get_lr(self) -> float:
        """Return the learning rate."""
        return self._lr

    def set_steps(self, steps: int) -> None:
        """Set the number of steps made, which Adam's bias correction depends on."""
        self._steps = int(steps)

    def get_steps(self) -> int:
        """Return the number of steps made."""
        return self._steps

    def print_stats(self) -> None:
        """Print the name, the learning rate and the number of steps."""
        name, count = self.get_name(), len(self._params)
        print(f"{name}: lr {self._lr:g}, {self._steps} steps, {count} parameters")  # noqa: T201

    def get_state_dict(self) -> dict[str, Any]:
        """Return the steps made, and the moments by parameter name (they are not copies)."""
        return {"steps": self._steps} | self._moments()

    def set_state_dict(self, state: Mapping[str, Any]) -> None:
        """Copy a state into this optimizer; RuntimeError unless it has this one's names and shapes."""
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
        """Return what is kept for each parameter, by kind; a sub-class with moments defines it."""
        return {}

    def _restored(self) -> None:
        """Called after a state was copied in."""

    def _with_gradient(self) -> list[tuple[int, Tensor, torch.Tensor]]:
        """Return what has a gradient, on every chip: place in `NamedParameters.parts`, tensor, gradient.

        The tensors are about to be written to: what is still to be computed from them is computed first.
        """
        lazy.materialize_all()
        parts = enumerate(self._params.parts())
        return [(place, part, part.grad) for place, part in parts if part.grad is not None]


class NoOp(OptimizerBase):
    """Changes nothing."""

    def step(self) -> None:
        """Count the step."""
        self._steps += 1


def zeros_like(params: NamedParameters, dtype: torch.dtype | None = None) -> NamedParameters:
    """Return a zero for each parameter, on every chip, in the parameter's type or in `dtype` (float32)."""
    return NamedParameters((name, _zeros_like(tensor, dtype)) for name, tensor in params.items())


@on_every_chip
def _zeros_like(tensor: Tensor, dtype: torch.dtype | None) -> Tensor:
    zeros = torch.zeros_like(tensor.data, dtype=dtype, memory_format=torch.contiguous_format)
    return Tensor(Value(zeros, tensor.dtype() if dtype is None else DataType.FLOAT32), False)


def _require_same(what: str, given: set[str], wanted: set[str]) -> None:
    if given != wanted:
        wrong = ", ".join(sorted(given ^ wanted)[:3])
        raise RuntimeError(f"{what} does not fit this optimizer: {wrong}")
