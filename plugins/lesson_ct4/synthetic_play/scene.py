"""Scenes of the synthetic play, and weighted tables to draw from.

All weights are integers, and only `random.Random.random` is called (the one method whose sequence for a seed
Python guarantees across versions), so the result does not depend on a machine's math library.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Generic, TypeVar

from lesson_ct4.synthetic_play import words
from lesson_ct4.synthetic_play.forms import Noun, Verb

T = TypeVar("T")


class Weighted(Generic[T]):
    """A table to draw random items from, with integer weights."""

    def __init__(self, pairs: Iterable[tuple[int, T]]) -> None:
        pairs = list(pairs)
        self.items = [item for _, item in pairs]
        self._sums = list(accumulate(weight for weight, _ in pairs))
        self._total = self._sums[-1]

    def draw(self, random: Callable[[], float]) -> T:
        """Return a random item; ``random`` returns numbers in [0, 1)."""
        return self.items[bisect_right(self._sums, int(random() * self._total))]


def zipf(items: Sequence[T], offset: int = 4) -> Weighted[T]:
    """Return a table in which the weight of rank r (from 0) is proportional to 1 / (r + offset)."""
    return Weighted((1_000_000 // (rank + offset), item) for rank, item in enumerate(items))


def phrases(text: str) -> Weighted[str]:
    """Return a table of the phrases in ``text``, separated by "|"; earlier ones are more frequent."""
    return zipf([phrase.strip() for phrase in text.split("|")], 3)


@dataclass(frozen=True)
class Person:
    """A character of the play, with the names used in headings, when addressed, and by others."""

    heading: str
    address: str
    reference: str
    pronoun: str


@dataclass
class Scene:
    """A scene: its cast, place and topics, which the sentences of the speakers draw on."""

    cast: Sequence[Person]
    place: str
    topics: Sequence[words.Field]
    salient: Weighted[Noun]
    familiar: bool = False
    speaker: Person | None = None
    partner: Person | None = None
    asked: str = ""
    nouns: list[Weighted[Noun]] = field(default_factory=list)
    transitive: list[Weighted[Verb]] = field(default_factory=list)
    intransitive: list[Weighted[Verb]] = field(default_factory=list)
    adjectives: list[Weighted[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.nouns = [zipf(topic.nouns, 6) for topic in self.topics]
        self.transitive = [zipf(topic.transitive, 4) for topic in self.topics]
        self.intransitive = [zipf(topic.intransitive, 4) for topic in self.topics]
        self.adjectives = [zipf(topic.adjectives, 4) for topic in self.topics]
