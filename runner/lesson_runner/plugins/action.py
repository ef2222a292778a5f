"""Actions: the operations that steps can perform."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lesson_runner.model import Expectation, Inspection, Json, Outcome

if TYPE_CHECKING:
    from lesson_runner.plugins.checks import Check
    from lesson_runner.plugins.context import StepContext

X_BLOCK = "x-block"
"""The keyword of a parameter's schema by which a step's block becomes its value."""
FunctionName = str
"""A function by its name, ``"module:function"``; it is imported when it is called."""


@dataclass(frozen=True, slots=True)
class Action:
    """
    An operation that a step can perform. Plugins return these from ``lesson_actions``.

    Attributes:
        name: the name for ``uses:``, as ``plugin.verb``.
        summary: one line for ``lesson plugins``.
        run: a function of the resolved parameters and the step's context, or its name
            ``"module:function"``, which is imported when a step runs.
        schema: JSON Schema (draft 2020-12) of the parameters. Add ``"additionalProperties": False``, or
            misspelt parameters are ignored. If a step names the action with ``uses:``, its block becomes the
            value of the parameter whose schema has ``"x-block": "text"``, or ``"commands"`` for what the
            block types in, without prompts and output.
        defaults: values of parameters that nothing else sets, by name.
        presets: for a parameter that selects a set of others: its values, and the parameters of each, such
            as ``{"recipe": {"tuned": {"lr": 0.001}}}``. Stronger than defaults, weaker than other sources.
        profiles: parameters for each profile, by its name; used if the lesson declares no profiles.
        permissions: what the user must allow before a lesson from elsewhere runs the action: ``shell``,
            ``network``, ``network ADDRESS``, or ``read PATH`` with the path as the lesson writes it (read the
            file with ``context.read_input``). A set, or a function of the parameters that returns them.
            Parameters from ``--param`` need no permission: the function gets the default instead, or no
            value if there is no default.
        self_judging: true if the action itself detects whether it succeeded, so that its steps need no
            ``expect``.
        inspect: a function of the parameters that returns what they imply. It is called while planning,
            with valid parameters, so that contradictions are found before the run. ``None`` means that the
            action reads and writes nothing that other steps use.
        command: a function of the parameters that returns the effective command line, which is shown before
            the step runs. ``None`` shows the lesson's own line.
        expect: expectations for lessons without directives, which declare none themselves. They must hold in
            every profile.
        checks: for an action that only runs checks: a function of the parameters that returns them, or its
            name, as for ``run``. ``lesson doctor LESSON`` runs them too. Consecutive calls, in a block or in
            a section of a lesson without directives, become one step. For a declared step whose block a
            shell can run, the action is used only if ``uses:`` names it. ``None`` for all other actions.
        metrics: the names of all metrics that a step can have, from the outcome or from the plugin's
            ``lesson_measure``; ``*`` in a name stands for any characters. Then ``lesson validate`` finds an
            expectation of any other metric, and another metric is an error of the plugin. If all actions of
            a plugin declare theirs, its ``lesson_measure`` may only measure steps of its own actions.
            ``None``: unknown.
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
    metrics: tuple[str, ...] | None = None
