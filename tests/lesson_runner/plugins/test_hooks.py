"""
Every hook has a section in ``docs/hooks.md`` and a test ``test_hook_<name>``; the examples there run; and the
hooks of a whole run are called in the order that they are documented in.
"""

from __future__ import annotations

import inspect
import re
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from tests.fake_plugin import fake_plugin

from lesson_runner.model.sections import Passage, Section, Texts
from lesson_runner.plugins import (
    Action,
    ActionCall,
    Block,
    BlockRule,
    BlockView,
    Check,
    Diagnostic,
    Event,
    Evidence,
    Finding,
    Hardware,
    Json,
    Lesson,
    Machine,
    Need,
    Outcome,
    PlannedStep,
    Rule,
    RunContext,
    Scope,
    StepContext,
    hookimpl,
    hookspecs,
)
from lesson_runner.testing import lesson_text, load_plugins, plan_lesson, run_lesson

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "hooks.md").read_text("utf-8")
HOOKS = {
    name: f"{name}({', '.join(inspect.signature(function).parameters)})"
    for name, function in vars(hookspecs).items()
    if name.startswith("lesson_")
}
STEP = "<!-- step\nid: one\n{}-->\n```text\nx\n```\n"

Command = Callable[..., Any]


def hook(function: Callable[..., Any]) -> object:
    """Return a plugin with one hook."""
    return fake_plugin("plugin_under_test", **{function.__name__.removeprefix("lesson_"): function})


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_documented_and_tested(name: str) -> None:
    assert f"## `{HOOKS[name]}`\n" in DOCUMENT
    tests = {path: path.read_text("utf-8") for path in (ROOT / "tests").rglob("test_*.py")}
    assert any(re.search(rf"^def test_hook_{name}\b", text, re.MULTILINE) for text in tests.values())


def test_no_other_hook_is_documented() -> None:
    sections = re.findall(r"^## `(lesson_\w+)", DOCUMENT, re.MULTILINE)
    assert sorted(sections) == sorted(HOOKS)


# --- the examples ---


@pytest.fixture
def example(tmp_path: Path) -> Iterator[tuple[Any, str]]:
    """The document's plugin, imported as ``my_lessons.plugin``, and the source of its tests."""
    blocks = [
        token for token in MarkdownIt().parse(DOCUMENT) if token.type == "fence" and token.info == "python"
    ]
    sources = [token.content for token in blocks]
    package, plugin = types.ModuleType("my_lessons"), types.ModuleType("my_lessons.plugin")
    plugin.__file__ = str(tmp_path / "plugin.py")
    package.plugin = plugin  # type: ignore[attr-defined]  # as importing does
    exec(compile("\n\n".join(sources[:-1]), "docs/hooks.md", "exec"), vars(plugin))
    sys.modules.update({"my_lessons": package, "my_lessons.plugin": plugin})
    yield plugin, sources[-1]
    del sys.modules["my_lessons"], sys.modules["my_lessons.plugin"]


def test_the_example_s_test_passes(example: tuple[Any, str], tmp_path: Path) -> None:
    plugin, source = example
    assert load_plugins(plugin).infos["my_lessons"].error is None
    scope: dict[str, Any] = {}
    exec(compile(source, "docs/hooks.md", "exec"), scope)
    tests = [value for name, value in scope.items() if name.startswith("test_")]
    assert len(tests) == 2
    for test in tests:
        test(tmp_path)


