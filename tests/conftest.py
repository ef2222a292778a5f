"""What tests of every package use."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from tests import once
from tests.reliability import FAULTS, faults_of

from lesson_runner.cli import invoke
from lesson_runner.plugins import hook_caller as module
from lesson_runner.plugins.installed import Point, installed_points
from lesson_runner.testing import ModuleEntryPoint

# How long an example takes depends on what else the machine does; a test fails for what comes out.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

if "PYTEST_XDIST_WORKER" in os.environ:  # PyTorch's threads of several processes wait for one another
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """Use one worker more than there are processors, up to four: most tests wait for processes they start."""
    processors = os.cpu_count() or 1
    return processors + 1 if config.option.numprocesses == "auto" and processors < 4 else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Note which faults tests provoke; skip what computes with PyTorch where it is not installed."""
    config.stash[FAULTS] = faults_of(items)
    if find_spec("torch") is None:
        for item in items:
            if item.get_closest_marker("torch"):
                item.add_marker(pytest.mark.skip(reason="PyTorch is not installed: install the `cpu` extra"))


@pytest.fixture(autouse=True, scope="session")
def _once() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        once.share(patch)
        yield


@dataclass(frozen=True, slots=True)
class Said:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def lesson(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Said]:
    """
    Runs ``lesson`` in this process, in an empty folder, with the built-in plugin and those given
    as modules (``plugins``) or entry points (``points``).

    Installed plugins are not loaded; ``test_installed_plugin.py`` tests that.
    """
    monkeypatch.chdir(tmp_path)
    if "LESSON_HOME" not in os.environ:  # what this user has allowed lessons to do is not for tests
        monkeypatch.setenv("LESSON_HOME", str(tmp_path / "home"))
    for name in ("LESSON_WORKSPACE", "LESSON_FILES", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: object, plugins: Sequence[object] = (), points: Sequence[Point] = ()) -> Said:
        given = [*points, *(ModuleEntryPoint(item) for item in plugins)]
        monkeypatch.setattr(module, "installed_points", lambda: given)
        capsys.readouterr()
        code = invoke([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Said(code, captured.out, captured.err)

    return run


@pytest.fixture
def installed_lesson(lesson: Callable[..., Said]) -> Callable[..., Said]:
    """Runs ``lesson`` in this process as that fixture does, with the plugins that are installed."""
    return partial(lesson, points=installed_points())


def last_files(workspace: Path) -> Path:
    """Return the folder that the last run of a workspace worked in."""
    return max((workspace / "runs").iterdir()) / "files"
