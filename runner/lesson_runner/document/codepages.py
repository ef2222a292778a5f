"""Code pages, and how UTF-8 looks when it is decoded with them: whole characters and broken ones."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations, product

LOST = "\ufffd"
"""What some programs write for a byte that is undefined in a code page; others drop the byte."""
_SHORT, _MIDDLE, _LONG = range(0xC2, 0xE0), range(0xE0, 0xF0), range(0xF0, 0xF5)
"""The first bytes of UTF-8 characters of two, three and four bytes."""
_MORE = range(0x80, 0xC0)
"""The other bytes of a UTF-8 character."""
_LATIN = ("1252", "1254", "latin-1")
_CODECS = {
    "Windows-1252": "sloppy-windows-1252",
    "Windows-1254": "sloppy-windows-1254",
    "ISO-8859-1": "latin-1",
    "Windows-1250": "sloppy-windows-1250",
    "Windows-1251": "sloppy-windows-1251",
    "Windows-1253": "sloppy-windows-1253",
    "Windows-1257": "sloppy-windows-1257",
    "Mac OS Roman": "macroman",
    "code page 437": "cp437",
}


@dataclass(frozen=True, slots=True)
class CodePage:
    """A code page, and how UTF-8 looks when it is decoded with it."""

    name: str
    codec: str
    latin: bool
    """True if a first byte looks like an accented letter, which a symbol rarely follows in words."""
    pattern: re.Pattern[str]
    """Finds sequences of ``whole`` characters, and a ``part`` of one."""
    unseen: bytes = field(repr=False)
    """Invisible bytes that programs drop: undefined ones, and soft hyphens."""

    def text(self, first: int, *more: int) -> str:
        """Decode bytes with the code page."""
        return bytes([first, *more]).decode(self.codec)

    def decoded(self, whole: str) -> str | None:
        """Return the original characters; ``None`` if there cannot be any."""
        try:
            meant = whole.encode(self.codec).decode("utf-8")
        except UnicodeError:  # overlong forms and surrogates
            return None
        return meant if all(map(_is_likely, meant)) else None

    def candidates(self, part: str) -> Iterator[str]:
        """Yield the emoji, or the variation selector, that ``part`` may be the rest of."""
        known = part.replace(LOST, "").encode(self.codec)
        if known == b"\xef\xb8":
            yield "\ufe0f"
            return
        size = 2 if known[0] in _SHORT else 3 if known[0] in _MIDDLE else 4
        missing = size - len(known)
        if not 0 < missing < 3:
            return
        found = set()
        for places in combinations(range(1, size), missing):
            for values in product(self.unseen, repeat=missing):
                data = list(known)
                for place, value in zip(places, values, strict=True):
                    data.insert(place, value)
                letter = bytes(data).decode("utf-8", "ignore")
                if len(letter) == 1 and _is_emoji(letter):
                    found.add(letter)
        yield from sorted(found)


def _is_likely(letter: str) -> bool:
    # New emoji appear every year, and this Python may not know them. Lessons are not written in N'Ko or
    # Syriac, which "»ß«" would be decoded to.
    if "\U0001f000" <= letter <= "\U0001faff":
        return True
    return unicodedata.category(letter) not in ("Cn", "Co") and not "\u0700" <= letter <= "\u085f"


def _is_emoji(letter: str) -> bool:
    return unicodedata.category(letter) == "So" and unicodedata.east_asian_width(letter) == "W"


@cache
def suspicious() -> re.Pattern[str]:
    """
    Return a fast pattern that matches all texts with parts that were encoded twice, and few others.

    In code pages that are not Latin, first bytes look like ordinary letters, so the pattern finds only
    punctuation, arrows and emoji there.
    """
    latin = [codec for codec in _CODECS.values() if codec.removeprefix("sloppy-windows-") in _LATIN]
    first = "".join({letter for codec in latin for letter in _looks(codec, range(0xC2, 0xF5))})
    second = "".join({letter for codec in latin for letter in _looks(codec, _MORE)})
    pairs = [f"[{re.escape(first)}][{re.escape(second)}{LOST}]"]
    for codec in (codec for codec in _CODECS.values() if codec not in latin):
        signs = _looks(codec, range(0x80, 0xA0))
        pairs.append(f"{_looks(codec, range(0xE2, 0xE3))}[{re.escape(signs)}]")
        pairs.append(re.escape(_looks(codec, range(0xF0, 0xF1)) + _looks(codec, range(0x9F, 0xA0))))
    return re.compile("|".join(pairs))


def _looks(codec: str, values: range) -> str:
    """Decode bytes without ftfy's codecs, which take time to import."""
    name = codec.replace("sloppy-windows-", "cp")
    return "".join(bytes([value]).decode(name, "ignore") or chr(value) for value in values)


@cache
def code_pages() -> tuple[CodePage, ...]:
    """Return the code pages, most common first."""
    import ftfy.bad_codecs  # noqa: F401  # registers the "sloppy" codecs, in which all bytes are defined

    return tuple(_make(name, codec) for name, codec in _CODECS.items())


def _make(name: str, codec: str) -> CodePage:
    def letters(values: range) -> str:
        return f"[{re.escape(bytes(values).decode(codec))}]"

    short, middle, long = letters(_SHORT), letters(_MIDDLE), letters(_LONG)
    more = letters(_MORE)
    left = f"(?:{more}|{LOST})"
    whole = f"(?P<whole>(?:{short}{more}|{middle}{more}{{2}}|{long}{more}{{3}})+)"
    part = f"(?P<part>{long}{left}{{0,3}}|{middle}{left}{{0,2}}|{short}{LOST}?)"
    unseen = bytes(
        value for value in _MORE if unicodedata.category(bytes([value]).decode(codec)) in ("Cc", "Cf")
    )
    latin = codec.removeprefix("sloppy-windows-") in _LATIN
    return CodePage(name, codec, latin, re.compile(f"{whole}|{part}"), unseen)
