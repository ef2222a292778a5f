"""A markdown document as the runner sees it: blocks, directives bound to them, and what the prose says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesson_runner.markdown import directives
from lesson_runner.markdown.yamltext import KeyPath
from lesson_runner.model import Block, Diagnostic, Location

if TYPE_CHECKING:
    from markdown_it.token import Token

_NOTE = re.compile(r"^\*\*(?P<kind>Why|Look for):\*\*\s*(?P<text>.+)$", re.DOTALL)
RUNNABLE = frozenset({"bash", "sh", "shell", "console", "shell-session", "shellsession", "python", "py"})
"""Languages of blocks that a reader would type in."""


@dataclass(frozen=True, slots=True)
class BoundDirective:
    """A directive, and the block it speaks of."""

    word: str
    data: Mapping[str, Any]
    positions: Mapping[KeyPath, Location]
    location: Location
    block: Block | None
    headings: tuple[str, ...]
    why: str = ""
    look_for: str = ""


@dataclass(slots=True)
class Document:
    """What was found in a document's body."""

    blocks: list[Block] = field(default_factory=list)
    directives: list[BoundDirective] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)


def parse(text: str, path: Path) -> Document:
    """
    Parse the body of a document.

    Works on markdown-it's tokens, so fences in lists, in quotes and inside longer fences are what
    CommonMark says they are. Never raises for bad input.
    """
    from markdown_it import MarkdownIt
    from mdit_py_plugins.front_matter import front_matter_plugin

    tokens = MarkdownIt("commonmark").enable("table").use(front_matter_plugin).parse(text)
    return _Reader(path, text.split("\n")).read(tokens)


@dataclass(slots=True)
class _Waiting:
    """A directive that has not met its block yet."""

    directive: directives.Directive
    container: tuple[int, ...]
    headings: tuple[str, ...]
    why: str


class _Reader:
    """One pass over the tokens, with what the reader has to remember on the way."""

    def __init__(self, path: Path, lines: list[str]) -> None:
        self.path = path
        self.lines = lines
        self.document = Document()
        self.headings: list[tuple[int, str]] = []
        self.containers: list[int] = []
        self.waiting: _Waiting | None = None
        self.why = ""

    def read(self, tokens: list[Token]) -> Document:
        for index, token in enumerate(tokens):
            if token.type == "heading_open":
                self._heading(int(token.tag[1]), tokens[index + 1].content)
            elif token.type in ("list_item_open", "blockquote_open"):
                self._leave_nothing_waiting(f"before this {token.type.split('_')[0]} begins")
                self.containers.append(index)
            elif token.type in ("list_item_close", "blockquote_close"):
                self._leave_nothing_waiting(f"in the same {token.type.split('_')[0]}")
                self.containers.pop()
            elif token.type == "inline" and tokens[index - 1].type == "paragraph_open":
                self._note(token.content)
            elif token.type == "html_block":
                self._comment(token)
            elif token.type == "fence":
                self._fence(token)
        self._leave_nothing_waiting("before the document ends")
        return self.document

    def _heading(self, level: int, title: str) -> None:
        self._leave_nothing_waiting("before the next heading")
        self.headings = [(above, text) for above, text in self.headings if above < level]
        self.headings.append((level, title))
        self.why = ""

    def _note(self, content: str) -> None:
        """Keep a **Why:** for the next directive; give a **Look for:** to the last one of this section."""
        match = _NOTE.match(content)
        if match is None:
            return
        text = " ".join(match["text"].split())
        if match["kind"] == "Why":
            self.why = text
        elif self.document.directives and self.document.directives[-1].headings == self._titles():
            last = self.document.directives[-1]
            if not last.look_for:
                self.document.directives[-1] = BoundDirective(
                    last.word,
                    last.data,
                    last.positions,
                    last.location,
                    last.block,
                    last.headings,
                    last.why,
                    text,
                )

    def _titles(self) -> tuple[str, ...]:
        return tuple(text for _, text in self.headings)

    def _place(self, token: Token) -> tuple[int, int]:
        """Return a token's first line, counted from 0, and how far its container indents it."""
        line = token.map[0] if token.map else 0
        first = token.content.split("\n", 1)[0] if token.type == "html_block" else token.markup
        return line, max(self.lines[line].find(first), 0)

    def _comment(self, token: Token) -> None:
        line, indent = self._place(token)
        found, problems = directives.read(token.content, self.path, line + 1, indent)
        self.document.diagnostics.extend(problems)
        if found is None:
            return
        self._leave_nothing_waiting("before the next directive")
        self.waiting = _Waiting(found, tuple(self.containers), self._titles(), self.why)
        self.why = ""
        if found.word == "run":
            self._bind(self._hidden_block(found))
        elif found.word == "manual":
            self._bind(None)

    def _hidden_block(self, directive: directives.Directive) -> Block | None:
        if directive.hidden is None:
            return None
        language, text, location = directive.hidden
        return Block(language, text, location, self._titles(), hidden=True)

    def _fence(self, token: Token) -> None:
        line, indent = self._place(token)
        location = Location(self.path, line + 2, indent + 1)
        language = (token.info.split() or [""])[0].lower()
        block = Block(language, token.content, location, self._titles())
        if self.waiting is not None and self.waiting.container == tuple(self.containers):
            self._bind(block)
        self.document.blocks.append(block)

    def _bind(self, block: Block | None) -> None:
        if self.waiting is None:
            return
        found = self.waiting.directive
        bound = BoundDirective(
            found.word,
            found.data,
            found.positions,
            found.location,
            block,
            self.waiting.headings,
            self.waiting.why,
        )
        self.document.directives.append(bound)
        self.waiting = None

    def _leave_nothing_waiting(self, where: str) -> None:
        if self.waiting is None:
            return
        directive = self.waiting.directive
        self.document.diagnostics.append(
            Diagnostic(
                "orphan-directive",
                "error",
                f"'{directive.word}' speaks of the next code block, and there is none {where}",
                directive.location,
                "put the comment directly above its code block",
            )
        )
        self.waiting = None
