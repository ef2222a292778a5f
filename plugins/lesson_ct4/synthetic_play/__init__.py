"""A synthetic play with the size and alphabet of tiny Shakespeare, for use when that text is unavailable.

The text has everything that a model learns in the lesson, in that order: the layout of a play (headings,
speeches, blank lines, capitals at line starts), a vocabulary of few very common and thousands of rare words,
and grammatical sentences that address the others in the scene and keep to its topics. It has no author and no
copyright: a grammar combines lists of common words.

The bytes are the same on every machine and Python version: `random.Random.random` is the only source of
randomness (the one method whose sequence for a seed Python guarantees), and all weights are integers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from random import Random
from typing import TypeVar

from lesson_ct4.synthetic_play import words
from lesson_ct4.synthetic_play.grammar import Grammar
from lesson_ct4.synthetic_play.scene import Person, Scene, Weighted, zipf

_T = TypeVar("_T")

SIZE = 1_115_394
"""Length of the text in bytes, the same as tiny Shakespeare; all characters are ASCII."""
SHA256 = "7a02298296e3b1e00a48771e7dad0b5315852fa827933e76684095eef8cbb428"
"""SHA-256 of the text, in hexadecimal digits."""
ALPHABET = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
"""The 65 characters, sorted, the same as in tiny Shakespeare."""

_SEED = 1623
_PLAYS = 14
_SENTENCES = Weighted([(54, 1), (18, 2), (9, 3), (6, 4), (4, 6), (4, 8), (3, 13), (2, 22)])
_NUMERALS = "&3$" + "3" * 12 + "&" + "3" * 14 + "&"  # as often as in tiny Shakespeare: 27 3s, one $, three &s
_ODD_LINES = {
    "3": "Count them again: I make it 3, no more.",
    "$": "The sum is writ thus, $ and then a blot.",
    "&": "'Twas seal'd by Fenwick & his brother both.",
}


@lru_cache(maxsize=1)
def generate() -> bytes:
    """Return the play: `SIZE` bytes of ASCII with the digest `SHA256`. The first call takes a few seconds.

    Raises:
        RuntimeError: the text differs from the pinned one, because this Python draws other random numbers.
    """
    text = _Author(Random(_SEED)).play().encode("ascii")
    if hashlib.sha256(text).hexdigest() != SHA256:
        raise RuntimeError("the synthetic play generated on this machine does not have the expected digest")
    return text


class _Author:
    """Casts the plays, sets the scenes and breaks the speeches into lines."""

    def __init__(self, random: Random) -> None:
        self._grammar = Grammar(random)
        self._random = random.random
        self._parts: list[str] = []
        self._size = 0
        self._odd = 0

    def play(self) -> str:
        """Return the whole text."""
        men, women = self._shuffled(words.NAMES), self._shuffled(words.WOMEN)
        places, topics = self._shuffled(words.PLACES), self._shuffled(list(words.FIELDS))
        for act in range(_PLAYS):
            his = [men[(act * 7 + step) % len(men)] for step in range(7)]
            hers = [women[(act * 3 + step) % len(women)] for step in range(3)]
            if act % 4 == 0:
                his[-1], hers[-1] = "Romeo", "Juliet"  # the lesson's prompts use these names
            cast = self._cast(his, hers, places[act * 2])
            themes = [topics[(act + step * 5) % len(topics)] for step in range(3)]
            while self._size < SIZE * (act + 1) // _PLAYS and self._size < SIZE - 600:
                self._scene(cast, places[act * 2 + int(self._random() * 2)], themes)
        self._end()
        return "\n\n".join(self._parts) + "\n"

    def _cast(self, men: list[str], women: list[str], place: str) -> list[Person]:
        pick = self._grammar.chosen
        king, duke, *rest = men
        cast = [
            Person(f"KING {king}".upper(), pick("my liege", "your grace", "sire"), f"King {king}", "he"),
            Person(
                f"DUKE OF {place}".upper(), pick(f"good {duke}", "your grace"), f"the Duke of {place}", "he"
            ),
            Person(f"{pick('LADY', 'QUEEN')} {women[0].upper()}", "madam", f"the Lady {women[0]}", "she"),
        ]
        cast += [Person(name.upper(), pick(name, f"good {name}"), name, "he") for name in rest]
        cast += [Person(name.upper(), pick(name, f"sweet {name}"), name, "she") for name in women[1:]]
        for role in self._shuffled(words.ROLES)[:2]:
            for number in ("First", "Second"):
                cast.append(Person(f"{number} {role}", "fellow", f"the {role.lower()}", "he"))
        cast += [
            Person(role, f"good {role.lower()}", f"the {role.lower()}", "he")
            for role in self._shuffled(words.SINGLE_ROLES)[:3]
        ]
        return [*self._shuffled(cast), Person("All", "masters", "we all", "they")]

    def _scene(self, cast: list[Person], place: str, themes: list[str]) -> None:
        present = zipf(cast[:-1], 3)
        people = []
        for _ in range(3 + int(self._random() * 5)):
            person = present.draw(self._random)
            if person not in people:
                people.append(person)
        if len(people) < 2:
            people = cast[:2]
        names = self._shuffled(themes)[:2]
        if self._random() < 0.4:
            names.append(self._grammar.chosen(*words.FIELDS))
        topics = [words.FIELDS[name] for name in names]
        nouns = [zipf(topic.nouns, 30) for topic in [*topics, words.GENERAL]]
        salient = zipf([nouns[step % len(nouns)].draw(self._random) for step in range(10)], 1)
        scene = self._grammar.scene = Scene(people, place, topics, salient)
        order = zipf(people, 1)
        for _ in range(25 + int(self._random() * 60)):
            last = scene.speaker
            if last is not None and scene.partner is not None and self._random() < 0.55:
                scene.speaker, scene.partner = scene.partner, last
            else:
                scene.speaker = order.draw(self._random)
                scene.partner = order.draw(self._random) if last is scene.speaker or last is None else last
            if scene.speaker is last:
                continue
            if self._size >= SIZE - 600:
                return
            self._add(self._speech(scene, cast[-1].heading))

    def _speech(self, scene: Scene, everyone: str) -> str:
        assert scene.speaker is not None
        heading = everyone if self._random() < 0.015 else scene.speaker.heading
        # Two persons always address each other in the same way.
        partner = scene.partner.heading if scene.partner else ""
        scene.familiar = (len(heading) + len(partner)) % 2 == 0
        sentences = [self._grammar.answer()] if scene.asked and self._random() < 0.45 else []
        scene.asked = ""
        sentences += [self._grammar.sentence() for _ in range(_SENTENCES.draw(self._random))]
        if sentences[-1][-1] not in "?!.":
            sentences[-1] = sentences[-1][:-1] + "."
        for before, after in enumerate(sentences[1:]):
            if sentences[before][-1] in ".?!":
                sentences[before + 1] = _capitalised(after)
        verse = not heading[-1].islower() or self._random() < 0.6
        lines = self._lines(_capitalised(" ".join(sentences)), verse)
        if self._odd < len(_NUMERALS) and self._size > SIZE * (self._odd + 1) // (len(_NUMERALS) + 1):
            lines.append(_ODD_LINES[_NUMERALS[self._odd]])
            self._odd += 1
        return "\n".join([f"{heading}:", *lines])

    def _lines(self, text: str, verse: bool) -> list[str]:
        """Break a speech into lines: verse at 40 to 50 characters, capitalized; prose at 46 to 56."""
        lines, line, left = [], "", len(text)
        limit = (40 if verse else 46) + int(self._random() * 11)
        for word in text.split(" "):
            full = (
                len(line) + 1 + len(word) > limit and len(line) + left > limit + 8
            )  # no last line of one word
            left -= len(word) + 1
            if line and (full or (verse and len(line) > 33 and line[-1] in ".?!;:" and self._random() < 0.7)):
                lines.append(line)
                line = _capitalised(word) if verse else word
                limit = (40 if verse else 46) + int(self._random() * 11)
            else:
                line = f"{line} {word}" if line else word
        return [*lines, line]

    def _add(self, speech: str) -> None:
        self._parts.append(speech)
        self._size += len(speech) + 2

    def _end(self) -> None:
        """Draw last speeches until one fits exactly (after the last there is one newline, not two)."""
        while True:
            speech = self._speech(self._grammar.scene, "All")
            left = SIZE + 1 - self._size - len(speech) - 2
            if left == 0:
                return self._add(speech)
            if left > 250:
                self._add(speech)

    def _shuffled(self, items: Sequence[_T]) -> list[_T]:
        return [
            item for _, _, item in sorted((self._random(), place, item) for place, item in enumerate(items))
        ]


def _capitalised(text: str) -> str:
    """Return the text with its first letter a capital ('tis: 'Tis)."""
    return text[:2].upper() + text[2:] if text.startswith("'") else text[:1].upper() + text[1:]
