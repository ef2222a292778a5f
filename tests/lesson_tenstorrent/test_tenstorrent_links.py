"""What links to the extension's commands are in a lesson, and which actions stand for them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lesson_runner.document.command_links import read_command
from lesson_runner.document.schema.validator import validator_for
from lesson_runner.model import Block, Location, Need
from lesson_runner.plugins.manager import Plugins
from lesson_runner.testing import ModuleEntryPoint, lesson_text, plan_lesson
from lesson_tenstorrent import plugin
from lesson_tenstorrent.links.interpret import link_calls, link_needs, link_role
from lesson_tenstorrent.links.table import table
from lesson_tenstorrent.table import CHECKS_BY_ID

START = "tenstorrent.startVllmServerWithHardware"
SERVER = "tenstorrent.startTtInferenceServer"
Lesson = Callable[..., Any]


def plan(folder: Path, *commands: str) -> Any:
    """Return the plan of a lesson without directives that has a step for each link."""
    steps = "".join(
        f"## Step {number}: Click\n\n[Click](command:{text})\n\n" for number, text in enumerate(commands, 1)
    )
    point = ModuleEntryPoint(plugin, "tenstorrent")
    return plan_lesson(lesson_text("# Buttons\n\n" + steps), folder, plugins=Plugins(points=[point]))


def calls(text: str) -> list[tuple[str, Any]]:
    found = link_calls(Block("command-link", text, Location(Path("a.md"), 7)))
    assert {call.location.line for call in found} <= {7}
    return [(call.action, call.params) for call in found]


# --- the table ---


def test_the_table_fits_its_schema() -> None:
    folder = files("lesson_tenstorrent.links")
    schema = json.loads((folder / "commands.schema.json").read_text("utf-8"))
    data = yaml.safe_load((folder / "commands.yaml").read_text("utf-8"))

    assert [error.message for error in validator_for(schema).iter_errors(data)] == []
    assert {check for item in table().commands.values() for check in item.checks} <= CHECKS_BY_ID.keys()


def test_bash_understands_every_script(tmp_path: Path) -> None:
    links = [(name, read_command(name)) for name in table().commands]
    scripts = [command.script(link) for name, link in links if (command := table().commands[name]).runs]
    whole = "".join(f"f{number}() {{\n{script}\n}}\n" for number, script in enumerate(scripts))

    said = subprocess.run(["bash", "-n"], input=whole, capture_output=True, text=True, check=False)

    assert (said.returncode, said.stderr) == (0, "")
    assert not [script for script in scripts if "{{" in script]


def test_every_command_is_a_step_or_shows_something(tmp_path: Path) -> None:
    commands = table().commands
    planned = plan(tmp_path, *commands)

    shown = [item.block.text for item in planned.not_run]
    assert shown == [name for name, command in commands.items() if command.shows]
    assert {item.block.text: item.role for item in planned.blocks} == {
        name: link_role(name)[0] for name in commands
    }
    assert {item.block.text for item in planned.blocks if item.step is None} == set(shown)


# --- links ---


def test_what_a_link_does() -> None:
    assert calls("tenstorrent.createChatScript") == [
        ("tenstorrent.copy_template", {"templates": ["tt-chat.py"], "to": "~/tt-scratchpad"})
    ]
    assert calls("tenstorrent.buildProgrammingExamples") == [
        ("shell", {"script": "cd ~/tt-metal && ./build_metal.sh --build-programming-examples"})
    ]
    assert calls("tenstorrent.runHardwareDetection") == [("tenstorrent.check", {"checks": ["devices"]})]
    assert [action for action, _ in calls("tenstorrent.prepareShakespeare")] == [
        *("tenstorrent.copy_template", "shell"),
    ]
    assert calls("tenstorrent.showLesson?%5B%22a%22%5D") == []
    assert calls("tenstorrent.nobodyKnows") == calls("other.install") == []


def test_a_link_that_starts_a_server() -> None:
    (action, params), *more = calls("tenstorrent.startApiServer")

    assert (action, params["ready"], more) == ("service", {"port": 8080}, [])
    assert "stop" in calls("tenstorrent.startTtInferenceServer")[0][1]


def test_a_link_that_starts_a_chat() -> None:
    ((action, params),) = calls("tenstorrent.startChatSession")

    assert (action, params["person"]) == ("shell", True)


def test_commands_of_a_link_mean_what_they_mean_in_a_block() -> None:
    """Like the block ``pip install flask``."""
    assert calls("tenstorrent.installFlask") == [("tenstorrent.check", {"packages": ["flask"]})]


@pytest.mark.parametrize(
    ("text", "role"),
    [
        ("tenstorrent.runGameOfLife", "run"),
        ("tenstorrent.createCookbookProjects", "run"),
        ("tenstorrent.installTtTrain", "run"),
        ("tenstorrent.startApiServer", "service"),
        ("tenstorrent.startChatSession", "interactive"),
        ("tenstorrent.installDependencies", "system"),
        ("tenstorrent.browseModelZoo", "illustration"),
        ('tenstorrent.showLesson?["a"]', "illustration"),
        ("tenstorrent.runVllmOffline", "illustration"),
        ("tenstorrent.nobodyKnows", "illustration"),
        ("workbench.action.files.save", "illustration"),
        (f'{START}?[{{"hardware":"A100"}}]', "illustration"),
        (f"{START}?[", "illustration"),
    ],
)
def test_the_role_of_a_link(text: str, role: str) -> None:
    found, reason = link_role(text)

    assert found == role
    assert reason
    assert not reason.endswith(".")


def test_what_a_link_needs() -> None:
    assert link_needs("tenstorrent.runGameOfLife") == (Need("board"),)
    assert link_needs("tenstorrent.loginHuggingFace") == (Need("env", "HF_TOKEN"),)
    assert link_needs("tenstorrent.createChatScript") == link_needs("tenstorrent.showFaq") == ()
    assert link_needs("tenstorrent.nobodyKnows") == ()


def started(text: str) -> str:
    (_, _), (_, params) = calls(text)
    return str(params["script"])


@pytest.mark.parametrize("hardware", ["N150", "N300", "T3K", "P100"])
def test_the_argument_of_a_link(hardware: str) -> None:
    arguments = [{"hardware": hardware}]
    scripts = {
        started(f"{START}?{json.dumps(arguments)}"),
        started(f"{START}?{json.dumps(arguments[0])}"),
        started(f"{START}?{quote(json.dumps(arguments), safe='')}"),
    }

    assert len(scripts) == 1
    assert f"export MESH_DEVICE={hardware}" in scripts.pop()


def test_a_link_without_its_argument_uses_the_usual_one() -> None:
    assert started(START) == started(f"{START}?[]") == started(f'{START}?[{{"hardware":"N150"}}]')


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=40)
@given(json_values)
def test_arguments_are_read_encoded_or_not(value: object) -> None:
    text = json.dumps(value)

    assert read_command(f"a.b?{quote(text, safe='')}").arguments == value
    if "%" not in text:
        assert read_command(f"a.b?{text}").arguments == value


@settings(max_examples=40)
@given(json_values)
def test_no_argument_of_a_link_gets_into_its_commands(value: object) -> None:
    text = f"{START}?{quote(json.dumps([{'hardware': value}]), safe='')}"

    assert calls(text) == [] or started(text) in {
        started(f'{START}?[{{"hardware":"{name}"}}]') for name in ("N150", "N300", "T3K", "P100")
    }


# --- roles in a lesson ---


def roles(folder: Path, body: str) -> list[str]:
    point = ModuleEntryPoint(plugin, "tenstorrent")
    return [
        item.role for item in plan_lesson(lesson_text(body), folder, plugins=Plugins(points=[point])).blocks
    ]


def test_roles_of_buttons(tmp_path: Path) -> None:
    body = """
