"""
Find comments that look like directives in the raw text of a document, wherever they are.

A directive in a form or a place that the parser does not read would be lost without a word. What counts is
narrow: a directive's word with keys, or alone. Prose that only begins with such a word ("skip this for now",
"Step 3 was moved") does not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from lesson_runner.document.directives import WORDS
from lesson_runner.document.schema.validator import load_schema
from lesson_runner.model.hints import closest

Kind = Literal["html", "dashes", "shown", "other"]

_LONGEST = 2_000
"""How many characters of a comment are examined."""
_OPENER = re.compile(
    r"""
    (?P<html><!--)
    | (?P<shown>\\<!--|&(?:lt|\#60|\#x3c);!--|<--)
    | (?P<dashes><[ \t]{0,3}![ \t]{0,3}[-\u2013\u2014](?:[ \t]{0,3}[-\u2013\u2014])?)
    | (?P<other>\{/\*|\{\{!|\{\#(?=\s)|\{%-?[ \t]{0,3}comment[ \t]{0,3}-?%\}|\{::comment\}
        |<%--|<\?|%%(?=\s)|:::+[ \t]?\{?
        |\[[^\]\n]{1,30}\]:[ \t]{0,3}(?:\#|<>)[ \t]{0,3}[("'])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CLOSERS: dict[str, re.Pattern[str]] = {
    "html": re.compile(r"-->"),
    "shown": re.compile(r"--(?:>|&gt;|&#62;|&#x3e;)", re.IGNORECASE),
    "dashes": re.compile(r"[-\u2013\u2014][ \t]{0,3}>"),
    "other": re.compile(
        r"\*/\}|\}\}|#\}|\{%-?[ \t]{0,3}endcomment|--%>|\?>|\{:/|%%|:::|[)\"'][ \t]*$", re.MULTILINE
    ),
}
_WORD = re.compile(r"[\W_]*(?:lesson[\W_]+(?:runner[\W_]+)?)?(?P<word>[A-Za-z]+)(?![\w-])(?P<colon>:?)")
_MARGIN = r"^[ \t>]*(?:[-*+][ \t]+)?"
_NAMES = "id|step|uses|reason|rules|expect|instruction|capture"
_STRONG = re.compile(
    rf"(?:{_MARGIN}|[:{{][ \t]*)[\"']?(?:{_NAMES})[\"']?[ \t]*[:=]",
    re.MULTILINE,
)
"""Keys that prose is unlikely to have at the beginning of a line."""
_NEXT = re.compile(rf"[ \t]+[{{\"']*(?:{_NAMES})[\"']?[ \t]*[:=]")
_STEP_KEY = re.compile(
    rf"{_MARGIN}(?P<key>id|uses|expect|capture|needs|claims|instruction)[ \t]*:", re.MULTILINE
)
_NO_WORDS = re.compile(r"[^\w{]*")
_ONE_VALUE = re.compile(r"\s*:\s*[\w.\"'{}\[\]-]+[^\w{]*")
_EXPLAINED = re.compile(r"[ \t]*(?::|[-\u2013\u2014][ \t])")
_ABOVE_FENCE = re.compile(r"[^\w\n]*(?:\n[ \t>]*){1,4}(?:`{3}|~{3})")
_LINE_END = re.compile(r"[ \t]*(?:\n|\Z)")
_MARKS = re.compile(r"[ \t>*+-]*(?:\d+[.)][ \t]+)?")
"""The marks of lists and quotes at the beginning of a line."""


@dataclass(frozen=True, slots=True)
class Lookalike:
    """A comment that looks like a directive."""

    start: int
    """The index of its first character in the text."""
    opener: str
    """The characters that begin it."""
    kind: Kind
    """``html`` for ``<!--``, ``dashes`` for a similar sign, ``shown`` for visible text, ``other``."""
    word: str
    """The directive that is meant."""
    written: str
    """The directive's word as written, with a colon after it; empty if there is no word."""
    content: str
    """Its text, without its ends; at most 2,000 characters."""


def lookalikes(text: str) -> Iterator[Lookalike]:
    """Yield all comments that are directives or look like one, in order."""
    openers = _OPENER.finditer(text)
    opener = next(openers, None)
    while opener is not None:
        following = next(openers, None)
        # No text is searched twice, so that the time is linear.
        limit = min(opener.end() + _LONGEST, following.start() if following else len(text))
        found = _read(text, opener, limit)
        if found is not None:
            yield found
        opener = following


def begins_its_line(text: str, index: int) -> bool:
    """Return whether only marks of lists and quotes are before a character on its line."""
    start = text.rfind("\n", max(index - 200, 0), index) + 1
    return _MARKS.fullmatch(text, start, index) is not None


def _read(text: str, opener: re.Match[str], limit: int) -> Lookalike | None:
    kind: Kind = opener.lastgroup  # type: ignore[assignment]  # each group of _OPENER is named after a kind
    closer = _CLOSERS[kind].search(text, opener.end(), limit)
    end = closer.end() if closer else limit
    if kind == "shown" and not (begins_its_line(text, opener.start()) and _LINE_END.match(text, end)):
        return None  # prose about comments
    content = text[opener.end() : closer.start() if closer else limit]
    above_fence = closer is not None and _ABOVE_FENCE.match(text, end, end + 200) is not None
    found = _meant(content, above_fence=above_fence)
    return Lookalike(opener.start(), opener[0], kind, *found, content) if found else None


def _meant(content: str, *, above_fence: bool) -> tuple[str, str] | None:
    """Return the directive that a comment means, and how its word is written; ``None`` for prose."""
    first = _WORD.match(content)
    word = first["word"] if first else ""
    near = _closest(word.lower()) if 2 < len(word) < 12 else None
    if first and near:
        written = word + first["colon"]
        exact, same = word == near, word.lower() == near
        rest = content[first.end("word") :]
        if same and _keys().match(rest):
            return near, written
        if (exact or (same and above_fence)) and (_NO_WORDS.fullmatch(rest) or _ONE_VALUE.fullmatch(rest)):
            return near, written
        if exact and (above_fence or near == "manual") and _EXPLAINED.match(rest):
            return near, written
        if _NEXT.match(rest) or _STRONG.search(content, first.end("word")):
            return near, written
    keys = {match["key"] for match in _STEP_KEY.finditer(content)}
    if "id" in keys and len(keys) > 1:
        return "step", "" if word in keys else word
    return None


@lru_cache
def _closest(word: str) -> str | None:
    return closest(word, WORDS)


@cache
def _keys() -> re.Pattern[str]:
    """Return a pattern for a directive's key, or the start of a mapping, directly after its word."""
    schema = load_schema("step")
    known = {"name", *schema["properties"]}
    for word in WORDS:
        known.update(schema["$defs"].get(word, {}).get("properties", {}))
    names = "|".join(sorted(map(re.escape, known)))
    return re.compile(
        rf"[\s:,;({{\[|>*+\u2013\u2014-]*[\"']?(?:{names})[\"']?[ \t]*[:=]|[ \t]*[={{]", re.IGNORECASE
    )
