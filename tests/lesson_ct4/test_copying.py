"""Passages that two texts share, compared with a brute-force search."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lesson_ct4.measuring.copying import COPY_LENGTH, Passages, joined

FEW = st.text("ab", max_size=150)


def covered(spans: list[tuple[int, int]]) -> set[int]:
    return {place for first, last in spans for place in range(first, last)}


def starts_of_copies(text: str, source: str) -> list[int]:
    return [
        at for at in range(len(text) - COPY_LENGTH + 1) if text[at : at + COPY_LENGTH] in source
    ]  # fmt: skip


@given(source=FEW, text=FEW, cut=st.integers(0, 150))
def test_every_copied_character_is_found(source: str, text: str, cut: int) -> None:
    text += source[cut:] + "a" + source[:cut]
    spans = Passages(source).find(text)
    everywhere = covered([(at, at + COPY_LENGTH) for at in starts_of_copies(text, source)])
    assert covered(spans) == everywhere
    assert sum(last - first for first, last in joined(spans)) == len(everywhere)


@given(source=FEW, text=FEW, cut=st.integers(0, 150))
def test_the_longest_passage_is_found(source: str, text: str, cut: int) -> None:
    text += "b" + source[cut:] + text
    spans = Passages(source).find(text)
    assert all(text[first:last] in source for first, last in spans)
    longest = 0
    for start in starts_of_copies(text, source):
        while start + max(longest, COPY_LENGTH - 1) < len(text) and (
            text[start : start + max(longest, COPY_LENGTH - 1) + 1] in source
        ):
            longest = max(longest, COPY_LENGTH - 1) + 1
    assert max((last - first for first, last in spans), default=0) == longest


def test_joined_spans_are_in_order_and_apart() -> None:
    assert joined([(5, 9), (0, 3), (8, 12), (3, 4), (20, 21)]) == [(0, 4), (5, 12), (20, 21)]
    assert joined([]) == []
