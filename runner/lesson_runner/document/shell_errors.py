"""Explain why a shell script does not parse, and where."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lesson_runner.document.bash import Script, unquoted, walk

if TYPE_CHECKING:
    from tree_sitter import Node

_CLOSERS = {
    "if": "`then` and `fi`",
    "for": "`do` and `done`",
    "while": "`do` and `done`",
    "until": "`do` and `done`",
    "select": "`do` and `done`",
    "case": "`in` and `esac`",
    "{": "`}`",
    "(": "`)`",
    "((": "`))`",
    "[": "`]`",
    "[[": "`]]`",
    "$(": "`)`",
    "<(": "`)`",
    "${": "`}`",
    "`": "",
    '"': "",
}
"""Tokens that begin a construct, and what each needs to be complete."""
_NEVER_CLOSED = {
    "`": ("the backtick is never closed", "close it, or write $(…)"),
    '"': ('the quote " is never closed', "close it, or leave it out"),
    "'": ("the quote ' is never closed", "close it, or leave it out"),
}
_ENDS = {"fi": "if", "done": "do", "esac": "case", "}": "{", ")": "(", "]]": "[[", "]": "[", "))": "(("}
_STRAY = frozenset({"then", "do", "done", "fi", "else", "elif", "esac", "}"})
_MAY_STRAY = re.compile(
    r"(?:^|[;&|(){}])[ \t]*(?:then|do|done|fi|else|elif|esac|\})(?![\w./-])|[\w\"'] +\(", re.MULTILINE
)
LONGEST = 30
"""Upper limit for the characters of the script that a message shows."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a script does not parse; row and column count from 0."""

    row: int
    column: int
    message: str
    fix: str
    quote: str = ""
    """The quote or backtick that is never closed, if that is the problem."""
    hides: bool = False
    """True if bash only warns of it, but takes the rest of the script for a text."""


def first_problem(script: Script) -> Problem | None:
    """Return the first syntax error of a script."""
    root = script.tree.root_node
    if root.has_error:
        for node in walk(root):
            if node.is_missing:
                return _missing(script, node)
            if node.is_error:
                return _error(script, node)
    # The grammar accepts some of these as commands; no shell does.
    if _MAY_STRAY.search(script.source):
        for node in walk(root):
            if node.type == "command" and (problem := _stray(script, node)):
                return problem
    return _endless(script) if "<<" in script.source else None


def _endless(script: Script) -> Problem | None:
    """Return the first here-document whose end is not alone on its line; the grammar accepts blanks there."""
    rows = script.source.split("\n")
    last = {row: number for number, row in enumerate(rows)}
    last_after_tabs = {row.lstrip("\t"): number for number, row in enumerate(rows)}
    for node in walk(script.tree.root_node):
        if node.type != "heredoc_redirect":
            continue
        start = next((child for child in node.children if child.type == "heredoc_start"), None)
        end = next((child for child in node.children if child.type == "heredoc_end"), None)
        if start is None or end is None:
            continue
        word = unquoted(script.text(start))
        ends = last_after_tabs if node.children[0].type == "<<-" else last
        row = rows[end.start_point[0]]
        if ends.get(word, -1) <= start.start_point[0] and row.strip() == word:
            blanks = "before" if row[:1].isspace() else "after"
            message = f"the here-document never ends: blanks are {blanks} its last word, {_short(word)}"
            fix = "write that word alone, from the first column of its line"
            return Problem(*end.start_point, message, fix, hides=True)
    return None


def _stray(script: Script, command: Node) -> Problem | None:
    name = command.child_by_field_name("name")
    if name is not None and script.text(name) in _STRAY and command.children[0].type == "command_name":
        return _at(
            command,
            f"`{script.text(name)}` has nothing to end or continue",
            "delete it, or add the beginning that it belongs to",
        )
    for child in command.children:
        if child.type == "subshell":
            return _parenthesis(child)
    return None


def _parenthesis(node: Node) -> Problem:
    return _at(node, "a parenthesis where an argument is expected", "put it in quotes")


def _missing(script: Script, node: Node) -> Problem:
    opener = node.parent
    while opener is not None and opener.children and opener.children[0].type not in _CLOSERS:
        opener = opener.parent
    if (
        opener is not None
        and opener.children
        and node.type in ("fi", "done", "esac", ")", "}", '"', "`", "]]", "]", "))")
    ):
        return _unfinished(opener.children[0])
    if node.type == "heredoc_end" and node.parent is not None:
        word = next(
            (script.text(child) for child in node.parent.children if child.type == "heredoc_start"),
            "its word",
        )
        message = f"the here-document never ends: no line says {word.strip(chr(39) + chr(34))}"
        return _at(node.parent, message, "end it with that word, alone on its line")
    if script.source[node.end_byte :].lstrip(" \t").startswith("(") and node.next_sibling is not None:
        return _parenthesis(node.next_sibling)
    before = script.source[: node.start_byte].split()[-1:]
    after = f" after `{_short(before[0])}`" if before else ""
    return _at(node, f"something is missing{after}", "complete the command, or write a comment with #")


def _error(script: Script, node: Node) -> Problem:
    """Return the last construct in an ERROR node that is not finished, or else the node's first text."""
    open_: list[Node] = []
    for child in _leaves(node):
        kind = child.type
        if kind in _ENDS or (open_ and kind == open_[-1].type and kind in ('"', "`")):
            wanted = _ENDS.get(kind, kind)
            if open_ and (open_[-1].type.endswith(wanted) or wanted == "do"):
                open_.pop()
        elif kind in _CLOSERS:
            open_.append(child)
    if open_:
        return _unfinished(open_[-1])
    text = script.source[node.start_byte : node.end_byte]
    skipped = len(text) - len(text.lstrip())
    begin = node.start_byte + skipped
    row = script.source.count("\n", 0, begin)
    column = begin - (script.source.rfind("\n", 0, begin) + 1)
    text = text.lstrip()
    if text[:1] in _NEVER_CLOSED:
        return Problem(row, column, *_NEVER_CLOSED[text[:1]], text[:1])
    return Problem(row, column, f"no shell can parse `{_short(text)}` here", "fix it, or put it in quotes")


def _leaves(node: Node) -> list[Node]:
    """Return the tokens directly in an ERROR node, which the parser could not combine."""
    return [child for child in node.children if not child.is_named]


def _unfinished(opener: Node) -> Problem:
    kind = opener.type
    if kind in _NEVER_CLOSED:
        return Problem(*opener.start_point, *_NEVER_CLOSED[kind], kind)
    return _at(opener, f"`{kind}` is never finished", f"it needs {_CLOSERS[kind]}")


def _at(node: Node, message: str, fix: str) -> Problem:
    return Problem(node.start_point[0], node.start_point[1], message, fix)


def _short(text: str) -> str:
    first = text.split("\n")[0].strip()
    return first if len(first) <= LONGEST else f"{first[:LONGEST]}…"