# Chat

## Prerequisites

[Detect](command:tenstorrent.runHardwareDetection) and [build](command:tenstorrent.installDependencies).

## Serve

### One chip

[Start](command:tenstorrent.startTtInferenceServerN150)

### Two chips

[Start](command:tenstorrent.startTtInferenceServerN300)

## Ask

[Ask](command:tenstorrent.testTtInferenceServerSimple), [save](command:workbench.action.files.save) or
[read on](command:tenstorrent.showLesson?%5B%22next%22%5D).

## Troubleshooting

[Reset](command:tenstorrent.resetDevice)

[Read](command:tenstorrent.showFaq)
"""

    assert roles(tmp_path, body) == [
        *("run", "system"),
        *("service", "alternative"),
        *("run", "illustration", "illustration"),
        *("reference", "illustration"),
    ]


def test_one_of_several_servers_can_be_chosen(lesson: Lesson, tmp_path: Path) -> None:
    chips = {"One": "N150", "Two": "N300"}
    body = "".join(
        f"### {name}\n\n[Start](command:{SERVER}{hardware})\n\n" for name, hardware in chips.items()
    )
    (tmp_path / "a.md").write_text(lesson_text("# Chat\n\n## Serve\n\n" + body))
    points = [ModuleEntryPoint(plugin, "tenstorrent")]

    first, second = lesson("plan", "a.md", "--json", points=points).json["blocks"]
    chosen = lesson("plan", "a.md", "--json", "--choose", f"{second['group']}=two", points=points).json

    assert (first["option"], second["option"], first["group"]) == ("one", "two", second["group"])
    (step,) = chosen["steps"]
    assert "--tt-device n300" in step["command"]
    assert [block["role"] for block in chosen["blocks"]] == ["alternative", "service"]


def test_the_same_server_in_another_part_of_the_lesson_is_started_again(tmp_path: Path) -> None:
    start = "[Start](command:tenstorrent.startApiServer)\n\n"

    assert roles(tmp_path, f"# Serve\n\n## First\n\n{start}## Second\n\n{start}") == ["service", "service"]


# --- needs in a lesson ---


def test_what_buttons_make_is_not_needed_from_the_machine(tmp_path: Path) -> None:
    body = """
