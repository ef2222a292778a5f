"""Policies: the requirements that runs must meet before a certificate is signed. YAML, with a schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesson_runner.document.schema.validator import check, load_schema
from lesson_runner.document.yaml_text import MAX_BYTES, Origin, load
from lesson_runner.files.canonical import digest_of
from lesson_runner.files.plain import read_text
from lesson_runner.model import Location
from lesson_runner.model.errors import InvalidLessonError, LessonError
from lesson_runner.model.hints import suggest_names

SHIPPED = Path(__file__).with_name("policies")
DEFAULT = "board"


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy that follows its schema."""

    content: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Its name in certificates."""
        return str(self.content["name"])

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that the runs may have."""
        return tuple(self.content["classes"])

    @property
    def passes(self) -> int:
        """How many runs it requires."""
        return int(self.content["passes"])

    @property
    def digest(self) -> str:
        """The sha256 of its content as canonical JSON; comments and layout do not count."""
        return digest_of(self.content)


def shipped_policies() -> dict[str, Policy]:
    """Return the built-in policies by name."""
    return {path.stem: _read(path) for path in sorted(SHIPPED.glob("*.yaml"))}


def load_policy(name: str) -> Policy:
    """
    Return a built-in policy by its name, or a policy from a file.

    Raises:
        LessonError: there is no such policy or file.
        InvalidLessonError: the file does not follow the schema; with line and column.
    """
    shipped = SHIPPED / f"{name}.yaml"
    if Path(name).suffix in (".yaml", ".yml") or "/" in name:
        return _read(Path(name))
    if not shipped.is_file():
        known = sorted(path.stem for path in SHIPPED.glob("*.yaml"))
        fix = suggest_names(name, known)
        raise LessonError(f"--policy {name}: no such policy", fix=f"{fix}; or name a .yaml file")
    return _read(shipped)


def required_policies(names: Iterable[str]) -> list[Policy]:
    """
    Return the policies that certificates must be signed under: the built-in ones, then the named ones.

    Raises:
        LessonError: see :func:`load_policy`.
    """
    return [*shipped_policies().values(), *(load_policy(name) for name in names)]


def check_name(policy: Policy) -> None:
    """
    Make sure that nobody can mistake a policy for a built-in one.

    Raises:
        LessonError: it has the name of a built-in policy, but other content.
    """
    shipped = shipped_policies().get(policy.name)
    if shipped is not None and shipped.digest != policy.digest:
        message = f"policy '{policy.name}' differs from the built-in policy of that name"
        raise LessonError(message, fix="give it another 'name'")


def _read(path: Path) -> Policy:
    try:
        text = read_text(path, 2 * MAX_BYTES).removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError:
        raise LessonError(f"--policy {path}: no such file") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise LessonError(f"--policy {path}: cannot be read: {why}") from None
    parsed = load(text, Origin(path, line=1))
    problems = list(parsed.diagnostics)
    if not problems:
        places = {(): Location(path, 1), **parsed.positions}
        problems = list(check(parsed.data, load_schema("policy"), places, what="policy"))
    if problems:
        raise InvalidLessonError(problems, "the policy does not validate")
    return Policy(parsed.data)
