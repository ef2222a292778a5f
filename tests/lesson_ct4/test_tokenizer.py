"""The character tokenizer."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesson_ct4.data.tokenizer import CharTokenizer
from lesson_runner.model.errors import LessonError

# The 65 characters of Tiny Shakespeare.
SHAKESPEARE = "\n !$&',-.3:;?" + string.ascii_letters


def test_padding_comes_first_and_the_marks_last() -> None:
    tokenizer = CharTokenizer("hello")

    assert tokenizer.itos == ["<PAD>", "e", "h", "l", "o", "<BEG>", "<END>"]
    assert {symbol: number for number, symbol in enumerate(tokenizer.itos)} == tokenizer.stoi


def test_the_lessons_text_has_68_ids_in_a_model_of_96() -> None:
    tokenizer = CharTokenizer(SHAKESPEARE)

    assert (tokenizer.vocab_size, tokenizer.padded_vocab_size) == (68, 96)


def test_a_vocabulary_of_whole_tiles_is_not_padded() -> None:
    assert CharTokenizer(string.ascii_letters[:29]).padded_vocab_size == 32


@given(st.text(min_size=1))
def test_encoding_then_decoding_gives_the_text(text: str) -> None:
    tokenizer = CharTokenizer(text)

    assert tokenizer.decode(tokenizer.encode(text)) == text


@given(st.text())
def test_a_tokenizer_survives_json(text: str) -> None:
    tokenizer = CharTokenizer(text)

    assert CharTokenizer.from_json(json.loads(json.dumps(tokenizer.to_json()))).itos == tokenizer.itos


def test_special_ids_decode_to_nothing() -> None:
    tokenizer = CharTokenizer("ab")

    assert tokenizer.decode([0, 1, 2, 3, 4, 31]) == "ab"


def test_an_unknown_character_is_named_with_its_place() -> None:
    with pytest.raises(LessonError, match=r"'€' \(U\+20AC\) at line 2, column 3") as caught:
        CharTokenizer("abc\n").encode("abc\nab€")

    assert "'\\nabc'" in str(caught.value.fix)


@pytest.mark.parametrize(
    "data", [{}, {"kind": "words", "characters": "ab"}, {"kind": "characters", "characters": "ba"}]
)
def test_what_is_not_a_tokenizer_is_refused(data: dict[str, str]) -> None:
    with pytest.raises(LessonError):
        CharTokenizer.from_json(data)
