"""The ``python`` action: run a block with the Python that runs the lesson."""

from __future__ import annotations

import shlex
import sys

from lesson_runner.plugins import Action, Json, Outcome, StepContext
from lesson_runner.plugins.builtin.shell import outcome_of, run_in_terminal


def run_python(params: Json, context: StepContext) -> Outcome:
    """Run ``script`` in the terminal of the run, with its environment and working folder."""
    script = context.evidence / "script.py"
    script.write_text(params["script"] + "\n", "utf-8")
    launcher = context.evidence / "launch.sh"
    # Run from a file, so that tracebacks show source lines. PYTHONPATH makes modules in the current folder
    # importable, as if the block were typed in. `exec` leaves the state of the terminal unchanged.
    launcher.write_text(
        'PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}" exec '
        f"{shlex.quote(sys.executable)} -u {shlex.quote(str(script.absolute()))}\n",
        "utf-8",
    )
    finished = run_in_terminal(launcher, context)
    return outcome_of(finished, context)


PYTHON = Action(
    "python",
    "Run a block of Python",
    run_python,
    schema={
        "type": "object",
        "properties": {"script": {"description": "Python source.", "type": "string"}},
        "required": ["script"],
        "additionalProperties": False,
    },
    permissions=frozenset({"shell"}),
    self_judging=True,
    metrics=(),
    command=lambda params: str(params["script"]),
)
