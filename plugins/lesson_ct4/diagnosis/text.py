"""What kind of text a model was given, where that is not the kind it can learn a language from."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable

LOOKED_AT = 50
"""Lines that tell what a file is."""
SHORT = 20_000
"""Characters below which a model of this size learns by heart: fewer than 80 windows of 256."""
LONG_LINE = 2_000
"""A text of so many characters without a line break has no structure to learn."""


def entropy(text: str) -> float:
    """
    Return the entropy of a text's characters one by one, in nats a character.

    No model that ignores what stands before a character can have a lower loss: H = -sum p ln p (Shannon, "A
    Mathematical Theory of Communication", 1948).
    """
    counts = Counter(text)
    return -sum(count / len(text) * math.log(count / len(text)) for count in counts.values())


def is_jsonl(text: str) -> bool:
    """Return whether most lines are JSON objects, as data sets for instruction tuning have them."""
    lines = [line for line in text.split("\n", LOOKED_AT)[:LOOKED_AT] if line.strip()]
    return len(lines) > 1 and sum(map(_is_object, lines)) > 0.8 * len(lines)


def _is_object(line: str) -> bool:
    try:
        return line.lstrip().startswith("{") and isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def is_binary(text: str) -> bool:
    """Return whether there are more control characters in it than a text has: one in a hundred."""
    head = text[:100_000]
    odd = sum(character < " " and character not in "\t\n\r\f" for character in head)
    return odd > len(head) / 100


def is_constant(text: str) -> bool:
    """Return whether it has so few different characters that there is nothing to learn."""
    return len(set(text)) <= 2


def is_one_line(text: str) -> bool:
    """Return whether a long text has no line breaks."""
    return len(text) > LONG_LINE and "\n" not in text.rstrip("\n")


def is_short(text: str) -> bool:
    """Return whether it is so short that it is learned by heart."""
    return len(text) < SHORT


KINDS: tuple[tuple[str, Callable[[str], bool], str], ...] = (
    ("constant-text", is_constant, "has hardly more than one character: there is nothing to learn"),
    ("jsonl-text", is_jsonl, "is JSON, a line for each entry: the model learns to write braces"),
    ("binary-text", is_binary, "has control characters that no text has: it is no text, or not UTF-8"),
    ("one-line-text", is_one_line, "has no line breaks, so there is no form to learn"),
    ("short-text", is_short, "is so short that it will be learned by heart"),
)
"""Id, test, and what is the matter; the first that fits counts."""


def kind_of(text: str) -> tuple[str, str] | None:
    """Return what is the matter with a text, as id and words; ``None`` if nothing is."""
    return next(((name, words) for name, test, words in KINDS if text and test(text)), None)
