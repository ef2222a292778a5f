"""Hints for errors: the known name closest to a wrong one, and how to fix errors of the machine."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable

MAX_NAMES = 50
"""A hint lists at most this many names."""


def spelt_alike(name: str, known: Iterable[str]) -> list[str]:
    """Return the known names that differ from ``name`` only in case, hyphens or underscores."""

    def plain(text: str) -> str:
        return text.lower().replace("-", "").replace("_", "")

    return [item for item in known if plain(item) == plain(name)]


def closest(name: str, known: Iterable[str]) -> str | None:
    """Return the known name closest to ``name``, if one is close."""
    names = list(known)
    # 'N150' is as similar to 'p150' as to 'n150'; a name that differs only in case is better.
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


def suggest_names(name: str, known: Iterable[str]) -> str:
    """Return a hint: the known name closest to ``name``, or else the first :data:`MAX_NAMES` of all."""
    names = sorted(known)
    shown = names if len(names) <= MAX_NAMES else [*names[:MAX_NAMES], "…"]
    return did_you_mean(name, names) or f"one of: {', '.join(shown)}"


_FIXES = {
    errno.ENOSPC: "make room on the disk",
    errno.EDQUOT: "your disk quota is used up: make room",
    errno.EFBIG: "the file would be larger than this system allows: see 'ulimit -f'",
    errno.EROFS: "the file system is read-only: name another folder",
    errno.EIO: "the disk reported an error: see the system's log",
    errno.ENOMEM: "this machine has too little memory: close other programs, or use smaller settings",
}


def fix_for(error: BaseException) -> str | None:
    """Return how to fix an error that the machine caused, such as a full disk; ``None`` for others."""
    if isinstance(error, MemoryError):
        return _FIXES[errno.ENOMEM]
    return _FIXES.get(error.errno or 0) if isinstance(error, OSError) else None


def with_fix(message: str, error: BaseException) -> str:
    """Return a message, with how to fix the error appended if that is known."""
    found = fix_for(error)
    return f"{message} ({found})" if found else message
