"""
Resume a run that ended early.

``record.json`` says how the run was begun, since its first moment; ``events.jsonl`` has the result of every
step that came to its end, safely on disk. What passed is taken over; everything else is run again.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesson_runner.execute.redaction.redactor import REDACTED
from lesson_runner.files.untrusted import open_sized, parse_json
from lesson_runner.model import ClaimVerdict, Diagnosis, Hardware, Plan, PlannedStep, StepResult, Verdict
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.context import Workspace
from lesson_runner.plugins.manager import PluginInfo
from lesson_runner.run import record
from lesson_runner.run.events import EVENTS
from lesson_runner.run.find import find_run
from lesson_runner.run.hashing import is_unchanged
from lesson_runner.run.lock import lock_owner
from lesson_runner.run.stored import read_any
from lesson_runner.run.workspace_diff import ChangedFiles

MOST_BYTES = 1024**3
"""Bytes of ``events.jsonl`` that are read: a run of 1,000 steps that say much has as many."""
LONGEST = 16 * 1024 * 1024
"""Bytes of a line of the events that are read at once; a longer one is none of ours."""
MOST_CHANGED = 500_000
"""Files that the steps of a run left."""
SHOWN = 8
"""How many differences a refusal lists."""
MOST_SHOWN = 500
"""Characters shown of what is wrong with an event, which may quote it."""
_STEP = {"$ref": "record.schema.json#/$defs/step"}


@dataclass(frozen=True, slots=True)
class PassedStep:
    """A step that has passed, as ``events.jsonl`` has it."""

    result: Mapping[str, Any]
    facts: Mapping[str, Any]
    left: ChangedFiles


@dataclass(frozen=True, slots=True)
class ResumableRun:
    """A run that ended before its end."""

    folder: Path
    record: Mapping[str, Any]
    done: Mapping[str, PassedStep]
    """By the step's id, in the order in which they ended."""
    left: ChangedFiles
    """Every file that the run's steps, finished or not, have touched, as they left it last."""
    resumed: tuple[Mapping[str, Any], ...]
    """When it was resumed before, as the record has it."""


@dataclass(frozen=True, slots=True)
class CarriedOver:
    """What a resumed run takes over."""

    results: Mapping[str, StepResult]
    facts: Mapping[str, Any]
    started: str
    resumed: tuple[Mapping[str, Any], ...]


def read_resumable(folder: Path) -> ResumableRun:
    """
    Return a run that can be resumed.

    Raises:
        LessonError: it has passed, or what it left is damaged.
    """
    begun = read_any(folder)
    if begun["status"] == "passed":
        raise LessonError(
            f"{folder.name} has passed: there is nothing to resume", fix="lesson run starts from scratch"
        )
    done: dict[str, PassedStep] = {}
    left: dict[str, Any] = {}
    resumed: list[Mapping[str, Any]] = []
    known = {step["id"] for step in begun["steps"]}
    for event in _events(folder / EVENTS):
        name = str(event.get("step"))
        if event.get("event") == "run-started" and isinstance(event.get("carried"), list):
            done = {key: value for key, value in done.items() if key in event["carried"]}
            resumed.append({"at": str(event.get("time")), "carried": len(done)})
        elif event.get("event") == "step-started":
            done.pop(name, None)
        elif event.get("event") == "step-finished":
            touched = event.get("left", {})
            left |= touched if isinstance(touched, dict) else {}
            if len(left) > MOST_CHANGED:
                raise LessonError(
                    f"{folder / EVENTS}: it names more than {MOST_CHANGED:,} files", fix=record.DAMAGED
                )
            if event.get("status") == "passed" and name in known:
                done[name] = PassedStep(event, event.get("facts", {}), touched)
    return ResumableRun(folder, begun, done, left, tuple(resumed))


def find_resumable(name: str, runs: Path) -> ResumableRun:
    """
    Return the run to resume.

    Args:
        name: the name of the run, the beginning of it, ``latest``, or the run's folder.
        runs: the folder of the workspace's runs.

    Raises:
        LessonError: there is no such run, it cannot be resumed, or its workspace is in use.
    """
    folder = find_run(name, runs)
    workspace = Workspace(folder.parent.parent)
    workspace.check_links()
    for used in (workspace.root, folder):
        if owner := lock_owner(used):
            raise LessonError(f"{used} is in use by {owner}", fix="wait until it ends")
    return read_resumable(folder)


def without_steps_from(begun: ResumableRun, plan: Plan, start: str | None) -> ResumableRun:
    """
    Return a run without what it has done from a step on.

    Args:
        start: a planned step's id, or a step's, as ``--from`` takes it; ``None`` leaves everything.

    Raises:
        LessonError: there is no such step.
    """
    if start is None:
        return begun
    ids = [step.id for step in plan.steps]
    first = next((n for n, item in enumerate(ids) if start in (item, item.rpartition(".")[0])), None)
    if first is None:
        raise LessonError(f"--from {start}: there is no such step", fix=f"one of: {', '.join(ids)}")
    kept = set(ids[:first])
    return dataclasses.replace(begun, done={key: item for key, item in begun.done.items() if key in kept})


