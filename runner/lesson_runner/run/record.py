"""``record.json``: the single source of truth about a run. Every report is computed from it."""

from __future__ import annotations

import dataclasses
import json
import math
import platform
import stat
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from typing import Any

from lesson_runner import __version__
from lesson_runner.files.plain import write_atomically
from lesson_runner.files.untrusted import files_below, read_json
from lesson_runner.model import BlockRole, Expectation, Hardware, Plan, PlannedStep, StepResult
from lesson_runner.model.errors import LessonError
from lesson_runner.model.hints import fix_for
from lesson_runner.plugins.installed import PluginInfo
from lesson_runner.run.digests import content_digest
from lesson_runner.run.hashing import Hasher, file_facts

RECORD = "record.json"
UNFINISHED = "unfinished"
"""The status in the record while the run is in progress; it stays if the run is killed."""
NOTHING_RAN = "nothing-ran"
"""The status of a run whose steps were all skipped: it has not passed."""
DAMAGED = "the file was changed or damaged: restore the original, or run the lesson again"
_PACKAGES = ("pluggy", "markdown-it-py", "jsonschema", "numpy", "torch")


def now() -> str:
    """Return the current time in UTC, in the format of the record."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def describe_step(step: PlannedStep) -> dict[str, Any]:
    """Return a planned step as a record entry, not run yet."""
    return {
        "id": step.id,
        "title": step.title,
        "line": step.location.line,
        "action": step.action,
        "claimed_by": step.claimed_by,
        "params": plain(step.params),
        "layers": [{"name": layer.name, "params": plain(layer.params)} for layer in step.layers],
        "needs": list(step.needs),
        "requires": [str(need) for need in step.requires],
        "expect": [_expectation(item) for item in step.expect],
        "command": step.command,
        "optional": step.optional,
        **({"cleanup": True} if step.cleanup else {}),
        **({"hint": step.hint} if step.hint else {}),
        "status": "skipped" if step.skip else "planned",
        "message": step.skip or "",
        "metrics": {},
        "verdicts": [],
        "claims": [],
    }


def _expectation(item: Expectation) -> dict[str, Any]:
    when = {"when": plain(item.when)} if item.when else {}
    return {item.matcher: plain(item.argument), **when}


def describe_result(result: StepResult) -> dict[str, Any]:
    """Return the result of a step as a record entry."""
    return {
        **describe_step(result.step),
        "status": result.status,
        "message": result.message,
        "metrics": plain(result.metrics),
        "verdicts": [dataclasses.asdict(verdict) for verdict in result.verdicts],
        "claims": [dataclasses.asdict(claim) for claim in result.claims],
        **({"shown": [dataclasses.asdict(verdict) for verdict in result.shown]} if result.shown else {}),
        "labels": list(result.labels),
        "started": result.started,
        "seconds": round(result.seconds, 3),
        "attempts": result.attempts,
        "exit_code": result.exit_code,
        "artifacts": {name: dict(facts) for name, facts in result.artifacts.items()},
        "diagnoses": [dataclasses.asdict(diagnosis) for diagnosis in result.diagnoses],
    }


def describe_plan(plan: Plan) -> dict[str, Any]:
    """Return a plan as ``lesson plan --json`` prints it, with ``steps`` as in a record."""
    return {
        "lesson": describe_lesson(plan),
        "plan_digest": plan.digest,
        "profile": plan.profile,
        "steps": [describe_step(step) for step in plan.steps],
        "not_run": describe_not_run(plan),
        "blocks": [describe_block(item) for item in plan.blocks],
    }


def describe_block(item: BlockRole) -> dict[str, Any]:
    """Return the role of a block, as in ``lesson plan --json``; ``line`` is that of its opening fence."""
    block = item.block
    is_link = block.hidden or not item.number
    return {
        "block": item.number,
        "line": block.location.line - (0 if is_link else 1),
        "language": block.language,
        "role": item.role,
        "reason": item.reason,
        "rule": item.rule,
        "needs": [str(need) for need in item.needs],
        "group": item.group,
        "option": item.option,
        "step": item.step,
    }


def describe_not_run(plan: Plan) -> list[dict[str, Any]]:
    """Return the blocks that no step covers, with the author's reasons."""
    return [
        {"line": item.block.location.line, "language": item.block.language, "reason": item.reason}
        for item in plan.not_run
    ]


