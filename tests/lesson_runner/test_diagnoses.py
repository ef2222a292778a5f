"""What plugins make of a step's result: in the record, on the terminal, and harmless when it goes wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.fake_plugin import fake_plugin

from lesson_runner.plugins import Diagnosis, Evidence, StepResult
from lesson_runner.testing import lesson_text, run_lesson

STEP = "<!-- step\nid: {}\nneeds: []\n-->\n```bash\n{}\n```\n"
Command = Callable[..., Any]


def plugin(function: Callable[..., Any]) -> object:
    return fake_plugin("plugin_under_test", diagnose=function)


def explain(result: StepResult, evidence: Evidence) -> Iterator[Diagnosis]:
    if result.status == "failed":
        yield Diagnosis(
            "exit",
            "It ended badly",
            f"exit code {result.exit_code}\x1b[2J",
            "Trouble",
            f"{evidence.output!r}",
        )


def test_hook_lesson_diagnose(tmp_path: Path) -> None:
    text = lesson_text(STEP.format("good", "true") + STEP.format("bad", "echo no; exit 3"))
    record = run_lesson(text, tmp_path, plugins=[plugin(explain)])
    good, bad = record["steps"]
    assert good["diagnoses"] == []
    assert bad["diagnoses"][0]["link"] == "", "the lesson has no such section"
    assert [(item["id"], item["section"], item["command"]) for item in bad["diagnoses"]] == [
        ("exit", "Trouble", "'no'")
    ]


def test_the_learner_reads_it_where_the_step_failed(lesson: Command, tmp_path: Path) -> None:
    body = STEP.format("bad", "exit 3")
    (tmp_path / "a.md").write_text(lesson_text(f"{body}\n## Trouble\n\nIt happens.\n"))
    said = lesson("run", "a.md", "--allow", "shell", plugins=[plugin(explain)])
    assert said.code == 1
    assert "It ended badly: exit code 3" in said.out
    assert "the lesson explains it under 'Trouble': a.md#trouble" in said.out
    assert "try: ''" in said.out
    assert "\x1b" not in said.out


def test_a_diagnosis_that_raises_costs_nothing_but_itself(tmp_path: Path) -> None:
    def broken(result: StepResult) -> None:
        raise ValueError("no idea")

    record = run_lesson(lesson_text(STEP.format("bad", "exit 3")), tmp_path, plugins=[plugin(broken)])
    assert record["steps"][0]["status"] == "failed"
    assert record["steps"][0]["diagnoses"] == []
    assert "no idea" in str(next(item["error"] for item in record["plugins"] if item["error"]))
