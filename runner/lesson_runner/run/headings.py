"""Name the steps below headings."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lesson_runner.document.anchors import name_of

_STEP = re.compile(r"step\s*#?(?P<number>\d+[a-z]?)\b", re.IGNORECASE)
_NUMBERED = re.compile(r"(?P<number>\d+(?:\.\d+)*)[.)]\s+\S")
_SETUP = re.compile(
    r"\bprerequisites?\b|\bset-?\s?up\b|\bbefore you begin\b|\binstall(?:ation|ing)\b", re.IGNORECASE
)
_COUNTED = re.compile(r"(?P<word>[a-z]+)\s+(?P<number>\d+)\s*(?:[^\w\s]|$)", re.IGNORECASE)


def is_under_step(headings: Sequence[str]) -> bool:
    """Return whether one of the headings starts a step: "Step 3: …", or "2. …" below "Prerequisites"."""
    titles = [_bare(title) for title in headings]
    return any(_STEP.match(title) for title in titles) or any(
        _NUMBERED.match(title) and _is_setup(titles[:index]) for index, title in enumerate(titles)
    )


def step_name(headings: Sequence[str]) -> str:
    """Return an ``id`` for a step below these headings."""
    if not headings:
        return "step"
    titles = [_bare(title) for title in headings]
    if step := _STEP.match(titles[-1]):
        return f"step-{step['number'].lower()}"
    if (numbered := _NUMBERED.match(titles[-1])) and _is_setup(titles[:-1]):
        return f"prerequisite-{numbered['number'].replace('.', '-')}"
    if counted := _COUNTED.match(titles[-1]):
        return f"{counted['word'].lower()}-{counted['number']}"
    return name_of(headings[-1])


def _is_setup(titles: Sequence[str]) -> bool:
    return any(_SETUP.search(title) for title in titles)


def _bare(title: str) -> str:
    """Return a heading without its markup, and without symbols and emoji before its first word."""
    return re.sub(r"^(?:\W|[^\x00-\x7f])+", "", re.sub(r"[*_`~]", "", title))
