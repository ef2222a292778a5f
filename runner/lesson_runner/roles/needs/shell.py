"""What a shell script needs, and what it makes, from its syntax tree."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lesson_runner.document.bash import PLACEHOLDER, Script, parse, unquoted, without_placeholders
from lesson_runner.document.shell import word_nodes
from lesson_runner.roles.needs.commands import read_command
from lesson_runner.roles.needs.programs import ALWAYS_SET, ASK, PRINT, WRAPPERS
from lesson_runner.roles.needs.python import read_python
from lesson_runner.roles.needs.words import Command
from lesson_runner.roles.needs.world import Found, World

if TYPE_CHECKING:
    from tree_sitter import Node

MOST_NESTED = 3
"""How deep scripts in scripts (``bash -c``) are read."""
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\+?=")
_TESTS = frozenset({"test_command", "negated_command"})
_BRANCHES = frozenset({"if_statement", "case_statement", "ternary_expression"})
_LEAVES = frozenset({"exit", "return", "false"})


def read_shell(source: str, world: World, found: Found, depth: int = 0) -> None:
    """Note what a script needs in ``found``, and what it makes in the world; nothing if it does not parse."""
    tree = parse(without_placeholders(source))
    if tree is not None and not tree.root_node.has_error and depth < MOST_NESTED:
        _Reader(Script(source, tree), world, found, depth).read(tree.root_node, certain=True)


class _Reader:
    def __init__(self, script: Script, world: World, found: Found, depth: int) -> None:
        self.script = script
        self.world = world
        self.found = found
        self.depth = depth

    def read(self, node: Node, *, certain: bool) -> None:
        """
        Read a part of the script.

        Args:
            certain: False if it may not run, or if it may fail without harm; then it has no needs.
        """
        kind = node.type
        if kind == "command":
            self._command(node, certain=certain)
        elif kind == "list":
            self._list(node, certain=certain)
        elif kind in ("comment", "function_definition"):
            if kind != "comment" and (name := node.child_by_field_name("name")) is not None:
                self.world.commands.setdefault(self._text(name), self.world.block)
        elif kind in _TESTS or kind in _BRANCHES:
            self._children(node, certain=False)
        elif kind == "while_statement":
            condition = node.child_by_field_name("condition")
            for child in node.named_children:
                self.read(child, certain=certain and child != condition)
        elif kind == "subshell":
            before = self.world.folder
            self._children(node, certain=certain)
            self.world.folder = before
        elif kind == "redirected_statement":
            self._redirected(node, certain=certain)
        elif kind in ("variable_assignment", "declaration_command", "for_statement"):
            self._assignments(node, certain=certain)
        elif kind in ("simple_expansion", "expansion"):
            self._expansion(node, certain=certain)
        elif kind != "raw_string":
            self._children(node, certain=certain)
            following = node.next_sibling
            if following is not None and following.type == "&":
                self.world.any_server = self.world.block

    def _children(self, node: Node, *, certain: bool) -> None:
        for child in node.named_children:
            self.read(child, certain=certain)
            following = child.next_sibling
            if following is not None and following.type == "&":
                self.world.any_server = self.world.block

    def _list(self, node: Node, *, certain: bool) -> None:
        left, right = node.named_children[0], node.named_children[-1]
        if any(child.type == "||" for child in node.children):
            fails = any(name in _LEAVES for name in self._names(right))
            self.read(left, certain=certain and fails)
            self.read(right, certain=False)
        else:
            self.read(left, certain=certain)
            asks = left.type in _TESTS or any(name in (*ASK, "test", "[") for name in self._names(left))
            self.read(right, certain=certain and not asks)

    def _names(self, node: Node) -> list[str]:
        """Return the names of the commands of a statement, without those in its words."""
        if node.type == "command":
            words = [self._text(child) for child in word_nodes(node)]
            asks = words[:2] in (["command", "-v"], ["command", "-V"])
            return ["which"] if asks else words[:1]
        return [name for child in node.named_children for name in self._names(child)]

    def _text(self, node: Node) -> str:
        return unquoted(self.script.text(node))

    def _assignments(self, node: Node, *, certain: bool) -> None:
        """Note the variables that a statement sets; the text of one may contain itself."""
        names = []
        for child in (node, *node.named_children):
            name = child.child_by_field_name("variable" if child.type == "for_statement" else "name")
            name = name or (child if child.type == "variable_name" else None)
            if name is not None and name.type in ("variable_name", "subscript"):
                names.append(self._text(name).partition("[")[0])
        sets = [name for name in names if name not in self.world.variables]
        self.world.variables |= dict.fromkeys(sets, self.world.block)
        if "PATH" in names:
            self.world.unsettled = True
        self._children(node, certain=certain)

    def _expansion(self, node: Node, *, certain: bool) -> None:
        name = next((child for child in node.named_children if child.type == "variable_name"), None)
        operators = {child.type for child in node.children if not child.is_named} - {"$", "${", "}", "#", "!"}
        if name is None or not certain or operators or self.script.text(name).isdecimal():
            return
        text = self.script.text(name)
        if (
            text not in ALWAYS_SET
            and not text.endswith("PATH")
            and not text.startswith(("BASH", "LC_", "XDG_"))
        ):
            self.world.need_variable(text, self.found)

    def _redirected(self, node: Node, *, certain: bool) -> None:
        body = node.child_by_field_name("body")
        parts = [child for child in node.named_children if child != body]
        for child in parts:  # what it reads, before it runs and makes anything
            target = child.child_by_field_name("destination")
            if child.type == "heredoc_redirect" and body is not None:
                self._heredoc(child, body, certain=certain)
            elif target is not None and certain and any(part.type == "<" for part in child.children):
                self.world.need_file(self._text(target), self.found)
        if body is not None:
            self.read(body, certain=certain)
        for child in parts:
            target = child.child_by_field_name("destination")
            if child.type == "file_redirect" and target is not None:
                if not any(part.type == "<" for part in child.children):
                    self.world.make(self._text(target))
            elif child.type != "heredoc_redirect":
                self._children(child, certain=certain)

    def _heredoc(self, node: Node, body: Node, *, certain: bool) -> None:
        """Read a program that a command gets as a here-document, and what follows on its first line."""
        text = next((child for child in node.named_children if child.type == "heredoc_body"), None)
        for child in node.named_children:
            if (
                child.type == "file_redirect"
                and (target := child.child_by_field_name("destination")) is not None
            ):
                self.world.make(self._text(target))
            elif child.type not in ("heredoc_start", "heredoc_body", "heredoc_end"):
                self.read(child, certain=certain)
        words = [self._text(child) for child in word_nodes(body)] if body.type == "command" else []
        if not words or text is None:
            return
        source = self.script.source[text.start_byte : text.end_byte]
        found = self.found if certain else Found()
        if words[0].rpartition("/")[2] in ("python", "python3") and words[1:] in ([], ["-"]):
            read_python(source, self.world, found)
        elif words[0] in ("bash", "sh") and words[1:] in ([], ["-s"]):
            read_shell(source, self.world, found, self.depth + 1)

    def _command(self, node: Node, *, certain: bool) -> None:
        """Read a simple command: what is before it, like ``sudo``, and its words."""
        for child in node.children:
            if child.type.endswith("_redirect"):
                continue
            if child.type == "variable_assignment":
                certain_value = certain and child.child_by_field_name("value") is not None
                self._children(child, certain=certain_value)
        parts = [part for part in word_nodes(node) if part.type != "variable_assignment"]
        words = [self._text(part) for part in parts]
        words = [
            "$" if PLACEHOLDER.search(self.script.text(part)) else word
            for part, word in zip(parts, words, strict=True)
        ]
        found = self.found if certain else Found()
        before: list[str] = []
        while words and words[0].rpartition("/")[2] in WRAPPERS:
            name = words.pop(0).rpartition("/")[2]
            if name == "command" and words and words[0] in ("-v", "-V"):
                return
            before.append(name)
            _skip_options(words, WRAPPERS[name])
            if name == "timeout" and words:
                words.pop(0)
        name = words[0].rpartition("/")[2] if words else ""
        if name not in PRINT:
            for part in parts:
                self.read(part, certain=certain and name not in (*ASK, "test", "["))
        else:
            for part in parts:
                self._substitutions(part, certain=certain)
        if name in ("bash", "sh", "zsh") and "-c" in words[:-1]:
            read_shell(words[words.index("-c") + 1], self.world, found, self.depth + 1)
            return
        if name in ("alias", "function"):
            made = [match[1] for word in words[1:] if (match := _ASSIGNMENT.match(word))]
            self.world.commands |= {
                item: self.world.block for item in made if item not in self.world.commands
            }
            return
        read_command(Command(tuple(before), tuple(words)), self.world, found)

    def _substitutions(self, node: Node, *, certain: bool) -> None:
        """Read the commands in the words of ``echo``; a variable that is not set prints as nothing."""
        if node.type == "command_substitution":
            self._children(node, certain=certain)
        else:
            for child in node.named_children:
                self._substitutions(child, certain=certain)


def _skip_options(words: list[str], with_value: frozenset[str]) -> None:
    """Remove a wrapper's options and assignments from the front."""
    while words and (words[0].startswith("-") or _ASSIGNMENT.match(words[0])):
        option = words.pop(0)
        if len(option) == 2 and option[1] in with_value and words:
            words.pop(0)