def test_the_examples_of_every_hook_work(example: tuple[Any, str], tmp_path: Path, lesson: Command) -> None:
    plugin, _ = example
    (tmp_path / "lessons").mkdir()
    expect = "expect: [{{metric: {{name: letters, min: 1}}}}]"
    body = f"<!-- step\nid: {{0}}\nneeds: []\n{expect}\n-->\n```sh\ngreet {{0}}\n```\n"
    (tmp_path / "lessons" / "hi.md").write_text(
        lesson_text(body.format("ada") + body.format("nobody"), id="hi")
    )
    (tmp_path / "lessons" / "loud.md").write_text(lesson_text(f"# HI\n\n{body.format('bo')}", id="loud"))
    assert lesson("my", "hello", plugins=[plugin]).out == "hello\n"
    shouted = lesson("validate", tmp_path / "lessons" / "loud.md", "--json", plugins=[plugin]).json
    assert [item["message"] for item in shouted["findings"]] == ["the heading 'HI' shouts"]
    (tmp_path / "lessons" / "loud.md").unlink()
    assert "ok       a greeting" in lesson("doctor", plugins=[plugin]).out
    assert lesson("list", plugins=[plugin]).out == "hi  Sample\n"
    said = lesson("run", "hi", plugins=[plugin])
    assert said.code == 0
    assert "Who was greeted" in said.out
    record = lesson("run", "hi", "--json", plugins=[plugin]).json
    assert record["hardware"][0] == {
        "name": "none",
        "detected_by": "/dev/my-board",
        "devices": 0,
        "kind": "none",
        "facts": {},
    }
    assert [step["message"] for step in record["steps"]] == ["", "nobody is there to greet"]
    assert all(item["error"] is None for item in record["plugins"])


# --- each hook ---


def test_hook_lesson_add_commands(lesson: Command) -> None:
    def lesson_add_commands(app: Any) -> None:
        app.command("extra")(lambda: print("added"))

    assert lesson("extra", plugins=[hook(lesson_add_commands)]).out == "added\n"


def test_hook_lesson_directories(lesson: Command, tmp_path: Path) -> None:
    def lesson_directories() -> Iterator[Path]:
        yield tmp_path / "one"
        yield tmp_path / "missing"

    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a.md").write_text(lesson_text(STEP, id="a", title="The first"))
    (tmp_path / "one" / "notes.md").write_text("No lesson.")
    found = lesson("list", "--json", plugins=[hook(lesson_directories)]).json
    assert [(item["id"], item["title"], item["plugin"]) for item in found] == [
        ("a", "The first", "plugin_under_test")
    ]


def test_hook_lesson_actions(tmp_path: Path) -> None:
    def lesson_actions() -> list[Action]:
        return [Action("mine", "Mine", lambda params, context: Outcome(output="ran"), self_judging=True)]

    text = lesson_text(STEP.format("uses: mine\nexpect: [{contains: ran}]\n"))
    assert run_lesson(text, tmp_path, plugins=[hook(lesson_actions)])["status"] == "passed"


def test_hook_lesson_detect_hardware(tmp_path: Path) -> None:
    asked: list[bool] = []

    def lesson_detect_hardware(thorough: bool) -> list[Hardware]:
        asked.append(thorough)
        return [Hardware("n150", "a test", 1)]

    text = lesson_text("<!-- step\nid: one\nrequires: [board]\n-->\n```bash\necho\n```\n")
    assert run_lesson(text, tmp_path)["steps"][0]["status"] == "skipped"
    record = run_lesson(text, tmp_path, plugins=[hook(lesson_detect_hardware)])
    assert record["steps"][0]["status"] == "passed"
    assert asked == [False]
    found = {"name": "n150", "detected_by": "a test", "devices": 1, "kind": "silicon", "facts": {}}
    assert record["hardware"] == [found]


def test_hook_lesson_checks(lesson: Command) -> None:
    def look(machine: Machine) -> Finding:
        return Finding("warning", f"backend {machine.backend}", "another one", "--backend emulated")

    def lesson_checks() -> Iterator[Check]:
        yield Check("mine", "my check", "it matters to me", look)
        yield Check("mine", "the same again", "", look)

    plugins = [hook(lesson_checks)]
    broken, found = lesson("doctor", "--json", plugins=plugins).json["checks"]
    assert (broken["id"], broken["status"]) == ("plugin-plugin_under_test", "failed")
    assert (found["id"], found["status"], found["found"]) == ("mine", "warning", "backend auto")
    assert "there is a check 'mine' already" in lesson("plugins", plugins=plugins).out
    assert "why:      it matters to me" in lesson("doctor", plugins=plugins).out


