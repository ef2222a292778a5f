"""Actions: what a step can do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lesson_runner.model import Expectation, Inspection, Json, Outcome

if TYPE_CHECKING:
    from lesson_runner.plugins.checks import Check
    from lesson_runner.plugins.context import StepContext

FunctionName = str
"""A function by name, ``"module:function"``; it is imported when it is called."""


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
