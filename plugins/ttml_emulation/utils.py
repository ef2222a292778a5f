"""`ttml.common.utils`: seeds, gradient mode, and small helpers for training scripts."""

from __future__ import annotations

import contextlib
import math
import random
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .context import AutoContext
from .data import build_causal_mask
from .distributed import concat_mesh_to_tensor_composer, enable_fabric
from .enums import DataType, GradMode
from .modules import ModuleBase, parameter_from
from .optimizers import AdamW, AdamWConfig, MorehAdamW, OptimizerBase
from .optimizers import create_optimizer as _create
from .paths import get_tt_metal_home, get_tt_metal_runtime_root
from .tensor import Tensor

__all__ = [
    "PerformanceMeter",
    "build_causal_mask",
    "build_logits_mask",
    "create_optimizer",
    "get_loss_over_devices",
    "get_tt_metal_home",
    "get_tt_metal_runtime_root",
    "initialize_device",
    "no_grad",
    "round_up_to_tile",
    "set_seed",
    "summary",
]


def set_seed(seed: int = 42) -> None:
    """Seed `random`, numpy's global generator (initial weights) and the context's (dropout)."""
    random.seed(seed)
    np.random.seed(seed)
    AutoContext.get_instance().set_seed(seed)


@contextlib.contextmanager
def no_grad() -> Iterator[None]:
    """Disable gradients inside the block; a context manager and a decorator."""
    context = AutoContext.get_instance()
    before = context.get_gradient_mode()
    context.set_gradient_mode(GradMode.DISABLED)
    try:
        yield
    finally:
        context.set_gradient_mode(before)


def round_up_to_tile(value: int, tile: int = 32) -> int:
    """Return `value` rounded up to a multiple of `tile`."""
    return -(-value // tile) * tile


def build_logits_mask(vocab_size: int, padded_vocab_size: int) -> Tensor:
    """Return `[1, 1, 1, padded]`: 0 for real tokens and 1e4 for padding; `sample_op` subtracts it."""
    mask = np.zeros((1, 1, 1, padded_vocab_size), dtype=np.float32)
    mask[..., vocab_size:] = 1e4
    return parameter_from(mask)


def initialize_device(yaml_config: Mapping[str, Any]) -> None:
    """Open the chips in a configuration, with links between them; RuntimeError if that fails."""
    device = yaml_config.get("device_config") or {}
    shape = device.get("mesh_shape") or (1, 1)
    enable_fabric(math.prod(shape))
    AutoContext.get_instance().open_device(shape, device.get("device_ids"))


def get_loss_over_devices(loss: Tensor) -> float:
    """Return the mean loss over the chips."""
    composer = concat_mesh_to_tensor_composer(AutoContext.get_instance().get_device(), 0)
    return float(loss.to_numpy(DataType.FLOAT32, composer).mean())


def create_optimizer(model: ModuleBase, yaml_config: Mapping[str, Any]) -> OptimizerBase:
    """Return the optimizer in a configuration.

    Recent versions of `ttml` read `training_config.optimizer`, the first versions read flat keys such as
    `training_config.learning_rate`. If both are given, the nested form applies. Raises ValueError if there is
    neither.
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
    kind = MorehAdamW if training.get("use_moreh_adamw") else AdamW
    return kind(model.parameters(), config)


def summary(model: ModuleBase) -> None:
    """Print every parameter with its shape and size, trained ones first, and the totals."""
    rows = [
        (not tensor.get_requires_grad(), name, str(tuple(tensor.shape())), math.prod(tensor.shape()))
        for name, tensor in model.parameters().items()
    ]
    name_width = max((len(row[1]) for row in rows), default=0)
    shape_width = max((len(row[2]) for row in rows), default=0)
    for frozen, name, shape, size in sorted(rows):
        state = "frozen" if frozen else "trained"
        print(f" {name:<{name_width}} | {shape:<{shape_width}} | {size:>12,} | {state}")  # noqa: T201
    trained = sum(row[3] for row in rows if not row[0])
    total = sum(row[3] for row in rows)
    print(f"Total params: {total:,}, trained: {trained:,}, frozen: {total - trained:,}")  # noqa: T201


class PerformanceMeter:
    """Samples and tokens per second over the last steps, in wall-clock time.

    `cfg` must have `batch_size`, `gradient_accumulation_steps` and `seq_len`.
    """

    def __init__(self, cfg: Any, window_size: int = 10) -> None:
        self.cfg = cfg
        self.window_size = window_size
        self.steps: list[float] = []

    def step(self) -> None:
        """Record the time at the end of a step."""
        self.steps = [*self.steps, time.time()][-self.window_size :]

    def get_metrics(self) -> tuple[float, float]:
        """Return samples and tokens per second; zeros before the end of the second step."""
        window = self.steps[-1] - self.steps[0] if self.steps else 0
        if window == 0:
            return 0, 0
        samples = len(self.steps) * self.cfg.batch_size * self.cfg.gradient_accumulation_steps
        return samples / window, samples * self.cfg.seq_len / window
