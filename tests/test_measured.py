"""What benchmarks measure is what it says it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks import commands, scale

import lesson_ct4.plugin
from lesson_runner.model import Series
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run.stored import read_run
from lesson_runner.testing import ModuleEntryPoint, run_lesson


def test_a_made_up_run_is_as_good_as_a_real_one(tmp_path: Path) -> None:
    folder = scale.write_run(tmp_path, 1_000)
    record = read_run(folder)
    assert [step["metrics"]["steps"] for step in record["steps"]] == [100, 200, 300, 400]
    assert {step["claims"][0]["result"] for step in record["steps"]} == {"reproduced"}
    plugins = Plugins(points=[ModuleEntryPoint(lesson_ct4.plugin, given_name="ct4")])
    (curves,) = [item for item in plugins.report_sections(record, folder) if isinstance(item, Series)]
    assert [len(line.points) for line in curves.lines] == [100, 200, 150, 200]


@pytest.mark.slow
def test_many_runs_and_lessons_are_made_and_looked_at(tmp_path: Path) -> None:
    runs = list(scale.use_runs(tmp_path, 3))
    assert len(list((tmp_path / "runs-3" / ".lesson" / "runs").iterdir())) == 3
    lessons = list(scale.use_lessons(tmp_path, 2))
    assert all(used.seconds > 0 and used.megabytes > 10 and used.printed for used in [*runs, *lessons])


def test_a_command_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="exit code 2"):
        scale.use("nothing", tmp_path, "report")


def test_steps_that_do_nothing_are_run(tmp_path: Path) -> None:
    text = commands.lesson_of(3, "text", "nothing", "idle.nothing")
    record = run_lesson(text, tmp_path, plugins=[commands.idle])
    assert [step["status"] for step in record["steps"]] == ["passed"] * 3
