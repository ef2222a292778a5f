"""A run: each step of a plan in turn, every result recorded."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from lesson_runner.context import RunContext, Workspace
from lesson_runner.errors import ExitCode, HardwareError, LessonError
from lesson_runner.model import LEFT_OUT, Event, Plan, PlannedStep, StepResult
from lesson_runner.plugins import Plugins
from lesson_runner.resources import new_folder
from lesson_runner.run import record
from lesson_runner.run.events import EVENTS, EventLog, Listener
from lesson_runner.run.execute_step import run_step
from lesson_runner.run.params import Param, as_text


@dataclass(frozen=True, slots=True)
class Selection:
    """Which steps of a plan to run; ids as in the plan."""

    start: str | None = None
    until: str | None = None
    only: tuple[str, ...] = ()


@dataclass(slots=True)
class _State:
    """What a run knows so far."""

    results: list[StepResult] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    exit_code: ExitCode = ExitCode.GOOD


def selected(plan: Plan, selection: Selection) -> tuple[PlannedStep, ...]:
    """
    Return the steps that a selection leaves to run.

    Raises:
        LessonError: it names a step that does not exist, or leaves nothing to run.
    """
    left_out = _left_out(plan.steps, selection)
    return tuple(step for step in plan.steps if not step.skip and step.id not in left_out)


def new_run_folder(runs: Path, lesson_id: str) -> Path:
    """
    Create and return an empty folder for a run.

    Raises:
        LessonError: the workspace cannot be written, or the folder is a link that leaves it.
    """
    name = f"{datetime.now():%Y%m%d-%H%M%S}-{lesson_id}"  # local time: people look for it
    Workspace(runs.parent).inside(runs)
    try:
        return new_folder(runs, name)
    except OSError as error:
        fix = "name a folder you can write with --workspace"
        raise LessonError(f"{runs / name}: cannot be created: {error.strerror}", fix=fix) from None


def run_plan(
    plan: Plan,
    context: RunContext,
    plugins: Plugins,
    *,
    listeners: Sequence[Listener] = (),
    selection: Selection | None = None,
    params: Sequence[Param] = (),
) -> dict[str, Any]:
    """
    Run a plan's steps and return the record, which is also written to the run's folder.

    Ctrl-C ends the run: what was done is recorded as interrupted.

    Raises:
        LessonError: ``selection`` names a step that does not exist, or a link leaves the workspace.
    """
    left_out = _left_out(plan.steps, selection or Selection())
    context.workspace.inside(context.workspace.files)
    context.shared_evidence.mkdir(parents=True, exist_ok=True)
    context.workspace.files.mkdir(parents=True, exist_ok=True)
    state, started, clock = _State(), record.now(), time.monotonic()

    def finish() -> dict[str, Any]:
        done = {item.step.id for item in state.results}
        missing = [StepResult(step, "not-reached", "the run ended before it") for step in plan.steps]
        state.results += [item for item in missing if item.step.id not in done]
        return {
            "record_version": 1,
            "run_id": context.folder.name,
            "status": _STATUS.get(state.exit_code, "failed"),
            "exit_code": int(state.exit_code),
            "lesson": record.describe_lesson(plan),
            "plan_digest": plan.digest,
            "profile": plan.profile,
            "backend": context.backend,
            "params": as_text(params),
            "options": {**dataclasses.asdict(selection or Selection()), "fresh": context.fresh},
            "hardware": [record.plain(dataclasses.asdict(item)) for item in context.hardware],
            "labels": sorted({*context.labels, *(label for item in state.results for label in item.labels)}),
            "facts": record.plain(state.facts),
            "versions": record.versions(),
            "plugins": record.describe_plugins(plugins.infos.values()),
            "started": started,
            "finished": record.now(),
            "seconds": round(time.monotonic() - clock, 3),
            "not_run": record.describe_not_run(plan),
            "steps": [record.describe_result(item) for item in state.results],
        }

    with EventLog(context.folder / EVENTS, _all(listeners, plugins, context)) as log:
        log.emit(Event("run-started", data={"run_id": context.folder.name, "steps": len(plan.steps)}))
        try:
            for step in plan.steps:
                _take(step, left_out.get(step.id), state, context, plugins, log)
        except KeyboardInterrupt:
            state.exit_code = ExitCode.INTERRUPTED
        finished = finish()
        path = record.write(finished, context.folder)
        log.emit(Event("run-finished", data={"status": finished["status"], "record": str(path)}))
    return finished


_STATUS = {ExitCode.GOOD: "passed", ExitCode.INTERRUPTED: "interrupted"}


def _take(
    step: PlannedStep,
    left_out: str | None,
    state: _State,
    context: RunContext,
    plugins: Plugins,
    log: EventLog,
) -> None:
    """Run one step of a plan, or note why it is not run."""
    reason = step.skip or left_out or _missing(step, context)
    blocked = _blocked(step, state)
    if reason is not None:
        result = StepResult(step, "skipped", reason)
    elif blocked is not None:
        result = blocked
    elif state.exit_code == ExitCode.HARDWARE:
        result = StepResult(step, "not-reached", "the run ended before it")
    else:
        started, clock = record.now(), time.monotonic()
        try:
            log.emit(Event("step-started", step.id, {"title": step.title}))
            result, facts = run_step(step, context, plugins, log.emit, state.facts)
            state.facts.update(facts)
        except HardwareError as error:
            message = f"{error} ({error.fix})" if error.fix else str(error)
            result = StepResult(step, "failed", message, started=started, attempts=1)
            if not step.optional:
                state.exit_code = ExitCode.HARDWARE
        except KeyboardInterrupt:
            seconds = time.monotonic() - clock
            result = StepResult(step, "error", "interrupted", started=started, seconds=seconds, attempts=1)
            state.exit_code = ExitCode.INTERRUPTED
    state.results.append(result)
    if result.status not in ("passed", "skipped") and not step.optional and state.exit_code == ExitCode.GOOD:
        state.exit_code = ExitCode.FAILED
    log.emit(Event("step-finished", step.id, record.describe_result(result)))
    if state.exit_code == ExitCode.INTERRUPTED:
        raise KeyboardInterrupt


def _missing(step: PlannedStep, context: RunContext) -> str | None:
    """Return what this machine lacks for a step, if anything."""
    if "board" not in step.requires:
        return None
    if context.backend == "emulated":
        return "it needs a Tenstorrent board, and --backend emulated uses none"
    if any(item.usable for item in context.hardware):
        return None
    described = [item.detected_by for item in context.hardware if item.kind == "mock"]
    if described:
        return f"it needs a Tenstorrent board, and a description is none ({described[0]})"
    return "it needs a Tenstorrent board, and there is none in this machine"


def _blocked(step: PlannedStep, state: _State) -> StepResult | None:
    """
    Return the result of a step whose needs are not met.

    What needs a skipped step is skipped too: nothing went wrong. A step that the user left out is taken to
    have been done in an earlier run.
    """
    results = {item.step.id: item for item in state.results}
    unmet = [
        results[need]
        for need in step.needs
        if results[need].status != "passed" and not results[need].message.startswith(LEFT_OUT)
    ]
    for item in unmet:
        if item.status != "skipped":
            return StepResult(step, "not-reached", f"it needs '{item.step.id}', which {_PHRASE[item.status]}")
    for item in unmet:
        return StepResult(step, "skipped", f"it needs '{item.step.id}', which was skipped")
    return None


_PHRASE = {"failed": "failed", "error": "ended with an error", "not-reached": "was not reached"}


def _left_out(steps: Sequence[PlannedStep], selection: Selection) -> Mapping[str, str]:
    """
    Return the steps that a selection leaves out, with the option that does.

    ``--only`` and the others take a planned step (``compare.2``) or all of a step (``compare``).
    """
    ids = [step.id for step in steps]

    def find(option: str, name: str) -> list[int]:
        found = [n for n, item in enumerate(ids) if name in (item, item.rpartition(".")[0])]
        if not found:
            raise LessonError(f"{option} {name}: there is no such step", fix=f"one of: {', '.join(ids)}")
        return found

    first = find("--from", selection.start)[0] if selection.start else 0
    last = find("--until", selection.until)[-1] if selection.until else len(ids) - 1
    if first > last:
        raise LessonError(
            f"--from {selection.start} comes after --until {selection.until}: nothing would run",
            fix="swap them",
        )
    wanted = {n for name in selection.only for n in find("--only", name)}
    reasons: dict[str, str] = {}
    for number, name in enumerate(ids):
        if number < first:
            reasons[name] = f"{LEFT_OUT}--from {selection.start}"
        elif number > last:
            reasons[name] = f"{LEFT_OUT}--until {selection.until}"
        elif wanted and number not in wanted:
            reasons[name] = f"{LEFT_OUT}--only {', '.join(selection.only)}"
    if ids and len(reasons) == len(ids):
        message = f"--only {', '.join(selection.only)} is outside --from and --until: nothing would run"
        raise LessonError(message, fix="give --only alone")
    return reasons


def _all(
    listeners: Sequence[Listener], plugins: Plugins, context: RunContext
) -> Sequence[Callable[[Event], None]]:
    """Return the listeners, and the plugins as one of them, last."""
    return [*listeners, lambda event: plugins.step_event(event, context)]
