"""
Compute the views of a text: as people or programs may read it, without escapes, decoded, unquoted.

A view is made from a text in one or more steps: removing terminal escapes and invisible characters, or
decoding percent signs, backslashes, entities or base64. Each character of a view has a place in the original
text. ``redactor.py`` searches all views of a text for secrets.

Every step is one pass of a regular expression without nested repetition, and there are at most :data:`MOST`
views, so the time is proportional to the length of the text.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

MOST = 48
"""The most views of one text."""
APART = "\x01"
"""Separates the decoded pieces of a text, and the results of decoding a piece in several ways."""
DEEPEST = 5
"""The most steps from a text to a view: an encoding in an encoding in an encoding."""

_MUTE = r"\x00-\x06\x0e-\x1a\x1c-\x1f\x7f"
"""Control characters that a terminal ignores, even inside an escape sequence."""
_PARAMETERS = rf"[0-?{_MUTE}]{{0,64}}[ -/{_MUTE}]{{0,64}}[@-~]"
_STRING = r"[^\x07\x1b\n\x90-\x9f]*(?:\x07|\x1b\\|\x9c)"
SEQUENCE = re.compile(
    rf"(?:\x1b[{_MUTE}]{{0,64}}\[|\x9b){_PARAMETERS}"  # CSI: colours, the cursor
    rf"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f]){_STRING}"  # OSC, DCS and similar
    rf"|\x1b[{_MUTE}]{{0,64}}[ -/]{{0,8}}[0-~]"  # character sets and others
)
"""An escape sequence of a terminal, in 7-bit or 8-bit form."""
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NL = r"[ \t]{0,8}\r?\n[ \t]{0,64}"


def has_control(lines: Iterable[str]) -> bool:
    """Return whether :func:`as_displayed` would change any of the lines."""
    return _CONTROL.search("\n".join(lines)) is not None


def as_displayed(line: str) -> str:
    """
    Return a line as a terminal displays it: without escapes, control characters and overstruck text.

    Tabs stay. Applying the function again changes nothing.
    """
    if _CONTROL.search(line) is None:
        return line
    line = SEQUENCE.sub("", line)
    if "\b" in line:
        line = _overstruck(line)
    return _CONTROL.sub("", line)


def _overstruck(line: str) -> str:
    shown: list[str] = []
    place = 0
    for character in _CONTROL.sub(lambda match: "\b" if match[0] == "\b" else "", line):
        if character == "\b":
            place = max(place - 1, 0)
        else:
            shown[place : place + 1] = character
            place += 1
    return "".join(shown)


@dataclass(frozen=True, slots=True)
class Step:
    """
    One way to read a text.

    Attributes:
        pattern: matches the parts to replace.
        marks: if not empty, a text without any of these characters is not searched for the pattern.
        read: returns the replacement of a match; each of its characters has the place of the whole match.
        picks: the view consists of the replacements only, without the text around them.
        first: applied only to the text itself, not to its views.
        last: no further views are made from the view.
        wrapped: may be applied to several lines; other steps need one line, or lines that were joined.
        words: tokens keep their shapes in the view.
        escapes: the step decodes escapes.
    """

    pattern: re.Pattern[str]
    read: Callable[[re.Match[str]], str]
    marks: str = ""
    picks: bool = False
    first: bool = False
    last: bool = False
    wrapped: bool = False
    words: bool = False
    escapes: bool = False

    def applies(self, text: str) -> bool:
        """Return whether the step would change the text."""
        if self.marks and not any(mark in text for mark in self.marks):
            return False
        return self.pattern.search(text) is not None

    def apply(self, text: str) -> str:
        """Return the view."""
        if self.picks:
            return APART.join(filter(None, map(self.read, self.pattern.finditer(text))))
        return self.pattern.sub("" if self.read is _nothing else self.read, text)

    def places(self, text: str, starts: list[int], ends: list[int]) -> tuple[list[int], list[int]]:
        """Return start and end of each character of the view, given those of the text's characters."""
        new_starts: list[int] = []
        new_ends: list[int] = []
        last = 0
        for match in self.pattern.finditer(text):
            begin, end = match.span()
            size = len(self.read(match))
            if not self.picks:
                new_starts += starts[last:begin]
                new_ends += ends[last:begin]
            elif size and new_starts:
                size += len(APART)
            new_starts += [starts[begin]] * size
            new_ends += [ends[end - 1]] * size
            last = end
        if not self.picks:
            new_starts += starts[last:]
            new_ends += ends[last:]
        return new_starts, new_ends


