"""Ids of lessons: which are valid, and which one a document without frontmatter has."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from pathlib import Path
from typing import TypeGuard

_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST = 80
"""Characters of an id that is made of a name, because run folders contain it."""


def is_lesson_id(value: object) -> TypeGuard[str]:
    """Return whether a value is a valid id of a lesson: ``words-with-hyphens``."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def name_of_file(path: Path) -> str:
    """Return the name of a lesson's file without its ending; for a README, the name of its folder."""
    if path.stem.lower() == "readme":
        return os.path.basename(os.path.dirname(os.path.abspath(path))) or path.stem  # noqa: PTH100, PTH119, PTH120
    return path.stem


def id_of_file(path: Path) -> str:
    """
    Return the id of a lesson that declares none: :func:`name_of_file` in ``words-with-hyphens``.

    If letters of the name cannot be kept, or it is too long, the id ends with eight hexadecimal digits of the
    name's sha256, so that different names have different ids.
    """
    name = unicodedata.normalize("NFKC", name_of_file(path))
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", name) if not unicodedata.combining(sign))
    made = "-".join(re.findall("[a-z0-9]+", plain.lower()))
    lost = any(sign.isalnum() and not sign.isascii() for sign in plain)
    if made and not lost and len(made) <= _LONGEST:
        return made
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return "-".join(filter(None, (made[: _LONGEST - 9].strip("-"), digest))) if made else f"lesson-{digest}"
