"""`ttml.common.utils`: seeds, gradient mode, and small helpers of training scripts."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .context import AutoContext
from .data import build_causal_mask
from .enums import DataType, GradMode
from .modules import ModuleBase, parameter_from
from .optimizers import AdamW, AdamWConfig, OptimizerBase
from .optimizers import create_optimizer as _create
from .tensor import Tensor

__all__ = [
    "build_causal_mask",
    "build_logits_mask",
    "create_optimizer",
    "get_loss_over_devices",
    "initialize_device",
    "no_grad",
    "round_up_to_tile",
    "set_seed",
]


def set_seed(seed: int = 42) -> None:
    """Seed `random`, numpy's global generator (initial weights) and the context's (dropout)."""
    random.seed(seed)
    np.random.seed(seed)
    AutoContext.get_instance().set_seed(seed)


@contextlib.contextmanager
def no_grad() -> Iterator[None]:
    """Record nothing inside; a context manager and a decorator."""
    context = AutoContext.get_instance()
    before = context.get_gradient_mode()
    context.set_gradient_mode(GradMode.DISABLED)
    try:
        yield
    finally:
        context.set_gradient_mode(before)


def round_up_to_tile(value: int, tile_size: int = 32) -> int:
    """Return the next multiple of `tile_size`."""
    return -(-value // tile_size) * tile_size


def build_logits_mask(vocab_size: int, padded_vocab_size: int) -> Tensor:
    """Return `[1, 1, 1, padded]`: 0 for real tokens and 1e4 for padding; `sample_op` subtracts it."""
    mask = np.zeros((1, 1, 1, padded_vocab_size), dtype=np.float32)
    mask[..., vocab_size:] = 1e4
    return parameter_from(mask)


def initialize_device(yaml_config: Mapping[str, Any]) -> None:
    """Open the device a configuration describes; RuntimeError if it wants more than one."""
    device = yaml_config.get("device_config") or {}
    AutoContext.get_instance().open_device(device.get("mesh_shape"), device.get("device_ids"))


def get_loss_over_devices(loss: Tensor) -> float:
    """Return the mean of a loss as a number."""
    return float(loss.to_numpy(DataType.FLOAT32).mean())


def create_optimizer(model: ModuleBase, yaml_config: Mapping[str, Any]) -> OptimizerBase:
    """Return the optimizer a configuration describes, in either form that versions of `ttml` read.

    Recent ones read `training_config.optimizer`, the first ones flat keys such as
    `training_config.learning_rate`. Where both are given the nested form counts. Raises ValueError if there
    is neither.
    """
    training = yaml_config.get("training_config", yaml_config)
    nested = training.get("optimizer", training if "type" in training else None)
    if nested is not None:
        return _create(nested, model.parameters())
    if "learning_rate" not in training:
        raise ValueError("the configuration has neither training_config.optimizer nor learning_rate")
    config = AdamWConfig.make(
        training["learning_rate"],
        training.get("beta1", 0.9),
        training.get("beta2", 0.999),
        training.get("eps", 1e-8),
        training.get("weight_decay", 1e-2),
    )
    return AdamW(model.parameters(), config)
