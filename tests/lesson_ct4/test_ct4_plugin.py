"""The plugin as the framework sees it: all hooks work, and importing it is fast."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lesson_ct4 import plugin
from lesson_ct4.names import STATE
from lesson_runner.files.evidence import Evidence
from lesson_runner.model import Block, Event, Location, PlannedStep
from lesson_runner.plugins.context import RunContext
from lesson_runner.plugins.manager import Plugins

HEAVY = {
    "jsonschema",
    "ml_dtypes",
    "numpy",
    "requests",
    "safetensors",
    "torch",
    "ttml",
    "ttnn",
    "typer",
}


LESSON = "ct4-finetuning-basics.md"


@pytest.fixture
def plugins() -> Plugins:
    found = Plugins(("lesson_ct4.plugin",), ())
    assert [info.error for info in found.infos.values()] == [None]
    return found


def test_actions(plugins: Plugins) -> None:
    assert set(plugins.actions()) == {
        "ct4.check-environment",
        "ct4.fetch-dataset",
        "ct4.preview",
        "ct4.train",
        "ct4.generate",
    }


def test_where_the_lesson_is(plugins: Plugins) -> None:
    ((_, folder),) = plugins.directories()
    assert folder == Path(plugin.__file__).resolve().parent / "lessons"
    assert (folder / LESSON).is_file()


def test_blocks_are_interpreted(plugins: Plugins, run: RunContext) -> None:
    block = Block("bash", "lesson ct4 train --max_steps 3", Location(Path("lesson.md"), 5))

    claimed = plugins.interpret_block(block, run.lesson)

    assert claimed
    assert (claimed.plugin, claimed.calls[0].action) == ("plugin", "ct4.train")


def test_steps_are_measured(plugins: Plugins, tmp_path: Path) -> None:
    (tmp_path / "loss.csv").write_text("step,loss\n1,2.5\n")
    step = PlannedStep("a", "a", Location(Path("lesson.md"), 1), "ct4.train", {})

    assert plugins.measure(step, Evidence(tmp_path, tmp_path))[0]["final_loss"] == 2.5


def test_the_device_is_closed_when_the_run_ends(plugins: Plugins, run: RunContext) -> None:
    closed = []

    class Opened:
        class stack:  # noqa: N801
            @staticmethod
            def close() -> None:
                closed.append(True)

    run.store[STATE] = Opened
    plugins.step_event(Event("step-finished", "a"), run)
    assert closed == []
    plugins.step_event(Event("run-finished"), run)
    assert closed == [True]
    assert STATE not in run.store


def test_sections(plugins: Plugins, tmp_path: Path) -> None:
    assert plugins.report_sections({"steps": []}, tmp_path) == []


INTERPRET = """
from pathlib import Path
from lesson_runner.model import Block, Lesson, Location
block = Block("bash", "lesson ct4 train --max_steps 3", Location(Path("x"), 1))
plugin.lesson_interpret_block(block, Lesson(Path("x"), "", {}, {}, (block,), (), (), ""))
"""


@pytest.mark.parametrize("use", ["", "plugin.lesson_actions(); plugin.lesson_directories()", INTERPRET])
def test_planning_imports_nothing_heavy(use: str) -> None:
    code = f"import sys\nfrom lesson_ct4 import plugin\n{use}\nprint(sorted({HEAVY} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    assert done.stdout.strip() == "[]"
