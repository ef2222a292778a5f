"""A file system without locks: a library loaded before the C library (LD_PRELOAD) lets ``flock`` fail."""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import last_files
from tests.faults.running import Ran, ended, shell
from tests.reliability import fault

from lesson_runner.testing import lesson_text

NO_LOCKS = """
#include <errno.h>
int flock(int file, int what) { (void)file; (void)what; errno = ENOLCK; return -1; }
"""


@pytest.fixture
def no_locks(tmp_path: Path) -> dict[str, str]:
    """An environment in which no file can be locked."""
    if sys.platform != "linux" or not shutil.which("gcc"):
        pytest.skip("LD_PRELOAD needs Linux and a C compiler")
    (tmp_path / "no.c").write_text(NO_LOCKS)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", "no.so", "no.c"], cwd=tmp_path, check=True)
    return {"LD_PRELOAD": str(tmp_path / "no.so")}


@pytest.mark.slow
@fault(
    "folders",
    "a file system without locks",
    how="`flock` fails with ENOLCK; a second run continues a run in progress; then a lock file that"
    " a killed run left",
    seen="the second run: `is in use by`, exit code 2; after the kill the next run starts",
    survives="only the first run writes in its files",
)
def test_two_runs_do_not_share_files(
    start: Callable[..., subprocess.Popen[str]],
    command: Callable[..., Ran],
    no_locks: dict[str, str],
    tmp_path: Path,
) -> None:
    (tmp_path / "a.md").write_text(
        lesson_text(shell("one", "touch began; while [ ! -e go ]; do sleep 0.1; done"))
    )
    first = start("run", "a.md", "--allow", "shell", env=no_locks)
    while not list(tmp_path.glob(".lesson/runs/*/files/began")):
        assert first.poll() is None
        time.sleep(0.05)
    files = last_files(tmp_path / ".lesson")
    again = ("run", "a.md", "--continue", files.parent.name, "--allow", "shell")
    said = command(*again, env=no_locks)
    assert (said.code, "is in use by the run" in said.err) == (2, True)
    (files / "go").touch()
    assert ended(first).code == 0
    mark = files.parent / "lock.held"
    assert not mark.exists()
    lock = json.loads((files.parent / "lock").read_text() or "{}")
    mark.write_text(json.dumps({**lock, "pid": first.pid, "host": platform.node(), "started": "1"}))
    assert command(*again, env=no_locks).code == 0
