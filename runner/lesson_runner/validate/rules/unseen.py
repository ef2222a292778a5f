"""Characters that nobody sees, and that change what is seen."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from lesson_runner.document.frontmatter import split
from lesson_runner.model import Diagnostic, Lesson, Location, Rule, Scope

# Those from \x80 on are left to the rules of encoding, whose work they mostly are.
_TURNING = "\u202a-\u202e\u2066-\u2069"
_OBEYED = re.compile(f"[\x00-\x08\x0b\x0e-\x1f\x7f{_TURNING}]")
_IN_YAML = re.compile(f"[{_TURNING}]")
"""The others are no YAML, which says so itself."""
_KNOWN = {"\x00": "null", "\x08": "backspace", "\x1b": "escape", "\x7f": "delete"}


def check_unseen(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield the first such character of each line."""
    if _OBEYED.search(lesson.text) is None:
        return
    body = split(lesson.text, lesson.path).first
    for number, line in enumerate(lesson.text.split("\n"), 1):
        if match := (_OBEYED if number >= body else _IN_YAML).search(line):
            name = unicodedata.name(match[0], "").lower() or _KNOWN.get(match[0], "control character")
            message = f"U+{ord(match[0]):04X} ({name}): readers do not see it, and see something else by it"
            place = Location(lesson.path, number, match.start() + 1)
            yield Diagnostic("unseen-character", "error", message, place, "delete it")


RULES = (
    Rule(
        "unseen-character",
        "error",
        "A character that a terminal obeys, or that turns the direction of writing.",
        check=check_unseen,
    ),
)
