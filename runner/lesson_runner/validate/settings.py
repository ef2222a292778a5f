"""Settings for ``lesson validate``: the command line, ``lesson.toml``, ``pyproject.toml``."""

from __future__ import annotations

import fnmatch
import re
import sys
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any

from lesson_runner.document.schema.validator import KeyPath, check, load_schema, place_of
from lesson_runner.document.sidecar import find_sidecar
from lesson_runner.files.plain import read_text, real
from lesson_runner.model import Diagnostic, Location, Severity
from lesson_runner.model.errors import InvalidLessonError, LessonError
from lesson_runner.model.hints import did_you_mean

MAX_SETTINGS_BYTES = 1_000_000
NAMES = ("lesson.toml", "pyproject.toml")
_HEADER = re.compile(r"\s*\[(?P<name>[^\[\]]+)\]")
_KEY = re.compile(r"\s*[\"']?(?P<name>[^\s\"'=#]+)[\"']?\s*=")
NOT_LESSONS = (
    "README.md",
    "CHANGELOG.md",
    "CODE_OF_CONDUCT.md",
    "CONTRIBUTING.md",
    "LICENSE.md",
    "SECURITY.md",
)
"""Common names of documents that are not lessons; left out when a folder is searched."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Which rules are applied to which documents."""

    folder: Path = field(default_factory=Path.cwd)
    """The folder that paths in the settings are relative to."""
    select: tuple[str, ...] = ()
    """Patterns of rule ids; empty means all rules."""
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    severity: Mapping[str, Severity] = field(default_factory=dict)
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    overlay: Path | None = None
    """The folder with sidecars, from the command line; ``None``: sidecars are beside their lessons."""

    def wants(self, rule: str, path: Path) -> bool:
        """Return whether ``rule`` is applied to the document ``path``."""
        if self.select and not _among(rule, self.select):
            return False
        ignored = [*self.ignore]
        for pattern, rules in self.per_file_ignores.items():
            ignored += rules if self._names(pattern, path) else ()
        return not _among(rule, ignored)

    def excludes(self, path: Path) -> bool:
        """Return whether a file found in a folder is left out."""
        conventional = path.name.upper() in {name.upper() for name in NOT_LESSONS}
        if conventional and find_sidecar(path, self.overlay):  # somebody says that it is a lesson
            conventional = False
        return conventional or any(self._names(pattern, path) for pattern in self.exclude)

    def _names(self, pattern: str, path: Path) -> bool:
        if fnmatch.fnmatch(path.name, pattern):
            return True
        try:
            inside = PurePath(real(path)).relative_to(real(self.folder)).as_posix()
        except ValueError:
            return False
        return fnmatch.fnmatch(inside, pattern) or fnmatch.fnmatch(inside, f"{pattern.rstrip('/')}/*")


def _among(rule: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(rule, pattern) for pattern in patterns)


def find_settings(file: Path | None, known: Collection[str]) -> Settings:
    """
    Return the settings in ``file``, or else in the nearest settings file in this folder or above it.

    Args:
        known: the ids of all rules.

    Raises:
        LessonError: the file does not exist or is not TOML; or a file that was found is a link elsewhere.
        InvalidLessonError: the settings have errors.
    """
    if file is not None:
        return _read(file, known) or Settings(file.parent)
    here = Path.cwd()
    for folder in (here, *here.parents):
        for name in NAMES:
            file = folder / name
            if not file.is_file():
                continue
            if real(file).parent != real(folder):  # messages show parts of it, which may be secret
                raise LessonError(
                    f"{file} is a link to {real(file)}", fix=f"if you want that: --config {file}"
                )
            if settings := _read(file, known):
                return settings
    return Settings(here)


