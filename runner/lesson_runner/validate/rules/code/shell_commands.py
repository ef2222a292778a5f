"""The simple commands in a shell block, with their words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lesson_runner.document.bash import unquoted, walk
from lesson_runner.document.shell import word_nodes
from lesson_runner.validate.rules.code.shell_tree import Shell

if TYPE_CHECKING:
    from tree_sitter import Node

_WRAPPERS = {
    "sudo": frozenset("CghpRrTtUu"),
    "env": frozenset("uCS"),
    "command": frozenset(),
    "exec": frozenset("a"),
    "nohup": frozenset(),
    "time": frozenset("fo"),
    "nice": frozenset("n"),
    "stdbuf": frozenset("ioe"),
    "doas": frozenset("u"),
}
"""Commands that run another one, and their options that take a value."""
PRINTS = frozenset({"echo", "printf"})
"""Commands that only print their words."""
PATTERNS = frozenset({"grep", "egrep", "rg", "sed", "awk", "perl", "jq"})
"""Commands whose words are patterns."""
NOT_SAVED = ("-", "/dev/null", "/dev/stdout", "/dev/stderr")
"""Names that commands write to without saving a file."""
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a command; ``text`` has no quotes, and variables are not expanded."""

    text: str
    node: Node


@dataclass(frozen=True, slots=True)
class Command:
    """A simple command, without ``sudo`` and the like before it."""

    name: str
    """The program's name, without its folder."""
    words: tuple[Word, ...]
    """The words after the name."""
    node: Node

    @property
    def texts(self) -> list[str]:
        """The words after the name, as strings."""
        return [word.text for word in self.words]

    def option(self, short: str, *long: str, valued: str = "") -> str | None:
        """
        Return the value of an option (``-o x -ox -sSo x --output x --output=x``), or ``None`` without it.

        Args:
            valued: the letters of other short options that take a value, which end a group of letters.
        """
        texts = self.texts
        for index, text in enumerate(texts):
            following = texts[index + 1] if index + 1 < len(texts) else ""
            if text.startswith("--"):
                name, equals, value = text.partition("=")
                if name in long:
                    return value if equals else following
            elif text.startswith("-") and (at := text.find(short, 1)) > 0:
                group = text[1:at]
                if not group or (group.isalpha() and not set(group) & set(valued)):
                    return text[at + 1 :] or following
        return None


def commands(shell: Shell, root: Node | None = None) -> Iterator[Command]:
    """Yield the simple commands in a block, or in a part of it, in order, including those in words."""
    for node in walk(root or shell.tree.root_node):
        if node.type == "command" and (command := command_of(shell, node)) is not None:
            yield command


def command_name(shell: Shell, node: Node) -> str:
    """Return the name of the program that a command starts; empty if it starts none."""
    command = command_of(shell, node) if node.type == "command" else None
    return "" if command is None else command.name


def first_command(shell: Shell, node: Node) -> Command | None:
    """Return the first simple command in a part of a block."""
    return next(commands(shell, node), None)


def command_of(shell: Shell, node: Node) -> Command | None:
    """Return the simple command of a node; ``None`` for assignments alone, or ``sudo`` alone."""
    parts = [part for part in word_nodes(node) if part.type != "variable_assignment"]
    words = [Word(unquoted(shell.text(part)), part) for part in parts]
    while words:
        name = words.pop(0).text.rpartition("/")[2]
        asks = name == "command" and words and words[0].text in ("-v", "-V")
        if asks or name not in _WRAPPERS:
            return Command(name, tuple(words), node)
        _skip_options(words, _WRAPPERS[name])
    return None


def _skip_options(words: list[Word], with_value: frozenset[str]) -> None:
    """Remove a wrapper's options and assignments from the front."""
    while words:
        text = words[0].text
        if text.startswith("-") and len(text) > 1:
            words.pop(0)
            if len(text) == 2 and text[1] in with_value and words:
                words.pop(0)
        elif _ASSIGNMENT.match(text):
            words.pop(0)
        else:
            return


def goes_to_file(shell: Shell, node: Node) -> bool:
    """Return whether a command's output is redirected to a file."""
    parent = node.parent
    if parent is not None and parent.type == "list" and parent.end_byte == node.end_byte:
        parent = parent.parent  # in the grammar, the redirection belongs to all of `cd x && curl … > file`
    if parent is None or parent.type != "redirected_statement":
        return False
    for child in parent.children:
        parts = [part.type for part in child.children]
        if child.type == "file_redirect" and parts[:1] in ([">"], [">>"], [">|"]):
            target = child.child_by_field_name("destination")
            if target is not None and shell.text(target) not in NOT_SAVED:
                return True
    return False
