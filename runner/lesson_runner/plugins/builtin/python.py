"""The ``python`` action: run a block with the Python of the terminal."""

from __future__ import annotations

import re
import shlex
import sys

from lesson_runner.document.statements import Statement
from lesson_runner.execute import python_block
from lesson_runner.plugins import Action, Json, Outcome, StepContext
from lesson_runner.plugins.builtin.shell import block_line, run_in_terminal


def run_python(params: Json, context: StepContext) -> Outcome:
    """Run ``script`` in the terminal of the run, with the Python that ``python`` means there."""
    script = params["script"]
    file = context.evidence.absolute() / "script.py"
    file.write_text(script + "\n", "utf-8")
    lesson, line = str(context.run.lesson.path.absolute()), block_line(context)
    words = (python_block.__file__, str(file), lesson, str(line))
    own = shlex.quote(sys.executable)
    python = f'"$(builtin type -P python || builtin type -P python3 || builtin echo {own})"'
    command = f"{python} -u {shlex.join(words)}"

    def failed(output: str) -> Statement:
        places = re.findall(rf'File "{re.escape(lesson)}", line (\d+)', output)
        number = int(places[-1]) if places else line
        rows = script.split("\n")
        return Statement(number, rows[number - line].strip() if 0 <= number - line < len(rows) else "python")

    return run_in_terminal(command, context, failed=failed)


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
    command=lambda params: str(params["script"]),
)
