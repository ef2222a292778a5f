"""A step with ``cleanup: true`` runs at the end, whatever happened before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Said
from tests.fake_plugin import fake_plugin
from tests.lesson_runner.run.directives import record, steps

from lesson_runner.plugins import Action, Json, Outcome, StepContext

Lesson = Callable[..., Said]
TIDY = ("id: tidy\ncleanup: true", "echo tidy >>log")


def interrupt(params: Json, context: StepContext) -> Outcome:
    raise KeyboardInterrupt


stops = fake_plugin("stops", actions=[Action("stops.here", "Press Ctrl-C", interrupt, self_judging=True)])


def ran(folder: Path) -> list[str]:
    log: Path = record(folder)["folder"] / "files" / "log"
    return log.read_text().split()


def test_it_runs_last(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        steps(TIDY, ("id: one", "echo one >>log"), ("id: two\ncleanup: true", "echo two >>log"))
    )
    assert lesson("run", "a.md", "--allow", "shell").code == 0
    assert ran(tmp_path) == ["one", "tidy", "two"]
    assert [step["id"] for step in record(tmp_path)["steps"]] == ["one", "tidy", "two"]


def test_it_runs_after_a_step_that_it_needs_has_failed(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        steps(
            ("id: one", "echo one >>log; false"),
            ("id: two\nneeds: [one]", "echo two >>log"),
            ("id: tidy\ncleanup: true\nneeds: [one]", "echo tidy >>log"),
            ("id: more\ncleanup: true\nneeds: [two]", "echo more >>log"),
        )
    )
    assert lesson("run", "a.md", "--allow", "shell").code == 1
    assert ran(tmp_path) == ["one", "tidy"]
    assert record(tmp_path)["by_id"]["more"]["status"] == "skipped"


def test_it_runs_after_ctrl_c(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        steps(("id: one", "echo one >>log"), ("id: two\nuses: stops.here", "x"), TIDY, ("id: last", "true"))
    )
    said = lesson("run", "a.md", "--allow", "shell", plugins=[stops])
    found = record(tmp_path)
    assert (said.code, found["status"]) == (130, "interrupted")
    assert {name: step["status"] for name, step in found["by_id"].items()} == {
        "one": "passed",
        "two": "error",
        "last": "not-reached",
        "tidy": "passed",
    }


def test_its_failure_fails_the_run(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(steps(("id: tidy\ncleanup: true", "false"), ("id: one", "true")))
    assert lesson("run", "a.md", "--allow", "shell").code == 1
    assert record(tmp_path)["by_id"]["tidy"]["status"] == "failed"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--until", "one"), ["one"]),
        (("--only", "one"), ["one"]),
        (("--only", "one", "--only", "tidy"), ["one", "tidy"]),
    ],
)
def test_a_part_of_a_lesson(
    lesson: Lesson, tmp_path: Path, options: tuple[str, ...], expected: list[str]
) -> None:
    (tmp_path / "a.md").write_text(steps(("id: one", "echo one >>log"), TIDY, ("id: two", "echo two >>log")))
    assert lesson("run", "a.md", "--allow", "shell", *options).code == 0
    assert ran(tmp_path) == expected


def test_a_resumed_run_cleans_up_again(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a step made is gone after its cleanup: a resumed run makes it again."""
    (tmp_path / "a.md").write_text(
        steps(
            ("id: make", "echo made >made; echo make >>log"),
            ("id: use", "[[ -n $GO ]]; cat made"),
            ("id: tidy\ncleanup: true\nneeds: [make]", "rm made; echo tidy >>log"),
        )
    )
    assert lesson("run", "a.md", "--allow", "shell").code == 1
    monkeypatch.setenv("GO", "yes")
    said = lesson("resume", "--allow", "shell")
    assert said.code == 0, said
    assert ran(tmp_path) == ["make", "tidy", "make", "tidy"]
