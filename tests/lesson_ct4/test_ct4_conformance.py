"""The plugin satisfies the requirements for all plugins."""

from __future__ import annotations

from lesson_runner.testing import assert_conforms


def test_ct4_conforms() -> None:
    assert_conforms("lesson_ct4.plugin", name="ct4")