def describe_lesson(plan: Plan) -> dict[str, Any]:
    """Identify the lesson: digests of its file and content, and whether its steps were recognised."""
    lesson = plan.lesson
    return {
        "id": lesson.id,
        "title": lesson.title,
        "path": str(lesson.path),
        "sha256": lesson.digest,
        "content_sha256": content_digest(lesson),
        **({"sidecar": str(lesson.sidecar.path)} if lesson.sidecar else {}),
        "recognised": plan.recognised,
    }


def describe_plugins(infos: Iterable[PluginInfo]) -> list[dict[str, Any]]:
    """Return the installed plugins with their versions and errors."""
    return [
        {"name": info.name, "version": info.version, "error": info.error, "loaded": info.loaded}
        for info in infos
    ]


def versions(hardware: Iterable[Hardware]) -> dict[str, str]:
    """Return the versions of the software that a result depends on, without importing it."""
    found = {
        "lesson-runner": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
    }
    for name in (*_PACKAGES, *(name for item in hardware for name in item.packages)):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


MOST_ARTIFACTS = 20_000
"""How many evidence files of a step a record lists."""


def artifacts(folder: Path, base: Path, hasher: Hasher) -> dict[str, dict[str, Any]]:
    """Return :func:`file_facts` of every file below ``folder``, by path relative to ``base``."""
    names = (name for name, facts in files_below(folder) if stat.S_ISREG(facts.st_mode))
    inside = folder.relative_to(base).as_posix()
    paths = sorted(f"{inside}/{name}" for name in islice(names, MOST_ARTIFACTS))
    found = ((path, file_facts(base, path, hasher)) for path in paths)
    # A process in the background may have removed a file meanwhile.
    return {path: dict(facts) for path, facts in found if facts is not None}


def write(record: Mapping[str, Any], folder: Path) -> Path:
    """
    Write ``record.json`` into a run folder atomically; return its path.

    Raises:
        LessonError: the file cannot be written.
    """
    path = folder / RECORD
    try:
        write_atomically(path, json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    except OSError as error:
        reason = error.strerror or error
        raise LessonError(f"{path}: the record cannot be written: {reason}", fix=fix_for(error)) from None
    return path


def read(folder: Path) -> dict[str, Any]:
    """
    Return the record of a finished run.

    Raises:
        LessonError: the record is missing or damaged, or the run is unfinished.
    """
    data = read_any(folder)
    if data.get("status") == UNFINISHED:
        raise LessonError(
            f"{folder / RECORD}: the run is unfinished",
            fix=f"if it is no longer running, resume it: lesson resume {folder.name}",
        )
    return data


def read_any(folder: Path) -> dict[str, Any]:
    """
    Return the record of a run, finished or not.

    Raises:
        LessonError: the record is missing or damaged.
    """
    path = folder / RECORD
    try:
        data = read_json(folder, RECORD)
    except FileNotFoundError:
        raise LessonError(
            f"{path}: there is no record", fix="the run did not finish; run the lesson again"
        ) from None
    except (OSError, ValueError) as error:
        reason = error.strerror or error if isinstance(error, OSError) else error
        raise LessonError(f"{path}: cannot be read: {reason}", fix=DAMAGED) from None
    if not isinstance(data, dict) or data.get("record_version") != 1:
        raise LessonError(f"{path}: not a record of a run (record_version 1)", fix=DAMAGED)
    return data


def plain(value: Any) -> Any:
    """Return ``value`` as JSON data; NaN and infinities, which JSON lacks, become ``None``."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool) or value is None else str(value)
