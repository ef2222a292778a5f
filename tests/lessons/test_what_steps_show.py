"""What a lesson's steps are judged by can be computed again from what a run stored."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.conftest import Said

LESSONS = {
    "ct4-finetuning-basics": ("quick", "full"),
    "ct5-multi-device-training": ("quick", "full"),
    "verify-your-setup": ("default",),
}
STORED = {"contains", "not_contains", "regex", "lines", "json", "metric"}
"""What is read from a step's stored output, or measured from its files; an exit code is only reported."""


@pytest.mark.parametrize(("name", "profile"), [(name, one) for name, all_ in LESSONS.items() for one in all_])
def test_every_step_shows_something_that_is_stored(
    name: str, profile: str, installed_lesson: Callable[..., Said]
) -> None:
    plan = installed_lesson("plan", name, "--profile", profile, "--json").json

    assert plan["steps"]
    for step in plan["steps"]:
        always = [item for item in step["expect"] if "when" not in item]
        assert STORED & {matcher for item in always for matcher in item}, step["id"]
