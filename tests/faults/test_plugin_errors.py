"""Plugins that go wrong: no verdict is better than it should be, and each error has its place."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import last_files
from tests.fake_plugin import fake_plugin
from tests.faults.running import Ran, messages, only_run, record_of, shell, told, typed
from tests.reliability import fault

from lesson_runner.plugins import (
    Action,
    Diagnostic,
    Evidence,
    Location,
    Outcome,
    PlannedStep,
    Rule,
    hook_caller,
)
from lesson_runner.testing import lesson_text

AREA = "plugins"
Command = Callable[..., Any]
RUN = ["run", "a.md", "--allow", "shell"]
GOOD = shell("one", "echo hi", expect="[{contains: hi}]")
HEAD = "from lesson_runner.plugins import *\n"


def fail(*_: object) -> Any:
    raise ValueError("boom")


def write(folder: Path, body: str = GOOD, **frontmatter: Any) -> None:
    (folder / "a.md").write_text(lesson_text(body, **frontmatter))


def measured_low(params: Mapping[str, Any], context: object) -> Outcome:
    return Outcome(metrics={"loss": 0.1})


@fault(
    AREA,
    "`lesson_measure` raises for a step that is judged by a metric",
    how="an action and a `capture` give a metric that the hook would replace",
    seen="the step: `error`, with the plugin, the hook and the line; exit code 1",
    survives="steps that are judged without metrics",
)
def test_a_metric_that_a_broken_plugin_would_replace(lesson: Command, tmp_path: Path) -> None:
    train = Action("theirs.train", "Train", measured_low, self_judging=True)
    plugin = fake_plugin("theirs", actions=[train], measure=lambda step, evidence: fail())
    low = "[{metric: {name: loss, max: 1}}]"
    printed = shell("printed", "echo loss 0.1", expect=low, capture="{loss: 'loss (.*)'}")
    write(tmp_path, typed("given", "theirs.train", expect=low) + printed + GOOD)
    said = lesson(*RUN, "--json", plugins=[plugin])
    assert said.code == 1
    assert told(said.json) == {"given": "error", "printed": "error", "one": "passed"}
    for name in ("given", "printed"):
        assert "plugin 'theirs': in lesson_measure: ValueError: boom" in messages(said.json)[name]
        assert Path(__file__).name in messages(said.json)[name]


def shout(lesson: Any, scope: object) -> Iterable[Diagnostic]:
    yield Diagnostic("theirs.shout", "error", "the title shouts", Location(lesson.path, 3))
    fail()


def rubbish(lesson: Any, scope: object) -> Iterable[Any]:
    return ["the title shouts"]


def wrong_field(lesson: Any, scope: object) -> Iterable[Any]:
    severity: Any = "fatal"
    return [Diagnostic("theirs.rule", severity, "the title shouts", Location(lesson.path, 3))]


def leave(lesson: Any, scope: object) -> Any:
    raise SystemExit(0)


def nothing(lesson: Any, scope: object) -> Any:
    return None


RULES: dict[str, tuple[Callable[..., Any], str]] = {
    "raises": (shout, "ValueError: boom"),
    "exits": (leave, "SystemExit: 0"),
    "returns text": (rubbish, "TypeError: returned 'the title shouts', not diagnostics"),
    "returns a wrong field": (wrong_field, "TypeError: Diagnostic.severity is 'fatal', not one of error,"),
    "returns nothing": (nothing, "TypeError: "),
}


@fault(
    AREA,
    "a plugin's rule raises, exits or returns an invalid value",
    how="`lesson validate` and `lesson run` with such rules, in every format",
    seen="`plugin-failed` with the plugin, the rule and the line; exit code 1, and 2 for `run`",
    survives="what the rule found before it raised, the diagnostics of all other rules",
)
@pytest.mark.parametrize("what", RULES)
def test_a_rule_that_goes_wrong(lesson: Command, tmp_path: Path, what: str) -> None:
    check, error = RULES[what]
    plugin = fake_plugin("theirs", rules=[Rule("theirs.rule", "error", "x", "Page.", check)])
    write(tmp_path)
    said = lesson("validate", "a.md", "--json", plugins=[plugin])
    assert said.code == 1
    found = {item["rule"]: item for item in said.json["findings"]}
    assert ("theirs.shout" in found) == (what == "raises")
    message = found["plugin-failed"]["message"]
    assert message.startswith(f"plugin 'theirs': in rule theirs.rule: {error}")
    assert Path(__file__).name in message
    assert found["plugin-failed"]["path"] == "a.md"
    for form in ("text", "github", "sarif"):
        shown = lesson("validate", "a.md", "--format", form, plugins=[plugin])
        assert (shown.code, "in rule theirs.rule" in shown.out, shown.err) == (1, True, "")
    stopped = lesson(*RUN, plugins=[plugin])
    assert (stopped.code, "in rule theirs.rule" in stopped.err) == (2, True)
    assert not (tmp_path / ".lesson").exists()


BROKEN_RULE = f"""{HEAD}
def check(lesson, scope):
    raise ValueError("boom")

