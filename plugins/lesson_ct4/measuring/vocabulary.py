"""What a corpus is made of: its words, its speakers, its layout; the yardstick for generated text.

Pure functions on texts with no dependency, so that a certificate's numbers can be computed again anywhere.
The only chance in here is `random.Random.random` with a fixed seed, whose sequence Python promises to keep.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

COPY_LENGTH = 20
"""Characters from which on a passage that also stands in the corpus counts as copied."""
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_HEADING = re.compile(r"[A-Z][A-Za-z0-9'.,& -]*:")
_GRAM = COPY_LENGTH // 2
_PLACES = 1000  # of a piece that the corpus repeats more often than this, the first ones are looked at
_SHUFFLED = 50_000  # characters of the corpus that are shuffled to find out what chance gives


def words(text: str) -> list[str]:
    """Return the words of ``text`` in lower case: letters, apostrophes inside them; hyphens separate."""
    return _WORD.findall(text.lower())


@dataclass(frozen=True)
class Limits:
    """How long things are in the corpus, in characters, and what its headings look like."""

    shortest_line: int
    """98 of 100 lines with text are this long or longer."""
    usual_line: int
    """98 of 100 lines with text are no longer than this."""
    longest_line: int
    long_speech: int
    """95 of 100 speeches, heading included, are no longer than this."""
    longest_heading: int
    small_words: frozenset[str]
    """Words in headings that begin with a small letter ("of")."""

    def is_heading(self, line: str) -> bool:
        """Tell whether ``line`` has the form of a speaker heading ("ROMEO:", "Duke of York:").

        It ends with its only colon, is no longer than the corpus' longest heading, and its words begin with a
        capital, except those that do not in the corpus' headings.
        """
        if len(line) > self.longest_heading or not _HEADING.fullmatch(line):
            return False
        return all(word[0].isupper() or word in self.small_words for word in _WORD.findall(line))


def layout(text: str, limits: Limits, *, prompt: str = "") -> dict[str, float]:
    """Return how far the lines after ``prompt`` look like a play's, as shares in [0, 1].

    ``capitals``: of the lines with text, those whose first letter is a capital.
    ``lengths``: of the lines with text, those of a usual length.
    ``openings``: of the speeches that begin (a line with text after a blank one), those with a heading.
    ``endings``: of the speeches that end (before a blank line), those that end with ``.``, ``?`` or ``!``.

    A share of nothing is left out, except the last two once the text is longer than a long speech (a text
    that never ends a speech is no play: 0), and the first two if there are only blank lines (0). The line
    that the prompt began and the last, unfinished, one count only where they are longer than any in the
    corpus, and only against ``lengths``.
    """
    begun = prompt.rpartition("\n")[2]  # the line that the prompt began is not the text's own
    *complete, unfinished = (begun + text).split("\n")
    after_blank = not prompt or prompt.endswith("\n\n")
    lines = capitals = usual = openings = starts = endings = ends = overlong = 0
    previous = ""
    for place, line in enumerate(complete):
        if not line:
            ends += bool(previous)
            endings += previous[-1:] in (".", "?", "!")
            after_blank = True
        elif place or not begun:
            lines += 1
            capitals += line.lstrip("'-")[:1].isupper()
            usual += limits.shortest_line <= len(line) <= limits.usual_line
            starts += after_blank
            openings += after_blank and limits.is_heading(line)
            after_blank = False
        else:
            overlong += len(line) > limits.longest_line
        previous = line
    overlong += len(unfinished) > limits.longest_line
    shares: dict[str, float] = {}
    if lines or len(complete) > 1:
        shares["capitals"] = capitals / max(lines, 1)
    if lines + overlong or len(complete) > 1:
        shares["lengths"] = usual / max(lines + overlong, 1)
    is_long = len(text) > limits.long_speech
    if starts or is_long:
        shares["openings"] = openings / max(starts, 1)
    if ends or is_long:
        shares["endings"] = endings / max(ends, 1)
    return shares


@dataclass(frozen=True, eq=False)
class Corpus:
    """What is known of the text a model was trained on; immutable: build it once, with `from_text`."""

    text: str = field(repr=False)
    words: frozenset[str] = field(repr=False)
    headings: frozenset[str] = field(repr=False)
    alphabet: frozenset[str]
    limits: Limits
    layout: Mapping[str, float]
    """The shares of `layout` for the corpus itself."""
    chance: Mapping[str, float]
    """The same for the corpus' characters in random order."""
    grams: Mapping[str, Sequence[int]] = field(repr=False)
    """Where the pieces of the text stand that it falls into when cut every `COPY_LENGTH` / 2 characters."""

    @classmethod
    def from_text(cls, text: str) -> Corpus:
        """Return the corpus of ``text``; about 0.4 s for a million characters.

        Raises:
            ValueError: the text has no words.
        """
        known = frozenset(words(text))
        if not known:
            raise ValueError("the corpus has no words")
        lines = text.split("\n")
        opening = (line for before, line in zip(["", *lines], lines, strict=False) if not before)
        headings = frozenset(line for line in opening if _HEADING.fullmatch(line))
        lengths = sorted(len(line) for line in lines if line)
        limits = Limits(
            shortest_line=_percentile(lengths, 2),
            usual_line=_percentile(lengths, 98),
            longest_line=lengths[-1],
            long_speech=_percentile(sorted(map(len, text.split("\n\n"))), 95),
            longest_heading=max(map(len, headings), default=0),
            small_words=frozenset(w for line in headings for w in _WORD.findall(line) if w[0].islower()),
        )
        random = Random(0).random
        some = text[:: -(-len(text) // _SHUFFLED)]
        shuffled = "".join(
            character for _, character in sorted([(random(), character) for character in some])
        )
        grams: dict[str, list[int]] = {}
        for start in range(0, len(text) - _GRAM + 1, _GRAM):
            grams.setdefault(text[start : start + _GRAM], []).append(start)
        return cls(
            text,
            known,
            headings,
            frozenset(text),
            limits,
            layout(text, limits),
            layout(shuffled, limits),
            grams,
        )

    def copied(self, text: str) -> int:
        """Return how many characters of ``text`` are in passages of `COPY_LENGTH` or more from the corpus."""
        # A passage so long covers one of the pieces that the corpus was cut into: only those are looked up.
        # Each way to lay the text along the corpus (its offset) is followed once per passage.
        spans: list[tuple[int, int]] = []
        followed: dict[int, int] = {}
        for start in range(len(text) - _GRAM + 1):
            for place in self.grams.get(text[start : start + _GRAM], ())[:_PLACES]:
                if followed.get(place - start, 0) <= start:
                    first, last = self._span(text, start, place)
                    followed[place - start] = last
                    if last - first >= COPY_LENGTH:
                        spans.append((first, last))
        count = done = 0
        for first, last in sorted(spans):
            count += max(0, last - max(first, done))
            done = max(done, last)
        return count

    def _span(self, text: str, start: int, place: int) -> tuple[int, int]:
        """Return the passage of ``text`` around ``start`` that is the same in the corpus around ``place``."""
        first, last, source = start, start, self.text
        while first and place - (start - first) and text[first - 1] == source[place - (start - first) - 1]:
            first -= 1
        end = min(len(text), start + len(source) - place)
        while last < end and text[last] == source[place + last - start]:
            last += 1
        return first, last


def _percentile(ordered: Sequence[int], percent: int) -> int:
    return ordered[(len(ordered) - 1) * percent // 100]
