"""Lessons that nobody annotated: their blocks run by their roles, and what may not run is skipped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Lesson = Callable[..., Any]
HEAD = """---
id: a
title: A tutorial
description: d
category: c
tags: [t]
supportedHardware: [simulator]
---

# A tutorial

"""


@pytest.fixture
def tutorial(lesson: Lesson, tmp_path: Path) -> Callable[..., Any]:
    """Runs ``lesson COMMAND a.md OPTIONS --json`` for a text, and returns what it prints as JSON."""

    def command(name: str, body: str, *options: str) -> Any:
        (tmp_path / "a.md").write_text(HEAD + body)
        return lesson(name, "a.md", "--json", *options).json

    return command


def results(record: Any) -> list[tuple[str, str, str]]:
    return [(step["id"], step["action"], step["status"]) for step in record["steps"]]


def test_commands_and_a_program_run_one_after_another(tutorial: Callable[..., Any]) -> None:
    body = """## Write a file

```bash
mkdir shop && cd shop
echo bread > list.txt
```

## Read it

```python
print(open("list.txt").read())
```

You should see:

```text
bread
```
"""
    record = tutorial("run", body, "--allow", "shell")

    assert (record["status"], record["exit_code"]) == ("passed", 0)
    assert results(record) == [("write-a-file", "shell", "passed"), ("read-it", "python", "passed")]
    assert [verdict["passed"] for verdict in record["steps"][1]["shown"]] == [True]


def test_output_that_differs_is_reported_and_fails_nothing(lesson: Lesson, tmp_path: Path) -> None:
    body = "## Count\n\n```bash\nseq 3\n```\n\nExpected output:\n\n```\n1\n2\n4\n```\n"
    (tmp_path / "a.md").write_text(HEAD + body)

    said = lesson("run", "a.md", "--allow", "shell")

    assert said.code == 0
    assert "Output that the lesson shows: 0 as shown, 1 different" in said.out
    assert "a.md:23:1 shows this line as output" in said.out


def test_a_transcript_that_differs_fails_nothing(tutorial: Callable[..., Any]) -> None:
    record = tutorial("run", "## Count\n\n```console\n$ seq 2\n1\n3\n```\n", "--allow", "shell")

    assert (record["status"], [item["passed"] for item in record["steps"][0]["shown"]]) == ("passed", [False])


def test_a_command_that_fails(tutorial: Callable[..., Any]) -> None:
    record = tutorial("run", "## Look\n\n```bash\ngrep x /dev/null\n```\n", "--allow", "shell")

    assert (record["status"], record["exit_code"]) == ("failed", 1)


SYSTEM = "## Install\n\n```bash\nsudo apt-get install -y figlet\n```\n\n## Use\n\n```bash\necho used\n```\n"


def test_what_changes_the_machine_needs_its_own_permission(tutorial: Callable[..., Any]) -> None:
    record = tutorial("run", SYSTEM, "--allow", "shell")

    assert results(record) == [("install", "shell", "skipped"), ("use", "shell", "passed")]
    assert "--allow system" in record["steps"][0]["message"]
    assert record["status"] == "passed"


def test_a_lesson_in_which_nothing_runs_has_not_passed(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(HEAD + SYSTEM.partition("## Use")[0])

    said = lesson("run", "a.md", "--allow", "shell")
    record = lesson("run", "a.md", "--json").json

    assert said.code == 4
    assert (record["status"], record["exit_code"]) == ("nothing-ran", 4)
    assert "the lesson has not passed" in said.out


BLANK = (
    "## Greet\n\nReplace `<your-name>`:\n\n```bash\necho hello <your-name>\n```\n\n```bash\necho end\n```\n"
)


def test_a_blank_is_filled_in(tutorial: Callable[..., Any]) -> None:
    skipped = tutorial("run", BLANK, "--allow", "shell")
    filled = tutorial("run", BLANK, "--allow", "shell", "--param", "your_name=Ada")

    assert [step["status"] for step in skipped["steps"]] == ["skipped", "passed"]
    assert "--param your_name=" in skipped["steps"][0]["message"]
    assert [step["status"] for step in filled["steps"]] == ["passed", "passed"]
    assert "echo hello Ada" in filled["steps"][0]["params"]["script"]


WAYS = """## Get it

### Option A: with echo

```bash
echo from-echo > got.txt
```

### Option B: with printf

```bash
printf from-printf > got.txt
```

## Look

