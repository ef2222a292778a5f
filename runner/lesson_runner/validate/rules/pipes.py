"""Programs that are downloaded and run in one command."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING, Literal

from lesson_runner.document.bash import walk
from lesson_runner.model import Diagnostic, Lesson, Rule, Scope
from lesson_runner.validate.rules.code import hosts
from lesson_runner.validate.rules.code.shell_commands import Command, Word, commands, first_command
from lesson_runner.validate.rules.code.shell_tree import Shell, shells
from lesson_runner.validate.rules.downloads import DOWNLOADERS

if TYPE_CHECKING:
    from tree_sitter import Node

_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "ash", "ksh", "fish"})
_INTERPRETERS = re.compile(r"python[\d.]*|perl|ruby|node|php")
FEW = 20
"""Upper limit for commands of a substitution that are checked."""
_STDIN = ("-", "/dev/stdin", "/dev/fd/0")

Program = tuple[Literal["text", "file", "stdin", "none"], Word | None]


def check_pipes(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield the first command of each block that runs a download directly."""
    for shell in shells(lesson):
        if not any(name in shell.source for name in DOWNLOADERS):
            continue
        node = next((node for node in walk(shell.tree.root_node) if _runs_unseen(shell, node)), None)
        if node is not None:
            message = "this runs a download before anyone can look at it"
            fix = "save it to a file, compare it with a digest, and run the file in a separate line"
            yield Diagnostic("pipe-to-shell", "warning", message, shell.place(*node.start_point), fix)


def _runs_unseen(shell: Shell, node: Node) -> bool:
    if node.type == "pipeline":
        return _pipeline(shell, node)
    if node.type == "command":
        command = first_command(shell, node)
        return command is not None and command.node.start_byte == node.start_byte and _command(shell, command)
    if node.type == "redirected_statement" and (body := node.child_by_field_name("body")) is not None:
        command = first_command(shell, body)
        reads = command is not None and _program(command)[0] == "stdin"
        return reads and any(
            _is_download(shell, child.child_by_field_name("destination")) for child in node.children
        )
    return False


def _pipeline(shell: Shell, node: Node) -> bool:
    got = False
    for child in node.named_children:
        command = first_command(shell, child)
        if got and command is not None and _program(command)[0] == "stdin":
            return True
        got = got or (command is not None and _downloads(command))
    return False


def _command(shell: Shell, command: Command) -> bool:
    kind, word = _program(command)
    if kind == "stdin":
        given = [child for child in command.node.children if child.type == "herestring_redirect"]
        return any(_is_download(shell, part) for child in given for part in child.named_children)
    return word is not None and _is_download(shell, word.node)


def _is_download(shell: Shell, node: Node | None) -> bool:
    """Return whether a word begins with a download: ``$(curl …)``, ``<(curl …)``."""
    while node is not None and node.type in ("string", "concatenation") and node.named_child_count:
        node = node.named_children[0]
    if node is None or node.type not in ("command_substitution", "process_substitution"):
        return False
    return any(_downloads(command) for command in islice(commands(shell, node), FEW))


def _downloads(command: Command) -> bool:
    """Return whether a command downloads something from a machine other than the reader's own."""
    if command.name not in DOWNLOADERS:
        return False
    return not any(
        hosts.is_own(text) for text in command.texts if "://" in text or text.startswith("localhost")
    )


def _program(command: Command) -> Program:
    """Return where a command gets the program it runs, and the word that is or names this program."""
    if command.name in ("eval", "source", "."):
        word = command.words[0] if command.words else None
        if word is not None and word.text in _STDIN:
            return "stdin", None
        return ("text" if command.name == "eval" else "file"), word
    is_shell = command.name in _SHELLS
    if not is_shell and _INTERPRETERS.fullmatch(command.name) is None:
        return "none", None
    words = list(command.words)
    while words:
        word = words.pop(0)
        letters = word.text[1:]
        if word.text in _STDIN:
            return "stdin", None
        if not word.text.startswith("-"):
            return "file", word
        if letters.startswith("-"):
            continue
        if "c" in letters or (not is_shell and "e" in letters):
            return "text", words[0] if words else None
        if is_shell and "s" in letters:
            return "stdin", None
        if not is_shell and "m" in letters:
            return "none", None
        if letters.endswith(("o", "O", "W", "X")) and words:
            words.pop(0)
    return "stdin", None


RULES = (Rule("pipe-to-shell", "warning", "A download that is run directly.", check=check_pipes),)
