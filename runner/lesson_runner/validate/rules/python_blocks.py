"""Python blocks that Python cannot parse."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lesson_runner.execute.redaction.secrets import mask
from lesson_runner.model import Diagnostic, Lesson, Rule, Scope
from lesson_runner.validate.rules.code.python_fragments import is_fragment
from lesson_runner.validate.rules.code.python_tree import Python, pythons


def check_syntax(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield Python blocks that do not parse."""
    for python in pythons(lesson):
        error = python.error
        if error is not None and (python.code.run or not is_fragment(python.lines, error)):
            yield _diagnostic(python, error)


def _diagnostic(python: Python, error: SyntaxError) -> Diagnostic:
    row = min(max(error.lineno or 1, 1), len(python.lines)) - 1
    line, above = python.lines[row], python.code.block.location.line - 1
    if isinstance(error, IndentationError):  # its column differs between versions of Python
        column = len(line) - len(line.lstrip())
    else:
        column = min(max((error.offset or 1) - 1, 0), len(line))
    as_written = python.code.block.text.split("\n")[row]
    column = min(python.cut[row] + column, len(as_written))
    reason = re.sub(r"on line (\d+)", lambda match: f"on line {int(match[1]) + above}", error.msg)
    fix = None if python.code.run else "correct it; if you left something out on purpose, write ..."
    place = python.code.place(row, column)
    return Diagnostic("python-syntax", "error", f"Python cannot parse this: {mask(reason)}", place, fix)


RULES = (Rule("python-syntax", "error", "A Python block that Python cannot parse.", check=check_syntax),)
