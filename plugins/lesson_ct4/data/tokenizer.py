"""A character tokenizer with the same ids as ``ttml.common.data.CharTokenizer``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lesson_runner.model.errors import LessonError

PAD, BEG, END = "<PAD>", "<BEG>", "<END>"


class CharTokenizer:
    """
    Numbers the characters of a text: 0 is padding, then the sorted characters, then two special tokens.

    Tiny Shakespeare has 65 characters, so :attr:`vocab_size` is 68.
    """

    def __init__(self, text: Iterable[str]) -> None:
        self.characters = tuple(sorted(set(text)))
        self.itos = [PAD, *self.characters, BEG, END]
        self.stoi = {symbol: number for number, symbol in enumerate(self.itos)}

    @property
    def vocab_size(self) -> int:
        """Number of token ids, including the three special ones."""
        return len(self.itos)

    @property
    def padded_vocab_size(self) -> int:
        """:attr:`vocab_size` rounded up to whole tiles of 32, which is the model's vocabulary size."""
        return -(-self.vocab_size // 32) * 32

    def encode(self, text: str) -> list[int]:
        """
        Return the id of every character.

        Raises:
            LessonError: a character is not in the vocabulary.
        """
        try:
            return [self.stoi[character] for character in text]
        except KeyError as error:
            character = error.args[0]
            before = text[: text.index(character)]
            line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
            raise LessonError(
                f"the character {character!r} (U+{ord(character):04X}) at line {line}, column {column} "
                f"of {_shortened(text)!r} is not in the training text",
                fix=f"use only these characters: {''.join(self.characters)!r}",
            ) from None

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ``ids``; special ids and ids beyond the vocabulary are left out."""
        return "".join(self.itos[number] for number in ids if 0 < number <= len(self.characters))

    def to_json(self) -> dict[str, Any]:
        """Return the data that :meth:`from_json` needs."""
        return {"kind": "characters", "characters": "".join(self.characters)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> CharTokenizer:
        """
        Restore a tokenizer.

        Raises:
            LessonError: ``data`` is not what :meth:`to_json` returns.
        """
        characters = data.get("characters")
        if data.get("kind") != "characters" or not isinstance(characters, str):
            raise LessonError("the tokenizer is not a character tokenizer")
        if list(characters) != sorted(set(characters)):
            raise LessonError("the tokenizer's characters are not sorted, so their ids would differ")
        return cls(characters)


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
