"""A run with one step, for the action under test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.model import Event, Lesson, Location, PlannedStep
from lesson_runner.plugins.builtin.shell import clean_up
from lesson_runner.plugins.context import RunContext, StepContext, Workspace


@pytest.fixture
def run(tmp_path: Path) -> Iterator[RunContext]:
    workspace = Workspace(tmp_path / "space")
    lesson = Lesson(
        path=tmp_path / "lesson.md",
        text="",
        frontmatter={"id": "lesson"},
        positions={},
        blocks=(),
        steps=(),
        skipped=(),
        digest="",
    )
    context = RunContext(lesson, "quick", "auto", workspace, workspace.runs / "1")
    yield context
    clean_up(context)


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def step(run: RunContext, events: list[Event]) -> Callable[..., StepContext]:
    """Creates the context of a step; keywords are fields of the step and of the context."""

    def make(
        id: str = "one",  # noqa: A002
        *,
        deadline: float | None = None,
        attempt: int = 1,
        **fields: Any,
    ) -> StepContext:
        planned = PlannedStep(id, id, Location(run.lesson.path, 1), "shell", {}, **fields)
        evidence = run.folder / "evidence" / id
        evidence.mkdir(parents=True, exist_ok=True)
        return StepContext(run, planned, evidence, events.append, deadline, attempt)

    return make