def test_hook_lesson_rules(lesson: Command, tmp_path: Path) -> None:
    def find_echo(lesson: Lesson, scope: Scope) -> Iterator[Diagnostic]:
        for block in lesson.blocks:
            if "echo" in block.text:
                yield Diagnostic("plugin_under_test.echo", "error", "it echoes", block.location)

    def lesson_rules() -> list[Rule]:
        page = "Nobody listens."
        return [
            Rule("plugin_under_test.echo", "error", "An echo.", page, find_echo),
            Rule("echo", "error", "Without the plugin's name.", page, find_echo),
        ]

    plugins = [hook(lesson_rules)]
    (tmp_path / "a.md").write_text(
        lesson_text("<!-- step\nid: one\nexpect: [{contains: hi}]\n-->\n```bash\necho hi\n```\n")
    )
    said = lesson("validate", "a.md", "--json", plugins=plugins)
    assert said.code == 1
    assert [(item["rule"], item["line"]) for item in said.json["findings"]] == [
        ("plugin-failed", lesson_rules.__code__.co_firstlineno),  # the second rule has a wrong id
        ("plugin_under_test.echo", 15),
    ]
    assert "Nobody listens." in lesson("explain", "plugin_under_test.echo", plugins=plugins).out
    assert "'echo' does not begin with 'plugin_under_test.'" in lesson("plugins", plugins=plugins).out


def test_hook_lesson_block_rules(lesson: Command, tmp_path: Path) -> None:
    def talks(view: BlockView) -> str | None:
        return "it talks" if any(command.program == "talk" for command in view.commands) else None

    def breaks(view: BlockView) -> str | None:
        raise OSError("no")

    def lesson_block_rules() -> list[BlockRule]:
        return [
            BlockRule("plugin_under_test.breaks", "run", "It breaks.", breaks),
            BlockRule("plugin_under_test.talks", "interactive", "`talk` waits for a person.", talks),
            BlockRule("talks", "interactive", "Without the plugin's name.", talks),
        ]

    plugins = [hook(lesson_block_rules)]
    text = "<!-- step\nid: one\nexpect: [{contains: hi}]\n-->\n```bash\necho hi\n```\n\n```bash\ntalk\n```\n"
    (tmp_path / "a.md").write_text(lesson_text(text))
    said = lesson("plan", "a.md", "--json", plugins=plugins)
    assert said.code == 0, said
    last = said.json["blocks"][-1]
    assert (last["role"], last["reason"]) == ("interactive", "it talks")
    listed = lesson("plan", "a.md", plugins=plugins).err
    assert "block rule plugin_under_test.breaks: OSError: no" in listed
    assert "'talks' does not begin with 'plugin_under_test.'" in listed


def test_hook_lesson_interpret_block(tmp_path: Path) -> None:
    def lesson_interpret_block(block: Block, lesson: Lesson) -> list[ActionCall] | None:
        if block.language != "text":
            return None
        rows = block.text.split()
        absorbed = (f"# of {lesson.id}",)
        return [ActionCall("shell", {"script": f"echo {row}"}, block.location, row, absorbed) for row in rows]

    plugins = [hook(lesson_interpret_block)]
    plan = plan_lesson(lesson_text(STEP.format("").replace("\nx\n", "\na b\n")), tmp_path, plugins=plugins)
    assert [(step.id, step.action, step.source, step.absorbed) for step in plan.steps] == [
        ("one.1", "shell", "a", ("# of sample",)),
        ("one.2", "shell", "b", ("# of sample",)),
    ]


def test_hook_lesson_needs(tmp_path: Path) -> None:
    def lesson_needs(block: Block, lesson: Lesson) -> list[Need]:
        return [Need("board"), Need("command", lesson.id)] if "loud" in block.text else []

    plugins = [hook(lesson_needs)]
    text = lesson_text(
        STEP.format("").replace("text", "bash") + "```bash\njq . # loud\n```\n\n```\nloud\n```\n"
    )
    plan = plan_lesson(text, tmp_path, plugins=plugins)
    assert [list(map(str, item.needs)) for item in plan.blocks] == [
        ["command x"],
        ["board", "command sample", "command jq"],
        [],
    ]


