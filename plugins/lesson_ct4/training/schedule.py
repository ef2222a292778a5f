"""
The learning rate, and which steps of a run do not depend on how long it is.

Stages of a lesson differ in length only. A step of one equals the same step of another as long as
its learning rate, its data and its dropout do not depend on the length; data and dropout never do
here, and the rate does only while it decays. The schedule warms up, stays, and decays over the last
tenth (known as WSD: warm-up, stable, decay), so all but the last tenth can be trained once for all.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from lesson_ct4.config import LENGTH_FIELDS, TrainConfig


def trunk_steps(config: TrainConfig, steps: int) -> int:
    """Return how many first steps of a run of ``steps`` do not depend on its length."""
    return steps if config.decay == "none" else steps - math.ceil(steps / 10)


def learning_rate(config: TrainConfig, step: int, steps: int) -> float:
    """
    Return the learning rate of ``step`` (from 1) of a run of ``steps``.

    Rises linearly over the first ``warmup_steps``; after the trunk it falls linearly, so that the last
    step has ``min_lr_ratio`` of the full rate.
    """
    rate = config.learning_rate
    if step <= config.warmup_steps:
        rate *= step / config.warmup_steps
    trunk = trunk_steps(config, steps)
    if step > trunk:
        rate *= 1 - (1 - config.min_lr_ratio) * (step - trunk) / (steps - trunk)
    return rate


def trunk_identity(config: TrainConfig, dataset_sha256: str, session: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return everything that a step inside the trunk depends on, as one flat mapping.

    Args:
        session: :attr:`lesson_ct4.device.session.Session.info`; the backend, its numerics and threads and the
            libraries' versions decide the last bits of every number.
    """
    numbers = {
        name: value
        for name, value in config.to_json().items()
        if name not in LENGTH_FIELDS and name != "recipe"
    }
    return {**numbers, "dataset": dataset_sha256, **{f"session.{name}": v for name, v in session.items()}}


def key_of(identity: Mapping[str, Any]) -> str:
    """Return the sha256, in hex, of an identity's canonical JSON."""
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
