"""The plugin keeps the promises that any plugin has to keep."""

from __future__ import annotations

from lesson_runner.testing import assert_conforms


def test_tenstorrent_conforms() -> None:
    assert_conforms("lesson_tenstorrent.plugin", name="tenstorrent")
