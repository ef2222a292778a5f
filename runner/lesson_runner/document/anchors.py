"""The anchors that a document's headings make, as GitHub makes them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

from lesson_runner.model import Heading

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_OWN_NAME = re.compile(r"\s*\{\s*#(?P<name>[^\s{}#]+)[^{}]*\}\s*$")
_REFERENCE = re.compile(r"(\[[^\[\]]*\])\[[^\[\]]*\]")
_MARKUP = re.compile(r"[*_`\[\]<>\\&]")


def anchors_of_headings(headings: Iterable[Heading]) -> frozenset[str]:
    """
    Return what links can name after ``#``: of equal headings the second gets ``-1``, and so on.

    A name that a heading gives itself (``## Setup {#setup}``), as some renderers allow it, counts too.
    """
    used: dict[str, int] = {}
    own: set[str] = set()
    for heading in headings:
        title = heading.title
        if match := _OWN_NAME.search(title):
            own.add(match["name"])
            title = title[: match.start()]
        slug = unique = slug_of(title)
        while unique in used:
            used[slug] += 1
            unique = f"{slug}-{used[slug]}"
        used[unique] = 0
    return frozenset(used.keys() | own)


def slug_of(title: str) -> str:
    """Return the anchor of a heading with this title, given as written, with its markup."""
    text = _plain(title).lower()
    return "".join("-" if letter == " " else letter for letter in text if _stays(letter))


def _stays(letter: str) -> bool:
    # Letters, marks (of which an emoji may leave one), numbers, connecting punctuation.
    return letter in " -_" or letter.isalnum() or unicodedata.category(letter) in ("Mn", "Mc", "Me", "Pc")


def _plain(title: str) -> str:
    """Return a title's text without its markup."""
    if not _MARKUP.search(title) or len(title) > 1_000:  # as parsing takes time, and nobody links to that
        return title
    inline = _parser().parseInline(_REFERENCE.sub(r"\1", title))[0]
    return "".join(token.content for token in inline.children or () if token.type in ("text", "code_inline"))


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark")
