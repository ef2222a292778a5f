"""What helps with an error: the name that was meant by one that does not exist, and how to mend a machine."""

from __future__ import annotations

import difflib
import errno
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


_CURES = {
    errno.ENOSPC: "make room on the disk",
    errno.EDQUOT: "your share of the disk is used up: make room",
    errno.EFBIG: "files may not be that large here: see 'ulimit -f'",
    errno.EROFS: "nothing can be written there: name another folder",
    errno.EIO: "the disk does not answer as it should: the system's log says more",
    errno.ENOMEM: "this machine has too little memory for it: end other programs, or ask for less",
}


def cure(error: BaseException) -> str | None:
    """Return what to do about an error that comes from the machine, and not from what it was asked to do."""
    if isinstance(error, MemoryError):
        return _CURES[errno.ENOMEM]
    return _CURES.get(error.errno or 0) if isinstance(error, OSError) else None


def with_cure(message: str, error: BaseException) -> str:
    """Return a message with what to do about the error, if that is known."""
    found = cure(error)
    return f"{message} ({found})" if found else message
