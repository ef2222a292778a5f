"""What holds for each lesson of this project."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Said

LESSONS = sorted(path.stem for path in (Path(__file__).parents[2] / "lessons").glob("*.md"))


@pytest.mark.parametrize("name", LESSONS)
def test_it_validates_without_a_diagnostic(installed_lesson: Callable[..., Said], name: str) -> None:
    result = installed_lesson("validate", name, "--json")
    assert result.code == 0
    assert result.json["findings"] == []


@pytest.mark.parametrize("name", LESSONS)
def test_every_block_a_reader_would_type_is_a_step_or_has_a_reason(
    installed_lesson: Callable[..., Said], name: str
) -> None:
    plan = installed_lesson("plan", name, "--json").json
    assert [item for item in plan["not_run"] if not item["reason"]] == []