# Life

[Create the projects](command:tenstorrent.createCookbookProjects)

```bash
cd ~/tt-scratchpad/cookbook/game_of_life && python3 game_of_life.py
```

[Log in](command:tenstorrent.loginHuggingFace)

```bash
cat ~/tt-scratchpad/notes/today.txt
```
"""
    point = ModuleEntryPoint(plugin, "tenstorrent")

    blocks = plan_lesson(lesson_text(body), tmp_path, plugins=Plugins(points=[point])).blocks

    needs = [{str(need) for need in block.needs if need.kind != "command"} for block in blocks]
    assert needs == [set(), set(), {"env HF_TOKEN"}, {"file ~/tt-scratchpad/notes/today.txt"}]
    assert Need("file", "~/tt-scratchpad/cookbook/game_of_life") in blocks[1].earlier


@pytest.mark.parametrize(
    "first",
    [
        "[Create the projects](command:tenstorrent.createCookbookProjects)",
        "```bash\ngit clone https://example.org/cookbook ~/tt-scratchpad/cookbook\n```",
    ],
)
def test_modules_of_a_folder_that_was_copied(tmp_path: Path, first: str) -> None:
    play = "```bash\ncd ~/tt-scratchpad/cookbook/life\npython3 -c 'import life'\n```"
    point = ModuleEntryPoint(plugin, "tenstorrent")

    text = lesson_text(f"# Life\n\n{first}\n\n{play}\n")
    *_, last = plan_lesson(text, tmp_path, plugins=Plugins(points=[point])).blocks

    assert [str(need) for need in last.needs if need.kind == "python"] == []


def test_a_button_is_skipped_without_what_its_commands_need(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "a.md").write_text(lesson_text("# Chat\n\n[Look](command:tenstorrent.verifyCodingModel)\n"))
    points = [ModuleEntryPoint(plugin, "tenstorrent")]

    said = lesson("run", "a.md", "--allow", "shell", "--json", points=points)

    ((status, message),) = [(step["status"], step["message"]) for step in said.json["steps"]]
    assert status == "skipped"
    assert "~/models" in message


# --- the rule ---


@pytest.mark.parametrize(
    ("target", "wrong"),
    [
        ("command:tenstorrent.runHardwareDetection", False),
        ('command:tenstorrent.showLesson?["sample"]', False),
        (f'command:{START}?[{{"hardware":"T3K"}}]', False),
        ("command:workbench.action.files.save", False),
        ("https://example.org/command:tenstorrent.no", False),
        ("command:tenstorrent.runHardwareDetecton", True),
        ("COMMAND:tenstorrent.nobodyKnows", True),
        ("command:tenstorrent.startVllmServerN150", True),
        (f'command:{START}?[{{"hardware":"A100"}}]', True),
    ],
)
def test_links_to_commands_that_the_extension_does_not_have(
    lesson: Lesson, tmp_path: Path, target: str, wrong: bool
) -> None:
    step = "<!-- step\nid: one\nexpect: [{contains: hi}]\n-->\n```bash\necho hi\n```\n"
    (tmp_path / "a.md").write_text(lesson_text(f"{step}\n[Click]({target})\n"))

    told = lesson("validate", "a.md", "--json", points=[ModuleEntryPoint(plugin, "tenstorrent")]).json

    found = [(item["rule"], item["severity"], item["line"]) for item in told["findings"]]
    assert found == ([("tenstorrent.unknown-command", "warning", 18)] if wrong else [])


def test_a_misspelt_command_is_suggested(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text("[Click](command:tenstorrent.runHardwareDetecton)\n"))

    told = lesson("validate", "a.md", "--json", points=[ModuleEntryPoint(plugin, "tenstorrent")]).json

    fixes = {item["rule"]: item["fix"] for item in told["findings"]}
    assert fixes["tenstorrent.unknown-command"] == "did you mean 'tenstorrent.runHardwareDetection'?"
