"""Plugins that go wrong: each is named with its error by ``lesson plugins``, and harms nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from tests.reliability import fault

from lesson_runner.plugins import installed as module
from lesson_runner.plugins.installed import installed_points
from lesson_runner.plugins.manager import Plugins
from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]

TINY = "<!-- step\nid: one\n-->\n```bash\necho hi\n```\n"
HEAD = "from lesson_runner.plugins import *\nimport sys\n"

BROKEN = {
    "raises when imported": ("raise RuntimeError('no GPU')", "RuntimeError: no GPU"),
    "exits when imported": ("sys.exit(3)", "SystemExit: 3"),
    "is not Python": ("def (", "SyntaxError: "),
    "imports what is not there": ("import not_there_at_all", "ModuleNotFoundError: No module named"),
    "misspells a hook": (
        "@hookimpl\ndef lesson_action(): return []",
        "there is no hook 'lesson_action' (did you mean 'lesson_actions'?)",
    ),
    "asks for what a hook has not": (
        "@hookimpl\ndef lesson_actions(gpu): return []",
        "lesson_actions has no argument 'gpu' (it has no arguments)",
    ),
    "wraps a hook": (
        "@hookimpl(wrapper=True)\ndef lesson_actions():\n    return (yield)",
        "lesson_actions is a hook wrapper; lesson hooks are plain functions",
    ),
    "raises in a hook": (
        "@hookimpl\ndef lesson_actions(): return 1 / 0",
        "in lesson_actions: ZeroDivisionError: division by zero",
    ),
    "exits in a hook": (
        "@hookimpl\ndef lesson_detect_hardware(): sys.exit(3)",
        "in lesson_detect_hardware: Sys",
    ),
    "raises an error for users in a hook": (
        "@hookimpl\ndef lesson_detect_hardware(): raise LessonError('no driver')",
        "in lesson_detect_hardware: LessonError: no driver",
    ),
    "returns a generator that raises": (
        "@hookimpl\ndef lesson_directories():\n    yield 1 / 0",
        "in lesson_directories: ZeroDivisionError: division by zero",
    ),
    "returns one thing and no list": (
        "@hookimpl\ndef lesson_actions(): return Action('a', 'b', print)",
        "in lesson_actions: TypeError: returned Action(",
    ),
    "returns a number": (
        "@hookimpl\ndef lesson_directories(): return 5",
        "TypeError: returned 5, not a list of Path",
    ),
    "returns text": (
        "@hookimpl\ndef lesson_directories(): return 'x'",
        "TypeError: returned 'x', not a list of",
    ),
    "returns a list of something else": (
        "@hookimpl\ndef lesson_directories(): return ['/x']",
        "in lesson_directories: TypeError: returned '/x', not a list of Path",
    ),
    "brings an action that exists": (
        "@hookimpl\ndef lesson_actions(): return [Action('shell', 'Mine', print)]",
        "in lesson_actions: ValueError: plugin 'builtin' has an action 'shell' already",
    ),
}


@pytest.fixture
def point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., EntryPoint]]:
    """Makes an entry point of a module with the given source."""
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    made: list[str] = []

    def make(source: str, name: str = "theirs") -> EntryPoint:
        made.append(f"plugin_under_test_{len(made)}")
        (folder / f"{made[-1]}.py").write_text(HEAD + dedent(source) + "\n")
        return EntryPoint(name, made[-1], "lesson_runner")

    yield make
    for name in made:
        sys.modules.pop(name, None)


@fault(
    "plugins",
    "a plugin raises or exits when imported, is not Python, or misspells a hook",
    how="entry points of such modules",
    seen="`lesson plugins`: `does not work`, with the reason and the line",
    survives="all other plugins, and every command",
)
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin(name: str, point: Callable[..., EntryPoint], lesson: Lesson, tmp_path: Path) -> None:
    source, error = BROKEN[name]
    points = [
        point(source),
        point("@hookimpl\ndef lesson_actions(): return [Action('fine', 'F', print)]", "fine"),
    ]
    said = lesson("plugins", points=points)
    assert said.code == 0
    assert said.err == ""
    row = said.out.split("theirs: plugin_under_test_0\n")[1].split("\n")[0]
    state = (
        "does not work"
        if " in a hook" in name or name.startswith(("returns", "brings"))
        else "was not loaded"
    )
    assert row.startswith(f"  {state}: ")
    assert error in row
    assert said.out.count(state) == 1
    assert " fine " in said.out
    assert " shell " in said.out
    (tmp_path / "a.md").write_text(lesson_text(TINY))
    run = lesson("run", "a.md", "--allow", "shell", points=points)
    assert run.code == 0, run


def test_an_error_has_its_line(point: Callable[..., EntryPoint]) -> None:
    loaded = Plugins(points=[point("\n\nraise RuntimeError('here')")])
    assert loaded.infos["theirs"].error is not None
    assert loaded.infos["theirs"].error.endswith("plugin_under_test_0.py:5)")


def test_two_plugins_with_the_same_name(point: Callable[..., EntryPoint], lesson: Lesson) -> None:
    first = point("@hookimpl\ndef lesson_actions(): return [Action('first', 'F', print)]")
    second = point("@hookimpl\ndef lesson_actions(): return [Action('second', 'S', print)]")
    said = lesson("plugins", points=[first, second])
    assert "was not loaded: another plugin has the name 'theirs' already: plugin_under_test_0" in said.out
    assert " first " in said.out
    assert " second " not in said.out


def test_of_two_actions_with_the_same_name_the_first_is_used(point: Callable[..., EntryPoint]) -> None:
    sources = (f"@hookimpl\ndef lesson_actions(): return [Action('a', {n!r}, print)]" for n in "xy")
    loaded = Plugins(
        points=[point(source, name) for source, name in zip(sources, ("one", "two"), strict=True)]
    )
    assert loaded.actions()["a"].summary == "x"
    assert loaded.infos["one"].error is None
    error = loaded.infos["two"].error
    assert error is not None
    assert error.startswith("in lesson_actions: ValueError: plugin 'one' has an action 'a' already (")


@pytest.mark.parametrize(
    "source",
    [
        "@hookimpl\ndef lesson_measure(): raise ValueError('x')",
        "@hookimpl\ndef lesson_measure(): return 5",
        "@hookimpl\ndef lesson_measure(): return {'a': 'b'}",
        "@hookimpl\ndef lesson_step_event(): sys.exit(1)",
        "@hookimpl\ndef lesson_report_sections(): return [1]",
        "@hookimpl\ndef lesson_add_commands(app): app.nope()",
    ],
)
def test_a_plugin_that_goes_wrong_during_a_run(
    source: str, point: Callable[..., EntryPoint], lesson: Lesson, tmp_path: Path
) -> None:
    """The run continues, and the record names the plugin."""
    (tmp_path / "a.md").write_text(lesson_text(TINY))
    said = lesson("run", "a.md", "--allow", "shell", "--json", points=[point(source)])
    assert said.code == 0, said
    hook = source.split("def ")[1].split("(")[0]
    error = next(item["error"] for item in said.json["plugins"] if item["name"] == "theirs")
    if hook != "lesson_report_sections":  # reports are made after the record
        assert error.startswith(f"in {hook}: ")


@pytest.mark.parametrize("source", ["raise ValueError('x')", "return 5", "sys.exit(1)"])
def test_an_action_that_runs_steps_badly(
    source: str, point: Callable[..., EntryPoint], lesson: Lesson, tmp_path: Path
) -> None:
    body = "<!-- step\nid: one\nuses: theirs.act\n-->\n```text\nx\n```\n"
    (tmp_path / "a.md").write_text(lesson_text(body))
    code = f"""
