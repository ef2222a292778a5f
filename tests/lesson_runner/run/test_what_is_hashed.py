"""Hashing stays within the time limit of the step, and a record says what was not hashed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import last_files
from tests.lesson_runner.run.test_resume import shell
from tests.reliability import fault

Lesson = Callable[..., Any]
LONG = 60.0
"""Hashing 60 GB takes at least this many seconds; everything else takes less, even on a busy machine."""


def run(lesson: Lesson, tmp_path: Path, text: str) -> tuple[Any, dict[str, Any]]:
    """Run a lesson; return its output and its record."""
    (tmp_path / "a.md").write_text(text)
    said = lesson("run", "a.md", "--allow", "shell")
    folder = max((tmp_path / ".lesson" / "runs").iterdir())
    return said, json.loads((folder / "record.json").read_text())


@fault(
    "files",
    "a step leaves a sparse file of 60 GB",
    how="`truncate -s 60G` in a step with a `timeout` of 3 s",
    seen="the result at once; `file:` with a sha256 is not met: `not hashed`",
    survives="the run; it can be resumed only if the file's size, time and inode have not changed",
)
@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        ("{path: big}", "passed"),
        ("{path: big, min_bytes: 60000000000}", "passed"),
        (f"{{path: big, sha256: '{'0' * 64}'}}", "failed"),
        ("{path: big, min_bytes: 70000000000}", "failed"),
    ],
)
def test_a_sparse_file(lesson: Lesson, tmp_path: Path, wanted: str, status: str) -> None:
    more = f"timeout: 3s\nexpect: [{{file: {wanted}}}]"
    began = time.monotonic()
    said, record = run(lesson, tmp_path, shell(("one", "truncate -s 60G big"), more=more))
    assert time.monotonic() - began < LONG
    assert [step["status"] for step in record["steps"]] == [status], said
    (verdict,) = [item for item in record["steps"][0]["verdicts"] if item["matcher"] == "file"]
    assert "64424509440 bytes, not hashed: " in verdict["actual"]


def test_a_run_is_resumed_only_if_a_file_that_was_not_hashed_is_the_same(
    lesson: Lesson, tmp_path: Path
) -> None:
    steps = shell(("one", "truncate -s 60G big"), ("two", "test -e go"))
    run(lesson, tmp_path, steps)
    big = last_files(tmp_path / ".lesson") / "big"
    (big.parent / "go").touch()
    facts = big.stat()
    with big.open("rb+") as file:
        file.write(b"x")
    said = lesson("resume", "--allow", "shell")
    assert said.code == 2
    assert "big, a file of step 'one', has changed" in said.err
    os.utime(big, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert lesson("resume", "--allow", "shell").code == 0


def test_sparse_evidence_is_removed(lesson: Lesson, tmp_path: Path) -> None:
    script = 'cd "$LESSON_WORKSPACE"/evidence/one; truncate -s 60G big; cd; echo done'
    said, record = run(lesson, tmp_path, shell(("one", script), more="expect: [{contains: done}]"))
    (step,) = record["steps"]
    assert (said.code, step["status"]) == (0, "passed")
    assert "big" in step["message"]
    assert not any(name.endswith("big") for name in step["artifacts"])


def test_evidence_that_was_not_hashed_cannot_be_certified(lesson: Lesson, tmp_path: Path) -> None:
    run(lesson, tmp_path, shell(("one", "echo done"), more="expect: [{contains: done}]"))
    (path,) = (tmp_path / ".lesson" / "runs").glob("*/record.json")
    record = json.loads(path.read_text())
    facts = record["steps"][0]["artifacts"]["evidence/one/output.txt"]
    del facts["sha256"]
    facts |= {"not_hashed": "the step's time was over", "stamp": [facts["bytes"], 1, 1]}
    path.write_text(json.dumps(record))
    lesson("cert", "keys", "new", "me")
    refused = lesson("certify", "a.md", "--from-run", "latest", "--allow", "shell")
    assert refused.code == 2
    assert "evidence/one/output.txt was not hashed: the step's time was over" in refused.err
    assert "not hashed" in lesson("report", "--format", "html").out


def test_changes_are_noticed_among_more_than_a_thousand_files(lesson: Lesson, tmp_path: Path) -> None:
    steps = shell(("one", "mkdir b; for n in $(seq 1200); do echo $n > b/$n; done"), ("two", "test -e go"))
    run(lesson, tmp_path, steps)
    files = last_files(tmp_path / ".lesson")
    (files / "go").touch()
    (files / "b" / "77").write_text("changed\n")
    said = lesson("resume", "--allow", "shell")
    assert said.code == 2
    assert "b/77, a file of step 'one', has changed" in said.err
    assert lesson("resume", "--from", "one", "--allow", "shell").code == 1  # mkdir: it is there


def test_too_many_files_in_a_workspace_are_reported(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lesson_runner.run.workspace_diff.MOST_FILES", 50)
    run(lesson, tmp_path, shell(("one", "touch $(seq 60)"), ("two", "test -e go")))
    said = lesson("resume", "--allow", "shell")
    assert said.code == 2
    assert "files of step 'one' may have changed: the folder has more than 50 files" in said.err


def test_a_state_that_is_too_large_is_not_passed_on(lesson: Lesson, tmp_path: Path) -> None:
    big = 'X=$(head -c 20000000 /dev/zero | tr "\\0" x)'
    run(lesson, tmp_path, shell(("one", big), ("two", "echo ${#X}")))
    kept = list((tmp_path / ".lesson" / "runs").glob("*/shell/state.sh"))
    assert all(path.stat().st_size < 16 * 2**20 for path in kept)
