"""Find the links, images and anchors of a document."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lesson_runner.model import Link, Location

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

MAX_WORK = 50_000_000
"""Upper limit for the search in one document, in units of about 20 ns; see :func:`_work`."""
_MAY_LINK = re.compile(
    r"\]\(|\]\[|<(?:a|img|source|video)\b|<[A-Za-z][\w.+-]*:|\b(?:id|name)\s*=", re.IGNORECASE
)
_VALUE = r"\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'|(?P<bare>[^\s\"'=<>`]+))"
# A tag ends where the next one begins, so that a text with many "<a" takes linear time.
_HTML_LINK = re.compile(rf"<(?P<tag>a|img|source|video)\b[^<>]*?\s(?:href|src){_VALUE}", re.IGNORECASE)
_HTML_ANCHOR = re.compile(rf"<[A-Za-z][^<>]*?\s(?:id|name){_VALUE}", re.IGNORECASE)
_HTML_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_DEFINITION = re.compile(r"\]:[ \t]*(?:\n[ \t>]*)?<?(?P<target>[^\s<>]*)")
# To the parser a target with a space is plain text, and a link with JSON easily has one.
_COMMAND = re.compile(r"\]\((?P<target>command:[^\s()]*[ \t][^()\n]*)\)")
_SPECIAL = re.compile(r"[\\`\[\]!<]")
_INLINE_RULES = ("text", "escape", "backticks", "link", "image", "autolink", "html_inline")
_FOUND = {"link": "link_open", "image": "image", "autolink": "link_open", "html_inline": "html_inline"}
_Kind = Literal["link", "image"]


class LinkFinder:
    """
    Collects the link targets in the inline parts of one document.

    Create it before the document is parsed, because it makes the parser keep dangerous links.
    """

    def __init__(self, parser: MarkdownIt, environment: dict[str, Any], path: Path, lines: list[str]) -> None:
        self.parser = _with_places(parser)
        self.environment = environment
        self.path = path
        self.lines = lines
        self.links: list[Link] = []
        self.anchors: set[str] = set()
        self.complete = True
        self.work = 0
        self.cell = (0, 0)
        """Line and column where the last table cell ended."""

    def read(self, token: Token, headings: tuple[str, ...]) -> None:
        """Find the links of an inline token: the text of a paragraph, a heading or a table cell."""
        from markdown_it.rules_inline import StateInline

        content = token.content
        if not self.complete:
            return
        if not _MAY_LINK.search(content) and not ("[" in content and self.environment.get("references")):
            return
        self.work += _work(content)
        if self.work > MAX_WORK:
            self.complete = False
            return
        place = _Place(self, token)
        found: list[Token] = []
        state = StateInline(content, self.parser, self.environment, found)
        self.parser.inline.tokenize(state)
        for item in found:
            begin, end = item.meta.get("span", (0, 0))
            if item.type == "html_inline":
                self._html(item.content, place, begin, headings)
            elif item.type in ("link_open", "image"):
                kind: _Kind = "image" if item.type == "image" else "link"
                self._markdown(kind, _Written(state, begin, end), place, headings)
        if "](command:" in content:
            self._commands(content, found, place, headings)

    def _markdown(self, kind: _Kind, written: _Written, place: _Place, headings: tuple[str, ...]) -> None:
        target = written.target()
        if target is not None:  # read_references finds the targets of references
            self.links.append(Link(kind, target[0], written.label, place.of(target[1]), headings))

    def _commands(self, content: str, found: list[Token], place: _Place, headings: tuple[str, ...]) -> None:
        """Add command links that the parser does not recognise because of a space in their arguments."""
        spans = [item.meta["span"] for item in found if "span" in item.meta]
        for match in _COMMAND.finditer(content):
            at = match.start("target")
            if not any(begin <= at < end for begin, end in spans):
                text = content[content.rfind("[", 0, match.start()) + 1 : match.start()]
                self.links.append(Link("link", match["target"], text, place.of(at), headings))

    def _html(self, content: str, place: _Place, begin: int, headings: tuple[str, ...]) -> None:
        for match in _HTML_LINK.finditer(content):
            kind: _Kind = "link" if match["tag"].lower() == "a" else "image"
            group = next(name for name in ("double", "single", "bare") if match[name] is not None)
            location = place.of(begin + match.start(group))
            self.links.append(Link(kind, html.unescape(match[group]), "", location, headings))
        for match in _HTML_ANCHOR.finditer(content):
            self.anchors.add(html.unescape(match["double"] or match["single"] or match["bare"] or ""))

    def read_html(self, token: Token, headings: tuple[str, ...]) -> None:
        """Find the links of an HTML block."""
        content = token.content
        if "<!--" in content:  # blank out comments without moving the rest
            content = _HTML_COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), content)
        self._html(content, _Place(self, token), 0, headings)

    def read_references(self) -> None:
        """Add the targets that reference definitions (``[name]: target``) give."""
        for reference in self.environment.get("references", {}).values():
            if not reference["href"]:  # "[comment]: <> (a remark)" is an idiom for comments
                continue
            first, last = reference["map"]
            text = "\n".join(self.lines[first : max(last, first + 1)])
            match = _DEFINITION.search(text)
            if match is None:
                continue
            index = match.start("target")
            column = index - text.rfind("\n", 0, index)
            place = Location(self.path, first + text.count("\n", 0, index) + 1, column)
            label = text[text.find("[") + 1 : match.start()]
            self.links.append(Link("link", html.unescape(match["target"]), label, place))


class _Written:
    """A link or an image as written in its paragraph."""

    def __init__(self, state: StateInline, begin: int, end: int) -> None:
        self.state = state
        self.begin = begin
        self.end = end
        self.label = ""

    def target(self) -> tuple[str, int] | None:
        """Return the target and its index in the paragraph; ``None`` if it names a reference."""
        state, content = self.state, self.state.src
        if content[self.begin] == "<":
            self.label = content[self.begin + 1 : self.end - 1]
            return self.label, self.begin + 1
        bracket = self.begin + (content[self.begin] == "!")
        close = state.md.helpers.parseLinkLabel(state, bracket, content[self.begin] == "[")
        self.label = content[bracket + 1 : close]
        # "[name] (not a target)" and "[name](not a target either" are references
        if close + 1 >= self.end or content[close + 1] != "(":
            return None
        at = _skip(content, close + 2)
        result = state.md.helpers.parseLinkDestination(content, at, self.end)
        return (result.str if result.ok else ""), at + (content[at : at + 1] == "<")


class _Place:
    """Translates positions in the text of a token to places in the file."""

    def __init__(self, finder: LinkFinder, token: Token) -> None:
        self.finder = finder
        self.content = token.content
        self.first, last = token.map or (0, 1)
        row = finder.lines[self.first]
        self.cell: int | None = None
        if last == self.first + 1 and token.level > 1 and "|" in row and token.type == "inline":
            line, cursor = finder.cell
            written = self.content.replace("|", "\\|")  # in a cell, bars are escaped
            at = row.find(written, cursor if line == self.first else 0)
            if at >= 0:
                self.cell = at
                finder.cell = (self.first, at + len(written))

    def of(self, index: int) -> Location:
        """Return the place of the character at an index of the text."""
        path = self.finder.path
        if self.cell is not None:
            bars = self.content.count("|", 0, index)
            return Location(path, self.first + 1, self.cell + index + bars + 1)
        line = self.first + self.content.count("\n", 0, index)
        row = self.finder.lines[min(line, len(self.finder.lines) - 1)]
        begin = self.content.rfind("\n", 0, index) + 1
        end = self.content.find("\n", begin)
        written = self.content[begin : end if end >= 0 else len(self.content)]
        bare = written.strip()
        # Only marks of its containers come before it, and only the end of a heading after it.
        column = max(row.rfind(bare), 0) - (len(written) - len(written.lstrip()))
        return Location(path, line + 1, max(column + index - begin, 0) + 1)


def _work(content: str) -> int:
    """Estimate how long the parser takes: from each bracket it may look ahead to the end."""
    openings = content.count("[") + content.count("<") + content.count("`")
    others = content.count("]") + content.count("!") + content.count("\\")
    return openings * len(content) + 400 * (openings + others) + 2_500 * content.count("](")


def _with_places(parser: MarkdownIt) -> MarkdownIt:
    """Make a parser record the places of links, skip other inline rules, and keep all targets."""
    from markdown_it import rules_inline

    parser.inline.ruler.enableOnly(_INLINE_RULES)
    for name in (*_FOUND, "backticks"):
        rule = rules_inline.backtick if name == "backticks" else getattr(rules_inline, name)
        parser.inline.ruler.at(name, _recording(rule, _FOUND.get(name, "code_inline")))
    # The characters that end plain text; the default includes those of the rules that are disabled.
    parser.inline.terminator_re = _SPECIAL
    parser.validateLink = _keep  # type: ignore[method-assign]  # replacing it is how markdown-it accepts other schemes
    return parser


def _keep(url: str) -> bool:  # noqa: ARG001  # the parser passes it by name
    return True


def _recording(rule: Callable[[StateInline, bool], bool], kind: str) -> Callable[[StateInline, bool], bool]:
    def recorded(state: StateInline, silent: bool) -> bool:
        begin, count = state.pos, len(state.tokens)
        found = rule(state, silent)
        if found and not silent:
            # The text before it is pushed first; links inside it have their places already.
            for token in state.tokens[count : count + 2]:
                if token.type == kind:
                    token.meta.setdefault("span", (begin, state.pos))
        return found

    return recorded


def _skip(text: str, index: int) -> int:
    while index < len(text) and text[index] in " \t\n":
        index += 1
    return index
