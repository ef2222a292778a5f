"""Find lessons by id: those that plugins provide, and files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lesson_runner.document.frontmatter import read_frontmatter, split
from lesson_runner.document.lessons import MARKDOWN
from lesson_runner.document.yaml_text import MAX_BYTES
from lesson_runner.files.plain import open_plain, real
from lesson_runner.model import Json
from lesson_runner.model.errors import LessonError
from lesson_runner.model.hints import did_you_mean
from lesson_runner.plugins.manager import Plugins

MAX_HEAD = MAX_BYTES + 1024
"""Bytes; more frontmatter than this is refused."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A lesson of a plugin."""

    id: str
    path: Path
    origin: str
    """The name of the plugin."""
    frontmatter: Json

    @property
    def title(self) -> str:
        """The lesson's title, or its id."""
        return str(self.frontmatter.get("title", self.id))


def lessons(plugins: Plugins) -> list[Entry]:
    """Return the lessons of all plugins, sorted by id; only their frontmatter is read."""
    entries = [entry for origin, folder in plugins.directories() for entry in _in_folder(folder, origin)]
    return sorted(entries, key=lambda entry: entry.id)


def _in_folder(folder: Path, origin: str) -> Iterator[Entry]:
    for path in sorted(folder.glob("*.md")) if folder.is_dir() else [folder]:
        data = read_head(path)
        if "id" in data:
            yield Entry(str(data["id"]), path, origin, data)


def read_head(path: Path) -> Json:
    """Return the frontmatter of a document without reading the rest; empty if it has none."""
    try:
        with open_plain(real(path)) as file:
            head = file.read(MAX_HEAD)
    except OSError:
        return {}
    text = head.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    data: Json = read_frontmatter(split(text, path), path).data
    return data


def find(name: str, plugins: Plugins) -> tuple[Path, bool]:
    """
    Return the path of a lesson, and whether it belongs to a plugin.

    Args:
        name: a lesson's id, or the path of a ``.md`` file.
        plugins: the plugins to search for ids.

    Raises:
        LessonError: there is no such lesson, or plugins have two with this id.
    """
    path = Path(name)
    try:
        exists, is_file = path.exists(), path.is_file()
    except OSError:  # the name is too long for a file
        exists = is_file = False
    if exists and not is_file and not any(entry.id == name for entry in lessons(plugins)):
        fix = f"name the .md file; all lessons in it: lesson survey {name}"
        raise LessonError(f"{path}: is a folder, not a lesson", fix=fix)
    if path.suffix.lower() in MARKDOWN or is_file:
        if not exists:
            raise LessonError(f"{path}: no such file")
        return path, any(real(path) == real(entry.path) for entry in lessons(plugins))
    entries = lessons(plugins)
    found = [entry for entry in entries if entry.id == name]
    if len(found) > 1:
        paths = " and ".join(str(entry.path) for entry in found)
        raise LessonError(
            f"two lessons have the id '{name}': {paths}", fix="name the one you mean by its path"
        )
    if not found:
        known = [entry.id for entry in entries]
        hint = did_you_mean(name, [f"{name}.md"] if _is_file(f"{name}.md") else known)
        hint = hint or "see 'lesson list', or give the path of a .md file"
        raise LessonError(f"there is no lesson '{name}'", fix=plugins.hint(hint, "lesson_directories"))
    return found[0].path, True


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # the name is too long for a file, or has a NUL in it
        return False
