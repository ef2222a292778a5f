"""The texts that a reader of a block replaces, such as ``<your-token>``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lesson_runner.document.bash import PLACEHOLDER

_FOR_YOU = re.compile(
    r"(?<![\w$<{/-])(?:YOUR[_-][A-Z0-9_-]+|[A-Z0-9_]+[_-]YOURS?(?:[_-][A-Z0-9_]+)?|(?:your|my)[_-](?:[a-z0-9]+[_-])*"
    r"(?:token|key|api[_-]?key|secret|password|username|user|name|email|org|organi[sz]ation|project[_-]?id|account|bucket|domain|host|hostname"
    r"|server|ip|region|repo|repository|registry|id|url|endpoint|cluster|subscription)"
    r"|REPLACE[_-]?(?:ME|WITH[\w-]*|THIS)|CHANGE[_-]?ME|INSERT[_-][A-Z_]+|<?PLACEHOLDER>?)(?![\w])"
)
_PATH = re.compile(
    r"(?<![\w/.-])/?(?:path/to|path/of|absolute/path)(?:/[\w./-]+)?|/your/[\w./-]+|/home/(?:you|username|user)(?=/|\b)"
)
_MASKED = re.compile(
    r"(?<![\w-])(?:[a-z]{1,5}[_-])?(?:x{4,}|X{4,})(?:[-x]+)?(?!\w)|\b(?:hf|sk|ghp|gho|pk|AKIA)[_-]?(?:\.{3}|\u2026|x{3,}|X{3,})"
)
_DOTS = re.compile(r"(?<==)[\"']?[\w-]{0,12}(?:\.{3}|\u2026)[\"']?(?=\s|$)", re.MULTILINE)
_SQUARE = re.compile(
    r"(?<![\w$\]\\@\[\"'(.])\[(?:your[ _-])?[a-z]+(?:[ _-][a-z]+){0,6}\](?![\w(\[:])"
    r"|(?<!\S)\[[A-Z][A-Z0-9]*(?:[_ -][A-Z0-9]+)*\](?=\s|$)"
    r"|(?<![\w$@{%\\])\{[A-Za-z][\w-]*(?:\|[A-Za-z][\w-]*)*\}(?![}\w])"
)
_WITH = re.compile(r"\breplac(?:e|ing) `?(?P<word>[\w./:@<>-]{2,40})`? with\b", re.I)
_NOT = frozenset(
    {
        "<br>",
        "<p>",
        "<div>",
        "<html>",
        "<body>",
        "<head>",
        "<h1>",
        "<EOF>",
        "<eof>",
        "<none>",
        "<module>",
        "<string>",
        "<stdin>",
    }
)


def placeholders(kind: str, text: str, around: str) -> tuple[str, ...]:
    """
    Return the texts of a block to fill in, in their order, each once.

    Args:
        kind: ``shell`` or ``python``.
        text: what a person types from the block.
        around: the sentences above and below it, which may say what to replace.
    """
    return tuple(dict.fromkeys(_found(kind, text, around)))


def _found(kind: str, text: str, around: str) -> Iterator[str]:
    code = _without_comments(text) if kind == "shell" else text
    found: list[tuple[int, str]] = []
    patterns = (_FOR_YOU, _PATH, _MASKED, _DOTS) if kind == "shell" else (_FOR_YOU, _MASKED)
    for pattern in patterns:
        found += [(match.start(), match[0].strip("\"'")) for match in pattern.finditer(code)]
    if kind == "shell":
        found += [
            (match.start(), match[0]) for match in PLACEHOLDER.finditer(code) if _is_filled(match[0], code)
        ]
        found += [
            (match.start(), match[0])
            for match in _SQUARE.finditer(_commands_only(code))
            if not _is_heading(match[0], code)
        ]
    for match in _WITH.finditer(around):
        at = code.find(match["word"])
        if at >= 0 and len(match["word"]) > 2:
            found.append((at, match["word"]))
    return (text for _, text in sorted(found))


def _is_filled(mark: str, code: str) -> bool:
    """Return whether ``<word>`` is to fill in; not a tag of HTML or XML in a text."""
    return mark not in _NOT and f"</{mark[1:]}" not in code and "</" not in mark


def _is_heading(mark: str, code: str) -> bool:
    """Return whether ``[word]`` has a line of its own: it begins a section of a settings file."""
    return any(line.strip() == mark for line in code.split("\n"))


def _commands_only(code: str) -> str:
    """Return a script without what is in quotes, so that ``[a-z]`` of a pattern is not seen."""
    return re.sub(r"\"(?:[^\"\\]|\\.){0,500}\"|'[^']{0,500}'", lambda match: " " * len(match[0]), code)


def _without_comments(code: str) -> str:
    return re.sub(r"(?:^|(?<=\s))#[^\n]*", lambda match: " " * len(match[0]), code)
