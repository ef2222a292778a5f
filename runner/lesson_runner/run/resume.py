"""
Resume a run that ended early.

``record.json`` says from the start how the run was started; ``events.jsonl`` has the result of every finished
step, synced to disk. Passed steps are taken over; all others run again.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesson_runner.execute.redaction.redactor import REDACTED
from lesson_runner.model import ClaimVerdict, Diagnosis, Hardware, Plan, PlannedStep, StepResult, Verdict
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.context import FILES, Workspace
from lesson_runner.plugins.installed import PluginInfo
from lesson_runner.run import record
from lesson_runner.run.continued import has_files, home_of, place_of
from lesson_runner.run.digests import content_digest
from lesson_runner.run.events import EVENTS, read_events
from lesson_runner.run.find import find_run
from lesson_runner.run.hashing import is_unchanged
from lesson_runner.run.lock import lock_owner
from lesson_runner.run.stored import read_any
from lesson_runner.run.workspace_diff import ChangedFiles

MOST_CHANGED = 500_000
"""The most files that the steps of a run may have changed."""
SHOWN = 8
"""How many differences the error lists."""
MAX_SHOWN = 500
"""Characters shown of a schema error, which may quote the event."""
_STEP = {"$ref": "record.schema.json#/$defs/step"}


@dataclass(frozen=True, slots=True)
class PassedStep:
    """A step that passed, as stored in ``events.jsonl``."""

    result: Mapping[str, Any]
    facts: Mapping[str, Any]
    changed_files: ChangedFiles


@dataclass(frozen=True, slots=True)
class ResumableRun:
    """A run that can be resumed: it was interrupted or killed, or it failed."""

    folder: Path
    record: Mapping[str, Any]
    passed: Mapping[str, PassedStep]
    """By the step's id, in the order in which the steps finished."""
    changed_files: ChangedFiles
    """All files that steps of the run changed, passed or not, in their last known state."""
    resumed: tuple[Mapping[str, Any], ...]
    """The earlier resumptions, as stored in the record."""


@dataclass(frozen=True, slots=True)
class CarriedOver:
    """What a resumed run takes over from its earlier part."""

    results: Mapping[str, StepResult]
    facts: Mapping[str, Any]
    started: str
    resumed: tuple[Mapping[str, Any], ...]


def read_resumable(folder: Path) -> ResumableRun:
    """
    Read a run that can be resumed.

    Raises:
        LessonError: the run has passed, or its files are damaged.
    """
    stored = read_any(folder)
    if stored["status"] == "passed":
        raise LessonError(
            f"{folder.name} has passed: there is nothing to resume",
            fix="to go on from a step, use lesson run --from STEP; lesson run starts from scratch",
        )
    passed: dict[str, PassedStep] = {}
    changed: dict[str, Any] = {}
    resumed: list[Mapping[str, Any]] = []
    known = {step["id"] for step in stored["steps"]}
    for event in read_events(folder):
        name = str(event.get("step"))
        if event.get("event") == "run-started" and isinstance(event.get("carried"), list):
            passed = {key: value for key, value in passed.items() if key in event["carried"]}
            resumed.append({"at": str(event.get("time")), "carried": len(passed)})
        elif event.get("event") == "step-started":
            passed.pop(name, None)
        elif event.get("event") == "step-finished":
            touched = event.get("left", {})
            changed |= touched if isinstance(touched, dict) else {}
            if len(changed) > MOST_CHANGED:
                raise LessonError(
                    f"{folder / EVENTS}: the steps changed more than {MOST_CHANGED:,} files",
                    fix=record.DAMAGED,
                )
            if event.get("status") == "passed" and name in known:
                passed[name] = PassedStep(event, event.get("facts", {}), touched)
    return ResumableRun(folder, stored, passed, changed, tuple(resumed))


def find_resumable(name: str, runs: Path) -> ResumableRun:
    """
    Return the run to resume.

    Args:
        name: the name of the run or the start of it, ``latest``, or the run folder.
        runs: the folder with the runs of the workspace.

    Raises:
        LessonError: the run does not exist or cannot be resumed, or its workspace is in use.
    """
    folder = find_run(name, runs)
    workspace = Workspace(folder.parent.parent)
    workspace.check_links()
    run = read_resumable(folder)
    home, place = home_of(folder, run.record), place_of(run.record)
    if not home.is_dir():
        raise LessonError(
            f"{folder.name} continued {home.name}, whose folder with the files of both was removed",
            fix="start from scratch with lesson run",
        )
    if not has_files(home, place):
        raise LessonError(
            f"{folder.name} cannot be resumed: its files are not in {home / FILES}; they were removed, or an "
            "earlier version of lesson-runner, which kept them elsewhere, made the run",
            fix="start from scratch with lesson run",
        )
    for used in {folder, workspace.root if place else home}:
        if owner := lock_owner(used):
            raise LessonError(f"{used} is in use by {owner}", fix="wait until it ends")
    return run


def without_steps_from(run: ResumableRun, plan: Plan, start: str | None) -> ResumableRun:
    """
    Return a run without the results of a step and all later ones.

    Args:
        start: the id of a planned or declared step, as for ``--from``; ``None`` keeps everything.

    Raises:
        LessonError: the step does not exist.
    """
    if start is None:
        return run
    ids = [step.id for step in plan.steps]
    first = next((n for n, item in enumerate(ids) if start in (item, item.rpartition(".")[0])), None)
    if first is None:
        raise LessonError(f"--from {start}: there is no such step", fix=f"one of: {', '.join(ids)}")
    kept = set(ids[:first])
    return dataclasses.replace(run, passed={key: item for key, item in run.passed.items() if key in kept})


