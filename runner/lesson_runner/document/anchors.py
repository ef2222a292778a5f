"""The anchors of a document's headings, as GitHub generates them."""

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
    Return the names that links can use after ``#``: of equal headings the second gets ``-1``, and so on.

    Explicit names (``## Setup {#setup}``), which some renderers support, are included.
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
    return "".join("-" if letter == " " else letter for letter in text if _is_kept(letter))


def name_of(title: str, longest: int = 32) -> str:
    """Return ``words-with-hyphens``, in ASCII, from the begin of a title; ``part`` if it has no words."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", re.sub(r"[*_`'\u2019]", "", plain))
    name = ""
    for word in words:
        longer = f"{name}-{word}" if name else word[:longest]
        if len(longer) > longest:
            break
        name = longer
    return name or "part"


def _is_kept(letter: str) -> bool:
    # Letters, marks (such as those of emoji), numbers, connecting punctuation.
    return letter in " -_" or letter.isalnum() or unicodedata.category(letter) in ("Mn", "Mc", "Me", "Pc")


def _plain(title: str) -> str:
    """Return a title's text without its markup."""
    if not _MARKUP.search(title) or len(title) > 1_000:  # nobody links to such a long heading
        return title
    inline = _parser().parseInline(_REFERENCE.sub(r"\1", title))[0]
    return "".join(token.content for token in inline.children or () if token.type in ("text", "code_inline"))


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark")
