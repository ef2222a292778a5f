"""The layout of a play: its lines, and the positions of speaker headings and blank lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from lesson_ct4.measuring.vocabulary import HEADING, WORD

SHARES = ("capitals", "lengths", "openings", "headings", "endings")
"""``capitals``: share of non-blank lines whose first letter is a capital.
``lengths``: share of non-blank lines of a usual length.
``openings``: share of headings among the lines (blank or not) that follow a blank line.
``headings``: share of heading-like lines that are between a blank line and a non-blank line.
``endings``: share of speeches (ended by a blank line) that end with ``.``, ``?`` or ``!``."""


@dataclass(frozen=True)
class Limits:
    """Lengths in the corpus, in characters, and the form of its headings."""

    shortest_line: int
    """98% of non-blank lines are at least this long."""
    usual_line: int
    """98% of non-blank lines are at most this long."""
    longest_line: int
    long_speech: int
    """95% of speeches, headings included, are at most this long."""
    longest_heading: int
    small_words: frozenset[str]
    """Words in headings that begin with a lower-case letter, such as "of"."""

    @classmethod
    def from_text(cls, text: str, headings: frozenset[str]) -> Limits:
        """Return the limits of a text with at least one word, given its speaker headings."""
        lengths = sorted(len(line) for line in text.split("\n") if line)
        return cls(
            shortest_line=_percentile(lengths, 2),
            usual_line=_percentile(lengths, 98),
            longest_line=lengths[-1],
            long_speech=_percentile(sorted(map(len, text.split("\n\n"))), 95),
            longest_heading=max(map(len, headings), default=0),
            small_words=frozenset(w for line in headings for w in WORD.findall(line) if w[0].islower()),
        )

    def is_heading(self, line: str) -> bool:
        """Return whether ``line`` has the form of a speaker heading, such as "ROMEO:" or "Duke of York:".

        A heading ends with its only colon and is at most as long as the longest heading in the corpus. Its
        words begin with a capital, except for words that are lower-case in headings of the corpus.
        """
        if len(line) > self.longest_heading or not HEADING.fullmatch(line):
            return False
        return all(word[0].isupper() or word in self.small_words for word in WORD.findall(line))


def layout_counts(text: str, limits: Limits, *, prompt: str = "") -> Counter[str]:
    """Return the counts behind the `SHARES`, for the text after ``prompt``; they can be added up over texts.

    ``NAME`` is the numerator and ``NAME.of`` the denominator. The line that the prompt began and the
    unfinished last line count only if they are longer than any line of the corpus, and only in the
    denominator of ``lengths``. For a text of blank lines only, ``capitals`` and ``lengths`` are 0 of 1.
    """
    started = prompt.rpartition("\n")[2]  # the part of the first line that belongs to the prompt
    *complete, unfinished = (started + text).split("\n")
    after_blank = not prompt or prompt.endswith("\n\n")
    counts = Counter(characters=len(text))
    previous = ""
    for place, (line, following) in enumerate(zip(complete, [*complete, unfinished][1:], strict=True)):
        if not line:
            counts["openings.of"] += place > 0 and not previous
            counts["endings.of"] += bool(previous)
            counts["endings"] += previous[-1:] in (".", "?", "!")
            after_blank = True
        elif place or not started:
            is_heading = limits.is_heading(line)
            counts["lines"] += 1
            counts["capitals"] += line.lstrip("'-")[:1].isupper()
            counts["lengths"] += limits.shortest_line <= len(line) <= limits.usual_line
            counts["openings.of"] += after_blank
            counts["openings"] += after_blank and is_heading
            if is_heading and (following or place + 1 < len(complete)):  # otherwise the next line is unknown
                counts["headings.of"] += 1
                counts["headings"] += after_blank and bool(following)
            after_blank = False
        else:
            counts["overlong"] += len(line) > limits.longest_line
        previous = line
    counts["overlong"] += len(unfinished) > limits.longest_line
    at_least = len(complete) > 1
    counts["capitals.of"] = max(counts["lines"], at_least)
    counts["lengths.of"] = max(counts["lines"] + counts["overlong"], at_least)
    return counts


def layout_shares(counts: Mapping[str, int], limits: Limits) -> dict[str, float]:
    """Return the `SHARES` whose denominator is not 0, each in [0, 1].

    ``openings`` and ``endings`` are 0 if the text is longer than a long speech but never begins or ends one.
    """
    shares = {}
    for name in SHARES:
        of = counts.get(f"{name}.of", 0)
        if not of and name in ("openings", "endings"):
            of = int(counts.get("characters", 0) > limits.long_speech)
        if of:
            shares[name] = counts.get(name, 0) / of
    return shares


def _percentile(ordered: list[int], percent: int) -> int:
    return ordered[(len(ordered) - 1) * percent // 100]
