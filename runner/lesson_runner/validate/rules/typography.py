"""Characters of a word processor in commands: quotes, dashes and spaces that only look right."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from lesson_runner.document.commands import is_command
from lesson_runner.model import Diagnostic, Edit, Lesson, Rule, Scope
from lesson_runner.validate.rules.code.shell_commands import PRINTS, command_name
from lesson_runner.validate.rules.code.shell_tree import Shell, above, shells

_DOUBLE = "\u201c\u201d\u201e\u201f\u2033"
_SINGLE = "\u2018\u2019\u201a\u201b\u2032\u00b4"
_SPACES = "\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"
_NOTHING = "\u00ad\u200b\u2060\ufeff"
_DASHES = "\u2010-\u2015\u2212"
_WRONG = re.compile(
    rf"(?P<double>[{_DOUBLE}])|(?P<single>(?<!\w)[{_SINGLE}]|[{_SINGLE}](?!\w))|(?P<space>[{_SPACES}])"
    rf"|(?P<nothing>[{_NOTHING}])|(?P<dash>(?<![^\s=\"'])[{_DASHES}]{{1,2}}(?=[A-Za-z]))"
)
_INSTEAD = {"double": '"', "single": "'", "space": " ", "nothing": ""}


def check_typography(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield the first such character of each line of commands; its edits replace all of the line."""
    for shell in shells(lesson):
        if not shell.judged or shell.typed.text.isascii():
            continue
        lines = shell.source.split("\n")
        rows: dict[int, list[re.Match[str]]] = {}
        for match in shell.bare(_WRONG):
            row = shell.source.count("\n", 0, match.start())
            if (shell.code.run or _is_command(lines, row)) and not _is_printed(shell, match):
                rows.setdefault(row, []).append(match)
        yield from (_diagnostic(shell, found) for found in rows.values())


def _diagnostic(shell: Shell, found: list[re.Match[str]]) -> Diagnostic:
    first = found[0]
    kind = str(first.lastgroup)
    name = unicodedata.name(first[0][0], "character").lower()
    message = f"U+{ord(first[0][0]):04X} ({name}) has no meaning for a shell"
    if kind == "dash":
        fix = "write - before an option of one letter, and -- before a longer one"
    elif kind == "nothing":
        fix = "delete it"
    else:
        fix = f"write {'a space' if kind == 'space' else _INSTEAD[kind]}"
    edits = tuple(
        Edit(shell.place_of(match.start()), match[0], _INSTEAD[str(match.lastgroup)])
        for match in found
        if match.lastgroup in _INSTEAD
    )
    return Diagnostic("typographic-character", "error", message, shell.place_of(first.start()), fix, edits)


def _is_command(lines: list[str], row: int) -> bool:
    return is_command([re.sub(f"[{_SPACES}{_NOTHING}]", " ", line) for line in lines[: row + 1]], row)


def _is_printed(shell: Shell, match: re.Match[str]) -> bool:
    """Return whether a character is only shown."""
    command = above(shell.tree, match.start(), match.end(), ("command",))
    return command is not None and command_name(shell, command) in PRINTS


RULES = (
    Rule(
        "typographic-character",
        "error",
        "A quote, dash or space of a word processor in a command.",
        check=check_typography,
    ),
)
