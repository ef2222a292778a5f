"""``lesson_runner.testing`` finds the problems of a plugin: each requirement is violated once."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from lesson_runner.model import Expectation, Inspection, Outcome
from lesson_runner.plugins import builtin
from lesson_runner.plugins.action import Action
from lesson_runner.testing import (
    assert_conforms,
    check_action,
    check_plugin,
    import_in_subprocess,
    lesson_text,
)

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "times": {"type": "integer", "minimum": 1}},
    "additionalProperties": False,
}
GOOD = Action(
    "my.greet",
    "Greet somebody",
    lambda params, context: Outcome(),
    schema=SCHEMA,
    defaults={"name": "world"},
    presets={"name": {"crowd": {"times": 100}}},
    profiles={"quick": {"times": 1}},
    permissions=lambda params: [f"read {params['name']}"],
    inspect=lambda params: Inspection(writes=(params["name"],)),
    command=lambda params: f"greet {params['name']}",
    expect=(Expectation("contains", "hello", {"dataset.pinned": True}),),
    checks=lambda params: [],
)
REQUIRED = {**SCHEMA, "required": ["times"]}


def changes(params: Any) -> Inspection:
    params["times"] = 1
    return Inspection()


def raises(params: Any) -> Any:
    return params["nothing"]


def test_a_good_action() -> None:
    assert check_action(GOOD) == []


def test_the_built_in_actions_conform_except_for_their_names() -> None:
    for action in builtin.lesson_actions():
        assert check_action(replace(action, name=f"built-in.{action.name}")) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"name": "greet"}, "the name is not 'plugin.verb' in lower-case letters"),
        ({"name": "My.Greet"}, "the name is not 'plugin.verb' in lower-case letters"),
        ({"summary": " "}, "the summary is not one line of text"),
        ({"summary": "one\ntwo"}, "the summary is not one line of text"),
        ({"run": None}, "'run' cannot be called"),
        ({"schema": {"type": "text"}}, "the schema is not a JSON Schema: "),
        ({"schema": {"type": "object"}}, "the schema accepts unknown parameters"),
        ({"schema": {**SCHEMA, "additionalProperties": {}}}, "the schema accepts unknown parameters"),
        ({"defaults": {"name": 7}}, "defaults: name: 7 is not of type 'string'"),
        ({"defaults": {"nam": "x"}}, "defaults: Additional properties are not allowed ('nam'"),
        ({"presets": {"name": {"crowd": {"times": 0}}}}, "preset name=crowd: times: 0 is less than"),
        ({"presets": {"size": {"large": {}}}}, "preset size=large: Additional properties are not allowed"),
        ({"profiles": {"quick": {"times": 0}}}, "profile quick: times: 0 is less than"),
        ({"expect": (Expectation("includes", "x"),)}, "expect: Additional properties are not allowed"),
        ({"expect": (Expectation("exit", "zero"),)}, "expect: 'zero' is not of type 'integer'"),
        ({"expect": ({"exit": 0},)}, "expect: {'exit': 0} is not an Expectation"),
        ({"run": "nowhere:greet"}, "'run': there is no module 'nowhere' (nowhere:greet)"),
        ({"run": "json.nowhere:greet"}, "'run': there is no module 'json.nowhere'"),
        ({"run": "json:greet"}, "'run': module 'json' has no function 'greet' (json:greet)"),
        ({"run": "json:__name__"}, "'run': module 'json' has no function '__name__'"),
        ({"run": "json.encoder:c_make_encoder.nothing"}, "'run': module 'json.encoder' has no function"),
        ({"run": lambda params: None}, "'run' does not accept the arguments (params, context)"),
        ({"checks": lambda one, two: []}, "'checks' does not accept the arguments (params)"),
        ({"checks": "nowhere:checks"}, "'checks': there is no module 'nowhere'"),
        ({"inspect": raises}, "defaults: 'inspect' raised KeyError: 'nothing'"),
        ({"inspect": lambda params: ["a"]}, "defaults: 'inspect' returned ['a'], not an Inspection"),
        ({"inspect": lambda params: Inspection(problem=True)},  # type: ignore[arg-type]  # on purpose
         "defaults: 'inspect' returned an Inspection with a wrong field: Inspection.problem is True"),
        ({"inspect": lambda params: Inspection(reads="a")},  # type: ignore[arg-type]  # on purpose
         "defaults: 'inspect' returned an Inspection with a wrong field: Inspection.reads is 'a'"),
        ({"inspect": changes}, "defaults: 'inspect' changed the parameters it was given"),
        ({"permissions": raises}, "defaults: 'permissions' raised KeyError: 'nothing'"),
        ({"permissions": lambda params: "shell"}, "defaults: 'permissions' returned 'shell', not"),
        ({"command": raises}, "defaults: 'command' raised KeyError"),
        ({"command": lambda params: ""}, "defaults: 'command' returned '', not a line of text"),
        ({"schema": {**REQUIRED, "properties": {"times": {"type": "integer", "minimum": 5}}},
          "defaults": {}, "presets": {}, "profiles": {}, "inspect": None, "command": None,
          "permissions": frozenset()},
         "the schema has no example of 'times', which is required and has no default"),
    ],
)  # fmt: skip
def test_a_bad_action(change: dict[str, Any], problem: str) -> None:
    found = check_action(replace(GOOD, **change))
    assert found
    assert found[0].startswith(f"action '{change.get('name', 'my.greet')}': {problem}")


def test_an_inspection_may_need_parameters_of_a_lesson() -> None:
    problem = Inspection(problem="how often is not given")
    assert check_action(replace(GOOD, inspect=lambda params: problem)) == []


def test_a_schema_may_explain_why_it_accepts_anything() -> None:
    open_schema = {"type": "object", "$comment": "these are the variables of a shell"}
    assert check_action(replace(GOOD, schema=open_schema)) == []


@pytest.mark.parametrize(
    ("schema", "params"),
    [
        ({"type": "integer"}, None),
        ({"enum": ["one", "two"]}, None),
        ({"const": 7}, None),
        ({"type": "string", "pattern": "^[0-9]+$", "examples": ["12"]}, None),
        ({"type": "string", "pattern": "^[0-9]+$"}, {"times": "12"}),
        ({"$ref": "#/$defs/count"}, {"times": 3}),
    ],
)
def test_required_parameters_get_an_example(schema: Any, params: Any) -> None:
    seen = []

    def command(given: Any) -> str:
        seen.append(given)
        return "count"

    whole = {**REQUIRED, "properties": {"times": schema}, "$defs": {"count": {"type": "integer"}}}
    assert check_action(Action("my.count", "Count", GOOD.run, schema=whole, command=command), params) == []
    assert list(seen[0]) == ["times"]


# --- a whole plugin ---

HEAD = """
from pathlib import Path
from lesson_runner.plugins import *
"""
ACTIONS = """
def run(params, context):
    return Outcome()


