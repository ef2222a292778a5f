"""Commands in separate processes, installed plugins, and small disks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.faults.disks import Disk, why_no_mounts
from tests.faults.running import Ran, ended

Start = Callable[..., "subprocess.Popen[str]"]

DISTRIBUTION = "Metadata-Version: 2.1\nName: {0}\nVersion: 1.0\n"


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts ``lesson`` in a separate process, in an empty folder, with the plugins that are named."""

    def begin(
        *arguments: object,
        plugins: str = "",
        before: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        **options: Any,
    ) -> subprocess.Popen[str]:
        inherited = {key: value for key, value in os.environ.items() if not key.endswith("_COLOR")}
        inherited.pop("LESSON_WORKSPACE", None)
        site = str(tmp_path / "site")
        path = os.pathsep.join([site, *filter(None, [inherited.get("PYTHONPATH")])])
        own = {"LESSON_PLUGINS": plugins, "LESSON_HOME": str(tmp_path / "home"), "PYTHONPATH": path}
        return subprocess.Popen(
            [*before, sys.executable, "-m", "lesson_runner", *map(str, arguments)],
            **{
                "cwd": tmp_path,
                "env": {**inherited, "COLUMNS": "110", **own, **(env or {})},
                "encoding": "utf-8",
                "stdin": subprocess.DEVNULL,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
                **options,
            },
        )

    return begin


@pytest.fixture
def command(start: Start) -> Callable[..., Ran]:
    """Runs ``lesson`` to its end; nobody must ever see a traceback."""

    def run(*arguments: object, **options: Any) -> Ran:
        return ended(start(*arguments, **options))

    return run


@pytest.fixture
def install(tmp_path: Path) -> Callable[[str], str]:
    """Installs a plugin with the given source, as a distribution; returns its name."""

    def write(source: str, name: str = "theirs") -> str:
        site = tmp_path / "site"
        about = site / f"{name}-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(DISTRIBUTION.format(name))
        (about / "entry_points.txt").write_text(f"[lesson_runner]\n{name} = {name}_plugin\n")
        (site / f"{name}_plugin.py").write_text(source)
        return name

    return write


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    """A small separate file system, which only the commands that are run on it see."""
    if reason := why_no_mounts():
        pytest.skip(reason)
    return Disk.below(tmp_path)
