"""What was meant by a name that does not exist: the known name that is nearest."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MOST_NAMES = 50
"""More names than this in a hint help nobody."""


def spelt_alike(name: str, known: Iterable[str]) -> list[str]:
    """Return the known names that differ from ``name`` in case, hyphens or underscores only."""

    def plain(text: str) -> str:
        return text.lower().replace("-", "").replace("_", "")

    return [item for item in known if plain(item) == plain(name)]


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name closest to ``name``, if one is close."""
    names = list(known)
    # 'N150' has as many letters of 'p150' as of 'n150': what differs only in case comes first.
    near = (
        spelt_alike(name, names)
        or difflib.get_close_matches(name, names, n=1)
        or [item for item in names if name and (item.startswith(name) or name.startswith(item))]
    )
    return near[0] if near else None


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Return a hint with the known name closest to ``name``, if one is close."""
    near = closest(name, known)
    return f"did you mean '{near}'?" if near else None


def meant_or_all(name: str, known: Iterable[str]) -> str:
    """Return a hint: the known name closest to ``name``, or all of them (of very many, the first)."""
    names = sorted(known)
    shown = names if len(names) <= MOST_NAMES else [*names[:MOST_NAMES], "…"]
    return did_you_mean(name, names) or f"one of: {', '.join(shown)}"
