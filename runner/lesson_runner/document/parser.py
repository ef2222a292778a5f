"""Parse a Markdown document: blocks, the directives bound to them, headings and links."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesson_runner.document import directives
from lesson_runner.document.binding import Bound, bind
from lesson_runner.document.folds import Open
from lesson_runner.document.frontmatter import Parts
from lesson_runner.document.languages import language_of
from lesson_runner.document.links import LinkFinder
from lesson_runner.document.lost import FENCE_LIKE, LostDirectives, is_closed
from lesson_runner.document.sidecar import Entries
from lesson_runner.document.yaml_text import KeyPath
from lesson_runner.model import Block, Diagnostic, Heading, Link, Location, NotRun

if TYPE_CHECKING:
    from markdown_it.token import Token

_NOTE = re.compile(r"^\*\*(?P<kind>Why|Look for):\*\*\s*(?P<text>.+)$", re.DOTALL)
_MOVE = "put the comment directly above its code block"
_CONTAINERS = ("bullet_list", "ordered_list", "list_item", "blockquote")
_FENCE_RIGHT = "put the block between lines ``` that begin in the column of the comment"


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
    place: Location | None = None
    """For a directive of a sidecar: where it would stand in the document."""


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
    unseen: list[NotRun] = field(default_factory=list)
    """Blocks whose fences Markdown does not see."""


def parse(parts: Parts, path: Path, sidecar: Entries | None = None) -> Document:
    """
    Parse the body of a document, with the directives of its sidecar; places are those in the whole document.

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
    tokens = parser.parse(text, environment)
    reader = _Reader(path, lines, links)
    document = reader.read(tokens)
    if sidecar is not None:
        bound = bind(sidecar, document.blocks, reader.paths, path)
        reader = _Reader(path, lines, LinkFinder(parser, environment, path, lines), bound)
        document = reader.read(tokens)
        document.diagnostics += bound.problems
    lost = LostDirectives(text, lines, tokens, reader.directive_lines, path)
    document.diagnostics += lost.directives()
    document.unseen += lost.fences()
    document.diagnostics += [_unseen_fence(item) for item in document.unseen]
    return document


@dataclass(slots=True)
class _Waiting:
    """A directive whose block was not found yet."""

    directive: directives.Directive
    container: tuple[int, ...]
    headings: tuple[str, ...]
    why: str


