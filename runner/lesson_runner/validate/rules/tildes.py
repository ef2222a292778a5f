"""A ``~`` that is not the reader's home folder, because neither bash nor Python expands it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from lesson_runner.document.bash import walk
from lesson_runner.model import Diagnostic, Edit, Lesson, Rule, Scope
from lesson_runner.validate.rules.code.python_paths import called, text_of
from lesson_runner.validate.rules.code.python_tree import Python, pythons
from lesson_runner.validate.rules.code.shell_commands import PATTERNS, PRINTS, command_name
from lesson_runner.validate.rules.code.shell_tree import Shell, above, shells

if TYPE_CHECKING:
    from tree_sitter import Node

FEW = 20
"""Upper limit for diagnostics of one block."""
_EXPAND = frozenset({"alias", "bash", "dash", "eval", "git", "sh", "ssh", "su", "tmux", "trap", "zsh"})
"""Commands that expand ``~`` in a word themselves, or give it to a shell."""
_UNDOES = re.compile(r"\$\{\w+/{1,2}#?[\\\"']*~")
"""A replacement of ``~`` in a variable's value."""
_DEFAULT = re.compile(r"\$\{\w+:?[-=](~)/")
_OPTION = re.compile(r"--?[A-Za-z][\w-]*=(~)(?:/|$)")
_OPENS = frozenset(
    """
    append chdir copy copyfile copytree exists from_pretrained glob insert isdir isfile join listdir load
    loadtxt makedirs mkdir move open Path PurePath read_csv remove rmtree save savetxt save_pretrained scandir
    walk
    """.split()  # noqa: SIM905
)
"""Names of Python functions that take a path and do not expand ``~``."""


def check_tilde(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield each ``~`` that looks like a home folder and is not expanded."""
    for shell in shells(lesson):
        if "~" not in shell.source or not shell.judged or _UNDOES.search(shell.source):
            continue
        for offset in islice(_tildes(shell), FEW):
            place = shell.place_of(offset)
            quoted = above(shell.tree, offset, offset + 1, ("string", "raw_string", "command"))
            edits = (Edit(place, "~", "$HOME"),) if quoted is not None and quoted.type == "string" else ()
            message = "bash does not expand this ~: the path begins with a folder that is called '~'"
            fix = 'write "$HOME/…", or ~ unquoted at the beginning of a word'
            yield Diagnostic("quoted-tilde", "warning", message, place, fix, edits)
    for python in pythons(lesson):
        for node in islice(_unexpanded(python), FEW):
            message = "Python does not expand ~: the path begins with a folder that is called '~'"
            place = python.place(node.lineno, node.col_offset)
            fix = "write Path.home() / …, or call expanduser()"
            yield Diagnostic("quoted-tilde", "warning", message, place, fix)


def _tildes(shell: Shell) -> Iterator[int]:
    """Yield the places of ``~`` that look like a home folder and that bash does not expand."""
    for node in walk(shell.tree.root_node):
        if node.type in ("string", "raw_string"):
            yield from _in_quotes(shell, node)
        elif (
            node.type == "word" and (match := _OPTION.match(shell.text(node))) and _expects_path(shell, node)
        ):
            yield node.start_byte + match.start(1)


def _in_quotes(shell: Shell, node: Node) -> Iterator[int]:
    if not _expects_path(shell, node):
        return
    text = shell.text(node)
    before, after = node.prev_sibling, node.next_sibling
    whole = text[1:3] == "~/" or (
        text[1:-1] == "~"
        and after is not None
        and after.start_byte == node.end_byte
        and shell.text(after)[:1] == "/"
    )
    if before is not None and before.end_byte == node.start_byte and node.parent is not None:
        whole = whole and shell.text(before)[-1:] in ("=", ":", "(")
    if whole:
        yield node.start_byte + 1
    elif node.type == "string":
        yield from (node.start_byte + match.start(1) for match in _DEFAULT.finditer(text))
        parent = node.parent
        if parent is not None and parent.type == "variable_assignment" and "PATH=" in shell.text(parent):
            yield from (node.start_byte + match.start() + 1 for match in re.finditer(":~/", text))


def _expects_path(shell: Shell, node: Node) -> bool:
    """Return whether a word is neither shown, nor a pattern, nor text for something that expands ``~``."""
    kinds = (
        "command",
        "test_command",
        "case_item",
        "command_substitution",
        "declaration_command",
        "variable_assignment",
    )
    user = above(shell.tree, node.start_byte, node.end_byte, kinds)
    if user is None or user.type not in ("command", "case_item", "test_command"):
        return True
    return user.type == "command" and command_name(shell, user) not in PRINTS | PATTERNS | _EXPAND


def _unexpanded(python: Python) -> Iterator[ast.expr]:
    """Yield the paths that begin with ``~`` and that a function of Python gets as they are."""
    if python.tree is None or "~" not in python.code.block.text:
        return
    expanded: set[int] = set()
    for node in ast.walk(python.tree):
        if isinstance(node, ast.Call) and called(node) == "expanduser":
            expanded |= {id(part) for part in ast.walk(node)}
        elif isinstance(node, ast.Call) and called(node) in _OPENS and id(node) not in expanded:
            yield from (part for part in node.args if text_of(part).startswith("~/"))


RULES = (
    Rule("quoted-tilde", "warning", "A ~ that is not expanded, because it is in quotes.", check=check_tilde),
)
