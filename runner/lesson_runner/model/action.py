"""What a step can do: actions, how plugins call them, and what they give back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from lesson_runner.model.document import Diagnostic, Expectation, Json, Location

if TYPE_CHECKING:
    from lesson_runner.checks import Check
    from lesson_runner.context import StepContext


HardwareKind = Literal["silicon", "simulator", "mock", "none"]
NOT_BOARDS = ("simulator", "emulated", "host")
"""Certification targets that are not boards; each has a column of its own."""


FunctionName = str
"""A function by name, ``"module:function"``; it is imported when it is called."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """
    What follows from an action's parameters, found while a lesson is planned.

    Attributes:
        reads: names of what a step with these parameters reads. It needs the last earlier step that writes
            one of them.
        writes: names of what it writes.
        problem: what is wrong with parameters that are each valid, such as two that contradict each other;
            ``None`` if nothing is.
    """

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """
    Something a step can do. Plugins return these from ``lesson_actions``.

    Attributes:
        name: what ``uses:`` says, ``plugin.verb``.
        summary: one line for ``lesson plugins``.
        run: called with the resolved parameters and the step's context. A function, or its name
            ``"module:function"``, which is imported when a step runs.
        schema: JSON Schema (draft 2020-12) of the parameters.
        defaults: values of parameters nobody gives.
        presets: for a parameter that stands for others, its values and what each stands for, such as
            ``{"recipe": {"tuned": {"lr": 0.001}}}``. Stronger than defaults, weaker than the rest.
        profiles: parameters per profile, for documents that declare no profiles.
        permissions: what a lesson from elsewhere must be allowed before this runs: ``shell``, ``network``,
            ``network ADDRESS``, or ``read PATH`` with the path as the lesson has it; the action reads it with
            ``context.read_input``. Where that depends on the parameters, a function of them. What the
            user gave with ``--param`` needs no permission: such a parameter has its default instead, or is
            missing if it has none.
        self_judging: the action finds out by itself whether it succeeded, so a step may go without
            ``expect``.
        inspect: what follows from its parameters. Called while planning, with valid parameters, so that a
            lesson does not fail half-way.
        command: the effective command line for its parameters, shown before it runs.
        expect: what a step of a lesson without directives must show; such lessons say nothing about that.
        checks: the checks that it runs, from its parameters, if it does nothing else. A function or its name,
            like ``run``. ``lesson doctor LESSON`` runs them. A declared step whose block a shell can run is
            such an action only if it says so with ``uses:``. Calls that follow one another, in a block or in
            a section of a lesson without directives, are one step.
    """

    name: str
    summary: str
    run: Callable[[Json, StepContext], Outcome] | FunctionName
    schema: Json = field(default_factory=lambda: {"type": "object"})
    defaults: Json = field(default_factory=dict)
    presets: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    profiles: Mapping[str, Json] = field(default_factory=dict)
    permissions: frozenset[str] | Callable[[Json], Iterable[str]] = frozenset()
    self_judging: bool = False
    inspect: Callable[[Json], Inspection] | None = None
    command: Callable[[Json], str] | None = None
    expect: tuple[Expectation, ...] = ()
    checks: Callable[[Json], Iterable[Check]] | FunctionName | None = None


@dataclass(frozen=True, slots=True)
class ActionCall:
    """One command of a block, as the action that stands for it."""

    action: str
    params: Json
    location: Location
    source: str = ""
    """The command as the lesson prints it."""
    absorbed: tuple[str, ...] = ()
    """Lines of the block that need no action of their own (``cd``, ``export``, comments)."""
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    What an action produced.

    Attributes:
        status: ``passed`` means the action did its work; whether the step passes is for the judge. ``error``:
            something it needed went wrong, such as a full disk, so there is nothing to judge.
        message: why it failed or was skipped.
        output: text for a person, also matched by ``contains``, ``regex``, ``lines`` and ``json``.
        exit_code: of the process, for actions that are one.
        metrics: numbers by name. ``lesson_measure`` overrides them with what the files show.
        facts: about the whole run, such as ``{"dataset": {...}}``; merged into the record.
        labels: what a reader must know wherever the result appears, such as ``emulated``.
    """

    status: Literal["passed", "failed", "skipped", "error"] = "passed"
    message: str = ""
    output: str = ""
    exit_code: int | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    facts: Json = field(default_factory=dict)
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hardware:
    """
    What is in this machine, and how that was found out.

    Attributes:
        name: as lessons write it (``n150``); ``none`` or ``unknown`` where it is not known.
        detected_by: how the name was found out.
        devices: how many chips a run can use; 0 if there are none, or only a description of a board.
        kind: ``silicon``; ``simulator`` (a program that simulates the chips); ``mock`` (only a description of
            them, on which nothing can run); ``none``. Only silicon counts as a board in claims.
        facts: what else is known, by name, each as ``{"value": "blackhole", "found_by": "tt-umd"}``.
        device_files: files and folders in ``/dev`` that its programs open; a sandbox has them if they exist.
        path_variables: environment variables that name folders its programs read; a sandbox has these too.
        packages: the Python packages that use it; a record keeps the versions of those that are installed.
    """

    name: str
    detected_by: str
    devices: int = 0
    kind: HardwareKind = "silicon"
    facts: Json = field(default_factory=dict)
    device_files: tuple[str, ...] = ()
    path_variables: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """True if steps can run on it: chips, or a simulator of them. Nothing runs on a description."""
        return self.devices > 0 and self.kind in ("silicon", "simulator")

    @property
    def is_board(self) -> bool:
        """True if steps can run on it, and it is a real device, so that claims and certificates count."""
        return self.usable and self.kind == "silicon"

    @property
    def found(self) -> Json:
        """What was found, as records and ``--json`` show it; what follows from the make is left out."""
        names = ("name", "detected_by", "devices", "kind", "facts")
        return {name: getattr(self, name) for name in names}
