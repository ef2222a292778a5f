"""Find directives that the parser does not read, and fences that Markdown does not see; say why."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path
from typing import TYPE_CHECKING

from lesson_runner.document.languages import TYPED_IN, language_of
from lesson_runner.document.lookalikes import Lookalike, begins_its_line, lookalikes
from lesson_runner.model import Block, Diagnostic, Location, NotRun

if TYPE_CHECKING:
    from markdown_it.token import Token

MOST = 100
"""Upper limit for the lost directives, and for the unseen fences, of a document that are reported."""
FENCE_LIKE = re.compile(
    r"^[ \t>]*(?:`{3,}(?![^`\n]*`{3})|~{3,}|``[\w{.]+[ \t]*$|['\"\u00b4\u2018\u2019]{3}"
    r"|\{%-?[ \t]*(?:highlight|code))"
    r"|^[^`\n]*[^`\s][ \t]+`{3,}[\w{.][^`\s]*[ \t]*$",
    re.MULTILINE,
)
"""A line that is meant to begin a code block, in text that Markdown does not see as a fence."""
_OPENING = re.compile(r"[ \t>]*(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[\w{.][^\n]*)$", re.MULTILINE)
_INNER = re.compile(r"^ {0,3}(?P<fence>`{3,}|~{3,})[ \t]*[\w{.][^`\n]*$", re.MULTILINE)
_DANGLING = re.compile(
    r"^[^`\n]*[^`\s][ \t]+`{3,}[\w{.][^`\s]*[ \t]*$|^[ \t]*`{3,}[^`\n]+`[^\n]*$", re.MULTILINE
)
"""A line that is meant to open a fence, so that Markdown takes the closing one for an opening one."""
_FENCE = re.compile(r"`{3,}|~{3,}")
_NOTE = re.compile(
    r"(?P<name>\{(?:note|tip|hint|info|important|warning|caution|danger|attention|error|seealso|admonition"
    r"|callout|dropdown|details|toggle|collapse|tab-set|tab-item|tabs?|tabbed|group-tab|card|grid|grid-item"
    r"|div|container|margin|sidebar|aside|topic|example|exercise|solution)\}|admonish\b|admonition\b|ad-[\w-]+)"
)
"""The info string of a fence that other tools show as a note or a tab with blocks in it."""
_RAW = re.compile(r"[ \t>]*<(?:pre|script|style|textarea)\b", re.IGNORECASE)
"""HTML that an empty line does not end."""
_TAB = re.compile(r"[ \t]*(?:!!!|\?\?\?\+?|===!?\+?|:::+)[ \t]")
_MARKS = re.compile(r"\\`|`+|<!--|-->")
_KINDS = {"fence": "fence", "code_block": "code", "html_block": "html"}
_AROUND = {"heading_open": "heading", "td_open": "table", "th_open": "table"}


@dataclass(slots=True)
class _Leaf:
    """A part of the document without parts of its own: a paragraph, a code block."""

    kind: str
    """``fence``, ``code`` (indented), ``html``, ``heading``, ``table`` or ``paragraph``."""
    first: int
    """Its first line, counted from 0."""
    end: int
    """The line after its last one."""
    shifted: bool = False
    """True for a fence that probably begins at the end of another block, because the pairs are shifted."""
    lost: bool = False
    """True if a directive in it was reported."""
    code: list[tuple[int, int]] | None = None
    """Where its code spans begin and end, in characters; ``None`` if they were not searched for."""


class LostDirectives:
    """Finds what the parser of one document did not read."""

    def __init__(
        self, text: str, lines: list[str], tokens: Iterable[Token], read: Set[int], path: Path
    ) -> None:
        """
        Prepare the search.

        Args:
            text: the document.
            lines: its lines.
            tokens: what Markdown sees in it.
            read: the first lines, from 0, of the HTML blocks that are directives or have errors of their own.
            path: the document's path, for diagnostics.
        """
        self.text = text
        self.lines = lines
        self.read = read
        self.path = path
        self.leaves = list(_leaves(tokens, lines))
        self.starts = [leaf.first for leaf in self.leaves]
        self.offsets = [0, *accumulate(len(line) + 1 for line in lines)]

    def directives(self) -> Iterator[Diagnostic]:
        """Yield an error for each comment that looks like a directive and was not read."""
        yield from islice(self._directives(), MOST)

    def _directives(self) -> Iterator[Diagnostic]:
        for found in lookalikes(self.text):
            line = bisect_right(self.offsets, found.start) - 1
            leaf = self._leaf(line)
            if leaf is not None and (leaf.first in self.read or not self._may_be_lost(leaf, found)):
                continue
            if leaf is not None:
                leaf.lost = True
            reason, fix = self._place(leaf, found, line) or _form(found)
            rule = "lost-directive"
            if not reason:
                rule, reason = "unknown-directive", f"'{found.written}' is not a directive"
            elif found.word:
                reason = f"this '{found.word}' comment is not read: {reason}"
            place = Location(self.path, line + 1, found.start - self.offsets[line] + 1)
            yield Diagnostic(rule, "error", reason, place, fix)

    def fences(self) -> Iterator[NotRun]:
        """Yield the blocks that a reader would type in and whose fences Markdown does not see."""
        yield from islice(self._fences(), MOST)

    def _fences(self) -> Iterator[NotRun]:
        for leaf in self.leaves:
            if leaf.kind not in ("code", "html", "paragraph") or leaf.lost or leaf.first in self.read:
                continue
            line = leaf.first
            while line < leaf.end:
                opening = _OPENING.fullmatch(self.lines[line])
                line += 1
                language = language_of(opening["info"]) if opening else ""
                if opening is None or language not in TYPED_IN or opening["fence"] in opening["info"]:
                    continue
                first = line
                while line < leaf.end and not self.lines[line].strip(" \t>").startswith(opening["fence"]):
                    line += 1
                column = opening.start("fence") + 1
                text = "".join(f"{row[column - 1 :]}\n" for row in self.lines[first:line])
                block = Block(language, text, Location(self.path, first + 1, column))
                where = "followed by a backtick" if "`" in opening["info"] else self._inside(leaf)
                yield NotRun(block, f"Markdown does not see its fence, which is {where}")
                line += 1

    def _leaf(self, line: int) -> _Leaf | None:
        index = bisect_right(self.starts, line) - 1
        return self.leaves[index] if index >= 0 and line < self.leaves[index].end else None

    def _may_be_lost(self, leaf: _Leaf, found: Lookalike) -> bool:
        """Return whether a lookalike is meant as a directive, and not as an example that readers see."""
        if leaf.kind == "fence":
            return leaf.shifted
        if leaf.kind in ("paragraph", "heading", "table"):
            start = self.offsets[leaf.first]
            if leaf.code is None:
                leaf.code = _code_spans(self.text[start : self.offsets[leaf.end]])
            before = bisect_right(leaf.code, (found.start - start, len(self.text)))
            return before == 0 or found.start - start >= leaf.code[before - 1][1]
        return True

    def _place(self, leaf: _Leaf | None, found: Lookalike, line: int) -> tuple[str, str] | None:
        """Return why a directive cannot be where it is, and how to fix it; ``None`` if its place is right."""
        if leaf is None:
            return None
        alone = begins_its_line(self.text, found.start)
        if leaf.kind == "html" and alone and line == leaf.first:
            return None
        if leaf.kind in ("paragraph", "html", "heading", "table") and found.kind == "other":
            return None
        if leaf.kind == "paragraph" and alone and found.kind != "html":
            return None
        return f"it is {self._inside(leaf, alone=alone)}", self._move(leaf, line)

    def _move(self, leaf: _Leaf, line: int) -> str:
        """Return how to move a directive on a line, so that it is read."""
        head = self.lines[leaf.first][:200].lstrip(" \t>")
        if leaf.kind == "fence":
            fence = _FENCE.search(head)
            other = _NOTE.match(head, fence.end()) if fence else None
            if other:
                return f"to Markdown '{other['name']}' is a code block, so use a heading or a quote instead"
            return f"close that code block with {fence[0] if fence else '```'} above this comment"
        if leaf.kind == "code":
            tab = self._tab(leaf)
            note = f"; to Markdown '{tab}' is text, so use a heading instead" if tab else ""
            return f"begin it and its code block at the margin, or below the text of its list item{note}"
        if leaf.kind == "html" and head.startswith("<!--"):
            return "end that comment with --> above this one"
        if leaf.kind == "html" and line > leaf.first and not _RAW.match(head):
            return "leave an empty line above it"
        return "put it on lines of its own, directly above its code block"

    def _inside(self, leaf: _Leaf, *, alone: bool = True) -> str:
        """Say what a part of the document is to Markdown."""
        number = leaf.first + 1
        if leaf.kind == "html":
            kind = "comment" if self.lines[leaf.first][:200].lstrip(" \t>").startswith("<!--") else "HTML"
            return f"inside the {kind} that begins on line {number}"
        if leaf.kind == "paragraph":
            return "indented too deeply, so it is text" if alone else "after other text on its line"
        return {
            "fence": f"inside the code block that begins on line {number}",
            "code": "indented by 4 columns or more, so it is code",
            "heading": "in a heading",
            "table": "in a table",
        }[leaf.kind]

    def _tab(self, leaf: _Leaf) -> str:
        """Return the line that begins the tab or the admonition around indented code; empty if none does."""
        for row in reversed(self.lines[max(leaf.first - 50, 0) : leaf.first]):
            if row.strip() and not row.startswith(("    ", "\t")):
                return row.strip()[:60] if _TAB.match(row) else ""
        return ""


def is_closed(fence: Token) -> bool:
    """Return whether a fence token has a closing fence, and does not end with its container."""
    first, end = fence.map or (0, 0)
    content = fence.content
    rows = content.count("\n") + (not content.endswith("\n") and bool(content))
    return end - first - 1 > rows  # there is one more line, the closing fence


def _leaves(tokens: Iterable[Token], lines: list[str]) -> Iterator[_Leaf]:
    """Yield the parts of a document that hold text, in order."""
    around = ""
    shifted = False
    for token in tokens:
        if token.type in _KINDS and token.map:
            leaf = _Leaf(_KINDS[token.type], token.map[0], token.map[1])
            if leaf.kind == "fence":
                shifted = shifted and not token.info.strip()
                unclosed = not is_closed(token)
                inner = any(
                    item["fence"][0] == token.markup[0] and len(item["fence"]) >= len(token.markup)
                    for item in _INNER.finditer(token.content)
                )
                note = _NOTE.match(token.info.strip()) and _INNER.search(token.content)
                leaf.shifted = shifted or inner or unclosed or note is not None
                shifted = shifted and not inner
            yield leaf
        elif token.type == "inline" and token.map:
            yield _Leaf(_AROUND.get(around, "paragraph"), token.map[0], token.map[1])
            text = "\n".join(lines[token.map[0] : token.map[1]])
            shifted = shifted or ("```" in text and _DANGLING.search(text) is not None)
        around = token.type


def _form(found: Lookalike) -> tuple[str, str]:
    """Return why a comment in the right place is not a directive, and how to fix it."""
    form = f"write '<!-- {found.word}', then 'key: value' lines, then '-->'"
    dashes = len(found.content) - len(found.content.lstrip("-"))
    if found.kind == "shown":
        return f"readers see '{found.opener}', which does not begin a comment", form
    if found.kind != "html" or dashes:
        return f"it begins with '{found.opener}{'-' * dashes}'", form
    if not found.written:
        return f"'{found.word}' is missing after '<!--'", form
    before = found.content.partition(found.written)[0]
    if "\n" in before:
        return f"'{found.written}' is not on the line of '<!--'", form
    if before.strip():
        return f"'{before.strip()[:20]}' is before '{found.written}'", form
    if found.written != found.word:
        return "", f"did you mean '{found.word}'?"
    return f"'{found.word}' is not followed by 'key: value' lines", form


def _code_spans(text: str) -> list[tuple[int, int]]:
    """Return where the code spans of a paragraph begin and end."""
    marks = list(_MARKS.finditer(text))
    same: dict[str, list[int]] = {}
    for number, mark in enumerate(marks):
        same.setdefault(mark[0], []).append(number)
    spans: list[tuple[int, int]] = []
    number = 0
    while number < len(marks):
        mark = marks[number]
        ends = same.get("-->" if mark[0] == "<!--" else mark[0] if mark[0][0] == "`" else "", [])
        after = bisect_right(ends, number)
        if after < len(ends):
            number = ends[after]
            if mark[0] != "<!--":
                spans.append((mark.start(), marks[number].end()))
        number += 1
    return spans
