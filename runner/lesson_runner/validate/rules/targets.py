"""Targets of links: schemes, files, and places in files."""

from __future__ import annotations

import difflib
import os
import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path, PurePath
from urllib.parse import unquote

from lesson_runner.execute.inputs import is_broad_folder
from lesson_runner.files.plain import real

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=:)")
_MAX_SUGGESTIONS = 20
_MAX_COMPARED = 500
"""Upper limit for the names that an unknown name is compared with, because that is slow."""
_MAX_ENTRIES = 20_000
"""Upper limit for a folder that is listed; in a larger one, each name is looked up."""


def scheme_of(target: str) -> str:
    """Return the scheme of a link, such as ``https``, in lower case; empty for a link to a file."""
    # Browsers drop control characters at any position.
    match = _SCHEME.match(re.sub(r"[\x00-\x20\x7f]", "", target))
    return match[0].lower() if match else ""


def split(target: str) -> tuple[str, str]:
    """Return a link's path, decoded and without its query, and its fragment, decoded."""
    path, _, fragment = target.strip().partition("#")
    return unquote(path.partition("?")[0]), unquote(fragment)


class Nearest:
    """Suggests known names for unknown ones, up to a limit."""

    def __init__(self) -> None:
        self._left = _MAX_SUGGESTIONS

    def name(self, name: str, known: Iterable[str]) -> str | None:
        """Return the closest known name, if one is close."""
        if not self._left:
            return None
        self._left -= 1
        names = sorted(known)
        if len(names) > _MAX_COMPARED:
            names = [item for item in names if item[:1].casefold() == name[:1].casefold()][:_MAX_COMPARED]
        same = [item for item in names if item.casefold() == name.casefold()]
        return next(iter(same or difflib.get_close_matches(name, names, n=1, cutoff=0.7)), None)

    def file(self, name: str, known: Iterable[str]) -> str | None:
        """Return the closest known file, if one is close without counting the ending."""
        near = self.name(name, known)
        stem, other = (PurePath(item or "").stem.casefold() for item in (name, near))
        return near if near and difflib.SequenceMatcher(None, stem, other).ratio() > 0.6 else None


def project_of(folder: Path) -> Path:
    """
    Return the folder within which the links of a document are checked.

    That is the nearest repository around the document's folder, or else the folder above it, unless that is a
    folder with other things than lessons, such as a home folder.
    """
    return _project_of(real(folder))


@lru_cache(maxsize=64)
def _project_of(own: Path) -> Path:
    top = next((place for place in (own, *own.parents) if _is_there(str(place), ".git", None)), own.parent)
    return own if is_broad_folder(top) else top


class Folders:
    """
    A cache of the names in folders; upper and lower case matter on every system.

    Args:
        top: nothing outside this folder is read, so that diagnostics reveal nothing about it.
    """

    def __init__(self, top: Path) -> None:
        self._top = top
        self._names: dict[str, frozenset[str] | None] = {}
        self._known: dict[str, bool] = {}

    def missing(self, folder: str, path: str) -> tuple[str, str, frozenset[str]] | None:
        """
        Return the first part of ``path`` that does not exist; ``None`` if all exist, or it leads outside.

        Returns:
            The folder that lacks it, relative to ``folder``; the name; and the names in that folder.
        """
        walked: list[str] = []
        for part in path.split("/"):
            if part in ("", "."):
                continue
            here = os.path.join(folder, *walked)  # noqa: PTH118  # a Path would lose the dots of "../x"
            if not self._inside(here):
                return None
            if part != ".." and not _is_there(here, part, self._listed(here)):
                return "/".join(walked), part, self._listed(here) or frozenset()
            walked.append(part)
        return None

    def _inside(self, folder: str) -> bool:
        if folder not in self._known:
            self._known[folder] = real(Path(folder)).is_relative_to(self._top)
        return self._known[folder]

    def _listed(self, folder: str) -> frozenset[str] | None:
        if folder not in self._names:
            self._names[folder] = _list(folder or ".")
        return self._names[folder]


def _list(folder: str) -> frozenset[str] | None:
    """Return the names in a folder; ``None`` if it cannot be listed or is too large."""
    names: set[str] = set()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if len(names) >= _MAX_ENTRIES:
                    return None
                names.add(unicodedata.normalize("NFC", entry.name))
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
    except (OSError, ValueError):
        return None
    return frozenset(names)


def _is_there(folder: str, name: str, names: frozenset[str] | None) -> bool:
    if names is not None:
        return unicodedata.normalize("NFC", name) in names
    try:
        return os.path.lexists(os.path.join(folder, name))  # noqa: PTH118
    except ValueError:  # the name has a NUL in it
        return False
