"""What a run will do, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lesson_runner.model.document import Claim, Diagnostic, Expectation, Json, Lesson, Location, NotRun

LEFT_OUT = "left out by "
"""How the message begins of a step that the user's own selection skipped."""
Status = Literal["passed", "failed", "skipped", "error", "not-reached"]
ClaimResult = Literal["reproduced", "better", "worse", "not evaluated"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One source of parameters, and what it set."""

    name: str
    """``defaults``, ``recipe=tuned``, ``block``, ``profile quick``, ``--param`` …"""
    params: Json


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step with everything resolved: what will run, with which parameters, judged how."""

    id: str
    title: str
    location: Location
    action: str
    params: Json
    layers: tuple[Layer, ...] = ()
    needs: tuple[str, ...] = ()
    expect: tuple[Expectation, ...] = ()
    claims: tuple[Claim, ...] = ()
    timeout: float | None = None
    retries: int = 0
    requires: tuple[str, ...] = ()
    capture: Json = field(default_factory=dict)
    optional: bool = False
    skip: str | None = None
    """The reason it will not run."""
    why: str = ""
    look_for: str = ""
    command: str = ""
    """The effective command, with all layers applied."""
    source: str = ""
    """The command as the lesson prints it."""
    absorbed: tuple[str, ...] = ()
    claimed_by: str = ""
    """The plugin that knew the block; empty if the lesson names the action, or nobody knew it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do, in order."""

    lesson: Lesson
    profile: str
    steps: tuple[PlannedStep, ...]
    not_run: tuple[NotRun, ...]
    """Runnable blocks that no step stands for; of a lesson without directives its command links too."""
    diagnostics: tuple[Diagnostic, ...]
    """Warnings; errors stop planning."""
    digest: str
    """sha256 of the steps' canonical JSON."""

    @property
    def recognised(self) -> bool:
        """True if the lesson declares no steps, and these are what plugins know of its blocks."""
        return any(step.recognised for step in self.lesson.steps)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One expectation, judged."""

    matcher: str
    expected: str
    actual: str
    passed: bool


@dataclass(frozen=True, slots=True)
class ClaimVerdict:
    """One claim, compared with what happened."""

    claim: str
    source: str
    actual: str
    result: ClaimResult
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """
    Why a step came out as it did, in the lesson's own words.

    Attributes:
        id: short and stable, such as ``loss-stuck``.
        title: what is the matter, in a few words.
        explanation: how it shows, and why it happens.
        section: the heading of the lesson's section about it; empty if it has none.
        command: what to try.
        link: where that section is, as ``path#anchor``; the runner finds it, plugins leave it out.
    """

    id: str
    title: str
    explanation: str
    section: str = ""
    command: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class StepResult:
    """A step that was run, or was not."""

    step: PlannedStep
    status: Status
    message: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()
    claims: tuple[ClaimVerdict, ...] = ()
    labels: tuple[str, ...] = ()
    started: str | None = None
    """ISO 8601, UTC."""
    seconds: float = 0.0
    attempts: int = 0
    exit_code: int | None = None
    artifacts: Mapping[str, Json] = field(default_factory=dict)
    """Path in the run's folder: ``{"sha256": …, "bytes": …}``."""
    diagnoses: tuple[Diagnosis, ...] = ()
    """What plugins make of it; they say so, and judge nothing."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a run; one line of ``events.jsonl``."""

    kind: Literal["run-started", "step-started", "output", "progress", "step-finished", "run-finished"]
    step: str | None = None
    data: Json = field(default_factory=dict)