@dataclass(frozen=True, slots=True)
class View:
    """A text, and the steps that made it from the original."""

    text: str
    steps: tuple[Step, ...] = ()
    words: bool = True

    def places(self, text: str) -> tuple[list[int], list[int]]:
        """Return where each character of this view starts and ends in ``text``, its original."""
        starts, ends = list(range(len(text))), list(range(1, len(text) + 1))
        for step in self.steps:
            starts, ends = step.places(text, starts, ends)
            text = step.apply(text)
        return starts, ends


def views(text: str, *, words: bool = False, escapes: bool = True) -> Iterator[View]:
    """
    Yield a text and its views without duplicates, those with the fewest steps first.

    Args:
        words: yield only views in which tokens keep their shapes.
        escapes: False skips decoding escapes, except in decoded base64 and the like.
    """
    seen = {text}
    found = [View(text)]
    yield found[0]
    mixed = sum(mark in text for mark in "%\\&") > 1
    for view in found:  # grows during the loop
        wrapped = "\n" in view.text and JOIN not in view.steps
        if len(view.steps) == DEEPEST:
            return
        unescaped = escapes or any(step.picks for step in view.steps)
        for step in STEPS:
            if (words and not step.words) or (step.escapes and not unescaped):
                continue
            if (wrapped and not step.wrapped) or (step.first and not (mixed and view.steps in ((), (JOIN,)))):
                continue
            if not step.applies(view.text):
                continue
            made = step.apply(view.text)
            if not made or made in seen:
                continue
            if len(found) == MOST:
                return
            seen.add(made)
            made_of = View(made, (*view.steps, step), view.words and step.words)
            yield made_of
            if not step.last:
                found.append(made_of)


@lru_cache(maxsize=4096)
def _folded(character: str) -> str:
    """Return a character without accents, in its ordinary width; empty if it is invisible."""
    if character == "\ufffd" or ord(character) in _IGNORABLE:
        return ""
    plain = unicodedata.normalize("NFKD", character)
    return "".join(item for item in plain if unicodedata.category(item) not in ("Cc", "Cf", "Mn", "Me"))


_IGNORABLE = frozenset(
    (
        0x115F,
        0x1160,
        0x17B4,
        0x17B5,
        0x3164,
        0xFFA0,
        0x2028,
        0x2029,
        *range(0xFFF0, 0xFFF9),
        *range(0xE0000, 0xE1000),
    )
)
"""Characters that Unicode calls ignorable, although their category does not say so."""
_BACKSLASHED = {
    **dict(zip("ntrabfv", "\n\t\r\a\b\f\v", strict=True)),
    **dict.fromkeys("eE", "\x1b"),
    "\n": "",
}
_PERCENT = r"%[0-9A-Fa-f]{2}"
_BACKSLASH = (
    r"\\(?:x[0-9A-Fa-f]{2}|u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}"
    r"|[xu]\{[0-9A-Fa-f]{1,8}\}|U[0-9A-Fa-f]{8}|[0-7]{1,3}|[^xuU0-7]|[xuU])"
)
_ENTITY = r"&(?:#[0-9]{1,16}|#[xX][0-9A-Fa-f]{1,16}|[A-Za-z][A-Za-z0-9]{1,31});?"


def _unescaped(match: re.Match[str]) -> str:
    return _meaning(match[0])


@lru_cache(maxsize=65536)
def _meaning(text: str) -> str:
    """Decode an escape."""
    if text[0] == "&":
        return html.unescape(text)
    if text[0] == "%":
        return chr(int(text[1:], 16))
    if text[0] == "=":
        return chr(int(text[1:], 16)) if text[-1] != "\n" else ""
    digits = text[2:].strip("{}")
    if text[1] in "xuU" and digits:
        if len(text) == 12:  # a surrogate pair
            return bytes.fromhex(text[2:6] + text[8:]).decode("utf-16-be", "replace")
        number = int(digits, 16)
        return chr(number) if number < 0x110000 else ""
    if text[1] in "01234567":
        return chr(int(text[1:], 8))
    return _BACKSLASHED.get(text[1], text[1])