def with_options(
    settings: Settings, select: Iterable[str], ignore: Iterable[str], known: Collection[str]
) -> Settings:
    """
    Return the settings with the options of the command line: ``--select`` replaces, ``--ignore`` adds.

    Raises:
        LessonError: there is no such rule.
    """
    chosen, left_out = _split(select), _split(ignore)
    for flag, patterns in (("--select", chosen), ("--ignore", left_out)):
        for pattern in patterns:
            if problem := _hint_if_unknown(pattern, known):
                raise LessonError(f"{flag} {pattern}: there is no such rule", fix=problem)
    return replace(settings, select=chosen or settings.select, ignore=(*settings.ignore, *left_out))


def _split(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip())


def _hint_if_unknown(pattern: str, known: Collection[str]) -> str | None:
    """Return a hint for a pattern that matches no rule; ``None`` if it matches one."""
    if any(fnmatch.fnmatchcase(rule, pattern) for rule in known):
        return None
    return did_you_mean(pattern, sorted(known)) or "see 'lesson explain' for all rules"


def _read(file: Path, known: Collection[str]) -> Settings | None:
    data = _table(file)
    if data is None:
        return None
    places = _places(file)
    problems = list(check(data, load_schema("settings"), places, what=_where(file)))
    if not problems:
        problems = [
            Diagnostic(
                "unknown-rule",
                "error",
                f"{_where(file)}: {'.'.join(path)}: no rule '{rule}'",
                place_of(places, (*path, rule)),
                fix,
            )
            for path, rule in _rules_named(data)
            if (fix := _hint_if_unknown(rule, known))
        ]
    if problems:
        raise InvalidLessonError(problems, "the settings do not validate")
    return Settings(
        real(file).parent,
        tuple(data.get("select", ())),
        tuple(data.get("ignore", ())),
        tuple(data.get("exclude", ())),
        data.get("severity", {}),
        {pattern: tuple(rules) for pattern, rules in data.get("per-file-ignores", {}).items()},
    )


def _where(file: Path) -> str:
    return "tool.lesson" if file.name == "pyproject.toml" else "settings"


def _places(file: Path) -> dict[KeyPath, Location]:
    """Return the places of keys in a TOML file that begin a line; the TOML parser does not report places."""
    places: dict[KeyPath, Location] = {(): Location(file, 1)}
    table: KeyPath = ()
    for number, line in enumerate(_text(file).split("\n"), 1):
        if header := _HEADER.match(line):
            name = header["name"].strip()
            table = () if name == "tool.lesson" else tuple(name.removeprefix("tool.lesson.").split("."))
            places.setdefault(table, Location(file, number, header.start("name") + 1))
        elif key := _KEY.match(line):
            places.setdefault((*table, key["name"]), Location(file, number, key.start("name") + 1))
    return places


def _text(file: Path) -> str:
    return read_text(file, MAX_SETTINGS_BYTES).replace("\r\n", "\n").replace("\r", "\n")


def _table(file: Path) -> dict[str, Any] | None:
    """Return the settings in a TOML file; ``None`` for a ``pyproject.toml`` without settings."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        data = tomllib.loads(_text(file))
    except FileNotFoundError:
        raise LessonError(f"--config {file}: no such file") from None
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise LessonError(f"{file}: cannot be read: {error}") from None
    except ValueError as error:  # TOMLDecodeError, or a number of 5,000 digits
        raise LessonError(
            f"{file}: not valid TOML: {error}", fix="fix it, or name another file: --config"
        ) from None
    if file.name != "pyproject.toml":
        return data
    table = data.get("tool", {}).get("lesson") if isinstance(data.get("tool"), dict) else None
    if table is not None and not isinstance(table, dict):
        raise LessonError(f"{file}: tool.lesson is not a table", fix="begin it with [tool.lesson]")
    return table


def _rules_named(data: Mapping[str, Any]) -> Iterable[tuple[tuple[str, ...], str]]:
    for name in ("select", "ignore"):
        yield from (((name,), rule) for rule in data.get(name, ()))
    yield from ((("severity",), rule) for rule in data.get("severity", {}))
    for pattern, rules in data.get("per-file-ignores", {}).items():
        yield from ((("per-file-ignores", pattern), rule) for rule in rules)
