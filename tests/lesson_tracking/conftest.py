"""Fixtures: a tracked run, and a library that replaces the real one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.lesson_tracking.toy import LESSON, Tracked, Written, toy

from lesson_runner.testing import run_lesson
from lesson_tracking import plugin


@pytest.fixture
def tracked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tracked:
    """A function that runs the lesson with ``LESSON_TRACK`` and returns its record and tracking folder."""

    def run(names: str, *params: str) -> tuple[dict[str, Any], Path]:
        monkeypatch.setenv(plugin.VARIABLE, names)
        record = run_lesson(LESSON, tmp_path, plugins=[plugin, toy()], params=params)
        assert [item["error"] for item in record["plugins"]] == [None] * len(record["plugins"])
        return record, tmp_path / ".lesson" / "runs" / record["run_id"] / "tracking"

    return run


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Written:
    return Written(monkeypatch)
