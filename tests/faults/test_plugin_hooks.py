"""Hooks that fail, each in every way: the command still answers, and names the plugin."""

from __future__ import annotations

import inspect
import itertools
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.fake_plugin import fake_plugin
from tests.faults.running import Ran, messages, only_run, record_of, shell, told, typed
from tests.reliability import fault

from lesson_runner.model.sections import Table, Texts
from lesson_runner.plugins import (
    Action,
    ActionCall,
    BlockRule,
    Check,
    Diagnosis,
    Finding,
    Hardware,
    Outcome,
    Rule,
    hookspecs,
)
from lesson_runner.run import time_limit
from lesson_runner.testing import lesson_text

AREA = "plugins"
Lesson = Callable[..., Any]

HOOKS = [name for name in vars(hookspecs) if name.startswith("lesson_")]
RUN = ["run", "a.md", "--allow", "shell"]
ASK = {
    "lesson_add_commands": ["plugins"],
    "lesson_directories": ["list"],
    "lesson_actions": ["plan", "a.md"],
    "lesson_detect_hardware": ["hw"],
    "lesson_checks": ["doctor"],
    "lesson_rules": ["validate", "a.md"],
    "lesson_interpret_block": ["plan", "a.md"],
    "lesson_block_rules": ["plan", "a.md"],
}
"""A command that calls the hook and answers in JSON; a run, for the others."""


CODES = {"lesson_checks": 1, "lesson_rules": 1, "lesson_interpret_block": 2}
"""The exit codes of those commands, where one that goes on would hide something; 0 for the others."""


class Cancelled(BaseException):
    """As libraries raise it that are no Exception: asyncio's CancelledError, for one."""


def rubbish(hook: str) -> Iterator[object]:
    """Yield what a hook should not return."""
    nothing: Any = None
    number: Any = 5
    act: Any = print
    yield from [5, "text", [5], [None], {"a": "b"}, object(), [object()], b"bytes", print]
    made: dict[str, list[object]] = {
        "lesson_actions": [
            Action(number, "x", act),
            Action("a.b", number, act),
            Action("a.b", "x", number),
            Action("a.b", "x", "no function's name"),
            Action("a.b", "x", act, permissions=number),
        ],
        "lesson_detect_hardware": [
            Hardware(nothing, "x"),
            Hardware("n150", number),
            Hardware("n", "x", nothing),
        ],
        "lesson_checks": [Check(number, "x", "y", act), Check("x", number, "y", lambda _: number)],
        "lesson_rules": [Rule(number, "error", "x", "y"), Rule("theirs.x", "error", number, "y")],
        "lesson_block_rules": [BlockRule(number, "run", "x", act), BlockRule("theirs.x", number, "y", act)],
        "lesson_interpret_block": [ActionCall(number, {}, nothing), ActionCall("shell", number, nothing)],
        "lesson_diagnose": [Diagnosis("x", number, "y"), Diagnosis("x", "y", "z", number)],
        "lesson_report_sections": [Texts(number, ()), Texts("x", (number,)), Table("x", number, nothing)],
    }
    for item in made.get(hook, []):
        yield [item]
    if hook == "lesson_measure":
        yield from ({"a": "b"}, {5: nothing}, [("a", 1)])


def hooked(hook: str, act: Callable[[], object]) -> object:
    """Return a plugin with one hook, which takes all that it may."""
    names = list(inspect.signature(getattr(hookspecs, hook)).parameters)
    scope: dict[str, Any] = {"act": act}
    exec(f"def {hook}({', '.join(names)}): return act()", scope)
    return fake_plugin("theirs", **{hook.removeprefix("lesson_"): scope[hook]})


def fail(error: BaseException) -> Callable[[], object]:
    def act() -> object:
        raise error

    return act


def talk() -> None:
    """Print as libraries do: past the runner, from Python and from below it."""
    print("from Python")
    sys.stdout.flush()
    os.write(1, b"from C\n")


def forever() -> Iterator[int]:
    return itertools.count()


@pytest.fixture(autouse=True)
def document(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(shell("one", "echo hi", expect="[{contains: hi}]")))


def answer(lesson: Lesson, hook: str, plugin: object, tmp_path: Path) -> tuple[Any, str | None]:
    """Ask a command that calls the hook, in JSON; return what it says, and what it says of the plugin."""
    said = lesson(*ASK.get(hook, RUN), "--json", plugins=[plugin])
    assert "Traceback" not in said.out + said.err
    assert "this is a bug" not in said.err, said
    data = said.json if said.out else {}  # an error leaves nothing to answer
    if hook not in ASK:
        record_of(only_run(tmp_path / ".lesson"))
        errors = {item["name"]: item["error"] for item in data["plugins"]}
        return said, errors["theirs"]
    return said, None


