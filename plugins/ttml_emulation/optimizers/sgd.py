"""Stochastic gradient descent with momentum."""

from __future__ import annotations

from dataclasses import dataclass

from ..modules import NamedParameters
from .base import OptimizerBase, zeros_like


@dataclass
class SGDConfig:
    """Settings of `SGD`."""

    lr: float
    momentum: float = 0.0
    dampening: float = 0.0
    weight_decay: float = 0.0
    nesterov: bool = False

    @classmethod
    def make(
        cls,
        lr: float,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> SGDConfig:
        """Return the settings."""
        return cls(lr, momentum, dampening, weight_decay, nesterov)


class SGD(OptimizerBase):
    """b = momentum b + (1 - dampening) (g + wd theta), theta = theta - lr b.

    In the first step, b = g + wd theta. Everything is computed in float32; b and theta are rounded once each.
    """

    def __init__(self, params: NamedParameters, config: SGDConfig) -> None:
        super().__init__(params)
        self._config = config
        self._lr = config.lr
        self._buffer = zeros_like(self._params) if config.momentum else NamedParameters()

    def _moments(self) -> dict[str, NamedParameters]:
        return {"momentum": self._buffer} if self._config.momentum else {}

    def step(self) -> None:
        """Update every parameter that has a gradient."""
        config = self._config
        self._steps += 1
        buffers = self._buffer.parts()
        for place, tensor, grad in self._with_gradient():
            value = tensor.data.float()
            update = grad.float() + config.weight_decay * value
            if config.momentum:
                buffer = buffers[place].data
                keep = 0.0 if self._steps == 1 else config.dampening
                moving = config.momentum * buffer.float() + (1 - keep) * update
                buffer.copy_(moving)
                update = update + config.momentum * moving if config.nesterov else moving
            tensor.data.copy_(value - self._lr * update)
            tensor.changed()
