"""Optimizers by name, as in recent training configurations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..missing import NotEmulatedCallError, message
from ..modules import NamedParameters
from .adamw import AdamW, AdamWConfig, AdamWFullPrecision, AdamWFullPrecisionConfig, MorehAdamW
from .base import NoOp, OptimizerBase
from .sgd import SGD, SGDConfig

NOT_EMULATED = ("AdamWComposite", "Muon", "RemoteOptimizer", "SGDComposite")
"""Optimizers that a board has and the emulation does not."""
Factory = Callable[[Mapping[str, Any], NamedParameters], OptimizerBase]


def _adamw_settings(config: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return AdamW's settings, with the defaults of `ttml` for missing keys."""
    return (
        config.get("lr", 1e-3),
        config.get("beta1", 0.9),
        config.get("beta2", 0.999),
        config.get("epsilon", 1e-8),
        config.get("weight_decay", 1e-2),
        config.get("amsgrad", False),
        config.get("stochastic_rounding", False),
    )


def _sgd(config: Mapping[str, Any], params: NamedParameters) -> OptimizerBase:
    names = ("momentum", "dampening", "weight_decay", "nesterov")
    given = {name: config[name] for name in names if name in config}
    return SGD(params, SGDConfig(config.get("lr", 1e-3), **given))


_factories: dict[str, Factory] = {
    "AdamW": lambda config, params: AdamW(params, AdamWConfig(*_adamw_settings(config))),
    "AdamWFullPrecision": lambda config, params: AdamWFullPrecision(
        params, AdamWFullPrecisionConfig(*_adamw_settings(config))
    ),
    "MorehAdamW": lambda config, params: MorehAdamW(params, AdamWConfig(*_adamw_settings(config))),
    "NoOp": lambda _, params: NoOp(params),
    "SGD": _sgd,
}


def create_optimizer(config: Mapping[str, Any], params: NamedParameters) -> OptimizerBase:
    """Return the optimizer of `config["type"]`; an error if it is unknown or not emulated."""
    name = config.get("type")
    if name in NOT_EMULATED:
        raise NotEmulatedCallError(message(f"the optimizer {name}"))
    if name not in _factories:
        raise RuntimeError(f"unknown optimizer {name!r}; known: {', '.join(sorted(_factories))}")
    return _factories[name](config, params)


def register_optimizer(name: str, factory: Factory) -> None:
    """Register another type of optimizer for `create_optimizer`."""
    _factories[name] = factory
