"""The titles of what a page shows folded or in tabs: HTML, and the marks of the usual generators of pages."""

from __future__ import annotations

import re

_MARK = re.compile(
    r"(?P<close></(?:details|TabItem|Tab)>|\{%-?\s*end(?:tab|details)\b|^:::\s*$)"
    r"|<summary[^<>]{0,200}>(?P<summary>.{0,200}?)</summary>"
    r"|(?:<(?:TabItem|Tab)\b|\{%-?\s*tab\b)[^<>%]{0,200}?\b(?:label|title|name|value)=[\"'](?P<tab>[^\"']{1,80})[\"']"
    r"|^===[+!]?\s+\"(?P<content>[^\"\n]{1,80})\""
    r"|^:::\s*(?:details|tab)\s+(?P<container>[^\n]{1,80})",
    re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
_TAG = re.compile(r"<[^<>]{0,200}>")


def label_after(text: str, label: str) -> str:
    """
    Return the title of the fold or tab that is open after a part of a document; empty if none is.

    Args:
        text: an HTML block, or the text of a paragraph.
        label: the title of the one that was open before it.
    """
    if "<" not in text and ":::" not in text and "===" not in text and "{%" not in text:
        return label
    for found in _MARK.finditer(text):
        title = found["summary"] or found["tab"] or found["content"] or found["container"] or ""
        label = "" if found["close"] else " ".join(_TAG.sub("", title).split())
    return label
