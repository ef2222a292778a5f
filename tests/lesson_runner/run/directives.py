"""Lessons for tests of what directives do: write one, run it, read its record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lesson_runner.testing import lesson_text


def steps(*parts: tuple[str, str]) -> str:
    """Return a lesson of steps, each given as its directive and its block."""
    return lesson_text("".join(f"<!-- step\n{head}\n-->\n```bash\n{block}\n```\n\n" for head, block in parts))


def record(folder: Path) -> dict[str, Any]:
    """Return the record of the last run in a folder."""
    run = max(path for path in (folder / ".lesson" / "runs").iterdir() if path.name[0] != ".")
    data: dict[str, Any] = json.loads((run / "record.json").read_text())
    return {**data, "folder": run, "by_id": {step["id"]: step for step in data["steps"]}}
