"""Run the steps of a plan in order, and record every result."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from lesson_runner.files.plain import new_folder
from lesson_runner.model import LEFT_OUT, Event, Plan, PlannedStep, StepResult
from lesson_runner.model.errors import ExitCode, HardwareError, LessonError, UnmetNeedError
from lesson_runner.plugins.builtin.service import AGAIN, end_services, note_ended, to_start_again
from lesson_runner.plugins.context import RunContext, Workspace
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run import record
from lesson_runner.run.clean import STATE, clean_evidence
from lesson_runner.run.continued import last_results, runs_in
from lesson_runner.run.events import EVENTS, EventLog, Listener
from lesson_runner.run.execute_step import run_step
from lesson_runner.run.hashing import Hasher
from lesson_runner.run.interruption import Interruption
from lesson_runner.run.needs import PHRASES, skipped_if_missing, why_unmet
from lesson_runner.run.params import Param, params_for_record
from lesson_runner.run.resume import CarriedOver
from lesson_runner.run.selection import Selection, left_out, not_allowed
from lesson_runner.run.setup import check_names, set_up_run
from lesson_runner.run.workspace_diff import WorkspaceSnapshot

ENDED_EARLY = "the run ended before this step"


@dataclass(slots=True)
class _State:
    """The results of a run so far."""

    results: list[StepResult] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    exit_code: ExitCode = ExitCode.GOOD
    earlier: Mapping[str, str] = field(default_factory=dict)
    """How steps ended in the runs whose files this one continues: their statuses, by id."""


def new_run_folder(runs: Path, lesson_id: str) -> Path:
    """
    Create and return an empty folder for a run.

    Raises:
        LessonError: the workspace cannot be written, or a link leads out of it.
    """
    name = f"{datetime.now():%Y%m%d-%H%M%S}-{lesson_id}"  # local time, for people
    Workspace(runs.parent).check_links()
    try:
        return new_folder(runs, name)
    except OSError as error:
        fix = "choose a writable folder with --workspace"
        raise LessonError(f"{runs / name}: cannot be created: {error.strerror}", fix=fix) from None


def run_plan(
    plan: Plan,
    context: RunContext,
    plugins: Plugins,
    *,
    listeners: Sequence[Listener] = (),
    selection: Selection | None = None,
    params: Sequence[Param] = (),
    choices: Mapping[str, str] | None = None,
    carried: CarriedOver | None = None,
) -> dict[str, Any]:
    """
    Run a plan's steps and return the record, which is also written to the run folder.

    Ctrl-C ends the run, and its results are recorded as interrupted. A record exists from the start, so that
    a killed run can be resumed.

    Args:
        carried: the results of a resumed run's earlier part; those steps do not run again.

    Raises:
        LessonError: ``selection`` names a step that does not exist, another run uses the workspace, a
            link leads out of it, or the record cannot be written.
        KeyboardInterrupt: Ctrl-C came while the record was being written; the record is complete.
    """
    selection = selection or Selection()
    excluded = dict(left_out(plan.steps, selection))
    check_names(plan, context)
    state, began, clock = _State(), record.now(), time.monotonic()
    started, before, resumed = began, 0.0, []
    taken_over: Mapping[str, StepResult] = {}
    if carried is not None:
        started, taken_over = carried.started, carried.results
        before = math.fsum(item.seconds for item in taken_over.values())
        resumed = [*carried.resumed, {"at": began, "carried": len(taken_over)}]
        state.facts |= carried.facts
    if context.continues is not None:
        state.earlier = last_results(runs_in(context.continues, plan.lesson.id))
    if context.continues is not None or carried is not None:
        running = [step.id for step in plan.steps if step.id not in excluded.keys() | taken_over.keys()]
        again = to_start_again(plan.steps, running, context.home)
        context.store[AGAIN] = again
        excluded = {name: reason for name, reason in excluded.items() if name not in again}
        taken_over = {name: result for name, result in taken_over.items() if name not in again}

    def describe(status: str) -> dict[str, Any]:
        done = {item.step.id for item in state.results}
        missing = [StepResult(step, "not-reached", ENDED_EARLY) for step in plan.steps]
        results = [*state.results, *(item for item in missing if item.step.id not in done)]
        data = {
            "record_version": 1,
            "run_id": context.folder.name,
            "status": status,
            "exit_code": int(state.exit_code),
            **({"continues": context.continues.name} if context.continues else {}),
            "lesson": record.describe_lesson(plan),
            "plan_digest": plan.digest,
            "profile": plan.profile,
            "backend": context.backend,
            "params": params_for_record(params),
            **({"choices": dict(choices)} if choices else {}),
            "options": {**dataclasses.asdict(selection), **_options(context)},
            "hardware": [record.plain(item.found) for item in context.hardware],
            "labels": sorted({*context.labels, *(label for item in state.results for label in item.labels)}),
            "facts": record.plain(state.facts),
            "versions": record.versions(context.hardware),
            "plugins": record.describe_plugins(plugins.infos.values()),
            "started": started,
            "finished": record.now(),
            "seconds": round(before + time.monotonic() - clock, 3),
            **({"resumed": resumed} if resumed else {}),
            "not_run": record.describe_not_run(plan),
            "steps": [record.describe_result(item) for item in results],
        }
        redacted: dict[str, Any] = context.redactor.data(data)
        return redacted

    listening = _with_plugins(listeners, plugins, context)
    broken: Exception | None = None
    about = {"run_id": context.folder.name, "steps": len(plan.steps)}
    about |= {"carried": [*taken_over]} if carried else {}
    with (
        set_up_run(context, len(plan.steps)) as room,
        Interruption() as interruption,
        EventLog(context.folder / EVENTS, listening, context.redactor) as log,
    ):
        try:
            record.write(describe(record.UNFINISHED), context.folder)
            log.emit(Event("run-started", data=about))
            try:
                for step in plan.steps:
                    if step.id in taken_over:
                        state.results.append(taken_over[step.id])
                    elif not step.cleanup:
                        _run_or_skip(step, excluded.get(step.id), plan, state, context, plugins, log)
            except KeyboardInterrupt:
                state.exit_code = ExitCode.INTERRUPTED
            finally:
                for step in plan.steps:
                    if step.cleanup and step.id not in taken_over:
                        _run_or_skip(step, excluded.get(step.id), plan, state, context, plugins, log)
            interruption.hold()
        except KeyboardInterrupt:
            state.exit_code = ExitCode.INTERRUPTED
            interruption.hold()
        except Exception as error:  # most likely our bug: record the results so far
            state.exit_code = error.exit_code if isinstance(error, LessonError) else ExitCode.BUG
            broken = error
            interruption.hold()
        _end_services(state, context, log)
        room.close()
        if state.exit_code == ExitCode.GOOD and not any(map(_has_run, state.results)):
            state.exit_code = ExitCode.HARDWARE
        # A process in the background may have written more evidence.
        clean_evidence(context.folder / "evidence", context.redactor, context.store.get(STATE, {}))
        status = _STATUS.get(state.exit_code, "failed")
        nothing = state.exit_code == ExitCode.HARDWARE and not any(map(_has_run, state.results))
        finished = describe(record.NOTHING_RAN if nothing else status)
        try:
            record.write(finished, context.folder)
        finally:  # processes in the background must end even if the record cannot be written
            path = context.folder / record.RECORD
            try:
                interruption.release()
            finally:
                ended = {"status": finished["status"], "record": str(path)}
                log.emit(Event("run-finished", data=ended))
        if broken is not None:
            raise broken
    return finished


def _has_run(result: StepResult) -> bool:
    return result.status not in ("skipped", "not-reached")


def _options(context: RunContext) -> dict[str, Any]:
    """Return the options of the run, except the selection of steps."""
    options: dict[str, Any] = {"fresh": context.fresh}
    if context.sandbox is not None:
        options["sandbox"] = "with network" if context.sandbox.network else "no network"
    if not context.workspace.files.is_relative_to(context.home):
        options["in"] = str(context.workspace.files)
    if context.passed:
        options["env"] = sorted(context.passed)
    return options


_STATUS = {ExitCode.GOOD: "passed", ExitCode.INTERRUPTED: "interrupted"}


def _run_or_skip(
    step: PlannedStep,
    excluded: str | None,
    plan: Plan,
    state: _State,
    context: RunContext,
    plugins: Plugins,
    log: EventLog,
) -> None:
    """Run one step of a plan, or record why it does not run."""
    noted: dict[str, Any] = {}
    reason = step.skip or excluded or not_allowed(step, context.granted)
    interrupted = False
    blocked = _blocked(step, state, context.continues)
    if reason is not None:
        result = StepResult(step, "skipped", reason)
    elif blocked is not None:
        result = blocked
    elif state.exit_code == ExitCode.HARDWARE and not step.cleanup:
        result = StepResult(step, "not-reached", ENDED_EARLY)
    elif unmet := why_unmet(step, context, plugins, {item.step.id: item for item in state.results}, plan):
        result = StepResult(step, "skipped", unmet)
    else:
        started, clock = record.now(), time.monotonic()
        watched = WorkspaceSnapshot(context.workspace.files, context.workspace.root)
        try:
            log.emit(Event("step-started", step.id, {"title": step.title}))
            result, facts = run_step(step, context, plugins, log.emit, state.facts)
            result = skipped_if_missing(result, context, plan, {item.step.id: item for item in state.results})
            ended = note_ended(context, step)
            if ended and result.status in ("failed", "error"):
                result = dataclasses.replace(result, message=f"{result.message}; {ended}")
            state.facts.update(facts)
            noted = {"facts": facts}
        except UnmetNeedError as error:
            result = StepResult(step, "skipped", str(error))
        except HardwareError as error:
            message = f"{error} ({error.fix})" if error.fix else str(error)
            result = StepResult(step, "failed", message, started=started, attempts=1)
            if not step.optional:
                state.exit_code = ExitCode.HARDWARE
        except KeyboardInterrupt:
            seconds = time.monotonic() - clock
            result = StepResult(step, "error", "interrupted", started=started, seconds=seconds, attempts=1)
            state.exit_code = ExitCode.INTERRUPTED
            interrupted = True
        timed = None if step.timeout is None else clock + step.timeout
        deadline = clock if interrupted else timed
        changes = watched.changes(Hasher(deadline))  # a resumed run checks these files
        noted["left"] = changes.files
        noted |= {"left_unknown": changes.unknown} if changes.unknown else {}
    state.results.append(result)
    if result.status not in ("passed", "skipped") and not step.optional and state.exit_code == ExitCode.GOOD:
        state.exit_code = ExitCode.FAILED
    log.emit(Event("step-finished", step.id, {**record.describe_result(result), **noted}))
    if interrupted:
        raise KeyboardInterrupt


def _end_services(state: _State, context: RunContext, log: EventLog) -> None:
    """End the services of the run; the step of one that failed meanwhile has failed."""
    problems = end_services(context)
    for place, result in enumerate(state.results):
        if result.step.id in problems:
            message = problems[result.step.id]
            failed = dataclasses.replace(result, status="failed", message=message)
            state.results[place] = failed
            if not result.step.optional and state.exit_code == ExitCode.GOOD:
                state.exit_code = ExitCode.FAILED
            log.emit(Event("step-finished", result.step.id, record.describe_result(failed)))


def _blocked(step: PlannedStep, state: _State, continues: Path | None) -> StepResult | None:
    """
    Return the result of a step whose needs are not met; ``None`` if they are.

    A step that needs a skipped step is skipped too: nothing went wrong. If the run continues another one, a
    step that the user left out counts as it ended there.
    """
    results = {item.step.id: item for item in state.results}
    unmet: dict[str, str] = {}
    for need in step.needs:
        status, where = str(results[need].status), ""
        if continues is not None and results[need].message.startswith(LEFT_OUT):
            status, where = state.earlier.get(need, "not-reached"), f" in {continues.name}"
        if status != "passed":
            unmet[status] = f"it needs '{need}', which {PHRASES.get(status, 'did not pass')}{where}"
    if step.cleanup:  # after steps that failed too, but not after those that never ran
        never = [text for status, text in unmet.items() if status in ("skipped", "not-reached")]
        return StepResult(step, "skipped", never[0]) if never else None
    if not unmet:
        return None
    failed = next((phrase for status, phrase in unmet.items() if status != "skipped"), None)
    return StepResult(step, "not-reached" if failed else "skipped", failed or unmet["skipped"])


def _with_plugins(
    listeners: Sequence[Listener], plugins: Plugins, context: RunContext
) -> Sequence[Callable[[Event], None]]:
    """Return the listeners, followed by one that passes events to the plugins."""
    return [*listeners, lambda event: plugins.step_event(event, context)]
