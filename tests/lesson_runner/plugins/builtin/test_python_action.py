from __future__ import annotations

import sys
import time
from collections.abc import Callable

import pytest

from lesson_runner.model import Event
from lesson_runner.plugins import Outcome
from lesson_runner.plugins.builtin.python import PYTHON, run_python
from lesson_runner.plugins.builtin.shell import clean_up, run_shell
from lesson_runner.plugins.context import RunContext, StepContext, Store

Step = Callable[..., StepContext]


def test_a_python_block_runs_in_this_python_and_shows_its_output(step: Step, events: list[Event]) -> None:
    context = step()
    outcome = run_python({"script": "import sys\nprint(sys.executable, __name__)"}, context)
    assert (outcome.status, outcome.exit_code) == ("passed", 0)
    assert outcome.output == f"{sys.executable} __main__"
    assert [event.data["text"] for event in events] == [outcome.output]


def test_a_traceback_names_the_line_of_the_lesson_and_shows_it(step: Step) -> None:
    context = step()
    outcome = run_python({"script": "import json\n\njson.loads('{')  # here"}, context)
    assert (outcome.status, outcome.exit_code) == ("failed", 1)
    assert outcome.output.startswith(
        f'Traceback (most recent call last):\n  File "{context.run.lesson.path}", line 3, in <module>\n'
        "    json.loads('{')  # here\n"
    )
    assert outcome.message.startswith(
        "line 3: json.loads('{')  # here: exit code 1: json.decoder.JSONDecodeError: "
    )


def test_a_syntax_error_names_the_line_of_the_lesson(step: Step) -> None:
    context = step()
    outcome = run_python({"script": "x = 1\nx = = 2"}, context)
    assert f'  File "{context.run.lesson.path}", line 2\n    x = = 2\n' in outcome.output
    assert outcome.message == "line 2: x = = 2: exit code 1: SyntaxError: invalid syntax"


def test_a_block_that_asks(step: Step) -> None:
    outcome = run_python({"script": "name = input('Name? ')"}, step())
    assert outcome.message.endswith(
        "EOFError: EOF when reading a line (it asks, and nobody can answer: standard input is empty)"
    )


def test_a_python_block_sees_the_terminal_state_and_does_not_change_it(step: Step) -> None:
    shell = "export A='x y'; B=plain; mkdir sub; cd sub; echo 'value = 7' > helper.py"
    assert run_shell({"script": shell}, step("one")).status == "passed"
    script = """
import os, helper
print(os.environ["A"], "B" in os.environ, os.path.basename(os.getcwd()), helper.value)
os.environ["A"] = "changed"
os.chdir("/")
"""
    outcome = run_python({"script": script}, step("two"))
    assert outcome.output == "x y False sub 7"
    after = run_shell({"script": 'echo $A $B "${PWD##*/}" [$PYTHONPATH]'}, step("three"))
    import_path = run_shell({"script": "echo [$PYTHONPATH]"}, step("four")).output
    assert after.output == f"x y plain sub {import_path}"
    assert "sub" not in import_path


SESSION = "main"


def in_session(script: str, context: StepContext) -> Outcome:
    return run_python({"script": script, "session": SESSION}, context)


def test_blocks_of_a_session_share_their_names(step: Step, events: list[Event]) -> None:
    assert (
        in_session("import os\nx = 41\ndef f():\n    return x + 1\nprint('set')", step("one")).output == "set"
    )
    assert run_python({"script": "print('x' in globals())"}, step("two")).output == "False"
    outcome = in_session("print(f(), __name__)\nos.system('echo child')", step("three"))
    assert (outcome.status, outcome.output) == ("passed", "42 __main__\nchild")


def test_a_block_of_a_session_that_fails_leaves_nothing(step: Step, run: RunContext) -> None:
    in_session("x = 1; print('once')", step("one"))
    failed = in_session("x = 2\nraise ValueError(x)", step("two"))
    assert failed.message == "line 2: raise ValueError(x): exit code 1: ValueError: 2"
    assert failed.output == (
        f'Traceback (most recent call last):\n  File "{run.lesson.path}", line 2, in <module>\n'
        "    raise ValueError(x)\nValueError: 2"
    )
    assert in_session("print(x)", step("two", attempt=2)).output == "1"
    assert in_session("import sys\nsys.exit(3)", step("three")).exit_code == 3
    assert in_session("print(x)", step("four")).output == "1"


@pytest.mark.slow
def test_a_session_that_takes_too_long_is_ended(step: Step, run: RunContext) -> None:
    in_session("x = 1", step("one"))
    outcome = in_session(
        "import time\nprint('on')\ntime.sleep(60)", step("two", timeout=1.5, deadline=time.monotonic() + 1.5)
    )
    assert (outcome.status, outcome.output) == ("failed", "on")
    assert in_session("print(x)", step("three")).output == "1"


def test_a_resumed_run_repeats_the_blocks_of_a_session(step: Step, run: RunContext) -> None:
    in_session("x = 1", step("one"))
    in_session("x += 1; print('again')", step("two"))
    clean_up(run)
    run.store = Store(run.folder, resumed=True)
    assert in_session("print(x)", step("three")).output == "2"


def test_the_exit_code_of_a_python_block_is_that_of_the_step(step: Step) -> None:
    outcome = run_python({"script": "import sys\nsys.exit(4)"}, step())
    assert (outcome.exit_code, outcome.message) == (4, "line 1: the Python block: exit code 4")


def test_output_is_kept_if_a_python_block_is_killed(step: Step) -> None:
    context = step(timeout=1.0, deadline=time.monotonic() + 1)
    outcome = run_python({"script": "import time\nprint('epoch 1')\ntime.sleep(60)"}, context)
    assert outcome.status == "failed"
    assert outcome.output == "epoch 1"
    assert "its timeout of 1 s; killed: bash (" in outcome.message
    assert ", python" in outcome.message


def test_the_command_is_the_script() -> None:
    assert PYTHON.command is not None
    assert PYTHON.command({"script": "print(1)"}) == "print(1)"


@pytest.mark.parametrize("before", ["true", "exec 2>&-"])
def test_python_that_a_signal_ends_shows_only_its_own_words(step: Step, before: str) -> None:
    run_shell({"script": before}, step("one"))
    script = "import os, sys\nprint('so far')\nprint('no', file=sys.stderr)\nos.kill(os.getpid(), 11)"
    outcome = run_python({"script": script}, step("two"))
    assert (outcome.exit_code, outcome.output) == (139, "so far\nno" if before == "true" else "so far")
    assert outcome.message.endswith("exit code 139 (SIGSEGV): " + outcome.output.split("\n")[-1])
