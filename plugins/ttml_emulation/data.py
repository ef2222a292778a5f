"""`ttml.common.data`: the character tokenizer, random batches, and the causal mask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .missing import NotEmulatedCallError, message
from .paths import get_tt_metal_home

__all__ = [
    "BEGIN_TOKEN",
    "END_TOKEN",
    "PAD_TOKEN",
    "CharTokenizer",
    "build_causal_mask",
    "get_batch",
    "load_shakespeare_text",
    "prepare_data",
]

PAD_TOKEN, BEGIN_TOKEN, END_TOKEN = "<PAD>", "<BEG>", "<END>"
Ids = np.ndarray[Any, np.dtype[np.uint32]]


class CharTokenizer:
    """A character tokenizer: id 0 is `<PAD>`, then the text's characters, sorted, then `<BEG>` and `<END>`.

    `stoi` maps a token to its id, `itos` lists the tokens.
    """

    def __init__(self, text: str, add_padding_token: bool = True, add_begin_end_tokens: bool = True) -> None:
        first = [PAD_TOKEN] if add_padding_token else []
        last = [BEGIN_TOKEN, END_TOKEN] if add_begin_end_tokens else []
        self.itos = [*first, *sorted(set(text)), *last]
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


def load_shakespeare_text() -> str:
    """Return the text in the tt-metal tree; FileNotFoundError if there is none."""
    return (Path(get_tt_metal_home()) / "tt-train" / "data" / "shakespeare.txt").read_text("utf-8")


def prepare_data(
    yaml_config: Mapping[str, Any],
) -> tuple[Ids, Ids, int, Callable[[Iterable[int]], str]]:
    """Return training ids, validation ids (the last tenth), the vocabulary size, and `decode`.

    The vocabulary size is rounded up to a multiple of 32. Raises NotEmulatedCallError for the tokenizer
    `bpe`.
    """
    if yaml_config.get("training_config", {}).get("tokenizer_type", "char") == "bpe":
        raise NotEmulatedCallError(message("ttml.common.data.prepare_data with tokenizer_type bpe"))
    text = load_shakespeare_text()
    tokenizer = CharTokenizer(text)
    ids = np.array(tokenizer.encode(text), dtype=np.uint32)
    cut = int(len(ids) * 0.9)
    return ids[:cut], ids[cut:], -(-tokenizer.vocab_size // 32) * 32, tokenizer.decode


def get_batch(split_ids: Ids, seq_len: int, batch_size: int) -> tuple[Ids, Ids]:
    """Return `[batch, seq_len]` ids at random positions (numpy's global generator), and their targets."""
    starts = np.random.randint(0, len(split_ids) - seq_len - 1, size=batch_size)
    windows = np.stack([split_ids[start : start + seq_len + 1] for start in starts]).astype(np.uint32)
    return windows[:, :-1], windows[:, 1:]