@hookimpl
def lesson_actions():
    schema = {"type": "object", "additionalProperties": False}
    return [Action("mine.greet", "Greet", run, schema=schema, self_judging=True)]
"""
LESSONS = """
@hookimpl
def lesson_directories():
    return [Path(__file__).parent / "lessons"]
"""
RULES = """
@hookimpl
def lesson_rules():
    return [Rule({id!r}, {severity!r}, {summary!r}, {page!r}, {check})]
"""
BLOCK_RULES = """
@hookimpl
def lesson_block_rules():
    return [BlockRule({name}, {role}, {about}, {judge}, {example}, {counterexample})]
"""
CHECKS = """
@hookimpl
def lesson_checks():
    return [Check({id!r}, {title!r}, {why!r}, lambda machine: Finding("ok", ""))]
"""
CHECK = {"id": "my-check", "title": "A check", "why": "It matters."}
RULE = {
    "id": "mine.polite",
    "severity": "info",
    "summary": "Rude.",
    "page": "Be polite.",
    "check": "lambda lesson, scope: []",
}
BLOCK_RULE = {
    "name": "mine.say",
    "role": "run",
    "about": "It says something.",
    "judge": "lambda view: 'it says' if 'say' in view.block.text else None",
    "example": "```text\nsay hi\n```",
    "counterexample": "```text\nhi\n```",
}
COUNT = "import itertools\nN = itertools.count()\n"
STEP = "<!-- step\nid: one\nuses: mine.greet\n-->\n```text\ngreet\n```"

Plugin = Callable[..., str]


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plugin:
    """Writes a package with a plugin, and returns the name of the plugin's module."""
    numbers = itertools.count(1)
    monkeypatch.syspath_prepend(tmp_path)

    def write(*parts: str, lesson: str | None = None) -> str:
        package = f"mine{next(numbers)}_{tmp_path.name.replace('-', '_')}"
        folder = tmp_path / package
        (folder / "lessons").mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "plugin.py").write_text(HEAD + "".join(map(dedent, parts)))
        if lesson is not None:
            (folder / "lessons" / "sample.md").write_text(lesson)
        importlib.invalidate_caches()
        return f"{package}.plugin"

    return write


