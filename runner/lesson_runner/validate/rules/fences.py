"""Fences of code blocks: never closed, one within the other, or deeper than anybody shows them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lesson_runner.document.languages import PYTHON, SHELL
from lesson_runner.model import Block, Diagnostic, Lesson, Location, Rule, Scope
from lesson_runner.validate.rules.fence_lines import inner_opening, opening

_DEEP = re.compile(r"^(?P<marks>[ \t>*+\d.)-]{20,})(?:`{3}|~{3})", re.MULTILINE)
"""The parser shows nothing that is more than 20 levels deep, and a level takes a column at least."""


def check_closed(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield blocks that end only because the document, or the list or quote around them, does."""
    for block in lesson.blocks:
        # What a broken 'run' comment leaves behind is no block that its author wrote.
        if block.closed or block.hidden or block.text.startswith("-->"):
            continue
        fence, place = opening(lesson, block)
        around = "the list or quote around it" if block.depth else "the document"
        message = f"the code block is not closed: it goes on to the end of {around}"
        fix = f"end it with {fence} on a line of its own"
        yield Diagnostic("unclosed-fence", "error", message, place, fix)


def check_nested(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001
    """Yield the first block that seems to hold another one, and blocks that are nested too deeply."""
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
        f"'{inner[0].strip()}' stands in the block that begins in line {place.line}: whatever "
        "closes it closes that block, and what follows is inside out"
    )
    longer = fence[0] * (len(inner["fence"]) + 1)
    where = Location(lesson.path, line, block.location.column + indent)
    if block.language in SHELL | PYTHON:  # no command and no statement looks like that
        fix = f"close that block with {fence} before this line"
        return Diagnostic("nested-fence", "error", message, where, fix)
    fix = f"begin and end the outer block with {longer}, or close it before this line"
    return Diagnostic("nested-fence", "warning", message, where, fix)


def _too_deep(lesson: Lesson, lines: list[str]) -> Iterable[Diagnostic]:
    """Yield the first fence that is nested so deeply that the parser does not see it."""
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
