"""Marks in a text: prompt, invented words, copied passages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesson_ct4.measuring.corpus import Corpus
from lesson_ct4.measuring.marks import marks
from lesson_ct4.measuring.measure import measure_samples

SOURCE = "ROMEO:\nBut soft, the light is in the window now.\nIt is the east, and thou art fair.\n"


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus.from_text(SOURCE)


def marked(prompt: str, text: str, corpus: Corpus | None) -> list[tuple[str, str]]:
    return [(kind, (prompt + text)[start:end]) for start, end, kind in marks(prompt, text, corpus)]


def test_parts_are_told_apart(corpus: Corpus) -> None:
    text = "\nZorp soft the light is in the window, Blorp! light cutof"
    assert marked("ROMEO:", text, corpus) == [
        ("prompt", "ROMEO:"),
        ("invented", "Zorp"),
        ("copied", "the light is in the window"),
        ("invented", "Blorp"),
    ]


def test_an_invented_word_is_whole_and_what_was_copied_goes_round_it(corpus: Corpus) -> None:
    text = " xthe light is in the windowz and thou art fair.\nso it"
    assert marked("", text, corpus) == [
        ("invented", "xthe"),
        ("copied", "light is in the"),
        ("invented", "windowz"),
        ("copied", "and thou art fair."),
        ("invented", "so"),
    ]


def test_without_a_corpus_there_is_the_prompt(corpus: Corpus) -> None:
    assert marked("ROMEO:", "\nzorp ", None) == [("prompt", "ROMEO:")]
    assert marks("", "zorp ", None) == ()


@given(
    prompt=st.sampled_from(["", "ROMEO:", "RO", "x\n"]),
    parts=st.lists(
        st.sampled_from([SOURCE[9:40], SOURCE[30:], "zorp", " ", "'", "x", "the light", "\n", "é"])
    ),
)
def test_marks_are_in_order_and_apart_and_agree_with_the_metrics(
    corpus: Corpus, prompt: str, parts: list[str]
) -> None:
    text = "".join(parts)
    found = marks(prompt, text, corpus)
    ends = [0, *(end for _, end, _ in found)]
    assert all(before <= start < end for before, (start, end, _) in zip(ends, found, strict=False))
    assert ends[-1] <= len(prompt + text)
    invented = sum(kind == "invented" for _, _, kind in found)
    assert invented == measure_samples([text], prompt, corpus)["invented_words"]
