"""Markdown and HTML in commands, where nothing renders it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lesson_runner.document.commands import is_command
from lesson_runner.execute.redaction.secrets import mask
from lesson_runner.model import Diagnostic, Lesson, Location, Rule, Scope
from lesson_runner.validate.rules.code.python_tree import pythons
from lesson_runner.validate.rules.code.shell_commands import PATTERNS, command_name
from lesson_runner.validate.rules.code.shell_tree import Shell, above, shells

_ADDRESS = r"<(?:https?://|mailto:)[^<>\s]+>"
"""A Markdown link such as ``<https://example.org>``; to a shell it is two redirections."""
_TAG = (
    r"<(?:br|div|em|kbd|pre|span|strong|sub|sup)[ \t]*/?>|</[a-z]+[1-6]?>"
    r"|<[a-z]+(?:[ \t]+[a-z]+=[\"'][^<>\n]*)>"
)
_HTML = rf"(?P<entity>&(?:lt|gt|amp|quot|apos|nbsp|#\d{{2,5}});)|(?P<tag>{_TAG})|(?P<escape>(?<=\w)\\_(?=\w))"
IN_SHELL = re.compile(
    rf"{_HTML}|(?P<link>{_ADDRESS}|\[[^\]\n]+\]\((?:https?|mailto):[^)\s]*\))"
    r"|(?P<bold>(?<![\w*/.])\*\*(?=\w)[^*/\n]*\w\*\*(?![\w*/]))"
)
"""Text that is markup in a command outside of quotes."""
_IN_PYTHON = re.compile(_HTML)
_LINKED = re.compile(r"(?P<link>\[(?P<address>https?://[^\]\s]+)\]\((?P=address)/?\))")
"""A link whose text is its own address: an editor made it, and nobody means it, in quotes neither."""
_PYTHON_TEXT = re.compile(
    r"""\"{3}.*?\"{3}|'{3}.*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\#[^\n]*""", re.DOTALL
)
_KINDS = {
    "entity": ("an HTML character reference", "write the character itself"),
    "tag": ("an HTML tag", "delete it"),
    "escape": ("an escape of Markdown", "delete the backslash"),
    "link": ("a Markdown link", "write the address alone"),
    "bold": ("bold text in Markdown", "delete the stars"),
}


def check_markup(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield the first markup of each block that is a part of a command."""
    for place, match in (*_in_shell(lesson), *_in_python(lesson)):
        what, fix = _KINDS[str(match.lastgroup)] if match.re is not _LINKED else _KINDS["link"]
        message = f"'{mask(match[0])}' is {what}, which is not rendered in a code block"
        yield Diagnostic("markup-in-code", "error", message, place, fix)


def _in_shell(lesson: Lesson) -> Iterator[tuple[Location, re.Match[str]]]:
    for shell in shells(lesson):
        lines = shell.source.split("\n")
        found = (*shell.bare(IN_SHELL), *_LINKED.finditer(shell.typed.text)) if shell.judged else ()
        for match in sorted(found, key=lambda match: match.start()):
            row = shell.source.count("\n", 0, match.start())
            if (shell.code.run or is_command(lines, row)) and not _is_pattern(shell, match.start()):
                yield shell.place_of(match.start()), match
                break


def _is_pattern(shell: Shell, start: int) -> bool:
    """Return whether a piece of text is in a comment, or in a pattern or text that a command searches for."""
    node = above(shell.tree, start, start + 1, ("comment", "heredoc_body", "command"))
    return node is not None and (node.type != "command" or command_name(shell, node) in PATTERNS)


def _in_python(lesson: Lesson) -> Iterator[tuple[Location, re.Match[str]]]:
    for python in pythons(lesson):
        text = "\n".join(python.lines)
        if python.tree is not None and not python.code.run and ";" not in text:
            continue
        code = _PYTHON_TEXT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)
        if (match := _IN_PYTHON.search(code)) is not None:
            row = code.count("\n", 0, match.start())
            column = match.start() - (code.rfind("\n", 0, match.start()) + 1)
            yield python.code.place(row, python.cut[row] + column), match


RULES = (
    Rule(
        "markup-in-code",
        "error",
        "Markdown or HTML in a command, where nothing renders it.",
        check=check_markup,
    ),
)
