"""Which of several ways a block belongs to: an option, a tab, a platform, a package manager."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

OPTION = re.compile(
    r"^\W*(?:option|method|alternative|variant|choice|way)\s*#?"
    r"(?P<mark>[a-z]|\d+|one|two|three|four|i{1,3}|iv)\b",
    re.IGNORECASE,
)
"""A heading or a sentence that names one of several ways."""
FIRST = frozenset({"a", "1", "one", "i"})
_ALTERNATIVE = re.compile(
    r"^\W*(?:(?:alternativ(?:e|es|ely)|or|other (?:ways|options|methods)|without|non-\w+"
    r"|manual(?:ly)?|instead"
    r"|(?:you )?do(?:n't| not) have)\b|no [\w ]{2,30}\?)"
    r"|\bif you (?:already (?:have|use)|prefer|would rather)\b",
    re.IGNORECASE,
)
_FAMILIES = {
    "system": r"linux|ubuntu|debian|fedora|red ?hat|rhel|centos|arch(?: linux)?|alpine|opensuse|nixos|nix"
    r"|mac ?os(?: x)?|macs?|windows|wsl2?|freebsd|raspberry pi|homebrew|brew|apt|dnf|yum|pacman|winget|scoop"
    r"|chocolatey|snap",
    "manager": r"npm|yarn|pnpm|bun|pip3?|pipx|uv|poetry|pdm|conda|mamba|micromamba|docker(?: compose)?|podman"
    r"|source|(?:pre-?built )?binar(?:y|ies)|cargo|go install|gem|composer",
    "shell": r"bash|zsh|fish|powershell|cmd|command prompt|git bash",
}
_FAMILY = {
    name: re.compile(
        rf"^\W*(?:if you(?:'re| are)? (?:use|using|on)|on|for|using|with|via|from|install(?:ing)?"
        rf" (?:on|with|via|from|using))?\s*(?:{words})\b",
        re.I,
    )
    for name, words in _FAMILIES.items()
}
_LONGEST = 60
"""Characters of a sentence that can name a platform."""


@dataclass(frozen=True, slots=True)
class Way:
    """One of several ways."""

    scope: tuple[str, ...]
    """What the other ways have in common: headings, and how they are told apart."""
    label: str
    """The name of this one, as the lesson writes it."""


def way_of(headings: Sequence[str], sections: Sequence[str], tab: str, lead: str) -> Way | None:
    """
    Return which of several ways a block belongs to; ``None`` if no heading, tab or sentence says so.

    Args:
        headings: the headings above the block, outermost first.
        sections: the same as plain text, without the title of the document.
        tab: the title of its tab; empty if it is in none.
        lead: the paragraph directly above it, as plain text.
    """
    numbered = list(enumerate(sections, len(headings) - len(sections)))
    for depth, title in numbered:
        if OPTION.match(title):
            return Way((*headings[:depth], "option"), title)
    if tab:
        return Way((*headings, "tab"), tab)
    if len(lead) <= _LONGEST and (family := _family(lead)):
        return Way((*headings, family), lead.rstrip(":"))
    for depth, title in reversed(numbered):
        if len(title) <= _LONGEST and (family := _family(title)):
            return Way((*headings[:depth], family), title)
    return None


def alternative_title(headings: Sequence[str]) -> str:
    """Return the outermost heading such as "Alternative: …" or "Without Docker"; empty if there is none."""
    return next((title for title in headings if _ALTERNATIVE.search(title)), "")


def _family(title: str) -> str:
    return next((name for name, words in _FAMILY.items() if words.match(title)), "")
