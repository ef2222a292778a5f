"""What a page shows folded or in tabs: HTML, and the marks of the usual generators of pages."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARK = re.compile(
    r"(?P<unfold></details>|\{%-?\s*enddetails\b)"
    r"|(?P<untab></(?:TabItem|Tab|Tabs)>|\{%-?\s*endtab|\{\{[<%]\s*/tab\s*[>%]\}\})"
    r"|^(?P<end>:::)\s*$"
    r"|(?P<shown><details\b[^<>]{0,100}\sopen\b[^<>]{0,100}>\s{0,20}<summary\b)"
    r"|<summary[^<>]{0,200}>(?P<fold>.{0,200}?)</summary>"
    r"|^:::\s*details\s+(?P<details>[^\n]{1,80})"
    r"|(?:<(?:TabItem|Tab)\b|\{%-?\s*tab\b|\{\{<\s*tab\b)[^<>%]{0,200}?"
    r"\b(?:label|title|(?:tab)?name|value)=[\"'](?P<tab>[^\"']{1,80})"
    r"|^===[+!]?\s+\"(?P<content>[^\"\n]{1,80})\"",
    re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
_TAG = re.compile(r"<[^<>]{0,200}>")


@dataclass(frozen=True, slots=True)
class Open:
    """The titles of the fold and of the tab that are open at a place of a document."""

    fold: str = ""
    tab: str = ""

    def after(self, text: str) -> Open:
        """Return what is open after a part of the document: an HTML block, or the text of a paragraph."""
        found = self
        if "<" in text or ":::" in text or "===" in text or "{%" in text:
            for mark in _MARK.finditer(text):
                if mark["shown"]:
                    continue
                if mark["unfold"] or mark["end"]:
                    found = Open("", found.tab)
                elif mark["untab"]:
                    found = Open(found.fold)
                elif tab := mark["tab"] or mark["content"]:
                    found = Open(found.fold, tab.strip())
                else:
                    title = " ".join(_TAG.sub("", mark["fold"] or mark["details"] or "").split())
                    found = Open(title or "details", found.tab)
        return found
