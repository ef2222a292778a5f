"""The commands of a shell block: their words, their places, and the operators that need a shell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest
from typing import TYPE_CHECKING

from lesson_runner.document.bash import PLACEHOLDER, Script, parse, unquoted, walk, without_placeholders
from lesson_runner.document.languages import SHELL
from lesson_runner.document.transcripts import Typed, typed_in
from lesson_runner.model import Block, Location

if TYPE_CHECKING:
    from tree_sitter import Node

_SIMPLE = frozenset(
    {"command", "declaration_command", "unset_command", "variable_assignment", "variable_assignments"}
)
_OPERATORS = frozenset("|&<>()`")
_BETWEEN = ("|", "|&", "||", "&")


@dataclass(frozen=True, slots=True)
class ShellCommand:
    """
    A command of a shell block, or (without words and operators) a comment.

    A loop, a condition, a function or a group is one command. Its only word is its first keyword, and its
    operators are never empty. A block that cannot be parsed, or is too long, has one command without words,
    whose operators are not empty.
    """

    words: tuple[str, ...]
    """The words as the program gets them, without quotes and backslashes; ``$`` and ``~`` are unchanged."""
    places: tuple[Location, ...]
    """The place of each word in the lesson."""
    source: str
    """The command as written, without the prompt."""
    location: Location
    """Where the command begins in the lesson."""
    operators: str = ""
    """
    The parts of the command, or around it, that need a shell: pipes, redirections, substitutions, ``||``,
    ``&``. Empty if the program can be started without one. A placeholder such as ``<your-token>`` counts as
    a redirection.
    """
    unclosed: str = ""
    """The quote at :attr:`location` that is never closed, if that is why the block cannot be parsed."""


@lru_cache(maxsize=256)
def shell_commands(block: Block) -> Sequence[ShellCommand] | None:
    """
    Return the commands and comments of a shell block, in order; ``None`` for a block in another language.

    In a block that shows a terminal, only the text after prompts counts. Commands end at newlines, ``;``,
    ``&&``, ``||``, ``|`` and ``&``; the last three also appear in their operators.
    """
    if block.language not in SHELL:
        return None
    typed = typed_in(block)
    tree = parse(without_placeholders(typed.text))
    if tree is None or tree.root_node.has_error:
        script = Script(typed.text, tree) if tree is not None else None
        return (_unreadable(block, typed, script),)
    return tuple(_Reader(block, typed, Script(typed.text, tree)).read())


def word_nodes(command: Node) -> list[Node]:
    """Return the parts of a simple command that are words or assignments, without redirections."""
    return [
        child
        for child in command.children
        if (child.is_named or child.type in ("$", "==", "=~"))
        and not child.type.endswith("_redirect")
        and child.type != "comment"
    ]


class _Reader:
    def __init__(self, block: Block, typed: Typed, script: Script) -> None:
        self.block = block
        self.typed = typed
        self.script = script

    def read(self) -> Iterator[ShellCommand]:
        waiting: list[tuple[Node, str]] = [(self.script.tree.root_node, "")]
        while waiting:
            node, operators = waiting.pop()
            if node.type in ("program", "list", "pipeline", "redirected_statement"):
                waiting += reversed(list(self._parts(node, operators)))
            elif node.type == "comment":
                yield self._command(node)
            elif node.type in _SIMPLE:
                yield self._command(node, _words(node), _joined(operators, *self._operators_in(node)))
            else:
                begin = node.child(0)
                keyword = "function" if begin is None or begin.is_named else begin.type
                place = _place(self.block, self.typed, *node.start_point)
                operators = _joined(operators, keyword, *self._operators_in(node))
                yield ShellCommand((keyword,), (place,), self._text(node).strip(), place, operators)

    def _command(self, node: Node, words: Sequence[Node] = (), operators: str = "") -> ShellCommand:
        texts = tuple(unquoted(self._text(word)) for word in words)
        places = tuple(_place(self.block, self.typed, *word.start_point) for word in words)
        location = _place(self.block, self.typed, *node.start_point)
        return ShellCommand(texts, places, self._text(node).strip(), location, operators)

    def _parts(self, node: Node, operators: str) -> Iterator[tuple[Node, str]]:
        """Yield the statements in a list or a pipeline, each with the operators that apply to it."""
        children = node.children
        if node.type == "redirected_statement":
            around = [child for child in children if child.type.endswith("_redirect")]
            more = (found for child in around for found in self._operators_in(child))
            # A redirection without a command creates an empty file.
            yield node.child_by_field_name("body") or around[0], _joined(operators, *more)
            return
        if node.type != "program":
            operators = _joined(operators, *(child.type for child in children if child.type in _BETWEEN))
        for child, following in zip_longest(children, children[1:]):
            if child.is_named:
                background = following is not None and following.type == "&"
                yield child, _joined(operators, "&") if background else operators

    def _operators_in(self, node: Node) -> Iterator[str]:
        for inner in walk(node):
            if not inner.is_named and not _OPERATORS.isdisjoint(inner.type):
                yield inner.type
            elif inner.type == "word" and PLACEHOLDER.search(self._text(inner)):
                yield "<>"  # to a shell these are redirections

    def _text(self, node: Node) -> str:
        return self.script.source[node.start_byte : node.end_byte]


def _words(node: Node) -> list[Node]:
    """Return the words of a simple command; for ``export`` and the like the grammar has special nodes."""
    if node.type == "variable_assignment":
        return [node]
    begin = node.child(0)
    words = word_nodes(node)
    return words if begin is None or begin.is_named else [begin, *words]


def _joined(operators: str, *more: str) -> str:
    """Return operators with those of ``more`` appended that they do not contain yet."""
    for operator in more:
        if operator not in operators:
            operators += operator
    return operators


def _place(block: Block, typed: Typed, row: int, column: int) -> Location:
    start = block.location
    return Location(start.path, start.line + row, start.column + typed.cut[row] + column)


def _unreadable(block: Block, typed: Typed, script: Script | None) -> ShellCommand:
    """Return the only command of a block that cannot be parsed."""
    from lesson_runner.document.shell_errors import first_problem

    problem = first_problem(script) if script is not None else None
    if problem is None or not problem.quote:
        return ShellCommand((), (), typed.text.strip(), block.location, "&")
    location = _place(block, typed, problem.row, problem.column)
    return ShellCommand((), (), typed.text.strip(), location, "&", problem.quote)
