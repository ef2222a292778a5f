"""
Find text that was encoded twice: UTF-8, decoded with a code page, and encoded as UTF-8 again.

ftfy decides which letters are unlikely next to each other in any language. Its own repair is not used,
because it takes a space for a lost byte, and writes ⌠ for ❌.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from lesson_runner.document.codepages import LOST, CodePage, code_pages, suspicious

_EMOJI = re.compile("[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]")
_RUN = re.compile(r"[^\x00-\x7f]+")
_ROUNDS = 4
"""Upper limit for how many times text was encoded again."""
_SAMPLE = 200
"""How many rows are used to find out the code page."""
_MAX_CANDIDATES = 4
_SYMBOLS = ("So", "Sm", "Sc", "Po", "Pd", "Pi", "Pf")
_SURE = re.compile("[ðğ]Ÿ|ï\xb8|â[\u02dc\u2122š\u203aœž\x98-\x9e¬\xad®¯\ufffd]")
"""The beginnings of emoji, of the variation selector after them, and of symbols in Latin code pages."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A piece of a line with its correct text; for a broken character, the candidates."""

    line: int
    column: int
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Damage:
    """The damage that double encoding did to a text."""

    page: str = ""
    repairs: tuple[Spot, ...] = ()
    lost: tuple[Spot, ...] = ()


@lru_cache(maxsize=4)
def find_damage(text: str) -> Damage:
    """Return the parts of a text that were encoded twice, and the characters that lost bytes."""
    if text.isascii() or not suspicious().search(text):
        return Damage()
    rows = {number: row for number, row in enumerate(text.split("\n"), 1) if not row.isascii()}
    best = _likeliest(rows.values())
    if best is None:
        return Damage()
    repaired, reading = rows, best
    for _ in range(_ROUNDS):
        before, repaired = repaired, {number: _repair(row, reading) for number, row in repaired.items()}
        following = _likeliest(repaired.values()) if repaired != before else None
        if following is None:
            break
        reading = following
    repairs = (
        Spot(number, was.start() + 1, was[0], now[0])
        for number, row in rows.items()
        if row != repaired[number]
        for was, now in zip(_RUN.finditer(row), _RUN.finditer(repaired[number]), strict=True)
        if was[0] != now[0]
    )
    lost = (spot for number, row in rows.items() for spot in _lost_in(number, row, best))
    return Damage(best.page.name, tuple(repairs), tuple(lost))


def _likeliest(rows: Collection[str]) -> _Reading | None:
    """Return the reading that explains the most unlikely letters; ``None`` if there are no such letters."""
    sure = list(islice(filter(_is_sure, rows), _SAMPLE))
    readings = [_Reading(page, sure) for page in code_pages()] if sure else []
    most = max((reading.evidence for reading in readings), default=0)
    if not most:
        return None
    best = [_Reading(reading.page, rows) for reading in readings if reading.evidence == most]
    return min(best, key=lambda reading: reading.own_letters)


def _is_sure(row: str) -> bool:
    """Return whether a row has letters that no language has; faster than trying each code page."""
    from ftfy.badness import is_bad

    return any(
        _SURE.match(match[0]) or is_bad(row[max(match.start() - 1, 0) : match.end() + 2])
        for match in suspicious().finditer(row)
    )


class _Reading:
    """A text, examined as if it had been decoded with one code page."""

    def __init__(self, page: CodePage, rows: Iterable[str]) -> None:
        from ftfy.badness import is_bad

        self.page = page
        self.is_bad = is_bad
        self.sure = frozenset({page.text(0xE2), page.text(0xEF), page.text(0xF0)})
        self.emoji = page.text(0xF0, 0x9F)
        self.mark = page.text(0xEF, 0xB8)
        self.alone = self.sure | {page.text(0xC2), page.text(0xC3)}
        self.evidence = 0
        self.own_letters = False
        """True if there are non-ASCII letters that were not encoded twice."""
        for row in rows:
            if suspicious().search(row) or not self.own_letters:
                self._read(row)

    def _read(self, row: str) -> None:
        end = 0
        for match in self.page.pattern.finditer(row):
            self._outside(row[end : match.start()])
            end = match.end()
            if match["whole"]:
                self.evidence += len(match[0]) if self.is_strong_whole(match) else 0
            elif self.is_strong_part(match[0]):
                self.evidence += 1
            elif not self._stands_alone(match):
                self._outside(match[0])
        self._outside(row[end:])

    def _outside(self, text: str) -> None:
        if not self.own_letters and not text.isascii():
            self.own_letters = any(letter > "\x7f" and letter.isalpha() for letter in text)

    def is_strong_whole(self, match: re.Match[str]) -> bool:
        """Return whether no language has these letters next to each other, but decoding them makes sense."""
        meant = self.page.decoded(match[0])
        if meant is None:
            return False
        if not self.page.latin and not _is_symbols(meant):
            return False
        around = match.string[max(match.start() - 1, 0) : match.end() + 1]
        return bool(_EMOJI.search(meant)) or self.is_bad(around)

    def is_whole(self, match: re.Match[str]) -> bool:
        """Return whether a match was a single character; certain ones in the text make others likely."""
        meant = self.page.decoded(match[0])
        if meant is None or not self.evidence:
            return False
        return _is_symbols(meant) or not self.own_letters or self.is_strong_whole(match)

    def is_strong_part(self, part: str) -> bool:
        """Return whether no language has these letters next to each other."""
        if len(part) < 2 or part[0] not in self.sure:
            return False
        sure = LOST in part or part.startswith((self.emoji, self.mark))
        return (self.page.latin and sure) or self.is_bad(part)

    def is_part(self, match: re.Match[str]) -> bool:
        """Return whether a match is the rest of a broken character."""
        part = match[0]
        if self.is_strong_part(part) or not self.evidence:
            return self.is_strong_part(part)
        if self._stands_alone(match):
            return part[0] in self.sure if len(part) > 1 else part in self.alone and not self.own_letters
        # No word continues in lower case after Ã; it is left when Á, Í and others lose their second byte.
        following = match.string[match.end() : match.end() + 1]
        return part == "Ã" and "a" <= following <= "z"

    def _stands_alone(self, match: re.Match[str]) -> bool:
        before = match.string[match.start() - 1] if match.start() else " "
        behind = match.string[match.end() : match.end() + 1]
        return not before.isalpha() and not behind.isalpha()


def _is_symbols(text: str) -> bool:
    return all(unicodedata.category(sign) in _SYMBOLS or sign == "\ufe0f" for sign in text)


def _repair(row: str, reading: _Reading) -> str:
    def repaired(match: re.Match[str]) -> str:
        if not match["whole"] or not reading.is_whole(match):
            return match[0]
        return reading.page.decoded(match[0]) or match[0]

    return reading.page.pattern.sub(repaired, row)


def _lost_in(number: int, row: str, reading: _Reading) -> Iterator[Spot]:
    """Yield the broken characters of a row."""
    for match in reading.page.pattern.finditer(row):
        if match["part"] and reading.is_part(match):
            yield Spot(number, match.start() + 1, match[0], _meant(reading.page, match[0]))


@lru_cache(maxsize=1_000)
def _meant(page: CodePage, part: str) -> str:
    found = list(islice(page.candidates(part), _MAX_CANDIDATES + 1))
    return " or ".join(found) if len(found) <= _MAX_CANDIDATES else ""
