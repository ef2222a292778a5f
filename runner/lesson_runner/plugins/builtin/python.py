"""The ``python`` action: run a block with the Python that runs the lesson."""

from __future__ import annotations

import shlex
import sys
from importlib.resources import files

from lesson_runner.document.transcripts import typed_python
from lesson_runner.plugins import Action, Json, Outcome, StepContext
from lesson_runner.plugins.builtin.shell import outcome_of, run_in_terminal

SESSION = (files("lesson_runner.plugins.builtin") / "python_session.py").read_text("utf-8")
"""The program that runs a session; its arguments are the script, and lines of statements that raise."""


def run_python(params: Json, context: StepContext) -> Outcome:
    """Run ``script`` in the terminal of the run, with its environment and working folder."""
    script = context.evidence / "script.py"
    source = typed_python(params["script"])
    script.write_text(source.text + "\n", "utf-8")
    program = [str(script.absolute())]
    if source.transcript:
        program = ["-c", SESSION, *program, *(str(row + 1) for row in source.raising)]
    launcher = context.evidence / "launch.sh"
    # Run from a file, so that tracebacks show source lines. PYTHONPATH makes modules in the current folder
    # importable, as if the block were typed in. `exec` leaves the state of the terminal unchanged.
    launcher.write_text(
        'PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}" exec '
        f"{shlex.join([sys.executable, '-u', *program])}\n",
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
        "properties": {
            "script": {
                "description": "Python; after prompts such as `>>> `, only the typed text runs.",
                "type": "string",
            }
        },
        "required": ["script"],
        "additionalProperties": False,
    },
    permissions=frozenset({"shell"}),
    self_judging=True,
    command=lambda params: str(params["script"]),
)
