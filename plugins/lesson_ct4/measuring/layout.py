"""The look of a play: what its lines are like, and where its speakers' names and its blank lines stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from lesson_ct4.measuring.vocabulary import HEADING, WORD

SHARES = ("capitals", "lengths", "openings", "headings", "endings")
"""``capitals``: of the lines with text, those whose first letter is a capital.
``lengths``: of the lines with text, those of a usual length.
``openings``: of what follows a blank line (a line with text, or another blank one), the headings.
``headings``: of the lines with the form of a heading, those between a blank line and a line with text.
``endings``: of the speeches that end (before a blank line), those that end with ``.``, ``?`` or ``!``."""


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

    @classmethod
    def from_text(cls, text: str, headings: frozenset[str]) -> Limits:
        """Return the limits of a text with at least one word, whose speakers' headings are known."""
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
        """Tell whether ``line`` has the form of a speaker heading ("ROMEO:", "Duke of York:").

        It ends with its only colon, is no longer than the corpus' longest heading, and its words begin with a
        capital, except those that do not in the corpus' headings.
        """
        if len(line) > self.longest_heading or not HEADING.fullmatch(line):
            return False
        return all(word[0].isupper() or word in self.small_words for word in WORD.findall(line))


def layout_counts(text: str, limits: Limits, *, prompt: str = "") -> Counter[str]:
    """Count what the `SHARES` of the lines after ``prompt`` are made of; counts of texts can be added.

    ``NAME`` counts what is so, ``NAME.of`` among how many. The line that the prompt began and the last,
    unfinished, one count only where they are longer than any in the corpus, and only against ``lengths``. Of
    a text of nothing but blank lines, no line has a capital or a usual length.
    """
    begun = prompt.rpartition("\n")[2]  # the line that the prompt began is not the text's own
    *complete, unfinished = (begun + text).split("\n")
    after_blank = not prompt or prompt.endswith("\n\n")
    counts = Counter(characters=len(text))
    previous = ""
    for place, (line, following) in enumerate(zip(complete, [*complete, unfinished][1:], strict=True)):
        if not line:
            counts["openings.of"] += place > 0 and not previous
            counts["endings.of"] += bool(previous)
            counts["endings"] += previous[-1:] in (".", "?", "!")
            after_blank = True
        elif place or not begun:
            is_heading = limits.is_heading(line)
            counts["lines"] += 1
            counts["capitals"] += line.lstrip("'-")[:1].isupper()
            counts["lengths"] += limits.shortest_line <= len(line) <= limits.usual_line
            counts["openings.of"] += after_blank
            counts["openings"] += after_blank and is_heading
            if is_heading and (following or place + 1 < len(complete)):  # else what follows is not known
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
    """Return the `SHARES` that have something to be a share of, each in [0, 1].

    ``openings`` and ``endings`` are 0 where there are none although there is more text than a long speech:
    what never begins or ends a speech is no play.
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
