"""
The action ``tenstorrent.check``, which replaces a lesson's set-up commands.

Instead of running a command that would change the machine, it checks whether the result is already there; the
fix says what to type.
"""

from __future__ import annotations

from typing import Any

from lesson_runner.model import Inspection, Json, Outcome
from lesson_runner.plugins.action import Action
from lesson_runner.plugins.checks import Check, Machine
from lesson_runner.plugins.context import StepContext
from lesson_tenstorrent.findings import METRICS, outcome, run_and_show
from lesson_tenstorrent.packages import import_check, package_check, read_requirement
from lesson_tenstorrent.table import CHECKS_BY_ID

IMPORTED = {name: CHECKS_BY_ID[name] for name in ("ttnn", "ttml")}
"""Imported for real, in a separate process; other modules are only looked up."""
NAME = "tenstorrent.check"
PARAMETERS = ("checks", "packages", "imports")


def checks_for(params: Json) -> list[Check]:
    """Return the checks that a step's parameters select."""
    found = [CHECKS_BY_ID[name] for name in params.get("checks", ())]
    found += [package_check(text) for text in params.get("packages", ())]
    found += [IMPORTED.get(name) or import_check(name) for name in params.get("imports", ())]
    return list({check.id: check for check in found}.values())


def run(params: Json, context: StepContext) -> Outcome:
    """Run the checks, print the results as a table, and fail if a check failed."""
    machine = Machine(
        backend=context.run.backend,
        hardware=context.run.hardware,
        lesson=context.run.lesson.frontmatter,
        workspace=context.workspace.root,
    )
    return outcome(run_and_show(checks_for(params), machine, context))


def inspect(params: Json) -> Inspection:
    """Return the problem with the parameters as a whole, if there is one."""
    if not any(params.get(name) for name in PARAMETERS):
        return Inspection(problem=f"nothing to check: set {', '.join(PARAMETERS[:-1])} or {PARAMETERS[-1]}")
    bad = next((text for text in params.get("packages", ()) if read_requirement(text) is None), None)
    if bad is None:
        return Inspection()
    return Inspection(problem=f"packages: {bad!r} is not a package name (such as numpy, or numpy<2)")


def describe(params: Json) -> str:
    """Return a shell comment that says what the step does in place of the lesson's commands."""
    return f"# only checks, changes nothing: {', '.join(check.title for check in checks_for(params))}"


def _list(description: str, **items: Any) -> Json:
    return {"type": "array", "description": description, "items": items, "uniqueItems": True}


CHECK = Action(
    NAME,
    "Check what a lesson's set-up commands would install or set; change nothing",
    run,
    schema={
        "type": "object",
        "properties": {
            "checks": _list("Ids of the checks to run.", enum=list(CHECKS_BY_ID)),
            "packages": _list("Python packages, as pip names them.", type="string", minLength=1),
            "imports": _list("Modules to import.", type="string", pattern=r"^[A-Za-z_]\w*(\.\w+)*$"),
        },
        "additionalProperties": False,
    },
    self_judging=True,
    inspect=inspect,
    command=describe,
    checks=checks_for,
    metrics=METRICS,
)
