"""Finding the links, images and anchors of a document; nothing else inside paragraphs is of interest."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesson_runner.model import Link, Location

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

MAX_WORK = 200_000_000
"""Brackets of a paragraph times its length, over a document: the parser looks ahead from each of them."""
_MAY_LINK = re.compile(
    r"\]\(|\]\[|<(?:a|img|source|video)\b|<[A-Za-z][\w.+-]*:|\b(?:id|name)=", re.IGNORECASE
)
_HTML_LINK = re.compile(
    r"<(?P<tag>a|img|source|video)\b[^>]*?\s(?:href|src)\s*=\s*[\"'](?P<target>[^\"']*)", re.IGNORECASE
)
_HTML_ANCHOR = re.compile(r"<[A-Za-z][^>]*?\s(?:id|name)\s*=\s*[\"'](?P<name>[^\"']+)")


class LinkFinder:
    """Collects what the inline parts of one document link to."""

    def __init__(self, parser: MarkdownIt, environment: dict[str, Any], path: Path, lines: list[str]) -> None:
        self.parser = parser
        self.environment = environment
        self.path = path
        self.lines = lines
        self.links: list[Link] = []
        self.anchors: set[str] = set()
        self.complete = True
        self.work = 0

    def read(self, token: Token, headings: tuple[str, ...]) -> None:
        """Find what an inline token (a paragraph's or heading's text, a table's cell) links to."""
        content = token.content
        if not _MAY_LINK.search(content) and not ("[" in content and self.environment.get("references")):
            return
        self.work += (content.count("[") + content.count("<") + content.count("`")) * len(content)
        if self.work > MAX_WORK:
            self.complete = False
            return
        found: list[Token] = []
        self.parser.inline.parse(content, self.parser, self.environment, found)
        place = _Place(self, token)
        self._collect(found, place, headings)

    def _collect(self, tokens: list[Token], place: _Place, headings: tuple[str, ...]) -> None:
        for index, token in enumerate(tokens):
            if token.type == "link_open" and token.markup != "autolink":
                self._markdown("link", str(token.attrs["href"]), _text(tokens[index + 1 :]), place, headings)
            elif token.type == "image":
                self._markdown("image", str(token.attrs["src"]), token.content, place, headings)
            elif token.type == "html_inline":
                self._html(token.content, place, headings)

    def _markdown(self, kind: Any, href: str, text: str, place: _Place, headings: tuple[str, ...]) -> None:
        written, location = place.of(href)
        if location is not None:  # a reference's target stands where it is defined
            self.links.append(Link(kind, written, text, location, headings))

    def _html(self, content: str, place: _Place, headings: tuple[str, ...]) -> None:
        for match in _HTML_LINK.finditer(content):
            kind: Any = "link" if match["tag"].lower() == "a" else "image"
            target = match["target"]
            self.links.append(Link(kind, target, "", place.of_text(target), headings))
        self.anchors.update(match["name"] for match in _HTML_ANCHOR.finditer(content))

    def read_html(self, token: Token, headings: tuple[str, ...]) -> None:
        """Find what a block of HTML links to."""
        if "<!--" not in token.content or not token.content.lstrip().startswith("<!--"):
            self._html(token.content, _Place(self, token), headings)

    def read_references(self) -> None:
        """Add the targets that reference definitions (``[name]: target``) give."""
        for label, reference in self.environment.get("references", {}).items():
            line = reference["map"][0]
            row = self.lines[line]
            written = _definition(row) or str(reference["href"])
            place = Location(self.path, line + 1, max(row.find(written), 0) + 1)
            self.links.append(Link("link", written, label, place))


class _Place:
    """Where in the file the targets of one token stand; they are asked for in order."""

    def __init__(self, finder: LinkFinder, token: Token) -> None:
        self.finder = finder
        self.content = token.content
        self.first = token.map[0] if token.map else 0
        self.cursor = 0

    def of(self, href: str) -> tuple[str, Location | None]:
        """Return a target as it was written, and its place; ``None`` for one that is defined elsewhere."""
        parser = self.finder.parser
        at = self.content.find("](", self.cursor)
        while at >= 0:
            result = parser.helpers.parseLinkDestination(
                self.content, _skip(self.content, at + 2), len(self.content)
            )
            if result.ok and parser.normalizeLink(result.str) == href:
                self.cursor = at + 2
                return result.str, self._location(_skip(self.content, at + 2))
            at = self.content.find("](", at + 2)
        return href, None

    def of_text(self, target: str) -> Location:
        """Return where ``target`` stands, searching on from the last one."""
        at = self.content.find(target, self.cursor)
        self.cursor = max(at, self.cursor)
        return self._location(max(at, 0))

    def _location(self, index: int) -> Location:
        line = self.first + self.content.count("\n", 0, index)
        row = self.finder.lines[min(line, len(self.finder.lines) - 1)]
        begin = self.content.rfind("\n", 0, index) + 1
        end = self.content.find("\n", begin)
        written = self.content[begin : end if end >= 0 else len(self.content)]
        indent = max(row.find(written.strip()), 0) + len(written) - len(written.lstrip())
        return Location(self.finder.path, line + 1, index - begin + indent + 1)


def _skip(text: str, index: int) -> int:
    while index < len(text) and text[index] in " \t\n":
        index += 1
    return index


def _text(tokens: list[Token]) -> str:
    """Return what is written between a link's opening token and its end."""
    parts = []
    for token in tokens:
        if token.type == "link_close":
            break
        parts.append(token.content)
    return "".join(parts)


def _definition(row: str) -> str | None:
    match = re.search(r"\]:\s*<?([^\s>]+)", row)
    return match[1] if match else None
