from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from lesson_runner.model import Event, Expectation
from lesson_runner.plugins import builtin
from lesson_runner.plugins.builtin.shell import SHELL, TERMINAL, run_shell
from lesson_runner.plugins.context import RunContext, StepContext

Step = Callable[..., StepContext]


def test_a_block_that_works(step: Step, events: list[Event]) -> None:
    outcome = run_shell({"script": "echo one\necho two"}, step())
    assert (outcome.status, outcome.exit_code, outcome.message) == ("passed", 0, "")
    assert outcome.output == "one\ntwo"
    assert {(event.kind, event.step) for event in events} == {("output", "one")}
    assert "\n".join(event.data["text"] for event in events) == "one\ntwo"


def test_steps_of_a_run_share_a_terminal(step: Step, run: RunContext) -> None:
    run_shell({"script": "A=1; mkdir sub; cd sub"}, step("one"))
    outcome = run_shell({"script": "echo $A; pwd -P; echo $LESSON_WORKSPACE"}, step("two"))
    files = (run.workspace.files / "sub").resolve()
    assert outcome.output == f"1\n{files}\n{run.folder.absolute()}"
    assert (run.folder / "shell" / "state.sh").exists()


def test_a_relative_workspace_is_made_absolute(
    step: Step, run: RunContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run.workspace = type(run.workspace)(Path("space"))
    run.folder = Path("space/runs/1")
    outcome = run_shell({"script": "cd /; cat $LESSON_WORKSPACE/evidence/one/script.sh"}, step())
    assert outcome.output.startswith("cd /; cat")


@pytest.mark.parametrize(
    ("script", "code", "message"),
    [
        ("exit 3", 3, "line 1: exit 3: exit code 3"),
        ("echo one\ngrep -q x /dev/null\necho two", 1, "line 2: grep -q x /dev/null: exit code 1"),
        ("echo one; ls /nowhere", 2, "line 1: ls /nowhere: exit code 2: ls: cannot access"),
        (
            "echo one\n\nfor i in 1 2; do\n  echo $i\n  false\ndone",
            1,
            "line 3: for i in 1 2; do …: exit code 1: 1",
        ),
        (
            "bash -c 'kill -SEGV $$' 2>/dev/null",
            139,
            "line 1: bash -c 'kill -SEGV $$' 2>/dev/null: exit code 139 (SIGSEGV)",
        ),
        ("echo one; read -p 'Go on? ' answer", 1, "line 1: read -p 'Go on? ' answer: exit code 1 (it asks,"),
    ],
)
def test_a_block_that_fails_says_why(step: Step, script: str, code: int, message: str) -> None:
    outcome = run_shell({"script": script}, step())
    assert (outcome.status, outcome.exit_code) == ("failed", code)
    assert outcome.message.startswith(message)


def test_a_block_that_ends_its_shell_early_fails(step: Step) -> None:
    outcome = run_shell({"script": "echo on\n[ -d . ] && exit 0\nfalse"}, step("one"))
    assert (outcome.status, outcome.exit_code, outcome.output) == ("failed", 0, "on")
    assert outcome.message == "line 3: false: not reached, because the block ended its shell before it"
    assert run_shell({"script": "echo on\nexit 0"}, step("two")).status == "passed"
    expected = step("three", expect=(Expectation("exit", 0),))
    assert run_shell({"script": "exit 0\nfalse"}, expected).status == "passed"


def test_an_expected_exit_code_is_left_to_the_judge(step: Step) -> None:
    outcome = run_shell({"script": "exit 3"}, step(expect=(Expectation("exit", 3),)))
    assert (outcome.status, outcome.exit_code, outcome.message) == ("passed", 3, "")


def test_parameters(step: Step) -> None:
    loose = run_shell({"script": "false; echo $NAME", "strict": False, "env": {"NAME": "x"}}, step("one"))
    assert (loose.status, loose.output) == ("passed", "x")
    later = run_shell({"script": "echo ${NAME-none}; false; echo on"}, step("two"))
    assert (later.status, later.output) == ("failed", "none")


def test_only_the_commands_of_a_transcript_run(step: Step) -> None:
    outcome = run_shell({"script": "$ echo hi\nfalse\n$ echo $LINENO"}, step())
    assert outcome.output == "hi\n3"


def test_a_step_that_takes_too_long(step: Step) -> None:
    context = step("slow", timeout=0.5, deadline=time.monotonic() + 0.5)
    outcome = run_shell({"script": "echo begun; sleep 60"}, context)
    assert outcome.status == "failed"
    assert outcome.output == "begun"
    assert outcome.message.startswith("step 'slow' took longer than its timeout of 0.5 s; killed: bash (")
    assert ", sleep (" in outcome.message


def test_background_processes_live_until_the_run_is_over(step: Step, run: RunContext) -> None:
    # Not `kill -0`, which also finds zombies.
    running = {"script": "ps -o stat= -p $server | grep -v '^Z'"}
    start = run_shell({"script": "sleep 60 >/dev/null & server=$!"}, step("start"))
    assert start.status == "passed"
    builtin.lesson_step_event(Event("step-finished", "start"), run)
    assert run_shell(running, step("use")).status == "passed"
    builtin.lesson_step_event(Event("run-finished"), run)
    assert TERMINAL not in run.store
    assert run_shell(running, step("after")).status == "failed"


@pytest.mark.parametrize(
    ("params", "valid"),
    [
        ({"script": "x"}, True),
        ({"script": "x", "strict": False, "env": {"A_1": "x"}}, True),
        ({}, False),
        ({"script": 1}, False),
        ({"script": "x", "strict": "no"}, False),
        ({"script": "x", "env": {"A": 1}}, False),
        ({"script": "x", "env": {"A B": "1"}}, False),
        ({"script": "x", "shell": "zsh"}, False),
    ],
)
def test_schema(params: dict[str, object], valid: bool) -> None:
    assert Draft202012Validator(SHELL.schema).is_valid(params) == valid


def test_built_in_actions_declare_their_permissions() -> None:
    actions = {action.name: action for action in builtin.lesson_actions()}
    shell = frozenset({"shell"})
    assert {name: action.permissions for name, action in actions.items()} == {
        "shell": shell,
        "python": shell,
        "service": shell,
        "file": shell,
        "manual": frozenset(),
    }
    for action in actions.values():
        assert action.self_judging
        Draft202012Validator.check_schema(action.schema)
        assert not Draft202012Validator(action.schema).is_valid({"unknown": 1})