def test_hook_lesson_measure(tmp_path: Path) -> None:
    def lesson_measure(step: PlannedStep, evidence: Evidence) -> Json:
        return {"length": len((evidence.folder / "output.txt").read_text()), "loss": 2}

    capture = "capture: {loss: 'loss=(.*)', other: 'loss=(.*)'}"
    body = f"<!-- step\nid: one\n{capture}\n-->\n```bash\necho loss=1\n```\n"
    record = run_lesson(lesson_text(body), tmp_path, plugins=[hook(lesson_measure)])
    assert record["steps"][0]["metrics"] == {"loss": 2, "other": 1, "length": 6}


def test_hook_lesson_step_event(tmp_path: Path) -> None:
    heard: list[str] = []

    def lesson_step_event(event: Event, context: RunContext) -> None:
        heard.append(f"{event.kind} {event.step} {context.lesson.id}")

    text = lesson_text("<!-- step\nid: one\n-->\n```bash\necho hi\n```\n")
    run_lesson(text, tmp_path, plugins=[hook(lesson_step_event)])
    assert heard == [
        "run-started None sample",
        "step-started one sample",
        "output one sample",
        "step-finished one sample",
        "run-finished None sample",
    ]


def test_hook_lesson_report_sections(lesson: Command, tmp_path: Path) -> None:
    def lesson_report_sections(record: Json, folder: Path) -> Iterator[Section]:
        assert (folder / "record.json").exists()
        yield Texts("Steps", (Passage("status", record["status"]),), "A note.")

    (tmp_path / "a.md").write_text(lesson_text("<!-- step\nid: one\n-->\n```bash\necho hi\n```\n"))
    out = lesson("run", "a.md", "--allow", "shell", plugins=[hook(lesson_report_sections)]).out
    assert "Steps  [default]\nA note.\n╭─ status" in out


# --- the order of a run ---


class Recorder:
    """Implements every hook, and writes down that it was called."""

    __name__ = "recorder"

    def __init__(self) -> None:
        self.calls: list[str] = []
        for name in HOOKS:
            setattr(self, name, hookimpl(self.implementation(name)))

    def implementation(self, name: str) -> Callable[..., Any]:
        def act(params: Json, context: StepContext) -> Outcome:
            self.calls.append("  the action runs")
            context.say("hi")
            return Outcome()

        def called(**arguments: Any) -> Any:
            event = arguments.get("event")
            self.calls.append(f"{name} {event.kind}" if event else name)
            if name == "lesson_actions":
                return [Action("note", "Note", act, self_judging=True)]
            if name == "lesson_interpret_block":
                return [ActionCall("note", {}, arguments["block"].location)]
            return None

        # pluggy reads an implementation's arguments from its signature.
        names = list(inspect.signature(getattr(hookspecs, name)).parameters)
        scope: dict[str, Any] = {"called": called}
        exec(f"def {name}({', '.join(names)}): return called({', '.join(f'{n}={n}' for n in names)})", scope)
        function: Callable[..., Any] = scope[name]
        return function


def test_lifecycle(lesson: Command, tmp_path: Path) -> None:
    """All hooks of one run, in order."""
    (tmp_path / "a.md").write_text(lesson_text(STEP.format("")))
    recorder = Recorder()
    said = lesson("run", "a.md", plugins=[recorder])
    assert said.code == 0, said
    assert recorder.calls == [
        "lesson_add_commands",
        "lesson_directories",
        "lesson_detect_hardware",
        "lesson_actions",
        "lesson_interpret_block",
        "lesson_block_rules",
        "lesson_needs",
        "lesson_rules",
        "lesson_directories",
        "lesson_step_event run-started",
        "lesson_step_event step-started",
        "  the action runs",
        "lesson_step_event output",
        "lesson_measure",
        "lesson_diagnose",
        "lesson_step_event step-finished",
        "lesson_step_event run-finished",
        "lesson_report_sections",
    ]