def named(lesson: Lesson, hook: str, plugin: object) -> str | None:
    """Return the error that ``lesson plugins`` names; a run names what goes wrong in it."""
    found = lesson("plugins", "--json", plugins=[plugin]).json["plugins"]
    return next((item["error"] for item in found if item["name"] == "theirs"), None)


BLAMED_BY_LIST: tuple[str, ...] = (
    "lesson_add_commands",
    "lesson_directories",
    "lesson_actions",
    "lesson_detect_hardware",
)
BLAMED_BY_LIST += ("lesson_checks", "lesson_rules", "lesson_block_rules")


def giving(value: object) -> Callable[[], object]:
    """Return a hook's function that returns a value."""
    return lambda: value


@fault(
    AREA,
    "a hook raises",
    how="every hook, with an exception, `sys.exit`, and a BaseException",
    seen="the command names the plugin, the hook and the line: `validate` as an error, `doctor` as a failed "
    "check, others in a warning and under `plugin_errors`; so do `lesson plugins` and the record. A block "
    "that a plugin could not interpret stops a run with exit code 2",
    survives="the results of all other plugins, the record",
)
@pytest.mark.parametrize(
    "error", [ValueError("boom"), SystemExit(7), Cancelled()], ids=lambda e: type(e).__name__
)
@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_that_raises(lesson: Lesson, tmp_path: Path, hook: str, error: BaseException) -> None:
    plugin = hooked(hook, fail(error))
    said, blamed = answer(lesson, hook, plugin, tmp_path)
    assert said.code == CODES.get(hook, 0)
    if hook in BLAMED_BY_LIST:
        blamed = named(lesson, hook, plugin)
    if hook == "lesson_report_sections":  # reports are made after the record
        said = lesson("report", plugins=[plugin])
        assert "Sections that are missing" in said.out
    elif hook != "lesson_interpret_block":  # that stops a run
        assert blamed is not None
        assert blamed.startswith(f"in {hook}: {type(error).__name__}")
    shown = said.out + said.err
    assert f"in {hook}: {type(error).__name__}" in shown
    assert "theirs" in shown
    assert Path(__file__).name in shown
    if hook == "lesson_detect_hardware":
        (told,) = said.json["plugin_errors"]
        assert told.startswith(f"plugin 'theirs': in {hook}: {type(error).__name__}")


@pytest.mark.slow
@fault(
    AREA,
    "a hook returns invalid values",
    how="every hook, with wrong types, and with right types that have wrong fields",
    seen="`lesson plugins` and the record name the plugin, the hook and the value",
    survives="the command and its exit code, the results of all other plugins, the record",
)
@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_that_returns_rubbish(lesson: Lesson, tmp_path: Path, hook: str) -> None:
    for value in rubbish(hook):
        for run in (tmp_path / ".lesson" / "runs").glob("*"):
            run.rename(tmp_path / f"earlier-{run.name}-{id(value)}")
        plugin = hooked(hook, giving(value))
        said, blamed = answer(lesson, hook, plugin, tmp_path)
        assert said.code == CODES.get(hook, 0), value
        if hook in ("lesson_measure", "lesson_diagnose"):
            assert blamed is not None, value
            assert blamed.startswith(f"in {hook}: "), value
        if hook == "lesson_report_sections":
            assert lesson(*RUN, plugins=[plugin]).code == 0, value
            for form in ("markdown", "json"):
                assert lesson("report", "--format", form, plugins=[plugin]).code == 0, (value, form)


PRINTS = ("lesson_add_commands", "lesson_interpret_block", "lesson_step_event")
"""One before a command, one while it plans, one in a run; the others take long together."""


@pytest.mark.slow
@fault(
    AREA,
    "a hook prints to standard output",
    how="every hook, from Python and directly to the file descriptor",
    seen="the text goes to standard error; `--json` prints JSON and nothing else",
    survives="the answer",
)
@pytest.mark.parametrize(
    "hook", [pytest.param(name, marks=() if name in PRINTS else pytest.mark.slow) for name in HOOKS]
)
def test_a_hook_that_prints(
    command: Callable[..., Ran], install: Callable[[str], str], tmp_path: Path, hook: str
) -> None:
    names = ", ".join(inspect.signature(getattr(hookspecs, hook)).parameters)
    source = inspect.getsource(talk).replace("def talk() -> None:", f"@hookimpl\ndef {hook}({names}):")
    name = install(f"import os, sys\nfrom lesson_runner.plugins import hookimpl\n\n{source}")
    said = command(*ASK.get(hook, RUN), "--json", plugins=name)
    if hook == "lesson_report_sections":
        said = command("report", "--format", "json", plugins=name)
    json.loads(said.out)
    assert said.code == 0
    assert "from Python\n" in said.err
    assert "from C\n" in said.err


