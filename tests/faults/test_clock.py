"""
A clock that jumps while a lesson runs.

The machine's own clock is everybody's, so it is left alone. A small library, compiled here and loaded before
the C library (LD_PRELOAD), moves what the runner and all its processes are told by
``clock_gettime(CLOCK_REALTIME)``, ``gettimeofday`` and ``time``; the monotonic clock is the kernel's.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from tests.faults.running import Ran, events_of, only_run, record_of, shell, told
from tests.reliability import fault

from lesson_runner.testing import lesson_text

SHIFT = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long shift(void) {
    const char *name = getenv("SHIFT_FILE");
    FILE *file = name ? fopen(name, "r") : NULL;
    long seconds = 0;
    if (file) {
        if (fscanf(file, "%ld", &seconds) != 1) seconds = 0;
        fclose(file);
    }
    return seconds;
}

int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(id, now);
    if (code == 0 && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) now->tv_sec += shift();
    return code;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *where) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (where) *where = now.tv_sec;
    return now.tv_sec;
}
"""
MONTH = 30 * 24 * 3600


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that moves the clock."""
    compiler = shutil.which("cc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("moving a process's clock needs Linux and a C compiler")
    folder = tmp_path_factory.mktemp("clock")
    (folder / "shift.c").write_text(SHIFT)
    made = folder / "shift.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", made, folder / "shift.c", "-ldl"], check=True)
    return made


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@fault(
    "clock",
    "the clock jumps a month forwards or backwards during a run",
    how="a step changes the time for the runner and its processes, with a library that is "
    "loaded before the C library",
    seen="times of day as the clock showed them; durations and timeouts are not affected",
    survives="the run, the record, and everything made from it",
)
@pytest.mark.parametrize(
    "seconds", [pytest.param(MONTH, id="forwards", marks=pytest.mark.slow), pytest.param(-MONTH, id="back")]
)
def test_the_clock_jumps(command: Callable[..., Ran], library: Path, tmp_path: Path, seconds: int) -> None:
    shift = tmp_path / "shift"
    env = {"LD_PRELOAD": str(library), "SHIFT_FILE": str(shift)}
    lesson = tmp_path / "a.md"
    steps = [
        shell("one", "echo first"),
        shell("two", f"date +%s; echo {seconds} > {shift}; date +%s", timeout="1m"),
        shell("three", "echo third", timeout="1m"),
    ]
    lesson.write_text(lesson_text("".join(steps)))
    said = command("run", lesson, "--allow", "shell", "--json", env=env)
    assert (said.code, said.err) == (0, "")
    folder = only_run(tmp_path / ".lesson")
    record = record_of(folder)
    assert set(told(record).values()) == {"passed"}
    before, after = (folder / "evidence" / "two" / "output.txt").read_text().split()
    assert abs(int(after) - int(before) - seconds) < 60  # it did jump
    moved = (moment(record["finished"]) - moment(record["started"])).total_seconds()
    assert abs(moved - seconds) < 60
    assert all(0 <= step["seconds"] < 60 for step in record["steps"])
    assert 0 < record["seconds"] < 60
    times = [moment(item["time"]) for item in events_of(folder)]
    assert len({time.date() for time in times}) >= 2
    assert [item["status"] for item in command("runs", "--json", env=env).json] == ["passed"]
