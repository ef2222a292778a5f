"""`ttml.common.data`: the character tokenizer and the causal mask."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np


class CharTokenizer:
    """Characters to ids: 0 is `<PAD>`, then the text's characters in order, then `<BEG>` and `<END>`.

    `stoi` maps a token to its id, `itos` lists the tokens.
    """

    PAD, BEG, END = "<PAD>", "<BEG>", "<END>"

    def __init__(self, text: str) -> None:
        self.itos = [self.PAD, *sorted(set(text)), self.BEG, self.END]
        self.stoi = {token: index for index, token in enumerate(self.itos)}

    @property
    def vocab_size(self) -> int:
        """The number of tokens."""
        return len(self.itos)

    def encode(self, text: str) -> list[int]:
        """Return the ids; KeyError for a character that was not in the text."""
        return [self.stoi[character] for character in text]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text."""
        return "".join(self.itos[index] for index in ids)


def build_causal_mask(length: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return `[1, 1, length, length]` float32: ones on and below the diagonal, zeros above."""
    return np.tril(np.ones((1, 1, length, length), dtype=np.float32))
