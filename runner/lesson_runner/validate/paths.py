"""Find the documents that the arguments of ``lesson validate`` name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from lesson_runner.document.lessons import MARKDOWN
from lesson_runner.document.sidecar import SUFFIX
from lesson_runner.files.plain import real
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.catalog import find, lessons
from lesson_runner.plugins.manager import Plugins
from lesson_runner.validate.rules.targets import project_of
from lesson_runner.validate.settings import Settings

SKIPPED_FOLDERS = ("node_modules", "__pycache__", "site-packages")


def documents(names: Iterable[str], plugins: Plugins, settings: Settings) -> list[Path]:
    """
    Return the files for a list of ids, files and folders, each once; for an empty list, all plugins' lessons.

    Raises:
        LessonError: there is no such file or lesson, or a folder contains no lessons.
    """
    names = list(names)
    if not names:
        return [entry.path for entry in lessons(plugins)]
    paths: dict[Path, Path] = {}
    for name in names:
        if not name.strip():  # an unset variable, which Path would take for the current folder
            raise LessonError("an empty argument names no lesson", fix="name a file, a folder or an id")
        folder = Path(name)
        if not os.path.isdir(name):  # noqa: PTH112  # Path.is_dir() raises for a name that is too long
            path, _ = find(name, plugins)
            paths.setdefault(real(path), path)
            continue
        below = sorted(_below(folder))
        found = [path for path in below if not settings.excludes(path)]
        if not found and below:
            message = f"{folder}: all .md files in this folder are left out, by their names or by 'exclude'"
            raise LessonError(message, fix="name the files themselves, or change 'exclude' in the settings")
        if not found:
            links = any(path.is_symlink() for path in folder.rglob("*.md"))
            note = "; links that leave the project are not followed" if links else ""
            message = f"{folder}: there is no lesson (.md file) in this folder{note}"
            raise LessonError(message, fix="name another folder")
        for path in sorted([*found, *_sidecars_alone(folder, settings)]):
            paths.setdefault(real(path), path)
    return list(paths.values())


def _sidecars_alone(folder: Path, settings: Settings) -> Iterator[Path]:
    """Yield the sidecars in a folder and its subfolders that are beside no lesson."""
    for path in _below(folder, f"*{SUFFIX}"):
        lessons = [path.with_name(path.name.removesuffix(SUFFIX) + end) for end in MARKDOWN]
        if not any(lesson.exists() for lesson in lessons) and not settings.excludes(path):
            yield path


def _below(folder: Path, pattern: str = "*.md") -> Iterator[Path]:
    """
    Yield the Markdown files in a folder and its subfolders, or those of another pattern.

    Hidden folders are left out. So are links that lead out of the project, because diagnostics show parts of
    a document.
    """
    project = project_of(folder)
    for path in folder.rglob(pattern):
        inside = path.relative_to(folder).parts[:-1]
        if any(part.startswith(".") or part in SKIPPED_FOLDERS for part in inside):
            continue
        if not path.is_symlink() or real(path).is_relative_to(project):
            yield path
