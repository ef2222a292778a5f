"""The ``python`` action: run a block with the Python of the terminal."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence

from lesson_runner.document.statements import Statement
from lesson_runner.document.transcripts import typed_python
from lesson_runner.execute import python_block
from lesson_runner.execute.exchange import OWN, PROCESS
from lesson_runner.files.untrusted import make_below
from lesson_runner.plugins import Action, Json, Outcome, StepContext
from lesson_runner.plugins.builtin.shell import block_line, exchange_folder, run_in_terminal

_UNKNOWN = re.compile(r"NameError: name '(\w+)' is not defined")
SESSIONS = "python"
"""The beginning of the keys in ``RunContext.store`` of the blocks that the sessions of a run have run."""

PROGRAM = """(
  exec 9>&2 || exec 9>/dev/null
  exec 2>/dev/null
  {python} {block} 2>&9 9>&-
  builtin exit
)"""
"""The command that runs one block; bash shows nothing of it, as it would if a signal ends Python."""

SESSION = """(
  folder={folder} process={process} number={last} restart={restart} pid='' status=''
  [[ -f $process ]] && builtin read -r pid <"$process"
  [[ -n $restart && -n $pid ]] && builtin kill -9 "$pid" 2>/dev/null && pid=''
  if [[ -z $pid ]] || ! builtin kill -0 "$pid" 2>/dev/null; then
    {python} --serve "$folder" </dev/null >/dev/null 2>&1 &
    pid=$! number=0
    builtin echo "$pid" >|"$process"
  fi
  builtin trap 'builtin kill -9 "$pid"; builtin exit 143' TERM
  exec 8<>"$folder/request" 9<>"$folder/reply"
  for ((; number <= {last}; number++)); do
    status=''
    builtin echo "$(<"$folder/$number.json")" >&8
    until builtin read -r -t 1 -u 9 status; do
      builtin kill -0 "$pid" 2>/dev/null || break 2
    done
    [[ $status == 0 ]] || break
  done
  [[ $status == 0 ]] || builtin kill -9 "$pid" 2>/dev/null
  builtin exit "${{status:-1}}"
)"""
"""
The command that runs block number ``last`` in a session. It starts the session's process if that does not
run, and ends it if the block fails, so that no later block sees half of its work.
"""


def run_python(params: Json, context: StepContext) -> Outcome:
    """Run ``script`` in the terminal of the run, with the Python that ``python`` means there."""
    source, session = typed_python(params["script"]), params.get("session")
    file = context.evidence.absolute() / "script.py"
    file.write_text(source.text + "\n", "utf-8")
    lesson, line = str(context.run.lesson.path.absolute()), block_line(context)
    # In a session at Python's prompt, values are shown, and some statements are expected to raise.
    raising = [line + row for row in source.raising] if source.transcript else None
    block = {"script": str(file), "lesson": lesson, "line": line, "raising": raising}
    own = shlex.quote(sys.executable)
    python = f'"$(builtin type -P python || builtin type -P python3 || builtin echo {own})" -u'
    python = f"{python} {shlex.quote(python_block.__file__)}"

    def failed(output: str) -> Statement:
        places = re.findall(rf'File "{re.escape(lesson)}", line (\d+)', output)
        number, rows = int(places[-1]) if places else line, source.text.split("\n")
        known = places and 0 <= number - line < len(rows)
        return Statement(number, rows[number - line].strip() if known else "the Python block")

    if session is None:
        outcome = run_in_terminal(
            PROGRAM.format(python=python, block=shlex.quote(json.dumps(block))), context, failed=failed
        )
        name = _UNKNOWN.search(outcome.message)
        if name and (where := _defined(name[1], context, line)):
            hint = f"line {where} defines it, in another block: give both 'with: {{session: NAME}}'"
            return dataclasses.replace(outcome, message=f"{outcome.message} ({hint})")
        return outcome
    key = f"{SESSIONS}.{session}"
    earlier = {**(context.store.load(key) or {})}
    earlier.pop(context.step.id, None)
    blocks = {**earlier, context.step.id: block}
    command = _in_session(context, session, python, list(blocks.values()))
    outcome = run_in_terminal(command, context, failed=failed)
    if outcome.exit_code == 0:
        context.store.save(key, blocks)
    return outcome


def _defined(name: str, context: StepContext, before: int) -> int | None:
    """Return the line of the last Python block of a step, before a line, that defines a name."""
    forms = (rf"{name}\b[^=\n(]*=", rf"(?:def|class) {name}\b", rf".*\bimport\b.*\b{name}\b")
    definition = re.compile(f"^(?:>>> )?(?:{'|'.join(forms)})", re.MULTILINE)
    lines = [
        step.block.location.line + step.block.text.count("\n", 0, found.start())
        for step in context.run.lesson.steps
        if step.block is not None and step.block.location.line < before
        for found in definition.finditer(step.block.text)
    ]
    return lines[-1] if lines else None


def _in_session(
    context: StepContext, session: str, python: str, blocks: Sequence[Mapping[str, object]]
) -> str:
    """
    Return the command that runs the last block in a session.

    If the session has ended, a new one runs its earlier blocks first, without showing their output.
    """
    folder = make_below(context.run.home.absolute(), "shell", "python", session)
    for name in ("request", "reply"):
        if not (folder / name).exists():
            os.mkfifo(folder / name, 0o600)
    for number, block in enumerate(blocks):
        shown = number == len(blocks) - 1
        out, err = (str(exchange_folder(context) / name) if shown else os.devnull for name in ("out", "err"))
        (folder / f"{number}.json").write_text(json.dumps({**block, "out": out, "err": err}) + "\n", "utf-8")
    process = exchange_folder(context) / OWN / f"{PROCESS}{session}"
    restart = "yes" if context.attempt > 1 else ""
    return SESSION.format(
        folder=shlex.quote(str(folder)),
        process=shlex.quote(str(process)),
        python=python,
        last=len(blocks) - 1,
        restart=restart,
    )


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
                "x-block": "commands",
            },
            "session": {
                "description": "A name. Blocks with the same one share their variables and imports.",
                "type": "string",
                "pattern": "^[a-z0-9][a-z0-9-]*$",
                "maxLength": 40,
            },
        },
        "required": ["script"],
        "additionalProperties": False,
    },
    permissions=frozenset({"shell"}),
    self_judging=True,
    metrics=(),
    command=lambda params: str(params["script"]),
)
