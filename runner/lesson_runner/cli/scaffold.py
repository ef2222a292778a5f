"""Create a lesson, or a plugin as a distribution, from templates."""

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
"""Suffix of the templates, so that no tool treats them as Python, Markdown or TOML."""


def new_lesson(lesson_id: str, folder: Path) -> Path:
    """
    Create ``folder/<id>.md``, a lesson that validates and runs, and return its path.

    Raises:
        LessonError: the id is not valid, or the file exists or cannot be written.
    """
    _check_id(lesson_id)
    path = folder / f"{lesson_id}.md"
    text = _render(TEMPLATES / "lesson" / f"lesson.md{SUFFIX}", _lesson_values(lesson_id))
    with _creating(path):
        write_atomically(path, text)
    return path


def new_plugin(name: str, folder: Path) -> list[Path]:
    """
    Create ``folder/<name>``, a distribution with an action, a lesson and tests, and return its files.

    Raises:
        LessonError: the name is not valid, or the folder exists or cannot be written.
    """
    name = _distribution_name(name)
    package = name.replace("-", "_")
    _check_package(package)
    values = {**_lesson_values(name), "name": name, "package": package}
    renames = {"package": package, "gitignore": ".gitignore", "test_plugin.py": f"test_{package}.py"}
    renames["lesson.md"] = f"{name}.md"
    target = folder / name
    with _creating(target):
        folder.mkdir(parents=True, exist_ok=True)
        # Create it in a temporary folder and rename that, so that a failure leaves nothing behind.
        with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=folder) as temporary:
            made = Path(temporary, name)
            _copy(TEMPLATES / "plugin", made, values, renames)
            made.rename(target)
    return sorted(path for path in target.rglob("*") if path.is_file())


def _copy(template: Path, target: Path, values: Mapping[str, str], renames: Mapping[str, str]) -> None:
    """Render every template in a folder; ``renames`` maps files and folders to their new names."""
    target.mkdir()
    for item in template.iterdir():
        if item.is_dir():
            _copy(item, target / renames.get(item.name, item.name), values, renames)
        elif item.name.endswith(SUFFIX):
            name = item.name.removesuffix(SUFFIX)
            (target / renames.get(name, name)).write_text(_render(item, values), "utf-8")


def _render(template: Path, values: Mapping[str, str]) -> str:
    return Template(template.read_text("utf-8")).substitute(values)


def _lesson_values(lesson_id: str) -> dict[str, str]:
    heading = lesson_id.replace("-", " ").capitalize()
    return {
        "id": _yaml(lesson_id),
        "heading": heading,
        "title": _yaml(heading),
        "hardware": ", ".join(load_schema("lesson")["$defs"]["hardware"]["enum"]),
    }


def _yaml(text: str) -> str:
    """Return text for a YAML file, quoted if YAML reads something else: ``no``, ``1e5``, ``2024-01-01``."""
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
def _creating(target: Path) -> Iterator[None]:
    """
    Refuse to overwrite the target, and turn errors of the file system into errors with a fix.

    Raises:
        LessonError: the target exists or cannot be written.
    """
    try:
        if os.path.lexists(target):
            raise LessonError(
                f"{target}: already exists, and is not overwritten",
                fix="choose another name or another --folder",
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
            f"{lesson_id!r} is not an id: expected words of lower-case letters and digits, joined by hyphens",
            fix=_hint(lesson_id.removesuffix(".md")),
        )


def _distribution_name(name: str) -> str:
    """Return a distribution's name as package indexes write it: lower case, with hyphens."""
    from packaging.utils import InvalidName, canonicalize_name

    try:
        return str(canonicalize_name(name, validate=True))
    except InvalidName:
        raise LessonError(
            f"{name!r} is not a distribution name: expected words of letters and digits, joined by - or _",
            fix=_hint(name),
        ) from None


def _check_package(package: str) -> None:
    """Refuse a name that Python cannot import, or that is already taken."""
    problem = ""
    if not package.isidentifier():
        problem = f"the package would be called '{package}', which Python cannot import"
    elif keyword.iskeyword(package):
        problem = f"'{package}' is a keyword of Python"
    elif package in sys.stdlib_module_names or package in ("lesson_runner", "test", "tests"):
        problem = f"a module '{package}' already exists"
    elif taken := [point.value for point in entry_points(group="lesson_runner", name=package)]:
        problem = f"a plugin '{package}' is already installed: {', '.join(taken)}"
    elif (spec := importlib.util.find_spec(package)) and spec.origin:  # not just a folder of that name
        problem = f"a package '{package}' is already installed, and one would hide the other"
    if problem:
        raise LessonError(problem, fix=f"choose another name, such as 'my-{package.replace('_', '-')}'")


def _hint(name: str) -> str:
    words = "-".join(re.findall(r"[a-z0-9]+", name.lower()))
    return f"did you mean '{words}'?" if words else "choose a name such as 'my-first-lesson'"
