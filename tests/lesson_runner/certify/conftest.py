"""Fixtures with a lesson, a board and a key."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.lesson_runner.certify.garden import Bench, garden


@pytest.fixture
def bench(tmp_path: Path, lesson: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A lesson, a board (n150) and a key called ``me``."""
    monkeypatch.setenv("LESSON_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(garden, "hardware", garden.hardware)
    monkeypatch.setattr(garden, "facts", {})
    monkeypatch.setattr(garden, "labels", ())
    made = Bench(tmp_path, lesson)
    assert made.lesson("cert", "keys", "new", "me").code == 0
    made.write()
    return made


@pytest.fixture
def certified(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The bench with a certificate of class silicon, made once and copied for each test."""
    made = tmp_path_factory.getbasetemp() / "certified"
    if not made.exists():
        said = bench.certify()
        assert said.code == 0, said
        shutil.copytree(bench.folder, made)
    else:
        shutil.copytree(made, bench.folder, dirs_exist_ok=True)
    return bench
