"""Running a lesson as a user does: in a separate process, in an empty folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from lesson_runner.document.schema.validator import load_schema, validator_for


def lesson(folder: Path, *arguments: str, timeout: float = 250) -> subprocess.CompletedProcess[str]:
    """Run ``lesson`` with a separate home folder, so that no download of this machine's user is found."""
    env = {**os.environ, "LESSON_HOME": str(folder / "home"), "NO_COLOR": "1"}
    env.pop("LESSON_WORKSPACE", None)
    command = [sys.executable, "-m", "lesson_runner", *arguments]
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, encoding="utf-8", timeout=timeout, check=False
    )


def record_of(folder: Path) -> dict[str, Any]:
    """Return the record of the only run in a folder, after checking it against its schema."""
    (path,) = (folder / ".lesson" / "runs").glob("*/record.json")
    record: dict[str, Any] = json.loads(path.read_text("utf-8"))
    assert [error.message for error in validator_for(load_schema("record")).iter_errors(record)] == []
    return record


def by_id(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {step["id"]: step for step in record["steps"]}
