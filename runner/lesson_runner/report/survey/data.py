"""The data of a survey, and the counts that its formats share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesson_runner.model import Diagnostic, Role
from lesson_runner.run.outlook import STEP, Lack, Outlook, general

ROLES: Mapping[Role, str] = {
    "run": "commands and code that a run executes",
    "file": "files that a run saves",
    "service": "servers that a run starts and ends",
    "system": "commands that change the machine",
    "placeholder": "commands with a blank to fill in",
    "interactive": "commands that wait for a person",
    "alternative": "other ways to do a step",
    "output": "what a command prints; compared",
    "illustration": "to read",
    "reference": "for when something goes wrong, or to look up",
}
"""The roles of blocks in the order of tables, with their meanings."""


@dataclass(frozen=True, slots=True)
class LastRun:
    """
    The last run of a lesson in the workspace.

    Attributes:
        run: its name.
        status: as in its record; ``unfinished`` if it has no good one: it runs, was killed, or was damaged.
        started: ISO 8601, UTC; empty if unknown.
        hardware: the names of the hardware it had; empty if unknown.
        labels: such as ``emulated``.
    """

    run: str
    status: str
    started: str = ""
    hardware: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CertificateState:
    """The state of a lesson's certificate for a hardware: ``certified``, ``text changed`` or ``stale``."""

    hardware: str
    state: str
    reason: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True)
class SurveyedLesson:
    """What is known about one lesson."""

    id: str
    title: str
    path: Path
    roles: Mapping[str, int]
    """How many blocks and command links have each role."""
    outlook: Outlook | None = None
    """What a run would do here; ``None`` if the lesson has errors."""
    error: Diagnostic | None = None
    """The first error, which stops a run."""
    errors: int = 0
    last_run: LastRun | None = None
    certificates: Sequence[CertificateState] = ()

    @property
    def ready(self) -> int:
        """How many steps would run."""
        return len(self.outlook.ready) if self.outlook else 0

    @property
    def steps(self) -> int:
        """How many steps the lesson has."""
        return self.ready + len(self.outlook.skipped) if self.outlook else 0

    @property
    def skipped(self) -> Sequence[Collection[Lack]]:
        """What each step lacks that would be skipped."""
        return list(self.outlook.skipped.values()) if self.outlook else []

    @property
    def open(self) -> Sequence[Collection[Lack]]:
        """What steps need that would run, and only a run finds out."""
        found = self.outlook.open.values() if self.outlook else ()
        return [[Lack(need.kind, need.value) for need in needs] for needs in found]

    @property
    def lacks(self) -> Mapping[Lack, int]:
        """How many steps lack each thing, the most frequent first; see :func:`general`."""
        return {item.lack: item.steps for item in joined([(self.id, self.skipped)], general)}


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that steps of several lessons lack."""

    lack: Lack
    steps: int
    lessons: Sequence[str]
    """Their ids."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What is known about a set of lessons."""

    lessons: Sequence[SurveyedLesson]
    hardware: Sequence[Mapping[str, Any]]
    """What was found in this machine, as in a record."""

    @property
    def good(self) -> list[SurveyedLesson]:
        """The lessons without errors."""
        return [lesson for lesson in self.lessons if lesson.outlook is not None]

    @property
    def bad(self) -> list[SurveyedLesson]:
        """The lessons with errors."""
        return [lesson for lesson in self.lessons if lesson.outlook is None]

    @property
    def roles(self) -> list[str]:
        """The roles that occur, in the order of tables."""
        return [role for role in ROLES if any(lesson.roles.get(role) for lesson in self.lessons)]

    def missing(self, kind: Callable[[Lack], Lack] = general) -> list[Missing]:
        """Return what steps lack, the most frequent first; ``kind`` says what to count together."""
        return joined([(lesson.id, lesson.skipped) for lesson in self.good], kind)

    def open(self, kind: Callable[[Lack], Lack] = general) -> list[Missing]:
        """Return what steps need that would run, and only a run finds out."""
        return joined([(lesson.id, lesson.open) for lesson in self.good], kind)


def joined(
    lessons: Iterable[tuple[str, Iterable[Collection[Lack]]]], kind: Callable[[Lack], Lack]
) -> list[Missing]:
    """Return what the steps of lessons lack, the most frequent first, and earlier steps last."""
    found: dict[Lack, list[str]] = {}
    for lesson, steps in lessons:
        for lacks in steps:
            for lack in set(map(kind, lacks)):
                found.setdefault(lack, []).append(lesson)
    order = sorted(found, key=lambda lack: (lack.kind == STEP, -len(found[lack]), lack))
    return [Missing(lack, len(found[lack]), list(dict.fromkeys(found[lack]))) for lack in order]


def in_words(survey: Survey) -> str:
    """Return the totals of a survey in one sentence."""
    ready, steps = sum(lesson.ready for lesson in survey.good), sum(lesson.steps for lesson in survey.good)
    able = sum(lesson.ready > 0 for lesson in survey.good)
    text = f"{counted(len(survey.lessons), 'lesson')}: {ready} of {counted(steps, 'step')} can run here now"
    text += f", in {counted(able, 'lesson')}" if steps and len(survey.lessons) > 1 else ""
    none = sum(not lesson.steps for lesson in survey.good)
    text += f"; {none} {'has' if none == 1 else 'have'} no steps" if none else ""
    bad = len(survey.bad)
    return text + (f"; {bad} {'has' if bad == 1 else 'have'} errors" if bad else "")


def counted(count: int, noun: str) -> str:
    """Return a count with its noun, such as ``2 steps``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def run_in_words(run: LastRun | None) -> str:
    """Return the last run in words: status, date, hardware, labels."""
    if run is None:
        return "never run"
    parts = [run.status, run.started[:10], f"on {', '.join(run.hardware)}" if run.hardware else ""]
    return " ".join(filter(None, [*parts, f"[{', '.join(run.labels)}]" if run.labels else ""]))


def certificate_in_words(item: CertificateState) -> str:
    """Return a certificate's state in words."""
    since = f" since {item.since[:10]}" if item.since else ""
    return f"{item.state} on {item.hardware}{since}" + (f": {item.reason}" if item.reason else "")
