"""The order of headings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from lesson_runner.model import Diagnostic, Lesson, Rule, Scope

_IN_CONTAINER = re.compile(r"\s*(?:>|[-*+]\s|\d+[.)]\s)")


def check_order(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield headings that skip a level downwards, and the second title of a document."""
    lines = lesson.text.split("\n")
    # Headings in quotes and lists are not part of the document's outline.
    headings = [item for item in lesson.headings if not _IN_CONTAINER.match(lines[item.location.line - 1])]
    titles = [item for item in headings if item.level == 1]
    for above, heading in pairwise(headings):
        if heading.level > above.level + 1:
            message = f"a heading of level {heading.level} follows one of level {above.level}"
            fix = f"write {'#' * (above.level + 1)} instead of {'#' * heading.level}"
            yield Diagnostic("heading-order", "info", message, heading.location, fix)
    if len(titles) > 1:
        message = f"a second title; the first is on line {titles[0].location.line}"
        if len(titles) > 2:
            message = f"{len(titles) - 1} more titles; the first is on line {titles[0].location.line}"
        fix = "begin the sections of a lesson with ##"
        yield Diagnostic("heading-order", "info", message, titles[1].location, fix)


RULES = (
    Rule("heading-order", "info", "A heading that skips a level, or a second title.", check=check_order),
)
