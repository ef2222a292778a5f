"""The commands of a block, at any depth: in lists, loops, functions and substitutions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lesson_runner.document.bash import Script, parse, unquoted, walk, without_placeholders
from lesson_runner.document.shell import word_nodes

if TYPE_CHECKING:
    from tree_sitter import Node

_WRAPPERS = frozenset(
    {"sudo", "doas", "env", "time", "nohup", "exec", "command", "nice", "stdbuf", "timeout"}
)
_VALUE = re.compile(r"\w+=|-|\d+[smh]?$")
_MOST = 400
"""Upper limit for the commands of a block that rules look at."""


@dataclass(frozen=True, slots=True)
class Command:
    """A simple command."""

    words: tuple[str, ...]
    """Its words without quotes, without assignments and words such as ``sudo`` before the program."""
    wrappers: frozenset[str] = frozenset()
    """The words before the program that run it, such as ``sudo``."""
    background: bool = False
    """True if ``&`` follows."""
    nested: bool = False
    """True if it is in a substitution, so that its output is a part of another command."""
    piped: bool = False
    """True if another command reads its output."""
    reads: bool = False
    """True if its input is another command's output, a file or a here-document."""

    @property
    def program(self) -> str:
        """The name of the program, without its folder; empty if there is only an assignment."""
        return self.words[0].rsplit("/", 1)[-1] if self.words else ""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The words after the program that are not options."""
        return tuple(word for word in self.words[1:] if not word.startswith("-"))

    @property
    def options(self) -> frozenset[str]:
        """The options, without values that are attached with ``=``; ``-it`` counts as ``-i``, ``-t`` too."""
        if not any(word.startswith("-") for word in self.words):
            return frozenset()
        found = {word.partition("=")[0] for word in self.words[1:] if word.startswith("-")}
        short = (word for word in found if re.fullmatch(r"-[A-Za-z]{2,4}", word))
        return frozenset(found | {f"-{letter}" for word in short for letter in word[1:]})

    def begins(self, *words: str) -> bool:
        """Return whether the program and the arguments after it are these."""
        return (self.program, *self.arguments)[: len(words)] == words


@dataclass(frozen=True, slots=True)
class ShellText:
    """What a shell text says, as far as it can be parsed."""

    commands: tuple[Command, ...] = ()
    """In the order of the text."""
    targets: tuple[str, ...] = ()
    """The files that redirections write."""
    is_shell: bool = True
    """False if the grammar of the shell does not accept the text."""


def read_shell(text: str) -> ShellText:
    """Return the commands of a shell text; those of an unreadable text as far as the grammar sees them."""
    tree = parse(without_placeholders(text))
    if tree is None:
        return ShellText(is_shell=False)
    script = Script(text, tree)
    commands: list[Command] = []
    targets: list[str] = []
    for node in walk(tree.root_node):
        if node.type == "command" and len(commands) < _MOST:
            commands.append(_command(script, node))
        elif node.type == "file_redirect":
            operator = node.child(1 if node.child(0) and node.child(0).type == "file_descriptor" else 0)
            if operator is not None and operator.type.startswith((">", "&>")):
                targets.append(unquoted(script.text(node)).lstrip("0123456789&>| "))
    return ShellText(tuple(commands), tuple(targets), not tree.root_node.has_error)


def _command(script: Script, node: Node) -> Command:
    words = [unquoted(script.text(word)) for word in word_nodes(node)]
    wrappers: list[str] = []
    at = 0
    while at < len(words) - 1 and (words[at] in _WRAPPERS or (wrappers and _VALUE.match(words[at]))):
        wrappers.append(words[at])
        at += 1
    while at < len(words) and re.match(r"[A-Za-z_]\w*=", words[at]):
        at += 1
    kinds = set(_around(node))
    return Command(
        tuple(words[at:]),
        frozenset(wrappers),
        background="&" in kinds,
        nested="command_substitution" in kinds or "process_substitution" in kinds,
        piped="|" in kinds,
        reads="<" in kinds,
    )


def _around(node: Node) -> Iterator[str]:
    """Yield what is around a command: ``&``, ``|`` (its output is read), ``<`` (it reads), kinds of nodes."""
    inner, outer = node, node.parent
    depth = 0
    while outer is not None and depth < 50:
        yield outer.type
        if outer.type == "pipeline":
            if inner.next_named_sibling is not None:
                yield "|"
            if inner.prev_named_sibling is not None:
                yield "<"
        elif outer.type == "redirected_statement" and any(
            child.type in ("heredoc_redirect", "herestring_redirect")
            or (child.type == "file_redirect" and any(part.type == "<" for part in child.children))
            for child in outer.children
        ):
            yield "<"
        if (after := inner.next_sibling) is not None and after.type == "&":
            yield "&"
        inner, outer, depth = outer, outer.parent, depth + 1