def carry_over(
    begun: ResumableRun, plan: Plan, hardware: Sequence[Hardware], plugins: Iterable[PluginInfo], files: Path
) -> CarriedOver:
    """
    Return what a resumed run takes over.

    Args:
        plan: what the lesson plans to now.
        hardware: what is in this machine now.
        plugins: what is installed now.
        files: the folder of what steps leave for one another.

    Raises:
        LessonError: the outcome could differ from that of an uninterrupted run; the message says why.
    """
    try:
        differences = [*_different(begun, plan, hardware, plugins), *_changed(begun, files)]
        planned = {step.id: step for step in plan.steps}
        kept = {name: item for name, item in begun.done.items() if name in planned}
        results = {name: _result(planned[name], item.result) for name, item in kept.items()}
        facts = dict(pair for item in kept.values() for pair in item.facts.items())
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise LessonError(
            f"{begun.folder / EVENTS}: it is damaged: {type(error).__name__}: {error}",
            fix="start from scratch with lesson run: trainings with the same settings reuse what was trained",
        ) from None
    if differences:
        more = f"; and {len(differences) - SHOWN} more" if len(differences) > SHOWN else ""
        raise LessonError(
            f"{begun.folder.name} cannot be resumed: {'; '.join(differences[:SHOWN])}{more}",
            fix="put that back; or lesson resume --from STEP, if only what later steps left has changed; "
            "or lesson run to start from scratch: trainings with the same settings reuse what was trained",
        )
    return CarriedOver(results, facts, begun.record["started"], begun.resumed)


def _events(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of a run; what is no event, such as half of a last line, is passed over."""
    try:
        with open_sized(path.parent, path.name, MOST_BYTES) as file:
            while line := file.readline(LONGEST):
                if b'"event"' not in line:
                    continue
                try:
                    event = parse_json(line)
                except ValueError:
                    continue
                if isinstance(event, dict):
                    yield event
    except OSError as error:
        raise LessonError(f"{path}: cannot be read: {error.strerror}", fix=record.DAMAGED) from None


def _different(
    begun: ResumableRun, plan: Plan, hardware: Sequence[Hardware], plugins: Iterable[PluginInfo]
) -> Iterator[str]:
    """Yield what is not as it was when the run began."""
    was = begun.record
    if plan.lesson.digest != was["lesson"]["sha256"]:
        yield f"the lesson {was['lesson']['path']} has changed"
    elif plan.digest != was["plan_digest"]:
        yield "the plan is another one, although the lesson is the same"
    yield from _unlike("", _libraries(was["versions"]), _libraries(record.versions(hardware)))
    yield from _unlike("hardware ", _boards(was["hardware"]), _boards(item.found for item in hardware))
    yield from _unlike("plugin ", _versions(was["plugins"]), _versions(record.describe_plugins(plugins)))


def _libraries(versions: Mapping[str, str]) -> dict[str, str]:
    """Return versions without the system's: after a power cut it may start another kernel."""
    return {name: value for name, value in versions.items() if name != "platform"}


def _versions(plugins: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {item["name"]: item["error"] or item["version"] or "no version" for item in plugins}


def _boards(hardware: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {item["name"]: f"{item['devices']} devices" for item in hardware}


def _unlike(what: str, was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(was.keys() | now.keys()):
        if was.get(name) != now.get(name):
            yield f"{what}{name} was {was.get(name, 'not there')}, is {now.get(name, 'not there')}"


def _changed(begun: ResumableRun, files: Path) -> Iterator[str]:
    """Yield the files that steps have left and that are not as they left them."""
    owners: dict[str, str] = {}
    for name, item in begun.done.items():
        if unknown := item.result.get("left_unknown"):
            yield f"what step '{name}' left may have changed: {unknown}"
        owners |= dict.fromkeys(item.left, name)
        for path, facts in item.result.get("artifacts", {}).items():
            if not is_unchanged(begun.folder, path, facts):
                yield f"{path}, evidence of step '{name}', has changed"
    for path, name in owners.items():
        if REDACTED in path:
            yield f"a file that step '{name}' left cannot be compared: its name holds a secret"
        elif not is_unchanged(files, path, begun.left[path]):
            state = "has changed" if os.path.lexists(files / path) else "is missing"
            yield f"{files / path}, which step '{name}' left, {state}"


def _result(step: PlannedStep, stored: Mapping[str, Any]) -> StepResult:
    """
    Return a step's result as it was recorded.

    Raises:
        ValueError: it is not what a record has of a step.
    """
    _check_step(stored)
    metrics = {name: float("nan") if value is None else value for name, value in stored["metrics"].items()}
    return StepResult(
        step,
        stored["status"],
        stored["message"],
        metrics,
        tuple(Verdict(**item) for item in stored["verdicts"]),
        tuple(ClaimVerdict(**item) for item in stored["claims"]),
        tuple(stored["labels"]),
        stored["started"],
        stored["seconds"],
        stored["attempts"],
        stored["exit_code"],
        stored["artifacts"],
        tuple(Diagnosis(**item) for item in stored["diagnoses"]),
    )


def _check_step(stored: Mapping[str, Any]) -> None:
    """
    Check an event's result against the schema of a record's steps.

    Raises:
        ValueError: it does not follow the schema.
    """
    from lesson_runner.document.schema.validator import load_schema, validator_for

    known = load_schema("record")["$defs"]["step"]["properties"]
    step = {name: value for name, value in stored.items() if name in known}
    wrong = next(validator_for(_STEP).iter_errors(step), None)
    if wrong is not None:
        raise ValueError(wrong.message[:MOST_SHOWN])
