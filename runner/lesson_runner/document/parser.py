"""Parse a Markdown document: blocks, the directives bound to them, headings and links."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesson_runner.document import directives
from lesson_runner.document.frontmatter import Parts
from lesson_runner.document.links import LinkFinder
from lesson_runner.document.yaml_text import KeyPath
from lesson_runner.model import Block, Diagnostic, Heading, Link, Location

if TYPE_CHECKING:
    from markdown_it.token import Token

_NOTE = re.compile(r"^\*\*(?P<kind>Why|Look for):\*\*\s*(?P<text>.+)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class BoundDirective:
    """A directive, and the block it applies to."""

    word: str
    data: Mapping[str, Any]
    positions: Mapping[KeyPath, Location]
    location: Location
    block: Block | None
    headings: tuple[str, ...]
    why: str = ""
    look_for: str = ""
    lines: tuple[int, int] = (0, 0)
    """For ``ignore``: the first and the last line of the part it applies to."""


@dataclass(slots=True)
class Document:
    """The parts of a document's body."""

    blocks: list[Block] = field(default_factory=list)
    directives: list[BoundDirective] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    headings: list[Heading] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    links_complete: bool = True


def parse(parts: Parts, path: Path) -> Document:
    """
    Parse the body of a document; places are those in the whole document.

    Uses markdown-it's tokens, so fences in lists, in quotes and inside longer fences follow CommonMark. Never
    raises for bad input.
    """
    from markdown_it import MarkdownIt

    # Inline parsing is half of the work, and only links are needed from it, which LinkFinder parses.
    parser = MarkdownIt("commonmark").enable("table").disable("inline")
    environment: dict[str, Any] = {}
    text = parts.body_in_place
    lines = text.split("\n")
    links = LinkFinder(parser, environment, path, lines)  # makes the parser accept all link targets
    return _Reader(path, lines, links).read(parser.parse(text, environment))


@dataclass(slots=True)
class _Waiting:
    """A directive whose block was not found yet."""

    directive: directives.Directive
    container: tuple[int, ...]
    headings: tuple[str, ...]
    why: str


class _Reader:
    """One pass over the tokens, with its state."""

    def __init__(self, path: Path, lines: list[str], links: LinkFinder) -> None:
        self.path = path
        self.lines = lines
        self.links = links
        self.document = Document()
        self.headings: list[tuple[int, str]] = []
        self.containers: list[int] = []
        self.waiting: _Waiting | None = None
        self.why = ""
        self.lead = ""
        self.ignoring: list[directives.Directive] = []

    def read(self, tokens: list[Token]) -> Document:
        for index, token in enumerate(tokens):
            if self.ignoring and token.map and not _is_comment(token):
                self._ignore(token.map)
            if token.type == "heading_open":
                self._heading(token, tokens[index + 1].content)
            elif token.type in ("list_item_open", "blockquote_open"):
                self._leave_nothing_waiting(f"before this {token.type.split('_')[0]} begins")
                self.containers.append(index)
            elif token.type in ("list_item_close", "blockquote_close"):
                self._leave_nothing_waiting(f"in the same {token.type.split('_')[0]}")
                self.containers.pop()
            elif token.type == "inline":
                self.links.read(token, self._titles())
                if tokens[index - 1].type == "paragraph_open":
                    self.lead = token.content
                    self._note(token.content)
            elif token.type == "html_block":
                self.links.read_html(token, self._titles())
                self._comment(token)
            elif token.type == "fence":
                self._fence(token)
        self._leave_nothing_waiting("before the document ends")
        end = len(self.lines)
        self._ignore([end, end])
        self.links.read_references()
        self.document.links = sorted(self.links.links, key=lambda link: link.location)
        self.document.anchors = self.links.anchors
        self.document.links_complete = self.links.complete
        return self.document

    def _heading(self, token: Token, title: str) -> None:
        self._leave_nothing_waiting("before the next heading")
        level = int(token.tag[1])
        line = token.map[0] if token.map else 0
        place = Location(self.path, line + 1, len(self.lines[line]) - len(self.lines[line].lstrip()) + 1)
        self.document.headings.append(Heading(level, title, place))
        self.headings = [(above, text) for above, text in self.headings if above < level]
        self.headings.append((level, title))
        self.why = self.lead = ""

    def _note(self, content: str) -> None:
        """Keep a **Why:** for the next directive; add a **Look for:** to the section's last directive."""
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

    def _ignore(self, lines: list[int]) -> None:
        """Bind the waiting ``ignore`` comments to the part of the document that follows them."""
        for found in self.ignoring:
            span = (1, len(self.lines)) if found.data.get("file") is True else (found.location.line, lines[1])
            bound = BoundDirective(
                found.word, found.data, found.positions, found.location, None, self._titles(), lines=span
            )
            self.document.directives.append(bound)
        self.ignoring.clear()

    def _titles(self) -> tuple[str, ...]:
        return tuple(text for _, text in self.headings)

    def _place(self, token: Token) -> tuple[int, int]:
        """Return a token's first line, counted from 0, and its indentation by containers, in columns."""
        line = token.map[0] if token.map else 0
        first = token.content.split("\n", 1)[0] if token.type == "html_block" else token.markup
        return line, max(self.lines[line].find(first), 0)

    def _comment(self, token: Token) -> None:
        line, indent = self._place(token)
        found, problems = directives.read(token.content, self.path, line + 1, indent)
        self.document.diagnostics.extend(problems)
        if found is None:
            return
        if found.word == "ignore":
            self.ignoring.append(found)
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
        rows = token.content.count("\n") + (not token.content.endswith("\n") and bool(token.content))
        first, end = token.map or (line, line)
        block = Block(
            language,
            token.content,
            location,
            self._titles(),
            closed=end - first - 1 > rows,  # there is one more line, the closing fence
            depth=len(self.containers),
            lead=self.lead,
        )
        self.lead = ""
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
                f"'{directive.word}' needs a code block below it, and there is none {where}",
                directive.location,
                "put the comment directly above its code block",
            )
        )
        self.waiting = None


def _is_comment(token: Token) -> bool:
    return token.type == "html_block" and token.content.lstrip().startswith("<!--")
