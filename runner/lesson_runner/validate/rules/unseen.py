"""Invisible characters that change what is shown."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from lesson_runner.document.frontmatter import split
from lesson_runner.model import Diagnostic, Lesson, Location, Rule, Scope

# Most of those from \x80 on come from encoding errors, which have their own rules.
_DIRECTION = "\u202a-\u202e\u2066-\u2069"
_CONTROL = re.compile(f"[\x00-\x08\x0b\x0e-\x1f\x7f{_DIRECTION}]")
_IN_YAML = re.compile(f"[{_DIRECTION}]")
"""The YAML parser reports the others."""
_KNOWN = {"\x00": "null", "\x08": "backspace", "\x1b": "escape", "\x7f": "delete"}


def check_unseen(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield the first such character of each line."""
    if _CONTROL.search(lesson.text) is None:
        return
    body = split(lesson.text, lesson.path).first
    for number, line in enumerate(lesson.text.split("\n"), 1):
        if match := (_CONTROL if number >= body else _IN_YAML).search(line):
            name = unicodedata.name(match[0], "").lower() or _KNOWN.get(match[0], "control character")
            message = f"U+{ord(match[0]):04X} ({name}) is invisible and changes what readers see"
            place = Location(lesson.path, number, match.start() + 1)
            yield Diagnostic("unseen-character", "error", message, place, "delete it")


RULES = (
    Rule(
        "unseen-character",
        "error",
        "An invisible character that controls a terminal or changes the direction of text.",
        check=check_unseen,
    ),
)
