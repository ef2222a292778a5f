"""Commands of a step whose failure bash does not count, so that the step goes on and passes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lesson_runner.document.bash import walk
from lesson_runner.execute.redaction.secrets import mask
from lesson_runner.model import Diagnostic, Lesson, Rule, Scope
from lesson_runner.validate.rules.code.shell_commands import PRINTS, command_name, commands
from lesson_runner.validate.rules.code.shell_tree import Shell, shells

if TYPE_CHECKING:
    from tree_sitter import Node

FEW = 20
"""Upper limit for diagnostics of one block."""
SHOWN = 40
"""Upper limit for the characters of a command that a message shows."""
_CANNOT_FAIL = frozenset(
    "arch basename date dirname echo export hostname id nproc printf pwd seq true uname wc whoami :".split()  # noqa: SIM905
)
"""Commands that hardly ever fail, or whose failure shows in what is printed."""
_ASKS = frozenset({"[", "test", "command", "grep", "egrep", "which", "type", "hash", "pgrep", "cmp", "diff"})
"""Commands that authors use as conditions: a failure is an answer."""
_PASSES_ON = frozenset({"compound_statement", "case_statement", "case_item"})
_BRANCHES = frozenset({"if_statement", "elif_clause", "else_clause"})
_OWN_STATUS = frozenset({"subshell", "function_definition"})
"""Where a failure of the last command counts as a failure of the whole."""
_SUBSTITUTIONS = frozenset({"command_substitution", "process_substitution"})
_MOST_SUBSTITUTIONS = 50
"""Upper limit for the substitutions in a command that are checked; each may contain all the others."""
_LOOPS = frozenset({"for_statement", "c_style_for_statement", "while_statement", "do_group"})

Found = tuple["Node", str, str]


def check_unnoticed(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield the commands of steps whose failure does not make the step fail."""
    lenient = {id(step.block) for step in lesson.steps if step.params.get("strict") is False}
    for shell in shells(lesson):
        if not shell.code.run or id(shell.code.block) in lenient or _goes_on(shell):
            continue
        root = shell.tree.root_node
        found = itertools.chain(_after_the_end(shell, root), _statements(shell, root, last=True))
        for node, why, fix in itertools.islice(found, FEW):
            message = f"a failure of '{_shown(shell, node)}' does not count: {why}"
            yield Diagnostic("unnoticed-failure", "warning", message, shell.place(*node.start_point), fix)


def _after_the_end(shell: Shell, root: Node) -> Iterator[Found]:
    """Yield the first statement below one that always ends the shell with success."""
    inside = [child for child in root.named_children if child.type != "comment"]
    for child, following in itertools.pairwise(inside):
        words = shell.text(child).split() if child.type == "command" else []
        ends = words in (["exit"], ["exit", "0"]) or (words[:1] == ["exec"] and len(words) > 1)
        if ends and child.next_sibling is not None and child.next_sibling.type != "&":
            why = f"'{_shown(shell, child)}' ends the shell, so it never runs"
            yield following, why, f"remove '{words[0]}', or write what follows it in a step of its own"
            return


def _goes_on(shell: Shell) -> bool:
    """Return whether the author says that the block goes on after a failure."""
    return any(command.name == "set" and "+e" in command.texts for command in commands(shell))


def _statements(shell: Shell, parent: Node, *, last: bool) -> Iterator[Found]:
    """Check the statements in a node; ``last``: the status of the last one is that of the whole block."""
    inside = [child for child in parent.named_children if child.type != "comment"]
    for child in inside:
        following = child.next_sibling
        if following is None or following.type != "&":  # a background process has its own rules
            yield from _statement(shell, child, last=last and child == inside[-1])


