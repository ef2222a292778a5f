"""
The learning rate schedule, and which steps do not depend on the length of the run.

The stages of a lesson differ only in length. Two runs share a step if its learning rate, data and dropout do
not depend on the length. Data and dropout never do, and the learning rate does only while it decays.
The schedule is warmup-stable-decay (WSD): the rate decays over the last tenth of the steps, so all other
steps can be trained once and reused by every run.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from lesson_ct4.config import LENGTH_FIELDS, TrainConfig


def shared_steps(config: TrainConfig, steps: int) -> int:
    """Return how many of the first steps of a run of ``steps`` do not depend on its length."""
    return steps if config.decay == "none" else steps - math.ceil(steps / 10)


def learning_rate(config: TrainConfig, step: int, steps: int) -> float:
    """
    Return the learning rate of ``step`` (from 1) in a run of ``steps``.

    It rises linearly over the first ``warmup_steps``. After the shared steps it falls linearly, to
    ``min_lr_ratio`` of the full rate at the last step.
    """
    rate = config.learning_rate
    if step <= config.warmup_steps:
        rate *= step / config.warmup_steps
    shared = shared_steps(config, steps)
    if step > shared:
        rate *= 1 - (1 - config.min_lr_ratio) * (step - shared) / (steps - shared)
    return rate


def training_identity(config: TrainConfig, dataset_sha256: str, session: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return everything that a shared step depends on, as one flat mapping.

    Args:
        session: :attr:`lesson_ct4.device.session.Session.info`. The backend, its numerics and threads, and
            the versions of the libraries determine the last bits of every number.
    """
    numbers = {
        name: value
        for name, value in config.to_json().items()
        if name not in LENGTH_FIELDS and name != "recipe"
    }
    return {**numbers, "dataset": dataset_sha256, **{f"session.{name}": v for name, v in session.items()}}


def cache_key(identity: Mapping[str, Any]) -> str:
    """Return the sha256, in hex, of the canonical JSON of ``identity``."""
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
