"""
The action ``tenstorrent.check``: what stands for the set-up commands of a lesson.

A command that would change the machine is only checked for its purpose; the fix says what to type.
"""

from __future__ import annotations

from typing import Any

from lesson_runner.model import Inspection, Json, Outcome
from lesson_runner.plugins.action import Action
from lesson_runner.plugins.checks import Check, Machine
from lesson_runner.plugins.context import StepContext
from lesson_tenstorrent.findings import look, outcome
from lesson_tenstorrent.packages import import_check, package_check, read_requirement
from lesson_tenstorrent.table import KNOWN

IMPORTED = {name: KNOWN[name] for name in ("ttnn", "ttml")}
"""What is imported for real."""
NAME = "tenstorrent.check"
LISTS = ("checks", "packages", "imports")


def checks_for(params: Json) -> list[Check]:
    """Return what a step's parameters ask to look at; ``ttnn`` and ``ttml`` are imported for real."""
    found = [KNOWN[name] for name in params.get("checks", ())]
    found += [package_check(text) for text in params.get("packages", ())]
    found += [IMPORTED.get(name) or import_check(name) for name in params.get("imports", ())]
    return list({check.id: check for check in found}.values())


def run(params: Json, context: StepContext) -> Outcome:
    """Look, show a table of what was found, and fail if something is wrong."""
    machine = Machine(
        backend=context.run.backend,
        hardware=context.run.hardware,
        lesson=context.run.lesson.frontmatter,
        workspace=context.workspace.root,
    )
    return outcome(look(checks_for(params), machine, context))


def inspect(params: Json) -> Inspection:
    """Return what is wrong with the parameters as a whole."""
    if not any(params.get(name) for name in LISTS):
        return Inspection(problem=f"there is nothing to check: give {', '.join(LISTS[:-1])} or {LISTS[-1]}")
    bad = next((text for text in params.get("packages", ()) if read_requirement(text) is None), None)
    if bad is None:
        return Inspection()
    return Inspection(problem=f"packages: {bad!r} is not the name of a package (such as numpy<2)")


def describe(params: Json) -> str:
    """Return what the step does in place of the lesson's commands, as a comment in a shell."""
    return f"# looks only, changes nothing: {', '.join(check.title for check in checks_for(params))}"


def _list(description: str, **items: Any) -> Json:
    return {"type": "array", "description": description, "items": items, "uniqueItems": True}


CHECK = Action(
    NAME,
    "Check a machine for what a lesson's set-up commands are for; change nothing",
    run,
    schema={
        "type": "object",
        "properties": {
            "checks": _list("What to look at.", enum=list(KNOWN)),
            "packages": _list("Python packages, as pip names them.", type="string", minLength=1),
            "imports": _list("Modules to import.", type="string", pattern=r"^[A-Za-z_]\w*(\.\w+)*$"),
        },
        "additionalProperties": False,
    },
    self_judging=True,
    inspect=inspect,
    command=describe,
    checks=checks_for,
)