from lesson_runner.plugins import Action

def act(params, context):
    {source}

@hookimpl
def lesson_actions():
    return [Action("theirs.act", "Act", act, self_judging=True)]
"""
    said = lesson("run", "a.md", "--json", points=[point(code)])
    assert said.code == 1
    assert said.json["steps"][0]["status"] == "error"


def test_what_plugins_print_when_imported_is_not_output(
    point: Callable[..., EntryPoint], lesson: Lesson
) -> None:
    said = lesson("plugins", "--json", points=[point("print('hello from a plugin')")])
    assert said.json["plugins"][1]["error"] is None
    assert "hello from a plugin" in said.err


def test_an_implementation_may_accept_fewer_arguments(point: Callable[..., EntryPoint]) -> None:
    loaded = Plugins(points=[point("@hookimpl\ndef lesson_measure(evidence): return {'a': 1}")])
    assert loaded.measure(None, None) == ({"a": 1.0}, [])  # type: ignore[arg-type]  # neither is looked at


def test_plugins_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint(name, name, "lesson_runner") for name in ("b", "a", "c")]
    monkeypatch.setattr(module, "entry_points", lambda group: points)
    monkeypatch.delenv("LESSON_PLUGINS", raising=False)
    assert [item.name for item in installed_points()] == ["a", "b", "c"]
    monkeypatch.setenv("LESSON_PLUGINS", "c, a,nope")
    assert [item.name for item in installed_points()] == ["a", "c"]
    monkeypatch.setenv("LESSON_PLUGINS", "")
    assert installed_points() == []
