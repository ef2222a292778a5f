"""What a command came to, and what must be true of any run whatever happened to it."""

from __future__ import annotations

import hashlib
import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesson_runner.document.schema.validator import load_schema, validator_for

SHELL = "<!-- step\nid: {id}\n{keys}-->\n```bash\n{script}\n```\n\n"
TYPED = "<!-- step\nid: {id}\nuses: {action}\n{keys}-->\n```text\nx\n```\n\n"
PATIENCE = 60
"""Seconds after which a command hangs, however busy the machine is."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def ended(process: subprocess.Popen[str]) -> Ran:
    """Wait for a command, and check that it explains the problem without a traceback."""
    try:
        out, err = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"it hangs\n{out}\n{err}") from None
    out, err = out or "", err or ""  # it may have gone elsewhere
    assert "Traceback" not in out + err, out + err
    assert "this is a bug" not in err, err
    assert "Exception ignored" not in err, err
    return Ran(process.returncode, out, err)


def shell(id: str, script: str, **keys: str) -> str:  # noqa: A002  # a step's key
    """Return a step that runs a script."""
    return SHELL.format(id=id, script=script, keys=_rows(keys))


def typed(id: str, action: str, **keys: str) -> str:  # noqa: A002  # a step's key
    """Return a step that runs an action."""
    return TYPED.format(id=id, action=action, keys=_rows(keys))


def _rows(keys: dict[str, str]) -> str:
    return "".join(f"{key}: {value}\n" for key, value in keys.items())


def only_run(workspace: Path) -> Path:
    """Return the folder of the one run in a workspace."""
    (folder,) = (workspace / "runs").iterdir()
    return folder


def record_of(folder: Path) -> dict[str, Any]:
    """Return a run's record, which follows its schema, and whose files are what it says of them."""
    record: dict[str, Any] = json.loads((folder / "record.json").read_text("utf-8"))
    assert [error.message for error in validator_for(load_schema("record")).iter_errors(record)] == []
    for step in record["steps"]:
        for name, facts in step.get("artifacts", {}).items():
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == facts["sha256"], name
    assert leftovers(folder) == []
    return record


def events_of(folder: Path) -> list[dict[str, Any]]:
    """Return a run's events; every line is whole."""
    text = (folder / "events.jsonl").read_text("utf-8")
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def told(record: dict[str, Any]) -> dict[str, str]:
    """Return each step's status."""
    return {step["id"]: step["status"] for step in record["steps"]}


def messages(record: dict[str, Any]) -> dict[str, str]:
    """Return each step's message."""
    return {step["id"]: step["message"] for step in record["steps"]}


def leftovers(folder: Path) -> list[str]:
    """Return the files below a folder that were being written when something went wrong."""
    found = [path for path in folder.rglob("*") if path.suffix == ".part" or path.name.startswith(".")]
    return sorted(path.name for path in found)


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, byte for byte."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}
