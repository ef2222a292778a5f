"""What a scene of the synthetic play is about, and weighted tables to draw from.

Every weight is an integer and only `random.Random.random` is called (the one method whose sequence for a
seed Python promises to keep from version to version), so no machine's mathematics library matters.
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
    """A table to draw from, each item as often as its integer weight says."""

    def __init__(self, pairs: Iterable[tuple[int, T]]) -> None:
        pairs = list(pairs)
        self.items = [item for _, item in pairs]
        self._sums = list(accumulate(weight for weight, _ in pairs))
        self._total = self._sums[-1]

    def draw(self, random: Callable[[], float]) -> T:
        """Return one item; ``random`` gives numbers in [0, 1)."""
        return self.items[bisect_right(self._sums, int(random() * self._total))]


def zipf(items: Sequence[T], offset: int = 4) -> Weighted[T]:
    """Return a table in which the item of rank r (from 0) has a weight in proportion to 1 / (r + offset)."""
    return Weighted((1_000_000 // (rank + offset), item) for rank, item in enumerate(items))


def phrases(text: str) -> Weighted[str]:
    """Return a table of the phrases in ``text``, separated by "|", the first ones more often."""
    return zipf([phrase.strip() for phrase in text.split("|")], 3)


@dataclass(frozen=True)
class Person:
    """A character: how the heading, the others' address and the others' talk name them."""

    heading: str
    address: str
    reference: str
    pronoun: str


@dataclass
class Scene:
    """What the talk is about: a speaker's sentences draw on the scene's cast, place and topics."""

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