_LEGIBLE = re.compile(rb"[\n -~]{6}|(?:[ -~]\0){6}")
"""Data decoded by mistake hardly ever has this much text in a row."""
_TO_STANDARD = str.maketrans("-_", "+/", " \t\r\n")
_NO_HEX = re.compile(r"0x|\\x|[^0-9A-Fa-f]")


def _legible(decoded: Iterator[bytes]) -> str:
    return APART.join(data.decode("latin-1") for data in decoded if _LEGIBLE.search(data))


def _base64(match: re.Match[str]) -> str:
    begin = match.start()
    before = match.string[max(begin - 4, 0) : begin]  # some of its bytes may not be text
    text = (before if _BASE64_ONLY.fullmatch(before) else "") + match[0]
    text = text.translate(_TO_STANDARD)
    parts = (text[first:] for first in range(4))
    return _legible(binascii.a2b_base64(part + "A" * (-len(part) % 4)) for part in parts)


def _base32(match: re.Match[str]) -> str:
    text = "".join(match[0].split())
    parts = (text[first:] for first in range(8))
    return _legible(base64.b32decode(part + "A" * (-len(part) % 8)) for part in parts)


def _hex(match: re.Match[str]) -> str:
    text = _NO_HEX.sub("", match[0])
    parts = (text[first:] for first in range(2))
    return _legible(bytes.fromhex(part[: len(part) // 2 * 2]) for part in parts)


_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_ANY = r"[A-Za-z0-9+/_\-]"
_BASE64_ONLY = re.compile(f"{_ANY}*")


def _legible_base64() -> str:
    """Return a pattern for base64 of six ASCII characters in a row, or three in UTF-16."""

    def those(wanted: Callable[[int], bool]) -> str:
        return "[" + re.escape("".join(digit for n, digit in enumerate(_DIGITS) if wanted(n))) + "_-]"

    high = {0, *range(2, 8)}
    three = those(lambda n: n >> 2 in high), those(lambda n: n & 15 in high), those(lambda n: n & 3 < 2)
    return f"(?:{''.join(three)}{_ANY}){{2}}{_ANY}*(?:{_NL}{_ANY}+)*"


def _nothing(_: re.Match[str]) -> str:
    return ""


_SEP = r"[ \t:,;+\-]{0,2}(?:\r?\n[ \t]{0,64})?(?:0x|\\x)?"
_BYTE = "[2-7][0-9A-Fa-f]"
JOIN = Step(re.compile(_NL), _nothing, "\n", wrapped=True)
STEPS = (
    Step(
        re.compile(rf"(?=[^\t\n -~])(?:{SEQUENCE.pattern}|.)", re.DOTALL),
        lambda match: _folded(match[0]) if len(match[0]) == 1 else "",
        wrapped=True,
        words=True,
    ),
    Step(re.compile(r"[^\x08\n]\x08"), _nothing, "\b", wrapped=True, words=True),
    JOIN,
    Step(re.compile(r"=[0-9A-Fa-f]{2}|=[ \t]{0,8}\r?\n"), _unescaped, "=", wrapped=True, escapes=True),
    Step(re.compile(f"{_PERCENT}|{_BACKSLASH}|{_ENTITY}", re.DOTALL), _unescaped, "%\\&", escapes=True),
    # Decode one kind at a time: a percent sign before a secret is no escape if the secret has backslashes.
    Step(re.compile(_PERCENT), _unescaped, "%", first=True, escapes=True),
    Step(re.compile(_BACKSLASH, re.DOTALL), _unescaped, "\\", first=True, escapes=True),
    Step(re.compile(_ENTITY), _unescaped, "&", first=True, escapes=True),
    Step(re.compile(r"""['"`\\]+"""), _nothing, "'\"`\\", last=True),
    Step(re.compile(_legible_base64()), _base64, picks=True),
    Step(re.compile(rf"(?:{_BYTE}(?:{_SEP}00)?{_SEP}){{5}}{_BYTE}(?:{_SEP}[0-9A-Fa-f])*"), _hex, picks=True),
    Step(re.compile(rf"[A-Z2-7]{{16,}}(?:{_NL}[A-Z2-7]+)*"), _base32, picks=True),
)
PICKS = tuple(step for step in STEPS if step.picks)
UNFINISHED = re.compile(r"(?:%[0-9A-Fa-f]?|\\[xuU]?\{?[0-9A-Fa-f]{0,8}|&#?[A-Za-z0-9]{0,32}|=[0-9A-Fa-f]?)\Z")
"""An escape that may be cut off by the end of the text."""