@fault(
    AREA,
    "a hook yields items without end",
    how="every hook that returns several items",
    seen="`returned more than 100,000 items`, with the plugin and the hook",
    survives="the command, the results of all other plugins",
)
@pytest.mark.parametrize("hook", [name for name in BLAMED_BY_LIST if name != "lesson_add_commands"])
def test_a_hook_that_does_not_end(lesson: Lesson, hook: str) -> None:
    error = named(lesson, hook, hooked(hook, forever))
    assert error is not None
    assert error.startswith(f"in {hook}: ValueError: returned more than 100,000 items (")


@fault(
    AREA,
    "a plugin's check returns an invalid value, raises or exits",
    how="`lesson doctor` with such checks",
    seen="that check: `failed`, with what it did; exit code 1",
    survives="the other checks",
)
def test_a_check_that_goes_wrong(lesson: Lesson) -> None:
    value: Any = 5
    word: Any = "fine"
    ways: dict[str, Callable[[], Any]] = {
        "raises": fail(ValueError("boom")),
        "exits": fail(SystemExit(3)),
        "rubbish": lambda: 5,
        "status": lambda: Finding(value, "x"),
        "word": lambda: Finding(word, "x"),
        "found": lambda: Finding("ok", value),
        "fine": lambda: Finding("ok", "all is well"),
    }

    def check(name: str, way: Callable[[], Any]) -> Check:
        return Check(name, name, "why", lambda _: way())

    checks = [check(name, way) for name, way in ways.items()]
    said = lesson("doctor", "--json", plugins=[hooked("lesson_checks", lambda: checks)])
    statuses = {item["id"]: item["status"] for item in said.json["checks"]}
    assert said.code == 1
    assert statuses == dict.fromkeys(ways, "failed") | {"fine": "ok"}


@fault(
    AREA,
    "a hook hangs",
    how="every hook waits forever, and Ctrl-C (a real SIGINT) arrives",
    seen="exit code 130; in a run `interrupted`. Nothing else ends the hook, and code in C "
    "does not even react to Ctrl-C",
    survives="the record: finished steps keep their results, the others are not reached",
)
@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_that_hangs(lesson: Lesson, tmp_path: Path, hook: str) -> None:
    def hang() -> None:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        threading.Event().wait()

    said = lesson(*ASK.get(hook, RUN), plugins=[hooked(hook, hang)])
    assert (said.code, said.err) == (130, "")
    if hook not in (*ASK, "lesson_needs"):  # that is called before there is a run
        record = record_of(only_run(tmp_path / ".lesson"))
        assert record["status"] == ("passed" if hook == "lesson_report_sections" else "interrupted")


@fault(
    AREA,
    "an action hangs and does not check the time",
    how="a typed action that waits forever, in a step with a timeout",
    seen="`took longer than its timeout of 0.1 s, and did not stop by itself`, a minute later; exit code 1",
    survives="later steps, the record",
)
def test_an_action_that_hangs(lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limit, "OVERTIME", 0.1)  # not to wait for a minute

    def for_ever(params: Any, context: Any) -> Outcome:
        threading.Event().wait()
        return Outcome()

    wait = Action("theirs.wait", "Wait", for_ever, self_judging=True)
    body = typed("one", "theirs.wait", timeout="0.1s") + shell("two", "echo two")
    (tmp_path / "a.md").write_text(lesson_text(body))
    said = lesson(*RUN, "--json", plugins=[hooked("lesson_actions", lambda: [wait])])
    assert said.code == 1
    assert told(said.json) == {"one": "failed", "two": "passed"}
    late = "step 'one' took longer than its timeout of 0.1 s, and did not stop by itself"
    assert messages(said.json)["one"] == late


WRONG: dict[str, tuple[Callable[..., Any], str]] = {
    "inspect raises": (fail(ValueError("boom")), "raised ValueError: boom"),
    "inspect returns": (lambda: 5, "returned 5"),
    "inspect exits": (fail(SystemExit(3)), "raised SystemExit: 3"),
    "inspect returns nothing": (lambda: None, "returned None"),
    "permissions raises": (fail(ValueError("boom")), "raised ValueError: boom"),
    "permissions returns": (lambda: [5], "returned [5]"),
    "checks raises": (fail(ValueError("boom")), "raised ValueError: boom"),
    "checks returns": (lambda: [5], "returned [5]"),
}


