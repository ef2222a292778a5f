"""Find the extension's source, or the extension itself, on this machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from lesson_runner.files.plain import read_plain, real
from lesson_runner.files.untrusted import parse_json
from lesson_runner.model.errors import UnmetNeedError

NAME = "tt-vscode-toolkit"
VARIABLE = "TT_VSCODE_TOOLKIT"
"""The environment variable that names a folder with the extension's source."""
PLACES = ("content/templates", "dist/content/templates")
"""Where the templates are: in the source, and in the installed extension."""
INSTALLED = (".vscode/extensions", ".vscode-server/extensions")
_MOST = 4 * 1024 * 1024
"""Bytes of a ``package.json`` that are read."""


def find_templates(lesson: Path, given: Path | None = None) -> Path:
    """
    Return the folder of the extension's templates.

    They are those of ``given``, or else of the folder that :data:`VARIABLE` names; without both, those of the
    source around the lesson, or of the extension that this user's VS Code has.

    Raises:
        UnmetNeedError: there is none.
    """
    named = given or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
    for folder in [named] if named else _candidates(lesson):
        if templates := templates_of(folder):
            return templates
    where = f"{named} is not one" if named else "none is around the lesson"
    raise UnmetNeedError(
        f"it needs the source of {NAME}, and {where}: clone https://github.com/tenstorrent/{NAME},"
        f" and set {VARIABLE} to its folder"
    )


def templates_of(folder: Path) -> Path | None:
    """Return the folder of templates in the extension's folder; ``None`` if it is another folder."""
    try:
        data = parse_json(read_plain(folder / "package.json", _MOST))
    except (OSError, ValueError):
        return None
    if not isinstance(data, dict) or data.get("name") != NAME:
        return None
    return next((real(folder / place) for place in PLACES if (folder / place).is_dir()), None)


def _candidates(lesson: Path) -> Iterator[Path]:
    yield from real(lesson).parents
    with suppress(OSError, RuntimeError):  # no home folder
        for place in INSTALLED:
            yield from sorted((Path.home() / place).glob(f"tenstorrent.{NAME}-*"), reverse=True)
