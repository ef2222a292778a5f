"""What an author starts from: a lesson, or a plugin in a distribution of its own, made from templates."""

from __future__ import annotations

import importlib.util
import keyword
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from string import Template

from lesson_runner.document.schema.validator import load_schema
from lesson_runner.files.plain import write_atomically
from lesson_runner.model.errors import LessonError

TEMPLATES = Path(__file__).parent / "templates"
SUFFIX = ".tmpl"
"""What templates end with, so that no tool takes them for what they become."""


def new_lesson(lesson_id: str, folder: Path) -> Path:
    """
    Write ``folder/<id>.md``, a lesson that validates and runs, and return its path.

    Raises:
        LessonError: it is no id, the file is there already, or it cannot be written.
    """
    _check_id(lesson_id)
    path = folder / f"{lesson_id}.md"
    text = _fill(TEMPLATES / "lesson" / f"lesson.md{SUFFIX}", _lesson_words(lesson_id))
    with _files_wanted(path):
        write_atomically(path, text)
    return path


def new_plugin(name: str, folder: Path) -> list[Path]:
    """
    Make ``folder/<name>``, a distribution with an action, a lesson and tests, and return its files.

    Raises:
        LessonError: it is no name for one, the folder is there already, or it cannot be written.
    """
    name = _distribution(name)
    package = name.replace("-", "_")
    _check_package(package)
    words = {**_lesson_words(name), "name": name, "package": package}
    named = {"package": package, "gitignore": ".gitignore", "test_plugin.py": f"test_{package}.py"}
    named["lesson.md"] = f"{name}.md"
    target = folder / name
    with _files_wanted(target):
        folder.mkdir(parents=True, exist_ok=True)
        # Made aside, then renamed: a failure leaves nothing behind.
        with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=folder) as aside:
            made = Path(aside, name)
            _copy(TEMPLATES / "plugin", made, words, named)
            made.rename(target)
    return sorted(path for path in target.rglob("*") if path.is_file())


def _copy(template: Path, target: Path, words: Mapping[str, str], named: Mapping[str, str]) -> None:
    """Fill every template in a folder; ``named`` says what files and folders are called instead."""
    target.mkdir()
    for item in template.iterdir():
        if item.is_dir():
            _copy(item, target / named.get(item.name, item.name), words, named)
        elif item.name.endswith(SUFFIX):
            name = item.name.removesuffix(SUFFIX)
            (target / named.get(name, name)).write_text(_fill(item, words), "utf-8")


def _fill(template: Path, words: Mapping[str, str]) -> str:
    return Template(template.read_text("utf-8")).substitute(words)


def _lesson_words(lesson_id: str) -> dict[str, str]:
    heading = lesson_id.replace("-", " ").capitalize()
    return {
        "id": _yaml(lesson_id),
        "heading": heading,
        "title": _yaml(heading),
        "hardware": ", ".join(load_schema("lesson")["$defs"]["hardware"]["enum"]),
    }


def _yaml(text: str) -> str:
    """Return text for a YAML file: ``no``, ``1e5`` and ``2024-01-01`` would be read as something else."""
    plain = text[0].isalpha() and text.lower() not in (
        "null",
        "true",
        "false",
        "yes",
        "no",
        "on",
        "off",
        "y",
        "n",
    )
    return text if plain else f'"{text}"'


@contextmanager
def _files_wanted(target: Path) -> Iterator[None]:
    """
    Refuse to write over anything, and turn what the file system says into an error with its cure.

    Raises:
        LessonError: the target is there already, or cannot be written.
    """
    try:
        if os.path.lexists(target):
            raise LessonError(
                f"{target}: is there already, and nothing is written over",
                fix="choose another name, or another --folder",
            )
        yield
    except OSError as error:
        raise LessonError(
            f"{target}: cannot be written: {error.strerror or error}", fix="choose another --folder"
        ) from None


def _check_id(lesson_id: str) -> None:
    pattern = load_schema("lesson")["properties"]["id"]["pattern"]
    if not re.fullmatch(pattern, lesson_id):
        raise LessonError(
            f"{lesson_id!r} is not an id: expected lower-case letters and digits, words joined by hyphens",
            fix=_hint(lesson_id.removesuffix(".md")),
        )


def _distribution(name: str) -> str:
    """Return a distribution's name as indexes write it: lower case, with hyphens."""
    from packaging.utils import InvalidName, canonicalize_name

    try:
        return str(canonicalize_name(name, validate=True))
    except InvalidName:
        raise LessonError(
            f"{name!r} is not a distribution's name: expected letters and digits, words joined by - or _",
            fix=_hint(name),
        ) from None


def _check_package(package: str) -> None:
    """Refuse a name that Python cannot import, or that means something else already."""
    problem = ""
    if not package.isidentifier():
        problem = f"the package would be called '{package}', which Python cannot import"
    elif keyword.iskeyword(package):
        problem = f"'{package}' is a word of the Python language"
    elif package in sys.stdlib_module_names or package in ("lesson_runner", "test", "tests"):
        problem = f"there is a module '{package}' already"
    elif taken := [point.value for point in entry_points(group="lesson_runner", name=package)]:
        problem = f"a plugin '{package}' is installed already: {', '.join(taken)}"
    elif (spec := importlib.util.find_spec(package)) and spec.origin:  # more than a folder of that name
        problem = f"a package '{package}' is installed already, and one would hide the other"
    if problem:
        raise LessonError(problem, fix=f"choose another name, such as 'my-{package.replace('_', '-')}'")


def _hint(name: str) -> str:
    words = "-".join(re.findall(r"[a-z0-9]+", name.lower()))
    return f"did you mean '{words}'?" if words else "such as 'my-first-lesson'"
