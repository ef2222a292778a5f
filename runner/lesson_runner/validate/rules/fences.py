"""Fences of code blocks: never closed, nested in each other, or too deep to be shown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lesson_runner.document.languages import PYTHON, SHELL
from lesson_runner.model import Block, Diagnostic, Lesson, Location, Rule, Scope
from lesson_runner.validate.rules.fence_lines import inner_opening, opening

_DEEP = re.compile(r"^(?P<marks>[ \t>*+\d.)-]{20,})(?:`{3}|~{3})", re.MULTILINE)
"""The parser ignores what is more than 20 levels deep, and each level needs at least one column."""


def check_closed(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield blocks without a closing fence."""
    for block in lesson.blocks:
        # "-->" at the start: the rest of a broken 'run' comment, which has its own diagnostic.
        if block.closed or block.hidden or block.text.startswith("-->"):
            continue
        fence, place = opening(lesson, block)
        around = "the list or quote around it" if block.depth else "the document"
        message = f"the code block is not closed: it continues to the end of {around}"
        fix = f"end it with {fence} on a separate line"
        yield Diagnostic("unclosed-fence", "error", message, place, fix)


def check_nested(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001
    """Yield the first block that seems to contain another one, and blocks that are nested too deeply."""
    lines = lesson.text.split("\n")
    first = next((pair for block in lesson.blocks if (pair := _holds_another(lesson, block))), None)
    if first is not None:
        yield first
    yield from _too_deep(lesson, lines)


def _holds_another(lesson: Lesson, block: Block) -> Diagnostic | None:
    inner = inner_opening(lesson, block)
    if inner is None:
        return None
    fence, place = opening(lesson, block)
    line = block.location.line + block.text.count("\n", 0, inner.start())
    indent = len(inner[0]) - len(inner[0].lstrip(" "))
    message = (
        f"'{inner[0].strip()}' is inside the block that begins on line {place.line}: its closing fence "
        "closes that block, so that later text and code are swapped"
    )
    longer = fence[0] * (len(inner["fence"]) + 1)
    where = Location(lesson.path, line, block.location.column + indent)
    if block.language in SHELL | PYTHON:  # no command or statement looks like a fence
        fix = f"close that block with {fence} before this line"
        return Diagnostic("nested-fence", "error", message, where, fix)
    fix = f"begin and end the outer block with {longer}, or close it before this line"
    return Diagnostic("nested-fence", "warning", message, where, fix)


def _too_deep(lesson: Lesson, lines: list[str]) -> Iterable[Diagnostic]:
    """Yield the first fence that is nested so deeply that the parser ignores it."""
    if not _DEEP.search(lesson.text):
        return
    seen = {
        line
        for block in lesson.blocks
        for line in range(block.location.line - 1, block.location.line + block.text.count("\n") + 1)
    }
    for number, row in enumerate(lines, 1):
        match = _DEEP.match(row)
        if match is not None and number not in seen:
            message = "a code block nested so deeply in lists or quotes that it is not shown"
            place = Location(lesson.path, number, len(match["marks"]) + 1)
            yield Diagnostic("nested-fence", "warning", message, place, "move it out of some of them")
            return


RULES = (
    Rule("unclosed-fence", "error", "A code block that is never closed.", check=check_closed),
    Rule(
        "nested-fence",
        "warning",
        "A code block that begins inside another one, or is nested too deeply to be shown.",
        check=check_nested,
    ),
)
