"""
Small pieces of text: durations, numbers, commands, and untrusted text made harmless.

Every text from a lesson, a run, a certificate or a plugin passes one of three functions before it is shown:
:func:`line` where it must stay on one line, :func:`block` where it may have several, :func:`safe` in files
that have a syntax of their own. They replace characters and never delete any: deleting could join the
pieces of a secret that redaction did not recognise.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

MOST_IN_LINE = 4000
"""Characters of an untrusted text that are shown in one line."""
INDENT = "   │ "
"""Precedes each line of an untrusted text that has several."""

_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
# Besides control characters:
# - halves of surrogate pairs: no encoding can print them;
# - characters that reverse the direction of text, so that it looks different from what it is: CVE-2021-42574;
# - invisible characters, which can hide one text in another. Joiners and variation selectors stay where
#   scripts and emoji need them: one at a time, between characters that are not ASCII. Scripts of the Near
#   East and India end words with a joiner as well.
_INVISIBLE = (
    r"\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    r"\u3164\ud800-\udfff\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001343f"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_JOINERS = (
    r"(?<![^\x00-\x7f\u200c\u200d])[\u200c\u200d]|(?<![\u0600-\u0dff])[\u200c\u200d](?![^\x00-\x7f])"
    r"|(?<![^\x00-\x7f\ufe0e\ufe0f])[\ufe0e\ufe0f](?!\u20e3)"
)
_CONTROL = re.compile(rf"[\x00-\x08\x0b-\x1f{_INVISIBLE}]|{_JOINERS}")
_ASCII_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_ESCAPED_IN_JSON = re.compile(rf"[{_INVISIBLE}]|{_JOINERS}|(?<=#)#(?=\w*\[)")
_BREAKS = re.compile("\r\n|[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")
# Workflow commands: GitHub's runner takes `::name …::` at the start of a line, after blanks, and `##[name …]`
# anywhere in one; Azure Pipelines `##vso[…]`, TeamCity `##teamcity[…]`. Their comparison may ignore joiners.
_COMMAND = re.compile(r"(?:\A|[\r\n])(?:[^\S\r\n]|[\u200c\u200d\ufe0e\ufe0f])*:(?=:)|##\w*(?=\[)")


def line(text: object, most: int = MOST_IN_LINE) -> str:
    """
    Return a text as one harmless line: no escapes, nothing invisible, no workflow commands.

    Line breaks and tabs become spaces. A text of more than ``most`` characters is cut, and says how many are
    left out.
    """
    shown = inert(safe(_BREAKS.sub(" ", str(text))))
    return shown if len(shown) <= most else f"{shown[:most]}… ({len(shown) - most:,} more characters)"


def block(text: object, indent: str = INDENT) -> str:
    """Return a text of several lines, each harmless and after ``indent``: none looks like our own output."""
    if _is_harmless(plain := str(text)) and "::" not in plain and "##" not in plain:
        return indent + plain.replace("\n", f"\n{indent}")
    rows = _BREAKS.sub(lambda match: match[0] if match[0] == "\t" else "\n", plain).split("\n")
    return "\n".join(inert(f"{indent}{safe(row)}") for row in rows)


def safe(text: str) -> str:
    """
    Return ``text`` without terminal escapes and invisible characters; each becomes a replacement character.

    Newlines and tabs stay. Use :func:`line` or :func:`block` for what is printed.
    """
    if _is_harmless(text):
        return text
    return visible(_SEQUENCE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n")))


def _is_harmless(text: str) -> bool:
    """Return whether a text is ASCII without control characters; most texts are, and need no more work."""
    return text.isascii() and _ASCII_CONTROL.search(text) is None


def visible(text: str) -> str:
    """Return a text of the same length: control and invisible characters are replaced, line feeds stay."""
    return _CONTROL.sub("\ufffd", text)


def workflow_commands(text: str) -> list[int]:
    """Return the positions at which :func:`inert` inserts a space."""
    return [match.end() for match in _COMMAND.finditer(text)]


def inert(text: str) -> str:
    """Return a text in which build services find no workflow commands: a space breaks up each."""
    return _COMMAND.sub(lambda match: f"{match[0]} ", text)


def json_text(data: Any) -> str:
    """
    Return ``data`` as JSON for people and programs.

    Invisible characters, and those that a terminal or a build service would obey, are written as escapes. So
    are halves of surrogate pairs, which a file name may contain but UTF-8 cannot encode.

    Raises:
        ValueError: a number in it is not finite.
    """
    return escaped_json(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False))


def escaped_json(text: str) -> str:
    """Return JSON that means the same, with the escapes that :func:`json_text` describes."""
    return _ESCAPED_IN_JSON.sub(
        lambda match: json.dumps(match[0])[1:-1] if match[0] != "#" else "\\u0023", text
    )


def command_rows(command: str, action: str) -> list[str]:
    """Return the lines of a step's command, each after a prompt if it is typed into a shell."""
    command = command.rstrip("\n")
    prompt = "" if action in ("python", "file", "manual") else "$ "
    return [f"{prompt}{row}" for row in command.split("\n")] if command else []


def duration(seconds: float) -> str:
    """Return a time such as ``0.4 s``, ``12 s``, ``3 min 05 s`` or ``2 h 10 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def number(value: float | None) -> str:
    """Return a number for people: four significant digits, with thousands separators."""
    if isinstance(value, int):
        return f"{value:,}"
    if value is None or not math.isfinite(value):
        return "not finite"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"