def problems(module: str) -> list[str]:
    return check_plugin(importlib.import_module(module), name="mine")


def rule(**changed: str) -> str:
    return RULES.format(**{**RULE, **changed})


def block_rule(**changed: str) -> str:
    made = {**BLOCK_RULE, **changed}
    return BLOCK_RULES.format(**{key: made[key] if key == "judge" else repr(made[key]) for key in made})


def check(**changed: str) -> str:
    return CHECKS.format(**{**CHECK, **changed})


@pytest.mark.slow
def test_a_good_plugin(plugin: Plugin) -> None:
    module = plugin(ACTIONS, LESSONS, check(), rule(), lesson=lesson_text(STEP))
    assert_conforms(module, name="mine")


def test_an_empty_plugin_conforms(plugin: Plugin) -> None:
    assert problems(plugin()) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        (["@hookimpl\ndef lesson_actoins(): return []"],
         "it cannot be loaded: there is no hook 'lesson_actoins' (did you mean 'lesson_actions'?)"),
        (["def lesson_actions(): return []"], "it cannot be loaded: lesson_actions is not marked"),
        (["@hookimpl\ndef lesson_actions(): return 7"], "lesson_actions: TypeError: returned 7, not a list"),
        (["@hookimpl\ndef lesson_actions(): raise OSError('no')"], "lesson_actions: OSError: no"),
        ([ACTIONS.replace("mine.greet", "greet")], "action 'greet': the name is not"),
        (["import json, xml.dom\nprint('hello')"], "importing it prints 'hello'"),
        (["import yaml"], "importing it loads yaml; import them inside functions"),
        ([rule(id="theirs.polite")], "lesson_rules: ValueError: 'theirs.polite' does not begin with 'mine.'"),
        ([rule(severity="bad")], "lesson_rules: TypeError: Rule.severity is 'bad', not one of error,"),
        ([rule(summary="")], "rule 'mine.polite': the summary is not one line of text"),
        ([rule(page="")], "rule 'mine.polite': there is no page"),
        ([block_rule(name="say")], "lesson_block_rules: ValueError: 'say' does not begin with 'mine.'"),
        ([block_rule(role="step")], "lesson_block_rules: TypeError: BlockRule.role is 'step', not one of"),
        ([block_rule(about=" ")], "block rule 'mine.say': 'about' is not one line of text"),
        ([block_rule(example="")], "block rule 'mine.say': there is no example"),
        ([block_rule(example="# Say")], "block rule 'mine.say': it does not hold for the last"),
        ([block_rule(counterexample="```\nsay\n```")], "block rule 'mine.say': it holds for the last"),
        ([block_rule(judge="lambda view: view.no_such")], "block rule mine.say: AttributeError"),
        ([block_rule(judge="lambda view: 5")], "block rule mine.say: TypeError: returned 5, not a reason"),
        ([check(id="My check")], "check 'My check': the id is not lower-case letters"),
        ([check(why=" ")], "check 'my-check': the title or the text 'why' is empty"),
        ([rule(), LESSONS.replace('"lessons"', '"lectures"')], "lesson_directories: /"),
        ([COUNT, "@hookimpl\ndef lesson_detect_hardware(): return [Hardware(str(next(N)), 'x')]"],
         "lesson_detect_hardware: returns another result when called again"),
        (["@hookimpl\ndef lesson_detect_hardware():\n    print('looking')\n    return []"],
         "lesson_detect_hardware: prints 'looking'; return it instead"),
        (["@hookimpl\ndef lesson_add_commands(app): app.no_such_thing()"], "lesson_add_commands: Attr"),
    ],
)  # fmt: skip
def test_a_bad_plugin(plugin: Plugin, parts: list[str], problem: str) -> None:
    (found,) = problems(plugin(*parts))
    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("parts", "lesson", "problem"),
    [
        ([], None, "lesson_directories: {folder}: the folder has no lesson"),
        ([], "---\nid: sample", "a lesson does not validate: {folder}/sample.md:1:1: error: the frontmatter"),
        ([], lesson_text(STEP.replace("greet", "great")), "a lesson does not validate: {folder}/sample.md"),
        (["@hookimpl\ndef lesson_interpret_block(block): return block.text"],
         lesson_text(STEP), "lesson_interpret_block: TypeError: returned 'greet"),
        (["@hookimpl\ndef lesson_interpret_block(block): print('a block')"],
         lesson_text(STEP), "prints 'a block"),
        (["@hookimpl\ndef lesson_measure(step, evidence): return {'n': len(evidence.no_such)}"],
         lesson_text(STEP), "lesson_measure: AttributeError"),
        ([COUNT, "@hookimpl\ndef lesson_measure(step, evidence): return {'n': next(N)}"],
         lesson_text(STEP), "lesson_measure, step 'one' of sample.md: returns another result"),
        ([rule(check="lambda lesson, scope: lesson.no_such")],
         lesson_text(STEP), "rule mine.polite: AttributeError"),
    ],
)  # fmt: skip
def test_problems_found_by_running_a_plugin_s_lessons(
    plugin: Plugin, parts: list[str], lesson: str | None, problem: str
) -> None:
    module = plugin(ACTIONS, LESSONS, *parts, lesson=lesson)
    folder = Path(str(importlib.import_module(module).__file__)).parent / "lessons"
    found = problems(module)
    assert found
    assert all(problem.format(folder=folder) in item for item in found)


