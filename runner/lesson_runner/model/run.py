"""What a run will do, and its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lesson_runner.model.block_role import BlockRole
from lesson_runner.model.document import Claim, Diagnostic, Expectation, Json, Lesson, Location, NotRun
from lesson_runner.model.need import Need
from lesson_runner.model.roles import Role

LEFT_OUT = "left out by "
"""The message of a step that the user's selection skipped begins with this."""
Status = Literal["passed", "failed", "skipped", "error", "not-reached"]
ClaimResult = Literal["reproduced", "better", "worse", "not evaluated"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One source of parameters, and what it set."""

    name: str
    """``defaults``, ``recipe=tuned``, ``block``, ``profile quick``, ``--param`` …"""
    params: Json
    """The parameters that this source set, by name."""


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step with everything resolved: what will run, with which parameters, and how it is judged."""

    id: str
    """The id of the lesson's step, with ``.1``, ``.2`` … appended if its block has several commands."""
    title: str
    """Shown to the user; see :class:`Step`."""
    location: Location
    """Where the command begins in the lesson."""
    action: str
    """The action's name, such as ``shell`` or ``my_lessons.greet``."""
    params: Json
    """The action's parameters, with all layers applied; they satisfy its schema."""
    layers: tuple[Layer, ...] = ()
    """The sources of the parameters, weakest first."""
    needs: tuple[str, ...] = ()
    """Ids of planned steps that must pass first, declared or derived from what actions read and write."""
    expect: tuple[Expectation, ...] = ()
    """What the step must show; all of them must hold."""
    claims: tuple[Claim, ...] = ()
    """What the lesson says about the step's metrics; never fails it."""
    timeout: float | None = None
    """In seconds, for each attempt; ``None`` means no limit."""
    retries: int = 0
    """How many times a failed step is tried again; 0 to 10."""
    requires: tuple[Need, ...] = ()
    """What the machine must have, or else the step is skipped."""
    capture: Json = field(default_factory=dict)
    """Metrics to read from the output: name, and a regular expression with one group."""
    optional: bool = False
    """True if a failure of the step is recorded but does not fail the run."""
    cleanup: bool = False
    """True if it runs at the end of the run, whatever happened before."""
    skip: str | None = None
    """Why the step will not run; ``None`` if it will."""
    hint: str = ""
    """What a learner can try if it fails; empty if the author did not say."""
    why: str = ""
    """The lesson's **Why:** paragraph; empty if there is none."""
    look_for: str = ""
    """The lesson's **Look for:** paragraph; empty if there is none."""
    command: str = ""
    """The effective command, with all layers applied, from the action's ``command``, else :attr:`source`."""
    source: str = ""
    """The command as the lesson prints it."""
    absorbed: tuple[str, ...] = ()
    """Lines of the block that need no action of their own (``cd``, ``export``, comments)."""
    shown: tuple[Expectation, ...] = ()
    """What the lesson shows as the step's output in blocks of their own; compared, and never fails it."""
    role: Role = "run"
    """What the step's block is; ``system`` steps run only with the permission of that name."""
    claimed_by: str = ""
    """The plugin that interpreted the block; empty if the lesson names the action, or no plugin knows it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run will do, in order."""

    lesson: Lesson
    profile: str
    steps: tuple[PlannedStep, ...]
    not_run: tuple[NotRun, ...]
    """Runnable blocks that no step runs; in a lesson without directives also its command links."""
    diagnostics: tuple[Diagnostic, ...]
    """Warnings; errors stop planning."""
    digest: str
    """The sha256 of the steps' canonical JSON, in hex."""
    blocks: tuple[BlockRole, ...] = ()
    """The role of every fence and ``command:`` link of the lesson, in the order of the document."""

    @property
    def recognised(self) -> bool:
        """True if the lesson has no directives, so that its steps were recognised in its blocks."""
        return not self.lesson.has_directives


@dataclass(frozen=True, slots=True)
class Verdict:
    """One expectation, judged."""

    matcher: str
    """The expectation's matcher; ``when`` if expectations exist but none applies to this run."""
    expected: str
    """The argument as text, such as ``final_loss <= 2``."""
    actual: str
    """What was found instead, or ``found``, ``matches`` and the like."""
    passed: bool
    """True if the expectation holds."""


@dataclass(frozen=True, slots=True)
class ClaimVerdict:
    """One claim, compared with what happened."""

    claim: str
    """The metric and its bounds, as text."""
    source: str
    """Where the lesson says so; from the claim."""
    actual: str
    """The measured value, as text; empty if it was not measured."""
    result: ClaimResult
    """``reproduced``, ``better``, ``worse`` or ``not evaluated``."""
    reason: str = ""
    """Why it was not evaluated; empty for other results."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """
    An explanation of a step's result, in the lesson's own words.

    Attributes:
        id: a short, stable name, such as ``loss-stuck``.
        title: the problem, in a few words.
        explanation: how the problem shows, and why it happens.
        section: the title of the lesson's section about it; empty if there is none.
        command: a command to try; empty if there is none.
        link: where that section is, as ``path#anchor``. The runner sets it; plugins leave it empty.
    """

    id: str
    title: str
    explanation: str
    section: str = ""
    command: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class StepResult:
    """The result of a planned step, whether it ran or not."""

    step: PlannedStep
    """The step."""
    status: Status
    """``passed``, ``failed``, ``skipped``, ``error``, or ``not-reached`` if the run ended before it."""
    message: str = ""
    """Why the step did not pass, in one line; may have notes for one that passed."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """By name: those of the action, of ``capture``, and of ``lesson_measure``, which is strongest."""
    verdicts: tuple[Verdict, ...] = ()
    """One for each expectation that applies."""
    claims: tuple[ClaimVerdict, ...] = ()
    """One for each claim."""
    shown: tuple[Verdict, ...] = ()
    """One for each output that the lesson shows; they do not change the status."""
    labels: tuple[str, ...] = ()
    """What readers must know wherever the result is shown: those of the action, then those of the run."""
    started: str | None = None
    """ISO 8601, UTC; ``None`` if the step did not run."""
    seconds: float = 0.0
    """How long all attempts took; 0 if the step did not run."""
    attempts: int = 0
    """How many times it was tried; 0 if it did not run."""
    exit_code: int | None = None
    """The exit code of the step's process; ``None`` if it ran none."""
    artifacts: Mapping[str, Json] = field(default_factory=dict)
    """The step's evidence: path from the run folder, and ``{"sha256": …, "bytes": …}``."""
    diagnoses: tuple[Diagnosis, ...] = ()
    """Explanations from ``lesson_diagnose``; they do not change the status."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a run; one line of ``events.jsonl``."""

    kind: Literal["run-started", "step-started", "output", "progress", "step-finished", "run-finished"]
    """What happened."""
    step: str | None = None
    """The planned step's id; ``None`` for events about the run."""
    data: Json = field(default_factory=dict)
    """
    Depends on the kind. ``run-started``: ``run_id`` and ``steps`` (a number). ``step-started``: ``title``.
    ``output``: ``text``. ``progress``: ``done``, ``total`` and the action's values. ``step-finished``: the
    step's entry in the record. ``run-finished``: ``status`` and ``record`` (a path). Secrets are redacted.
    """