def _statement(shell: Shell, node: Node, *, last: bool) -> Iterator[Found]:
    if node.type == "list":
        yield from _list(shell, node, last=last)
    elif node.type == "negated_command":
        if not last:
            yield node, "a command after '!' never stops a step", "write: if COMMAND; then exit 1; fi"
    elif node.type == "redirected_statement":
        for part in node.named_children:
            if part.type.endswith("_redirect"):
                yield from _substitutions(shell, part)
            else:
                yield from _statement(shell, part, last=last)
    elif node.type == "pipeline":
        for part in node.named_children:  # the option pipefail is on
            yield from _statement(shell, part, last=True)
    elif node.type in _PASSES_ON:
        yield from _statements(shell, node, last=last)
    elif node.type in _BRANCHES:
        yield from _branch(shell, node, last=last)
    elif node.type in _OWN_STATUS:
        yield from _statements(shell, node, last=True)
    elif node.type in _LOOPS:
        body = node.child_by_field_name("body") or node
        yield from _statements(shell, body, last=False)
    elif node.type in ("command", "declaration_command"):
        yield from _substitutions(shell, node)


def _list(shell: Shell, node: Node, *, last: bool) -> Iterator[Found]:
    """Check ``a && b``; with ``||`` the author says what happens after a failure."""
    parts = list(_parts(node))
    if parts and not last:
        unnoticed = (part for part in parts[:-1] if not _may_end(shell, part))
        if (first := next(unnoticed, None)) is not None:
            why = "bash ignores it before '&&' if another command follows the list"
            yield first, why, "write the commands in lines of their own"
    for part in parts:
        if part.type != "negated_command":
            yield from _statement(shell, part, last=last and part == parts[-1])


def _parts(node: Node) -> Iterator[Node]:
    """Yield the commands of a list in order; none if there is a ``||`` in it."""
    parts: list[Node] = []
    while node.type == "list":
        left, *_, right = node.named_children
        if any(child.type == "||" for child in node.children):
            return
        parts.insert(0, right)
        node = left
    yield from (node, *parts)


def _may_end(shell: Shell, node: Node) -> bool:
    """Return whether a part of a list is a condition, or cannot fail."""
    if node.type in ("test_command", "negated_command", "variable_assignment", "declaration_command"):
        return True
    return all(command.name in _ASKS | _CANNOT_FAIL for command in commands(shell, node))


def _branch(shell: Shell, node: Node, *, last: bool) -> Iterator[Found]:
    """Check the branches of an ``if``, without its condition."""
    started = node.type == "else_clause"
    inside: list[Node] = []
    for child in node.children:
        if child.type in _BRANCHES:
            yield from _branch(shell, child, last=last)
        elif child.is_named and started and child.type != "comment":
            inside.append(child)
        started = started or child.type == "then"
    for child in inside:
        yield from _statement(shell, child, last=last and child == inside[-1])


def _substitutions(shell: Shell, node: Node) -> Iterator[Found]:
    """Check the ``$(…)`` and ``<(…)`` in the words of a command."""
    keyword = (
        shell.text(node.children[0]) if node.type == "declaration_command" else command_name(shell, node)
    )
    parts = [part for part in node.children if node.type != "command" or part.type != "variable_assignment"]
    inside = (inner for part in parts for inner in walk(part) if inner.type in _SUBSTITUTIONS)
    for inner in itertools.islice(inside, _MOST_SUBSTITUTIONS):
        if not _can_fail(shell, inner):
            continue
        if inner.type == "process_substitution":
            yield inner, "bash does not wait for it", "write its output to a file first, in a line of its own"
        elif node.type == "declaration_command":
            why = f"'{keyword}' succeeds anyway"
            yield inner, why, f"assign in a line of its own: NAME=$(…), then {keyword} NAME"
        elif keyword in PRINTS:
            why = f"'{keyword}' succeeds anyway"
            yield (
                inner,
                why,
                "assign it to a variable in a line of its own: NAME=$(…), then print the variable",
            )


def _can_fail(shell: Shell, substitution: Node) -> bool:
    """Return whether a failure in a substitution is possible, and not provided for."""
    if any(child.type == "||" for child in walk(substitution)) or "2>" in shell.text(substitution):
        return False
    return any(command.name not in _CANNOT_FAIL for command in commands(shell, substitution))


def _shown(shell: Shell, node: Node) -> str:
    text = mask(shell.text(node)).split("\n")[0]
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


RULES = (
    Rule(
        "unnoticed-failure",
        "warning",
        "A command of a step whose failure bash does not count.",
        check=check_unnoticed,
    ),
)