@pytest.mark.slow
def test_a_module_that_cannot_be_imported_again(plugin: Plugin) -> None:
    module = plugin(
        "import os\nif 'PYTEST_CURRENT_TEST' in os.environ and not __import__('sys').argv[0]: 1 / 0"
    )
    assert import_in_subprocess(f"{module}.nothing").error.startswith("ModuleNotFoundError")
    assert import_in_subprocess(module, ["os"]).error == ""


def test_every_problem_is_in_the_assertion(plugin: Plugin) -> None:
    module = plugin("import yaml", rule(page="", summary=""))
    with pytest.raises(AssertionError) as caught:
        assert_conforms(module, name="mine")
    assert str(caught.value).splitlines() == [
        f"{module} does not conform to the rules for plugins:",
        "importing it loads yaml; import them inside functions",
        "rule 'mine.polite': the summary is not one line of text",
        "rule 'mine.polite': there is no page that says why it matters and how to fix it",
    ]
    assert_conforms(plugin("import yaml"), heavy=["torch"])


def test_lessons_may_use_actions_of_other_plugins(plugin: Plugin) -> None:
    module, other = plugin(LESSONS, lesson=lesson_text(STEP)), plugin(ACTIONS)
    assert problems(module) != []
    others = [importlib.import_module(other)]
    assert check_plugin(importlib.import_module(module), other_plugins=others) == []