```bash
cat got.txt
```
"""


def test_one_of_several_ways_runs(tutorial: Callable[..., Any]) -> None:
    planned = tutorial("plan", WAYS)
    first, second = (item for item in planned["blocks"] if item["group"])
    usual = tutorial("run", WAYS, "--allow", "shell")
    chosen = f"{second['group']}={second['option']}"
    other = tutorial("run", WAYS, "--allow", "shell", "--choose", chosen)

    assert (first["role"], second["role"]) == ("run", "alternative")
    assert [step["line"] for step in usual["steps"]] == [17, 29]
    assert [step["line"] for step in other["steps"]] == [23, 29]
    assert other["choices"] == {second["group"]: second["option"]}


@pytest.mark.parametrize(
    ("given", "fault"),
    [("colour=red", "no such choice"), ("get-it=gold", "no such option"), ("x", "expected GROUP=OPTION")],
)
def test_a_choice_that_does_not_exist(lesson: Lesson, tmp_path: Path, given: str, fault: str) -> None:
    (tmp_path / "a.md").write_text(HEAD + WAYS)

    said = lesson("plan", "a.md", "--choose", given)

    assert (said.code, fault in said.err) == (2, True)


def test_every_fence_has_a_role_and_a_reason(tutorial: Callable[..., Any]) -> None:
    body = f"{WAYS}\n## Troubleshooting\n\n```bash\nrm got.txt\n```\n\n```json\n{{}}\n```\n"
    planned = tutorial("plan", body)

    assert [item["block"] for item in planned["blocks"]] == [1, 2, 3, 4, 5]
    assert all(item["reason"] and item["rule"] for item in planned["blocks"])
    assert [item["step"] is not None for item in planned["blocks"]] == [True, False, True, False, False]


def test_why_a_block_has_its_role(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(HEAD + WAYS)

    told = lesson("explain", "a.md:22", "--json").json
    shown = lesson("explain", "a.md:22").out
    nothing = lesson("explain", "a.md:1")

    assert (told["role"], told["opinions"][0]["role"], told["line"]) == ("alternative", "alternative", 22)
    assert f"rule {told['rule']} decided" in shown
    assert nothing.code == 2
    assert "blocks begin at lines 16, 22, 28" in nothing.err


def test_a_resumed_run_keeps_the_choice(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(HEAD + WAYS.replace("cat got.txt", "grep printf got.txt && test -e ../go"))
    planned = lesson("plan", "a.md", "--json").json
    second = next(item for item in planned["blocks"] if item["role"] == "alternative")
    record = lesson(
        "run", "a.md", "--json", "--allow", "shell", "--choose", f"{second['group']}={second['option']}"
    ).json
    (tmp_path / ".lesson" / "runs" / record["run_id"] / "go").touch()

    resumed = lesson("resume", "--json", "--allow", "shell").json

    assert [step["status"] for step in record["steps"]] == ["passed", "failed"]
    assert [step["status"] for step in resumed["steps"]] == ["passed", "passed"]


def test_a_lesson_without_steps(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(HEAD + "Nothing but words.\n\n```json\n{}\n```\n")

    said = lesson("run", "a.md", "--json")

    assert (said.code, said.json["status"], said.json["steps"]) == (4, "nothing-ran", [])


def test_a_misspelt_file_is_no_lack_of_the_machine(tutorial: Callable[..., Any]) -> None:
    body = "## Write\n\n```bash\necho x > list.txt\n```\n\n## Read\n\n```bash\ncat lsit.txt\n```\n"
    record = tutorial("run", body, "--allow", "shell")

    assert [step["status"] for step in record["steps"]] == ["passed", "failed"]


def test_a_blank_in_a_command_that_changes_the_machine(lesson: Lesson, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    (tmp_path / "a.md").write_text(
        f"# A\n\nRun:\n\n```bash\nmkdir -p {place}/<your-name>\n```\n\nThen:\n\n```bash\necho 1\n```\n"
    )
    allow = ("--allow", "shell,system")
    said = lesson("run", "a.md", *allow)
    assert (said.code, "must be filled in" in said.out) == (0, True), said
    assert not place.exists()
    assert lesson("run", "a.md", *allow, "--param", "your_name=me").code == 0
    assert (place / "me").is_dir()


def test_the_value_of_a_blank_is_not_filled_in_again(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# A\n\nRun:\n\n```bash\necho '<your-name>' '<your-city>'\n```\n")
    said = lesson(
        *("run", "a.md", "--allow", "shell"),
        *("--param", "your_name=<your-city>", "--param", "your_city=Rome"),
    )
    assert said.code == 0, said
    assert "<your-city> Rome" in said.out
