"""Commands of several lines that end too early."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from lesson_runner.document.commands import is_command
from lesson_runner.model import Diagnostic, Edit, Lesson, Rule, Scope
from lesson_runner.validate.rules.code.shell_tree import LITERAL, Shell, above, shells

_BLANK = re.compile(r"(?<!\\)(?:\\\\)*\\(?P<blank>[ \t]+)(?P<comment>#.*)?$")
_CONTINUES = re.compile(r"(?<!\\)(?:\\\\)*\\$")
_OPERATOR = re.compile(r"(?:&&|\|)[ \t]*\\$")
"""After an operator the shell waits for the next command anyway."""
_OPTION = re.compile(r"[ \t]*--?[A-Za-z][\w-]*")


class _Break(NamedTuple):
    row: int
    column: int
    message: str
    fix: str
    edit: str = ""
    """Text to delete at this place."""


def check_continuations(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield the first line of each block at which a command ends, although more of it follows."""
    for shell in shells(lesson):
        lines = shell.typed.text.split("\n")
        for found in _breaks(shell, lines) if shell.judged else ():
            if shell.code.run or is_command(lines, found.row):
                place = shell.place(found.row, found.column)
                edits = (Edit(place, found.edit, ""),) if found.edit else ()
                yield Diagnostic("broken-continuation", "error", found.message, place, found.fix, edits)
                break


def _breaks(shell: Shell, lines: list[str]) -> Iterator[_Break]:
    start = 0
    for row, line in enumerate(lines):
        following = lines[row + 1] if row + 1 < len(lines) else ""
        match = _BLANK.search(line)
        if match and following.strip() and _is_bare(shell, start + match.start("blank") - 1):
            what = "a comment" if match["comment"] else "a blank"
            message = f"the command ends in this line: {what} follows its last backslash"
            fix = "put the comment into a line before the command" if match["comment"] else "delete the blank"
            yield _Break(row, match.start("blank"), message, fix, "" if match["comment"] else match["blank"])
        elif (
            _CONTINUES.search(line) and not _OPERATOR.search(line) and _is_bare(shell, start + len(line) - 1)
        ):
            yield from _interrupted(lines, row)
        elif (
            (option := _OPTION.match(following))
            and line.strip()
            and not line.lstrip().startswith("#")
            and not _CONTINUES.search(line)
            and _begins_command(shell, start + len(line) + 1 + option.end() - 1)
        ):
            yield _Break(
                row,
                len(line),
                "the next line begins with an option, but the command ends here",
                "end the line with ' \\'",
            )
        start += len(line) + 1


def _interrupted(lines: list[str], row: int) -> Iterator[_Break]:
    """Yield the empty or commented line that ends a command whose line before ends with a backslash."""
    between = row + 1
    while between < len(lines) and lines[between].lstrip()[:1] in ("", "#"):
        between += 1
    if between in (row + 1, len(lines)):
        return
    margin = len(lines[row]) - len(lines[row].lstrip())
    more = lines[between]
    if _OPTION.match(more) or (
        len(more) - len(more.lstrip()) > margin and row > 0 and lines[row - 1].endswith("\\")
    ):
        what = "a comment" if lines[row + 1].strip() else "an empty line"
        message = f"the command ends here, because {what} follows the backslash"
        yield _Break(row, len(lines[row]) - 1, message, f"move {what} out of the command")


def _is_bare(shell: Shell, offset: int) -> bool:
    return above(shell.tree, offset, offset + 1, LITERAL) is None


def _begins_command(shell: Shell, offset: int) -> bool:
    """Return whether the word at an offset is the name of a command."""
    node = above(shell.tree, offset, offset + 1, ("command_name", "array", "ERROR", *LITERAL))
    return node is not None and node.type == "command_name"


RULES = (
    Rule(
        "broken-continuation",
        "error",
        "A command of several lines that ends too early.",
        check=check_continuations,
    ),
)