@hookimpl
def lesson_rules():
    return [Rule("theirs.rule", "error", "x", "Page.", check)]
"""


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_rule_that_raises_in_every_document(
    command: Callable[..., Ran], install: Callable[[str], str], tmp_path: Path, jobs: str
) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.md").write_text(lesson_text(GOOD, id=name))
    said = command("validate", "a.md", "b.md", "--jobs", jobs, "--json", plugins=install(BROKEN_RULE))
    assert said.code == 1
    assert [(item["rule"], item["path"]) for item in said.json["findings"]] == [
        ("plugin-failed", "a.md"),
        ("plugin-failed", "b.md"),
    ]
    line = BROKEN_RULE[: BROKEN_RULE.index("raise")].count("\n") + 1
    assert all(item["message"].endswith(f"theirs_plugin.py:{line})") for item in said.json["findings"])


@fault(
    AREA,
    "a plugin raises while the steps of a lesson without directives are recognised",
    how="`lesson_interpret_block` raises for one of two blocks",
    seen="`plugin-failed` at the block; exit code 2, and 1 for `lesson validate`",
    survives="nothing is started: a run without that step would look complete",
)
def test_a_block_that_is_not_recognised_because_a_plugin_raises(lesson: Command, tmp_path: Path) -> None:
    from lesson_runner.plugins import ActionCall

    def interpret(block: Any) -> list[ActionCall]:
        return fail() if "second" in block.text else [ActionCall("theirs.act", {}, block.location)]

    act = Action("theirs.act", "Act", lambda *_: Outcome(), self_judging=True)
    plugin = fake_plugin("theirs", actions=[act], interpret_block=interpret)
    write(tmp_path, "## Step 1: go\n\n```bash\nfirst\n```\n\n## Step 2: on\n\n```bash\nsecond\n```\n")
    said = lesson("validate", "a.md", "--json", plugins=[plugin])
    ((rule, line),) = {(item["rule"], item["line"]) for item in said.json["findings"]}
    assert (said.code, rule) == (1, "plugin-failed")
    assert (tmp_path / "a.md").read_text().split("\n")[line - 1] == "second"
    assert lesson(*RUN, plugins=[plugin]).code == 2


def test_a_run_whose_hook_raised_can_be_resumed(lesson: Command, tmp_path: Path) -> None:
    plugin = fake_plugin("theirs", step_event=lambda event: fail())
    write(tmp_path, shell("one", "test -f ready"))
    said = lesson(*RUN, plugins=[plugin])
    assert said.code == 1
    assert "warning: plugin 'theirs': in lesson_step_event: ValueError: boom" in said.err
    assert said.err.count("lesson_step_event") == 1
    (last_files(tmp_path / ".lesson") / "ready").touch()
    assert lesson("resume", "--allow", "shell", plugins=[plugin]).code == 0


def test_a_step_that_needs_a_board_says_that_none_could_be_looked_for(
    lesson: Command, tmp_path: Path
) -> None:
    write(tmp_path, GOOD + shell("two", "true", requires="[board]"))
    said = lesson(*RUN, "--json", plugins=[fake_plugin("theirs", detect_hardware=fail)])
    assert "in lesson_detect_hardware: ValueError: boom" in messages(said.json)["two"]


def test_every_error_of_a_plugin_is_recorded(lesson: Command, tmp_path: Path) -> None:
    plugin = fake_plugin("theirs", measure=lambda step: fail(), diagnose=lambda result: fail())
    write(tmp_path)
    said = lesson(*RUN, "--json", plugins=[plugin])
    (error,) = [item["error"] for item in said.json["plugins"] if item["name"] == "theirs"]
    assert error.count("ValueError: boom") == 2
    assert {"lesson_measure", "lesson_diagnose"} <= set(error.replace(":", " ").split())


def test_a_hook_that_hangs_is_named(lesson: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hook_caller, "HANGS", 0.01)

    def hang() -> None:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        threading.Event().wait(60)

    said = lesson("hw", plugins=[fake_plugin("theirs", detect_hardware=hang)])
    assert said.code == 130
    assert "plugin 'theirs': in lesson_detect_hardware: TimeoutError: had not returned after" in said.err


UNLOADED = {
    "a missing module": ("import not_there_at_all", "ModuleNotFoundError: No module named", 2),
    "sys.exit": ("raise SystemExit(3)", "SystemExit: 3", 2),
    "a syntax error": ("def (", "SyntaxError: invalid syntax", 2),
    "a name of another version": (
        "from lesson_runner.plugins import Gadget",
        "ImportError: cannot import",
        2,
    ),
    "a misspelt hook": (
        "@hookimpl\ndef lesson_acions(): return []",
        "there is no hook 'lesson_acions' (did you mean 'lesson_actions'?)",
        2,
    ),
    "no @hookimpl": ("def lesson_actions(): return []", "lesson_actions is not marked with @hookimpl", 2),
    "a wrong argument": (
        "@hookimpl\ndef lesson_measure(stp, evidence): return {}",
        "lesson_measure has no argument 'stp' (did you mean 'step'?; its arguments are step, evidence)",
        2,
    ),
}


@fault(
    AREA,
    "an installed plugin cannot be loaded",
    how="a missing module, `sys.exit`, a syntax error, a missing name, and hooks that do not fit",
    seen="every command: the plugin, the reason and the line; `validate` and `doctor` exit with 1",
    survives="all other plugins, and every command",
)
@pytest.mark.parametrize("what", UNLOADED)
def test_a_plugin_that_is_not_loaded(
    lesson: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    source, error, line = UNLOADED[what]
    (tmp_path / "theirs_plugin.py").write_text(f"{HEAD}{source}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "theirs_plugin", raising=False)
    points = [EntryPoint("theirs", "theirs_plugin", "lesson_runner")]
    place = f"theirs_plugin.py:{line})"
    write(tmp_path)
    said = lesson("validate", "a.md", "--json", points=points)
    (found,) = said.json["findings"]
    assert (said.code, found["rule"], found["line"]) == (1, "plugin-failed", line)
    assert found["path"].endswith("theirs_plugin.py")
    assert found["message"].startswith(f"plugin 'theirs': it was not loaded: {error}")
    monkeypatch.delitem(sys.modules, "theirs_plugin", raising=False)
    missing = lesson("run", "absent", points=points)
    assert missing.code == 2
    fix = missing.err.split("\nfix: ")[1]
    assert f"it was not loaded: {error}" in fix
    assert place in fix


@pytest.mark.parametrize(
    ("arguments", "body"),
    [
        (["show", "absent"], GOOD),
        (["plan", "a.md"], typed("one", "theirs.act")),
        (["plan", "a.md", "--profile", "tiny"], GOOD),
        (["doctor", "--check", "absent"], GOOD),
        (["explain", "theirs.rule"], GOOD),
    ],
)
def test_an_unknown_name_may_be_a_broken_plugin_s(
    lesson: Command, tmp_path: Path, arguments: list[str], body: str
) -> None:
    write(tmp_path, body)
    plugin = fake_plugin("theirs", acions=[])
    said = lesson(*arguments, plugins=[plugin])
    assert said.code == 2
    wrong = said.err[said.err.index("error: ") :]
    assert "or a plugin that does not work has it: plugin 'theirs': it was not loaded: there is no" in wrong
    assert "plugin that does not work" not in lesson(*arguments, plugins=[]).err


def test_doctor_does_not_say_ready_without_a_plugin_s_checks(lesson: Command) -> None:
    said = lesson("doctor", plugins=[fake_plugin("theirs", checks=fail)])
    assert said.code == 1
    assert "in lesson_checks: ValueError: boom" in said.out
    assert "Not ready" in said.out
    assert said.err == ""


def test_a_plugin_for_another_version(
    command: Callable[..., Ran], install: Callable[[str], str], tmp_path: Path
) -> None:
    name = install("from lesson_runner.plugins import Gadget\n")
    about = tmp_path / "site" / "theirs-1.0.dist-info" / "METADATA"
    about.write_text(f"{about.read_text()}Requires-Dist: lesson-runner>=99\n")
    said = command("list", plugins=name)
    assert "it requires lesson-runner>=99, and this is " in said.err


def test_a_plugin_that_takes_long_to_import_is_named(
    lesson: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow:
        name, value, dist = "slow", "slow_plugin", None

        def load(self) -> object:
            time.sleep(0.02)
            return fake_plugin("slow")

    monkeypatch.setattr(hook_caller, "SLOW_IMPORT", 0.01)
    write(tmp_path)
    said = lesson("validate", "a.md", points=[Slow()])
    assert said.code == 0
    assert "note: plugin 'slow': importing slow_plugin took " in said.err


def test_a_number_that_is_only_wrong_because_a_hook_returned_rubbish(lesson: Command, tmp_path: Path) -> None:
    def measure(step: PlannedStep, evidence: Evidence) -> Any:
        return {"loss": "low"}

    body = shell(
        "one", "echo loss 0.1", expect="[{metric: {name: loss, max: 1}}]", capture="{loss: 'loss (.*)'}"
    )
    write(tmp_path, body)
    assert lesson(*RUN, plugins=[fake_plugin("theirs", measure=measure)]).code == 1
    record = record_of(only_run(tmp_path / ".lesson"))
    assert told(record) == {"one": "error"}


def test_the_answer_in_json_is_whole(lesson: Command, tmp_path: Path) -> None:
    plugin = fake_plugin("theirs", directories=fail, detect_hardware=fail)
    write(tmp_path)
    planned = lesson("plan", "a.md", "--json", plugins=[plugin])
    assert len(planned.json["plugin_errors"]) == 2
    assert "plugin_errors" not in lesson("plan", "a.md", "--json").json
    listed = lesson("list", "--json", plugins=[plugin])
    assert json.loads(listed.out) == []
    assert "warning: plugin 'theirs': in lesson_directories: ValueError: boom" in listed.err
