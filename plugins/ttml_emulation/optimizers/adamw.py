"""AdamW as the device's fused kernel computes it.

    m = beta1 m + (1 - beta1) g        v = beta2 v + (1 - beta2) g^2
    theta = (1 - lr wd) theta - (lr / (1 - beta1^t)) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)

The update is computed in float32. m, v and theta are each rounded once, when they are stored, and the update
of theta uses the unrounded m and v. PyTorch's fused kernel for bfloat16 does exactly this, in one pass over
memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .. import lazy
from ..chips import on_every_chip
from ..enums import DataType
from ..modules import NamedParameters
from ..tensor import Tensor
from ..values import Value
from .base import OptimizerBase, zeros_like


@dataclass
class AdamWConfig:
    """Settings of `AdamW`. Use `make`, which is the only constructor on a board."""

    lr: float
    beta1: float
    beta2: float
    epsilon: float
    weight_decay: float
    amsgrad: bool = False
    stochastic_rounding: bool = False

    @classmethod
    def make(
        cls,
        lr: float,
        beta1: float,
        beta2: float,
        epsilon: float,
        weight_decay: float,
        amsgrad: bool = False,
        stochastic_rounding: bool = False,
    ) -> AdamWConfig:
        """Return the settings. The first versions of `ttml` do not have the last two."""
        return cls(lr, beta1, beta2, epsilon, weight_decay, amsgrad, stochastic_rounding)


@dataclass
class AdamWFullPrecisionConfig(AdamWConfig):
    """Settings of `AdamWFullPrecision`."""


class AdamW(OptimizerBase):
    """AdamW with moments in the parameters' type. Weight decay applies to every parameter.

    Raises RuntimeError for stochastic rounding, which is not emulated.
    """

    def __init__(self, params: NamedParameters, config: AdamWConfig) -> None:
        super().__init__(params)
        if config.stochastic_rounding:
            raise RuntimeError("stochastic rounding is not emulated")
        self._config = config
        self._lr = config.lr
        self._dtype: torch.dtype | None = None
        self._make_moments()

    def _make_moments(self) -> None:
        self._m = zeros_like(self._params, self._dtype)
        self._v = zeros_like(self._params, self._dtype)
        self._vmax = zeros_like(self._params, self._dtype) if self._config.amsgrad else NamedParameters()

    def _moments(self) -> dict[str, NamedParameters]:
        moments = {"exp_avg": self._m, "exp_avg_sq": self._v}
        return moments | {"max_exp_avg_sq": self._vmax} if self._config.amsgrad else moments

    def step(self) -> None:
        """Update every parameter that has a gradient."""
        self._steps += 1
        found = self._with_gradient()
        if found:
            self._update(
                [t.data for _, t, _ in found], [grad for _, _, grad in found], [at for at, _, _ in found]
            )
        for _, tensor, _ in found:
            tensor.changed()

    def _update(self, values: list[torch.Tensor], grads: list[torch.Tensor], places: list[int]) -> None:
        config = self._config
        steps = torch.tensor(float(self._steps), device=values[0].device)
        torch._fused_adamw_(
            values,
            grads,
            _at(places, self._m),
            _at(places, self._v),
            _at(places, self._vmax) if config.amsgrad else [],
            [steps] * len(values),
            lr=self._lr,
            beta1=config.beta1,
            beta2=config.beta2,
            weight_decay=config.weight_decay,
            eps=config.epsilon,
            amsgrad=config.amsgrad,
            maximize=False,
        )


class MorehAdamW(AdamW):
    """The other AdamW of the first versions; here it has the same formula and rounding."""


class AdamWFullPrecision(AdamW):
    """AdamW on float32 master weights with float32 moments; the parameters are rounded copies."""

    def __init__(self, params: NamedParameters, config: AdamWFullPrecisionConfig) -> None:
        super().__init__(params, config)
        self._dtype = torch.float32
        self._make_moments()
        self._master = NamedParameters((name, _float32_copy(tensor)) for name, tensor in params.items())

    def _moments(self) -> dict[str, NamedParameters]:
        return super()._moments() | {"master_weights": self._master}

    def _update(self, values: list[torch.Tensor], grads: list[torch.Tensor], places: list[int]) -> None:
        masters = _at(places, self._master)
        super()._update(masters, [grad.float() for grad in grads], places)
        for value, master in zip(values, masters, strict=True):
            value.copy_(master)

    def _restored(self) -> None:
        lazy.materialize_all()
        for tensor, master in zip(self._params.parts(), self._master.parts(), strict=True):
            tensor.data.copy_(master.data)
            tensor.changed()


def _at(places: list[int], named: NamedParameters) -> list[torch.Tensor]:
    parts = named.parts()
    return [parts[place].data for place in places]


@on_every_chip
def _float32_copy(tensor: Tensor) -> Tensor:
    return Tensor(Value(tensor.data.to(torch.float32, copy=True), DataType.FLOAT32), False)
