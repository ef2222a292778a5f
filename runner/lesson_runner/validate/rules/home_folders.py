"""Paths in the home folder of a particular user, which only that user has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lesson_runner.model import Diagnostic, Lesson, Location, Rule, Scope
from lesson_runner.validate.rules.code.python_paths import path_texts
from lesson_runner.validate.rules.code.python_tree import pythons
from lesson_runner.validate.rules.code.shell_commands import (
    PATTERNS,
    PRINTS,
    command_name,
    commands,
    goes_to_file,
)
from lesson_runner.validate.rules.code.shell_tree import Shell, above, shells

if TYPE_CHECKING:
    from tree_sitter import Node

_HOME = re.compile(
    r"(?<![\w.$}~/*\\-])(?:(?:/mnt/[a-z])?/(?:home|Users)/|[A-Za-z]:[\\/]{1,2}Users[\\/]{1,2}|/(?=root/))"
    r"(?P<name>[A-Za-z_][\w.-]*)(?=[/\\\"'`\s:;,)]|$)"
)
_OF_NOBODY = frozenset({"linuxbrew", "Shared", "Public", "Default"})
_ELSEWHERE = frozenset(
    """
    adduser docker kubectl lxc multipass nerdctl podman rsync scp sftp ssh useradd usermod vagrant
    """.split()  # noqa: SIM905
)
"""Commands whose paths may be on another machine or in a container, or that are about another user."""
_MOUNTS = re.compile(r"(?:^|[=,])(?:(?:source|src)=|(?=[^:=]*:/))")
"""Where the path on this machine begins in ``-v /data:/in`` and ``--mount source=/data,target=/in``."""


def check_home(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield the first path of each block in the home folder of each particular user."""
    if not _HOME.search(lesson.text):
        return
    for place, match in (*_homes_in_shell(lesson), *_homes_in_python(lesson)):
        name = match["name"]
        message = f"{match[0]} is the home folder of one user, '{name}'; other readers do not have it"
        fix = f"write ~ or $HOME; in Python, Path.home(); or say in the text that the user is '{name}'"
        yield Diagnostic("hard-coded-home", "warning", message, place, fix)


def _homes_in_shell(lesson: Lesson) -> Iterator[tuple[Location, re.Match[str]]]:
    for shell in shells(lesson):
        known: set[str] = set()
        for match in _HOME.finditer(shell.typed.text) if shell.judged else ():
            name = match["name"]
            if name not in known and not _is_explained(lesson, name) and _is_used(shell, match.start()):
                known.add(name)
                yield shell.place_of(match.start()), match


def _homes_in_python(lesson: Lesson) -> Iterator[tuple[Location, re.Match[str]]]:
    for python in pythons(lesson):
        for node, text in path_texts(python):
            match = _HOME.match(text)
            if match and not _is_explained(lesson, match["name"]):
                yield python.place(node.lineno, node.col_offset), match
                break


def _is_explained(lesson: Lesson, name: str) -> bool:
    """Return whether the document explains the user: creates or mentions it, or has it in a container."""
    if name in _OF_NOBODY:
        return True
    user = re.escape(name)
    return bool(
        re.search(
            rf"(?:useradd|adduser|--user|-u|sudo -iu|su -|USER)[ =](?:[^\n]* )?{user}\b|\b{user}@"
            rf"|\buser[ \t]+[`*_'\"]*{user}\b|(?<![\w/])[`*_'\"]{user}[`*_'\"]|\b(?:as|the) {user}\b(?! *=)"
            rf"|(?:-v|--volume|--mount)[ =][^\n]*(?::|(?:target|dst)=)/home/{user}\b",
            lesson.text,
        )
    )


def _is_used(shell: Shell, start: int) -> bool:
    """Return whether a path is used on this machine, and not only shown, searched for, or tested."""
    node = above(shell.tree, start, start + 1, ("comment", "test_command", "heredoc_body", "command"))
    before = shell.typed.text[:start][-1:]
    if node is None:
        return True
    if node.type in ("comment", "test_command"):
        return False
    if node.type == "heredoc_body":
        body = above(shell.tree, start, start + 1, ("redirected_statement",))
        command = body.child_by_field_name("body") if body is not None else None
        return command is not None and (command_name(shell, command) != "cat" or goes_to_file(shell, command))
    if shell.typed.text.startswith("/root/", start) and "sudo" in shell.text(node).split():
        return False
    name = command_name(shell, node)
    if name in _ELSEWHERE:
        word = shell.word_at(start)
        return any(match.end() == start - word[0] for match in _MOUNTS.finditer(word[1]))
    if name in PRINTS:
        return goes_to_file(shell, node) or _is_saved(shell, node)
    return name not in PATTERNS and before != ":"


def _is_saved(shell: Shell, command: Node) -> bool:
    """Return whether a command's output goes to ``tee``."""
    parent = command.parent
    return parent is not None and any(other.name == "tee" for other in commands(shell, parent))


RULES = (
    Rule(
        "hard-coded-home", "warning", "The home folder of a particular user in a command.", check=check_home
    ),
)
