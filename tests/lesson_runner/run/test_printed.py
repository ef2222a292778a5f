"""What steps print, from real commands: what is judged, what is stored, and what messages say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]


def step(name: str, body: str, script: str) -> str:
    return f"<!-- step\nid: {name}\n{body}\n-->\n```bash\n{script}\n```\n\n"


@pytest.fixture
def run(lesson: Lesson, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Runs steps, and returns the record's entry for each, by id."""

    def go(*steps: str) -> dict[str, Any]:
        (tmp_path / "a.md").write_text(lesson_text("".join(steps)))
        said = lesson("run", "a.md", "--allow", "shell", "--json")
        return {item["id"]: item for item in said.json["steps"]}

    return go


def evidence(folder: Path, name: str) -> Path:
    (found,) = folder.glob(f".lesson/runs/*/evidence/{name}")
    return found


@pytest.mark.slow
def test_what_the_runner_says_is_not_output(run: Callable[..., Any], tmp_path: Path) -> None:
    steps = run(
        step("silent", "expect: [{contains: background}]", "sleep 20 &"),
        step(
            "number",
            "capture: {n: '(\\d+)'}\nexpect: [{metric: {name: n, min: 7, max: 7}}]",
            "sleep 20 & echo 7",
        ),
        step("end", "expect: [{regex: 'ready\\Z'}, {not_contains: shown}]", "sleep 20 & echo ready"),
        step(
            "many",
            "expect: [{not_contains: left}, {contains: 'x'}]",
            "set +o pipefail; yes xxxxxxxxx | head -n 150000",
        ),
    )
    assert [steps[name]["status"] for name in steps] == ["failed", "passed", "passed", "passed"]
    assert evidence(tmp_path, "end").joinpath("output.txt").read_text() == "ready"


@pytest.mark.slow
def test_json_of_a_command_that_warns(run: Callable[..., Any], tmp_path: Path) -> None:
    script = "echo old flag >&2\necho '{\"a\": 1}'"
    steps = run(
        step("both", "expect: [{json: {required: [a]}}, {contains: old flag}]", script),
        step("wrong", "expect: [{json: {}}]", "echo old flag; echo '{}'"),
        step(
            "long",
            "expect: [{json: {required: [tail]}}]",
            "printf '{\"a\": \"'; head -c 1900000 /dev/zero | tr '\\0' a; echo '\", \"tail\": 1}'",
        ),
        step(
            "huge",
            "expect: [{json: {type: array}}]",
            "set +o pipefail; echo [; yes '1111111111,' | head -n 250000; echo 1]",
        ),
    )
    assert [steps[name]["status"] for name in steps] == ["passed", "failed", "passed", "failed"]
    output = evidence(tmp_path, "both").joinpath("output.txt").read_text()
    assert sorted(output.split("\n")) == ["old flag", '{"a": 1}']
    assert evidence(tmp_path, "both").joinpath("stdout.txt").read_text() == '{"a": 1}'
    assert "the JSON begins in line 2" in steps["wrong"]["message"]
    gaps = json.loads(evidence(tmp_path, "huge").joinpath("gaps.json").read_text())
    assert set(gaps) == {"output", "stdout"}
    assert f"{gaps['stdout']['lines']:,} lines" in steps["huge"]["message"]


@pytest.mark.slow
def test_a_report_says_what_was_not_kept(run: Callable[..., Any], lesson: Lesson, tmp_path: Path) -> None:
    run(step("many", "expect: [{not_contains: error}]", "set +o pipefail; yes xxxxxxxxx | head -n 250000"))
    lines = json.loads(evidence(tmp_path, "many").joinpath("gaps.json").read_text())["output"]["lines"]
    for kind in ("html", "junit"):
        assert lesson("report", "--format", kind, "-o", f"report.{kind}").code == 0
        assert f"{lines:,} lines that were not kept" in (tmp_path / f"report.{kind}").read_text()


@pytest.mark.parametrize(
    ("script", "path", "hint"),
    [
        ("echo a > words.txt", "word.txt", "did you mean 'words.txt'?"),
        ("mkdir sub && echo a > sub/out.txt", "out.txt", "did you mean 'sub/out.txt'?"),
        ("echo a > other", "zzz.bin", "there is other"),
        ("true", "zzz.bin", "there are no files"),
        ("mkdir model", "model", "it is a folder"),
    ],
)
def test_a_file_that_is_missing(run: Callable[..., Any], script: str, path: str, hint: str) -> None:
    message = run(step("one", f"expect: [{{file: {{path: {path}}}}}]", script))["one"]["message"]
    assert hint in message
    assert ".lesson" in message, "the folder"
