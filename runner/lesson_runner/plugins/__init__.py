"""
The names that plugins import.

A plugin is a module that its package names in the entry-point group ``lesson_runner``::

    [project.entry-points.lesson_runner]
    my_lessons = "my_lessons.plugin"

and implements the hooks it wants::

    from lesson_runner.plugins import Action, Outcome, hookimpl

    def greet(params, context):
        context.say(f"hello, {params['name']}")
        return Outcome()

    @hookimpl
    def lesson_actions():
        return [Action("my.greet", "Greet someone", greet, defaults={"name": "world"}, self_judging=True)]

``docs/hooks.md`` explains each hook in ``lesson_runner.plugins.hookspecs``, and ``docs/plugin-reference.md``
lists all names. ``lesson_runner.testing`` runs lessons in tests. Import heavy libraries inside functions,
because every ``lesson`` command imports the plugin's module.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from lesson_runner.files.evidence import Evidence
    from lesson_runner.model import (
        ActionCall,
        Block,
        Diagnosis,
        Diagnostic,
        Edit,
        Event,
        Expectation,
        Hardware,
        Inspection,
        Json,
        Lesson,
        Location,
        Need,
        Outcome,
        PlannedStep,
        Rule,
        Scope,
        StepResult,
    )
    from lesson_runner.model.errors import HardwareError, LessonError
    from lesson_runner.plugins.action import Action
    from lesson_runner.plugins.checks import Check, Finding, Machine
    from lesson_runner.plugins.context import RunContext, StepContext
    from lesson_runner.roles.commands import Command
    from lesson_runner.roles.rule import BlockRule
    from lesson_runner.roles.view import BlockView

__all__ = [
    "Action",
    "ActionCall",
    "Block",
    "BlockRule",
    "BlockView",
    "Check",
    "Command",
    "Diagnosis",
    "Diagnostic",
    "Edit",
    "Event",
    "Evidence",
    "Expectation",
    "Finding",
    "Hardware",
    "HardwareError",
    "Inspection",
    "Json",
    "Lesson",
    "LessonError",
    "Location",
    "Machine",
    "Need",
    "Outcome",
    "PlannedStep",
    "Rule",
    "RunContext",
    "Scope",
    "StepContext",
    "StepResult",
    "hookimpl",
]

hookimpl = pluggy.HookimplMarker("lesson_runner")
"""Marks a function of a plugin as the implementation of the hook of the same name."""

_MODULES = (
    *("model", "model.errors", "files.evidence", "plugins.action", "plugins.checks", "plugins.context"),
    *("roles.rule", "roles.view", "roles.commands"),
)
"""Modules of ``lesson_runner`` that define the names of this module."""


def __getattr__(name: str) -> object:
    """Import a name on first use, because ``lesson --help`` needs none of them."""
    if name in __all__:
        for module in _MODULES:
            found = getattr(importlib.import_module(f"lesson_runner.{module}"), name, None)
            if found is not None:
                return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