@fault(
    AREA,
    "a function of an action raises, exits or returns an invalid value while a lesson is planned",
    how="each of `inspect`, `permissions` and `checks`",
    seen="the plugin, the action, the function and what it did; exit code 2",
    survives="nothing is started",
)
@pytest.mark.parametrize("what", WRONG)
def test_a_function_of_an_action_that_goes_wrong(lesson: Lesson, tmp_path: Path, what: str) -> None:
    name, (act, says) = what.split()[0], WRONG[what]
    functions: dict[str, Any] = {name: lambda *_: act()}
    action = Action("theirs.act", "Act", lambda *_: Outcome(), self_judging=True, **functions)
    (tmp_path / "a.md").write_text(lesson_text(typed("one", "theirs.act")))
    command = ["doctor", "a.md"] if name == "checks" else RUN
    said = lesson(*command, plugins=[hooked("lesson_actions", lambda: [action])])
    assert (said.code, said.out) == (2, "")
    assert f"error: plugin 'theirs': '{name}' of its action 'theirs.act' {says}\nfix: report it" in said.err
    assert not (tmp_path / ".lesson").exists()


OUTCOMES: dict[str, Callable[[Any], object]] = {
    "status": lambda wrong: Outcome(wrong),
    "message": lambda wrong: Outcome("passed", wrong),
    "output": lambda wrong: Outcome(output=wrong),
    "labels": lambda wrong: Outcome(labels=wrong),
    "facts": lambda wrong: Outcome(facts=wrong),
    "metrics": lambda wrong: Outcome(metrics=wrong),
    "exit_code": lambda wrong: Outcome(exit_code=f"{wrong}"),  # type: ignore[arg-type]  # plugins are often untyped
    "no outcome": lambda wrong: wrong,
}


@fault(
    AREA,
    "an action raises, exits or returns rubbish",
    how="a typed action, with exceptions and what is no Exception, and with wrong types in its `Outcome`",
    seen="the step: `error`, with the type of the error; exit code 1",
    survives="the steps after it, the record",
)
@pytest.mark.parametrize("what", ["ValueError", "SystemExit", "Cancelled", *OUTCOMES])
def test_an_action_that_goes_wrong(lesson: Lesson, tmp_path: Path, what: str) -> None:
    errors = {"ValueError": ValueError("boom"), "SystemExit": SystemExit(7), "Cancelled": Cancelled()}
    act = fail(errors[what]) if what in errors else giving(OUTCOMES[what](5))
    action: Any = Action("theirs.act", "Act", lambda *_: act(), self_judging=True)  # type: ignore[arg-type]  # act() returns anything
    (tmp_path / "a.md").write_text(lesson_text(typed("one", "theirs.act") + shell("two", "echo two")))
    said = lesson(*RUN, "--json", plugins=[hooked("lesson_actions", lambda: [action])])
    assert said.code == 1
    assert told(said.json) == {"one": "error", "two": "passed"}
    assert (what if what in errors else "TypeError") in messages(said.json)["one"]


MISSING = {
    "nowhere:act": "there is no module 'nowhere'",
    "json.nowhere:act": "there is no module 'json.nowhere'",
    "json:nowhere": "module 'json' has no function 'nowhere'",
}


@fault(
    AREA,
    "an action names a function that does not exist",
    how='`run="module:function"` where the module or the function is missing',
    seen="the step: `error`, with the plugin, the action and what was not found; exit code 1",
    survives="the steps after it, the record",
)
@pytest.mark.parametrize("name", MISSING)
def test_an_action_with_a_wrong_name(lesson: Lesson, tmp_path: Path, name: str) -> None:
    action = Action("theirs.act", "Act", name, self_judging=True)
    (tmp_path / "a.md").write_text(lesson_text(typed("one", "theirs.act") + shell("two", "echo two")))
    said = lesson(*RUN, "--json", plugins=[hooked("lesson_actions", lambda: [action])])
    assert said.code == 1
    assert told(said.json) == {"one": "error", "two": "passed"}
    assert f"plugin 'theirs': 'run' of its action 'theirs.act': {MISSING[name]}" in messages(said.json)["one"]


@pytest.mark.parametrize("field", ["check", "asks", "paths", "merge", "only_checks"])
def test_a_field_that_an_action_does_not_have(lesson: Lesson, field: str) -> None:
    def act() -> object:
        make: Any = Action
        return [make("theirs.act", "Act", "json:dumps", **{field: None})]

    error = named(lesson, "lesson_actions", hooked("lesson_actions", act))
    assert error is not None
    assert error.startswith("in lesson_actions: TypeError: ")
    assert f"unexpected keyword argument '{field}'" in error
