"""The learning rate, and which steps stages of different length share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesson_ct4.config import TrainConfig, config_from
from lesson_ct4.training.schedule import cache_key, learning_rate, shared_steps, training_identity

TUNED = config_from({"recipe": "tuned", "max_steps": 1000})
PUBLISHED = TrainConfig(max_steps=1000)
SESSION = {"name": "emulated", "threads": 2, "versions": {"torch": "2.6"}}


def test_the_published_rate_never_changes() -> None:
    assert {5e-4} == {learning_rate(PUBLISHED, step, 1000) for step in range(1, 1001)}


def test_the_tuned_rate_warms_up_stays_and_decays() -> None:
    rates = {step: learning_rate(TUNED, step, 1000) for step in (1, 50, 100, 500, 900, 950, 1000)}

    assert rates == pytest.approx(
        {1: 1e-5, 50: 5e-4, 100: 1e-3, 500: 1e-3, 900: 1e-3, 950: 5.05e-4, 1000: 1e-5}
    )


@given(st.integers(1, 500), st.integers(0, 600))
def test_every_rate_is_above_zero_and_at_most_the_full_one(steps: int, warmup: int) -> None:
    config = config_from({"recipe": "tuned", "max_steps": steps, "warmup_steps": warmup})

    rates = [learning_rate(config, step, steps) for step in range(1, steps + 1)]

    assert all(0 < rate <= config.learning_rate for rate in rates)


@given(st.integers(1, 300), st.integers(1, 300), st.sampled_from([TUNED, PUBLISHED]))
def test_shared_steps_do_not_depend_on_the_length_of_the_run(
    one: int, other: int, config: TrainConfig
) -> None:
    shared = min(shared_steps(config, one), shared_steps(config, other))

    for step in range(1, shared + 1):
        assert learning_rate(config, step, one) == learning_rate(config, step, other)


@pytest.mark.parametrize(
    ("config", "steps", "shared"), [(PUBLISHED, 100, 100), (TUNED, 100, 90), (TUNED, 1, 0)]
)
def test_how_much_of_a_run_is_shared(config: TrainConfig, steps: int, shared: int) -> None:
    assert shared_steps(config, steps) == shared


def _key(config: TrainConfig, sha256: str, session: Mapping[str, Any]) -> str:
    return cache_key(training_identity(config, sha256, session))


def test_the_key_ignores_length_and_nothing_else() -> None:
    key = _key(TUNED, "d" * 64, SESSION)
    same = config_from({"recipe": "tuned", "num_epochs": 3, "steps_per_epoch": 7})

    assert _key(same, "d" * 64, SESSION) == key
    assert _key(config_from({"recipe": "tuned", "max_steps": 1000, "seed": 1}), "d" * 64, SESSION) != key
    assert _key(TUNED, "e" * 64, SESSION) != key
    assert _key(TUNED, "d" * 64, {**SESSION, "threads": 4}) != key
