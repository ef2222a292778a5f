"""Code blocks that are too long, or take too long, to be parsed; other rules do not check them."""

from __future__ import annotations

from collections.abc import Iterable

from lesson_runner.document.bash import LONGEST as LONGEST_SHELL
from lesson_runner.document.languages import SHELL
from lesson_runner.model import Diagnostic, Lesson, Rule, Scope
from lesson_runner.validate.rules.code.blocks import blocks
from lesson_runner.validate.rules.code.python_tree import LONGEST as LONGEST_PYTHON
from lesson_runner.validate.rules.code.python_tree import pythons
from lesson_runner.validate.rules.code.shell_tree import shells


def check_unparsed(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield the blocks that were not parsed."""
    parsed = {id(shell.code.block) for shell in shells(lesson)}
    unparsed = [
        (code, LONGEST_SHELL) for code in blocks(lesson, SHELL, "shell") if id(code.block) not in parsed
    ]
    unparsed += [
        (python.code, LONGEST_PYTHON)
        for python in pythons(lesson)
        if python.tree is None
        and python.error is None
        and (python.code.run or len(python.code.block.text) > LONGEST_PYTHON)
    ]
    for code, longest in unparsed:
        size = len(code.block.text)
        if size > longest:
            why = f"it has {size:,} characters; at most {longest:,} are allowed"
        else:
            why = "it cannot be parsed in time"
        message = f"this block is not checked: {why}"
        yield Diagnostic("unparsed-block", "warning", message, code.place(-1, 0), "split it")


RULES = (
    Rule(
        "unparsed-block",
        "warning",
        "A block that is too long, or takes too long, to be checked.",
        check=check_unparsed,
    ),
)
