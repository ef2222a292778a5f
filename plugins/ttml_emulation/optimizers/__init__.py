"""`ttml.optimizers`."""

from .adamw import AdamW, AdamWConfig, AdamWFullPrecision, AdamWFullPrecisionConfig, MorehAdamW
from .base import NoOp, OptimizerBase
from .registry import create_optimizer, register_optimizer
from .sgd import SGD, SGDConfig

__all__ = [
    "SGD",
    "AdamW",
    "AdamWConfig",
    "AdamWFullPrecision",
    "AdamWFullPrecisionConfig",
    "MorehAdamW",
    "NoOp",
    "OptimizerBase",
    "SGDConfig",
    "create_optimizer",
    "register_optimizer",
]
