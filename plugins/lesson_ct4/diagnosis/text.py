"""Recognise training texts from which a model cannot learn a language."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable

INSPECTED_LINES = 50
"""Number of lines to inspect."""
SHORT = 20_000
"""A model of this size memorizes a text with fewer characters than this (80 windows of 256)."""
LONG_LINE = 2_000
"""A text longer than this without a line break has no structure to learn."""


def entropy(text: str) -> float:
    """
    Return the entropy of a text's character frequencies, in nats per character.

    No model that ignores the context of a character can have a lower loss: H = -sum p ln p (Shannon, "A
    Mathematical Theory of Communication", 1948).
    """
    counts = Counter(text)
    return -sum(count / len(text) * math.log(count / len(text)) for count in counts.values())


def is_jsonl(text: str) -> bool:
    """Return whether most lines are JSON objects, as in data sets for instruction tuning."""
    lines = [line for line in text.split("\n", INSPECTED_LINES)[:INSPECTED_LINES] if line.strip()]
    return len(lines) > 1 and sum(map(_is_object, lines)) > 0.8 * len(lines)


def _is_object(line: str) -> bool:
    try:
        return line.lstrip().startswith("{") and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def is_binary(text: str) -> bool:
    """Return whether more than 1% of the characters are control characters."""
    head = text[:100_000]
    odd = sum(character < " " and character not in "\t\n\r\f" for character in head)
    return odd > len(head) / 100


def is_constant(text: str) -> bool:
    """Return whether it has too few different characters to learn anything."""
    return len(set(text)) <= 2


def is_one_line(text: str) -> bool:
    """Return whether a long text has no line breaks."""
    return len(text) > LONG_LINE and "\n" not in text.rstrip("\n")


def is_short(text: str) -> bool:
    """Return whether it is so short that a model memorizes it."""
    return len(text) < SHORT


KINDS: tuple[tuple[str, Callable[[str], bool], str], ...] = (
    ("constant-text", is_constant, "has only one or two different characters: there is nothing to learn"),
    ("jsonl-text", is_jsonl, "is JSON, one object per line: the model learns to write braces"),
    ("binary-text", is_binary, "has many control characters: it is not text, or not UTF-8"),
    ("one-line-text", is_one_line, "has no line breaks, so there is no layout to learn"),
    ("short-text", is_short, "is so short that the model memorizes it"),
)
"""Id, test and problem; the first match counts."""


def kind_of(text: str) -> tuple[str, str] | None:
    """Return id and description of a text's problem; ``None`` if there is none."""
    return next(((name, words) for name, test, words in KINDS if text and test(text)), None)
