"""A lesson that is interrupted during training and resumed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import last_files
from tests.lesson_ct4.test_reuse import LESSON, PLAY, content
from tests.reliability import fault

import lesson_ct4.plugin
from lesson_runner.plugins import Event, hookimpl

pytestmark = pytest.mark.torch
Lesson = Callable[..., Any]


class stopping:  # noqa: N801  # stands for a plugin's module
    """Presses Ctrl-C at a step of the second stage."""

    at: int | None = None

    @staticmethod
    @hookimpl
    def lesson_step_event(event: Event) -> None:
        if (event.kind, event.step, event.data.get("done")) == ("progress", "long", stopping.at):
            raise KeyboardInterrupt


PLUGINS = (lesson_ct4.plugin, stopping)


@pytest.fixture
def interrupted(lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a run that was stopped at step 14 of the second stage."""
    (tmp_path / "lesson.md").write_text(LESSON)
    (tmp_path / "play.txt").write_text(PLAY)
    monkeypatch.setenv("LESSON_SNAPSHOT_SECONDS", "0")
    monkeypatch.setattr(stopping, "at", 14)
    words = ("run", "lesson.md", "--backend", "emulated", "--param", "dataset=play.txt")
    assert lesson(*words, plugins=PLUGINS).code == 130
    monkeypatch.setattr(stopping, "at", None)
    (folder,) = (tmp_path / ".lesson" / "runs").iterdir()
    return folder


@fault(
    "interruption",
    "Ctrl-C during a training",
    how="after some steps of the second stage; then `lesson resume`, when another way to "
    "multiply matrices would be faster",
    seen="exit 130; then exit 0, and how many steps were trained before",
    survives="the steps up to the last saved state; the training continues with the same arithmetic",
)
def test_training_resumes_where_it_stopped(
    lesson: Lesson, interrupted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ttml_emulation import numerics

    before = json.loads((interrupted / "memory" / "ct4.session-device-1x1.json").read_text())
    other = ({"native", "fp32-then-round"} - {before["matmul"]}).pop()
    monkeypatch.setattr(numerics, "fastest_matmul", lambda: other)

    said = lesson("resume", "--json", plugins=PLUGINS)

    assert said.code == 0, said
    long = said.json["steps"][-1]
    assert long["metrics"]["reused_steps"] == 13  # step 14 had not saved its state
    assert long["labels"] == ["emulated", "other dataset"]  # not reused: all steps are from this run
    assert said.json["facts"]["backend"]["matmul"] == before["matmul"]
    checkpoint = last_files(tmp_path / ".lesson") / "checkpoints" / "long.safetensors"
    resumed = content(checkpoint)
    monkeypatch.setattr(numerics, "fastest_matmul", lambda: before["matmul"])
    words = ("run", "lesson.md", "--backend", "emulated", "--param", "dataset=play.txt", "--fresh", "--json")
    alone = lesson(*words, plugins=PLUGINS)
    checkpoint = tmp_path / ".lesson" / "runs" / alone.json["run_id"] / "files" / "checkpoints"
    fresh = content(checkpoint / "long.safetensors")
    assert [resumed[n] for n in (0, 1, 2, 4)] == [fresh[n] for n in (0, 1, 2, 4)]  # except for the seconds


def test_a_machine_that_computes_otherwise(
    lesson: Lesson,
    interrupted: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import torch

    count, threads = torch.get_num_threads, torch.get_num_threads()
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads + 1)
    said = lesson("resume", "--json", plugins=PLUGINS)
    assert said.code == 1
    expected = f"the run cannot be resumed: threads was {threads}, is {threads + 1}"
    assert expected in said.json["steps"][-1]["message"]
    monkeypatch.setattr(torch, "get_num_threads", count)
    assert lesson("resume", "--json", plugins=PLUGINS).code == 0
