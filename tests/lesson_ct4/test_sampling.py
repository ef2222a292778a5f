"""Sampling the next character."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from lesson_ct4.generation.sampling import check_sampling, sample
from lesson_runner.model.errors import LessonError

LOGITS = np.array([9, 1, 3, 2, 0, 9, 9, 9], dtype=np.float32)  # padding, four characters, what is never drawn


def draw(
    position: int = 0, *, temperature: float = 1.0, top_k: int = 0, seed: int = 1, number: int = 0
) -> int:
    return sample(
        LOGITS,
        characters=4,
        temperature=temperature,
        top_k=top_k,
        seed=seed,
        sample_index=number,
        position=position,
    )


@pytest.mark.parametrize("temperature", [0.0, 0.009])
def test_a_temperature_near_zero_takes_the_most_likely(temperature: float) -> None:
    assert {2} == {draw(position, temperature=temperature) for position in range(20)}


@given(
    arrays(np.float32, 32, elements=st.floats(-50, 50, width=32)),
    st.floats(0.01, 5),
    st.integers(0, 40),
    st.integers(0, 1000),
)
def test_only_characters_come_out(
    logits: NDArray[np.float32], temperature: float, top_k: int, position: int
) -> None:
    drawn = sample(
        logits,
        characters=26,
        temperature=temperature,
        top_k=top_k,
        seed=5489,
        sample_index=0,
        position=position,
    )

    assert 1 <= drawn <= 26


def test_top_k_leaves_out_the_rest() -> None:
    assert {2, 3} == {draw(position, top_k=2, temperature=3) for position in range(200)}


def test_draws_follow_the_softmax() -> None:
    counts = Counter(draw(position) for position in range(4000))

    expected = np.exp(LOGITS[1:5]) / np.exp(LOGITS[1:5]).sum()
    np.testing.assert_allclose([counts[number] / 4000 for number in range(1, 5)], expected, atol=0.03)


def test_a_draw_is_a_function_of_seed_sample_and_position() -> None:
    def row(seed: int, number: int) -> list[int]:
        return [draw(position, seed=seed, number=number, temperature=3) for position in range(50)]

    assert row(1, 0) == row(1, 0)
    assert len({str(row(seed, number)) for seed in (1, 2) for number in (0, 1)}) == 4


@pytest.mark.parametrize("temperature", [-1, float("nan"), float("inf")])
def test_a_wrong_temperature_is_refused(temperature: float) -> None:
    with pytest.raises(LessonError, match="--temperature"):
        check_sampling(temperature=temperature, top_k=0)


def test_a_negative_top_k_is_refused() -> None:
    with pytest.raises(LessonError, match="--top_k"):
        check_sampling(temperature=1, top_k=-1)