def carry_over(
    run: ResumableRun, plan: Plan, hardware: Sequence[Hardware], plugins: Iterable[PluginInfo], files: Path
) -> CarriedOver:
    """
    Check that a run can be resumed, and return what it takes over.

    Args:
        plan: the current plan of the lesson.
        hardware: the current hardware of this machine.
        plugins: the plugins that are installed now.
        files: the folder with the files that steps leave for later steps.

    Raises:
        LessonError: the outcome could differ from that of an uninterrupted run; the message says why.
    """
    run = _without_undone(run, plan)
    try:
        differences = [*_different(run, plan, hardware, plugins), *_changed(run, files)]
        planned = {step.id: step for step in plan.steps}
        kept = {name: item for name, item in run.passed.items() if name in planned}
        results = {name: _result(planned[name], item.result) for name, item in kept.items()}
        facts = dict(pair for item in kept.values() for pair in item.facts.items())
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise LessonError(
            f"{run.folder / EVENTS}: the file is damaged: {type(error).__name__}: {error}",
            fix="start from scratch with lesson run; trainings with the same settings reuse cached states",
        ) from None
    if differences:
        more = f"; and {len(differences) - SHOWN} more" if len(differences) > SHOWN else ""
        raise LessonError(
            f"{run.folder.name} cannot be resumed: {'; '.join(differences[:SHOWN])}{more}",
            fix="undo these changes; or, if only files of later steps changed, lesson resume --from STEP; "
            "or start from scratch with lesson run (trainings with the same settings reuse cached states)",
        )
    return CarriedOver(results, facts, run.record["started"], run.resumed)


def _without_undone(run: ResumableRun, plan: Plan) -> ResumableRun:
    """Return a run without the steps that clean up, and all from the first one that they have undone."""
    ran = {str(step["id"]) for step in run.record["steps"] if step.get("attempts")} | run.passed.keys()
    undone = {need for step in plan.steps if step.cleanup and step.id in ran for need in step.needs}
    kept: set[str] = set()
    for step in plan.steps:
        if step.cleanup or step.id in undone:
            break
        kept.add(step.id)
    return dataclasses.replace(run, passed={key: item for key, item in run.passed.items() if key in kept})


def _different(
    run: ResumableRun, plan: Plan, hardware: Sequence[Hardware], plugins: Iterable[PluginInfo]
) -> Iterator[str]:
    """Yield the differences from when the run started."""
    was = run.record
    sidecar = str(plan.lesson.sidecar.path) if plan.lesson.sidecar else None
    if plan.lesson.digest != was["lesson"]["sha256"]:
        yield f"the lesson {was['lesson']['path']} has changed"
    elif was["lesson"].get("content_sha256", content := content_digest(plan.lesson)) != content:
        yield f"the lesson's sidecar {was['lesson'].get('sidecar') or sidecar} has changed"
    elif plan.digest != was["plan_digest"]:
        yield "the plan is different, although the lesson is the same"
    yield from _unlike("", _libraries(was["versions"]), _libraries(record.versions(hardware)))
    yield from _unlike("hardware ", _boards(was["hardware"]), _boards(item.found for item in hardware))
    yield from _unlike("plugin ", _versions(was["plugins"]), _versions(record.describe_plugins(plugins)))


def _libraries(versions: Mapping[str, str]) -> dict[str, str]:
    """Return versions without that of the system: after a power cut it may boot another kernel."""
    return {name: value for name, value in versions.items() if name != "platform"}


def _versions(plugins: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return each plugin's version, or why it was not loaded; errors of hooks come and go."""
    return {
        item["name"]: item["version"] or "no version" if item.get("loaded", True) else item["error"]
        for item in plugins
    }


def _boards(hardware: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    return {item["name"]: f"{item['devices']} devices" for item in hardware}


def _unlike(what: str, was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(was.keys() | now.keys()):
        if was.get(name) != now.get(name):
            yield f"{what}{name} was {was.get(name, 'absent')}, is {now.get(name, 'absent')}"


def _changed(run: ResumableRun, files: Path) -> Iterator[str]:
    """Yield the files of passed steps that have changed since."""
    owners: dict[str, str] = {}
    for name, item in run.passed.items():
        if unknown := item.result.get("left_unknown"):
            yield f"files of step '{name}' may have changed: {unknown}"
        owners |= dict.fromkeys(item.changed_files, name)
        for path, facts in item.result.get("artifacts", {}).items():
            if not is_unchanged(run.folder, path, facts):
                yield f"{path}, evidence of step '{name}', has changed"
    for path, name in owners.items():
        if REDACTED in path:
            yield f"a file of step '{name}' cannot be compared: its name holds a secret"
        elif not is_unchanged(files, path, run.changed_files[path]):
            state = "has changed" if os.path.lexists(files / path) else "is missing"
            yield f"{files / path}, a file of step '{name}', {state}"


def _result(step: PlannedStep, stored: Mapping[str, Any]) -> StepResult:
    """
    Return a step's recorded result.

    Raises:
        ValueError: the recorded data does not follow the schema.
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
        tuple(Verdict(**item) for item in stored.get("shown", ())),
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
        raise ValueError(wrong.message[:MAX_SHOWN])
