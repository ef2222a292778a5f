"""Fixtures for tests of hardware detection."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.lesson_tenstorrent.hardware.worlds import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A machine with nothing in it, on which tt-umd and ttnn are not installed."""
    world = World(tmp_path / "world")
    for name in ("tt_umd", "ttnn"):
        world.add_package(name, f"raise ModuleNotFoundError('no such module', name={name!r})")
    return world
