"""Recognise Python that need not parse: fragments, pseudo-code, output."""

from __future__ import annotations

import keyword
import re
import sys
from collections.abc import Sequence

from lesson_runner.validate.rules.code.blocks import is_elided

_QUOTED = re.compile(r"""(?P<quote>\"{3}|'{3}|["'])(?:\\.|(?!(?P=quote)).)*(?P=quote)|["'].*""")
_WORDS = re.compile(r"(?<![\w.])([A-Za-z_]\w*)[ \t]+(?=([A-Za-z_]\w*|\d))")
_AFTER_BRACKET = re.compile(r"[)\]}][ \t]+(\w+)")
_BRACKETS = re.compile("parenthesis|unmatched|never closed")
_CONTINUES = re.compile(r"(?:else|elif|except|finally|case)\b")
_SIGNATURE = re.compile(r"(?:@|def\b|class\b|async[ \t]+def\b|\))")
_NO_NUMBER = re.compile(r"(?<![\w.])(?:0\d|(?!0[xXoObB])\d+(?![eE][+-]?\d|[jJ]\b|_\d)[A-Za-z_])")
_APOSTROPHE = re.compile(r"(?<!\w)(?!(?:[fFrRbBuUtT]{1,2})')[A-Za-z]+'[a-z]")
_NEWER = re.compile(
    r"\bexcept\*|^[ \t]*(?:def|class)[ \t]+\w+\[|^[ \t]*type[ \t]|\b[tT][rR]?[\"']|^[ \t]*except [\w., ]+:"
)
_TYPOGRAPHIC = frozenset("\u201c\u201d\u2018\u2019\u00a0\u200b\u2013\u2014\ufeff")
"""Typographic quotes, spaces and hyphens from word processors, which are always an error in code."""
_KEYWORDS = frozenset(keyword.kwlist) | {"match", "case", "type", "print", "exec"}


def is_fragment(lines: Sequence[str], error: SyntaxError) -> bool:
    """Return whether a block that no step runs is probably a fragment on purpose."""
    row = min(max(error.lineno or 1, 1), len(lines)) - 1
    code = [index for index, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")]
    if not code:
        return True
    before = max((index for index in code if index < row), default=code[0])
    after = min((index for index in code if index > row), default=code[-1])
    near = [_bare(line) for line in lines[before : row + 1]] + [_bare(lines[after]), _bare(lines[code[-1]])]
    if any(is_elided(line) for line in near) or _CONTINUES.match(lines[code[0]].lstrip()):
        return True
    if error.msg.startswith("positional argument follows") and any(is_elided(line) for line in lines):
        return True
    if "'except'" in error.msg and row >= code[-1]:  # the rest was left out
        return True
    if isinstance(error, IndentationError) and _is_torn(lines, row, code[0]):
        return True
    return (
        (_BRACKETS.search(error.msg) is None and _is_signature(lines, row, after))
        or _is_no_code(lines[row])
        or _is_newer(lines[row], error)
        or _is_difference(lines)
    )


def _bare(line: str) -> str:
    """Return a line with empty quotes; a quote that is not closed extends to the line's end."""
    return _QUOTED.sub('""', line)


def _code(line: str) -> str:
    return _bare(line).partition("#")[0]


def _is_torn(lines: Sequence[str], row: int, first: int) -> bool:
    """Return whether pieces with different indentation follow each other."""
    if lines[first][:1] in (" ", "\t"):
        return True
    above = lines[row - 1].strip() if row else ""
    return above == "" or above.startswith("#")


def _is_signature(lines: Sequence[str], row: int, after: int) -> bool:
    """Return whether a line is a ``def`` or ``class`` without its body, or a decorator without a function."""
    line = lines[row]
    if not _SIGNATURE.match(line.lstrip()) or _code(line).rstrip().endswith(":"):
        return False
    return after <= row or _margin(lines[after]) <= _margin(line)


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip())


def _is_no_code(line: str) -> bool:
    """Return whether a line is prose, output, or pseudo-code."""
    code = _code(line)
    if any(sign in code for sign in "$?`") or _NO_NUMBER.search(code) or _APOSTROPHE.search(line):
        return True
    if any(ord(sign) > 127 and not sign.isalnum() and sign not in _TYPOGRAPHIC for sign in code):
        return True
    words = (*_WORDS.finditer(code), *_AFTER_BRACKET.finditer(code))
    return any(_KEYWORDS.isdisjoint(pair.groups()) for pair in words)


def _is_newer(line: str, error: SyntaxError) -> bool:
    """Return whether a newer Python than this one may be able to parse the line."""
    return _NEWER.search(line) is not None or (
        sys.version_info < (3, 12) and error.msg.startswith("f-string")
    )


def _is_difference(lines: Sequence[str]) -> bool:
    """Return whether the lines are a patch."""
    return any(line.startswith("+") for line in lines) and any(line.startswith("-") for line in lines)