class _Reader:
    """One pass over the tokens, with its state."""

    def __init__(self, path: Path, lines: list[str], links: LinkFinder, bound: Bound | None = None) -> None:
        self.bound = bound or Bound()
        self.path = path
        self.lines = lines
        self.links = links
        self.document = Document()
        self.headings: list[tuple[int, str]] = []
        self.paths: list[tuple[str, ...]] = []
        """The headings above each heading, and itself."""
        self.containers: list[int] = []
        self.waiting: _Waiting | None = None
        self.why = ""
        self.lead = ""
        self.open = Open()
        self.ignoring: list[directives.Directive] = []
        self.directive_lines: set[int] = set()
        """The first lines, from 0, of the HTML blocks that are directives or have errors of their own."""

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
                self._leave_block_unseen(token)
                self.open = self.open.after(token.content)
                if tokens[index - 1].type == "paragraph_open":
                    self.lead = token.content
                    self._note(token.content)
            elif token.type == "html_block":
                self.links.read_html(token, self._titles())
                self._leave_block_unseen(token)
                self.open = self.open.after(token.content)
                self._comment(token)
            elif token.type == "code_block":
                self._leave_block_unseen(token)
            elif token.type == "fence":
                self._fence(token, _paragraph_below(tokens, index))
        self._leave_nothing_waiting("before the document ends")
        self._end_section(len(self.lines))
        self._bind_whole()
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
        self._end_section(line)
        place = Location(self.path, line + 1, len(self.lines[line]) - len(self.lines[line].lstrip()) + 1)
        self.document.headings.append(Heading(level, title, place))
        self.headings = [(above, text) for above, text in self.headings if above < level]
        self.headings.append((level, title))
        self.paths.append(self._titles())
        self.why = self.lead = ""
        self.open = Open()

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
                self.document.directives[-1] = dataclasses.replace(last, look_for=text)

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
        if found or problems:
            self.directive_lines.add(line)
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

    def _fence(self, token: Token, below: str) -> None:
        line, indent = self._place(token)
        location = Location(self.path, line + 2, indent + 1)
        language = language_of(token.info)
        block = Block(
            language,
            token.content,
            location,
            self._titles(),
            closed=is_closed(token),
            depth=len(self.containers),
            lead=self.lead,
            below=below,
            info=" ".join(token.info.split()),
            fold=self.open.fold,
            tab=self.open.tab,
        )
        self.lead = ""
        own = self.waiting if self.waiting and self.waiting.container == tuple(self.containers) else None
        place = Location(self.path, line + 1, indent + 1)
        self._take_entries(block, place, own.directive.location.line if own else 0)
        if own:
            self._bind(block)
        self.document.blocks.append(block)

    def _take_entries(self, block: Block, place: Location, own_line: int) -> None:
        """Bind the sidecar's entries that stand at a fence; ``own_line``: of its own directive, else 0."""
        index = len(self.document.blocks)
        for entry in self.bound.above.get(index, ()):
            self._bind_entry(entry, self._hidden_block(entry), place)
        for entry in self.bound.on.get(index, ()):
            if entry.word == "ignore":
                lines = (place.line, place.line + block.text.count("\n") + 1)
                self._bind_entry(entry, None, place, lines)
            elif own_line:
                message = f"the block has a directive of its own on line {own_line} of {self.path}"
                self.bound.problems.append(
                    Diagnostic("sidecar-conflict", "error", message, entry.location, "remove one of them")
                )
            else:
                self._bind_entry(entry, block, place)

    def _bind_entry(
        self,
        entry: directives.Directive,
        block: Block | None,
        place: Location,
        lines: tuple[int, int] = (0, 0),
    ) -> None:
        """Add a directive of the sidecar to those of the document."""
        why, self.why = (self.why, "") if entry.word != "ignore" else ("", self.why)
        self.document.directives.append(
            BoundDirective(
                entry.word,
                entry.data,
                entry.positions,
                entry.location,
                block,
                self._titles(),
                why,
                lines=lines,
                place=place,
            )
        )

    def _end_section(self, line: int) -> None:
        """Bind the entries of the sidecar that stand at the end of the section, above a line from 0."""
        for entry in self.bound.below.pop(self._titles(), ()):
            self._bind_entry(entry, self._hidden_block(entry), Location(self.path, max(line, 1)))

    def _bind_whole(self) -> None:
        for entry in self.bound.whole:
            self._bind_entry(entry, None, Location(self.path, 1), (1, len(self.lines)))

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

    def _leave_block_unseen(self, token: Token) -> None:
        """Report the waiting directive if its block is text that Markdown does not see as a fenced block."""
        if self.waiting is None or not token.map:
            return
        is_code = token.type == "code_block" or token.content.lstrip().startswith(("<pre", "<code"))
        if is_code or (not _is_comment(token) and FENCE_LIKE.search(token.content)):
            row = token.map[0] + 1
            what = "indented code" if token.type == "code_block" else "no code block"
            self._leave_nothing_waiting(f"above line {row}, where Markdown sees {what}", _FENCE_RIGHT)

    def _leave_nothing_waiting(self, where: str, fix: str = _MOVE) -> None:
        if self.waiting is None:
            return
        directive = self.waiting.directive
        self.document.diagnostics.append(
            Diagnostic(
                "orphan-directive",
                "error",
                f"'{directive.word}' needs a code block below it, and there is none {where}",
                directive.location,
                fix,
            )
        )
        self.waiting = None


def _unseen_fence(item: NotRun) -> Diagnostic:
    """Report a block whose fence Markdown does not see."""
    message = f"this {item.block.language} block is not read: {item.reason}"
    fix = "begin its fence at the margin, below an empty line, with only its language after it"
    place = Location(item.block.location.path, item.block.location.line - 1, item.block.location.column)
    return Diagnostic("unseen-fence", "info", message, place, fix)


def _paragraph_below(tokens: Sequence[Token], index: int) -> str:
    """Return the paragraph directly below a fence, also if a list or a quote begins or ends between them."""
    for at in range(index + 1, len(tokens) - 1):
        if tokens[at].type == "paragraph_open":
            return tokens[at + 1].content
        if not tokens[at].type.startswith(_CONTAINERS):
            break
    return ""


def _is_comment(token: Token) -> bool:
    return token.type == "html_block" and token.content.lstrip().startswith("<!--")
