"""A run: each step of a plan in turn, every result recorded."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from lesson_runner.context import RunContext
from lesson_runner.errors import ExitCode, HardwareError, LessonError
from lesson_runner.execute.family import Family
from lesson_runner.model import LEFT_OUT, Event, Plan, PlannedStep, StepResult
from lesson_runner.plugins import Plugins
from lesson_runner.resources import new_folder, remove_asides
from lesson_runner.run import record
from lesson_runner.run.events import EVENTS, EventLog, Listener
from lesson_runner.run.execute_step import run_step
from lesson_runner.run.left import Watched
from lesson_runner.run.lock import locked
from lesson_runner.run.params import Param, as_text
from lesson_runner.run.resume import Carried
from lesson_runner.run.selection import Selection, left_out

LABELS = "runner.labels"
GRACE = 2.0
"""Seconds for processes that a killed run has left to tidy up in."""


@dataclass(slots=True)
class _State:
    """What a run knows so far."""

    results: list[StepResult] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    exit_code: ExitCode = ExitCode.GOOD


def new_run_folder(runs: Path, lesson_id: str) -> Path:
    """
    Create and return an empty folder for a run.

    Raises:
        LessonError: the workspace cannot be written.
    """
    name = f"{datetime.now():%Y%m%d-%H%M%S}-{lesson_id}"  # local time: people look for it
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
    carried: Carried | None = None,
) -> dict[str, Any]:
    """
    Run a plan's steps and return the record, which is also written to the run's folder.

    Ctrl-C ends the run: what was done is recorded as interrupted. A record is there from the beginning, so
    that a run that is killed can be gone on with.

    Args:
        carried: what the run did before it ended early; those steps are not run again.

    Raises:
        LessonError: ``selection`` names a step that does not exist, or another run uses the workspace.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(locked(context.workspace.root, context.folder.name))
        except LessonError:
            with contextlib.suppress(OSError):
                context.folder.rmdir()  # of a run that has not begun; one that has is not empty
            raise
        return _run(plan, context, plugins, listeners, selection or Selection(), params, carried)


def _run(
    plan: Plan,
    context: RunContext,
    plugins: Plugins,
    listeners: Sequence[Listener],
    selection: Selection,
    params: Sequence[Param],
    carried: Carried | None,
) -> dict[str, Any]:
    without = left_out(plan.steps, selection)
    context.shared_evidence.mkdir(parents=True, exist_ok=True)
    context.workspace.files.mkdir(parents=True, exist_ok=True)
    state, began, clock = _State(), record.now(), time.monotonic()
    started, before, resumed = began, 0.0, []
    if carried is not None:
        Family.of_run(context.folder.absolute()).stop(
            GRACE
        )  # it would write where the same step writes again
        remove_asides(context.workspace.files)
        remove_asides(context.folder)
        kept = context.recall(LABELS)
        context.labels = (*context.labels, *(map(str, kept) if isinstance(kept, list) else ()))
        state.facts |= carried.facts
        started = carried.started
        before = math.fsum(item.seconds for item in carried.results.values())
        resumed = [*carried.resumed, {"at": began, "carried": len(carried.results)}]

    def describe(status: str) -> dict[str, Any]:
        done = {item.step.id for item in state.results}
        missing = [StepResult(step, "not-reached", "the run ended before it") for step in plan.steps]
        results = [*state.results, *(item for item in missing if item.step.id not in done)]
        return {
            "record_version": 1,
            "run_id": context.folder.name,
            "status": status,
            "exit_code": int(state.exit_code),
            "lesson": record.describe_lesson(plan),
            "plan_digest": plan.digest,
            "profile": plan.profile,
            "backend": context.backend,
            "params": as_text(params),
            "options": {**dataclasses.asdict(selection), "fresh": context.fresh},
            "hardware": [record.plain(dataclasses.asdict(item)) for item in context.hardware],
            "labels": sorted({*context.labels, *(label for item in state.results for label in item.labels)}),
            "facts": record.plain(state.facts),
            "versions": record.versions(),
            "plugins": record.describe_plugins(plugins.infos.values()),
            "started": started,
            "finished": record.now(),
            "seconds": round(before + time.monotonic() - clock, 3),
            **({"resumed": resumed} if resumed else {}),
            "not_run": record.describe_not_run(plan),
            "steps": [record.describe_result(item) for item in results],
        }

    context.remember(LABELS, context.labels)
    record.write(describe(record.UNFINISHED), context.folder)
    with EventLog(context.folder / EVENTS, _all(listeners, plugins, context)) as log:
        about = {"run_id": context.folder.name, "steps": len(plan.steps)}
        taken_over = {} if carried is None else carried.results
        log.emit(Event("run-started", data=about | ({"carried": [*taken_over]} if carried else {})))
        try:
            for step in plan.steps:
                if step.id in taken_over:
                    state.results.append(taken_over[step.id])
                    continue
                _take(step, without.get(step.id), state, context, plugins, log)
        except KeyboardInterrupt:
            state.exit_code = ExitCode.INTERRUPTED
        finished = describe(_STATUS.get(state.exit_code, "failed"))
        path = record.write(finished, context.folder)
        log.emit(Event("run-finished", data={"status": finished["status"], "record": str(path)}))
    return finished


_STATUS = {ExitCode.GOOD: "passed", ExitCode.INTERRUPTED: "interrupted"}


def _take(
    step: PlannedStep,
    without: str | None,
    state: _State,
    context: RunContext,
    plugins: Plugins,
    log: EventLog,
) -> None:
    """Run one step of a plan, or note why it is not run."""
    noted: dict[str, Any] = {}
    reason = step.skip or without or _missing(step, context)
    blocked = _blocked(step, state)
    if reason is not None:
        result = StepResult(step, "skipped", reason)
    elif blocked is not None:
        result = blocked
    elif state.exit_code == ExitCode.HARDWARE:
        result = StepResult(step, "not-reached", "the run ended before it")
    else:
        started, clock = record.now(), time.monotonic()
        watched = Watched(context.workspace.files)
        try:
            log.emit(Event("step-started", step.id, {"title": step.title}))
            result, facts = run_step(step, context, plugins, log.emit, state.facts)
            state.facts.update(facts)
            noted = {"facts": facts}
        except HardwareError as error:
            message = f"{error} ({error.fix})" if error.fix else str(error)
            result = StepResult(step, "failed", message, started=started, attempts=1)
            if not step.optional:
                state.exit_code = ExitCode.HARDWARE
        except KeyboardInterrupt:
            seconds = time.monotonic() - clock
            result = StepResult(step, "error", "interrupted", started=started, seconds=seconds, attempts=1)
            state.exit_code = ExitCode.INTERRUPTED
        noted["left"] = watched.left()  # what going on with this run must find
    state.results.append(result)
    if result.status not in ("passed", "skipped") and not step.optional and state.exit_code == ExitCode.GOOD:
        state.exit_code = ExitCode.FAILED
    log.emit(Event("step-finished", step.id, {**record.describe_result(result), **noted}))
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


def _all(
    listeners: Sequence[Listener], plugins: Plugins, context: RunContext
) -> Sequence[Callable[[Event], None]]:
    """Return the listeners, and the plugins as one of them, last."""
    return [*listeners, lambda event: plugins.step_event(event, context)]
