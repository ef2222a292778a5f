"""Run one step, measure its evidence, and judge it."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import os
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lesson_runner.document.anchors import slug_of
from lesson_runner.files.evidence import EVIDENCE, OUTPUT, Evidence
from lesson_runner.files.untrusted import make_below, remove_tree
from lesson_runner.model import Diagnosis, Event, Lesson, Outcome, PlannedStep, Status, StepResult
from lesson_runner.model.errors import HardwareError, LessonError, UnmetNeedError
from lesson_runner.model.hints import fix_for, with_fix
from lesson_runner.plugins.context import RunContext, StepContext
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run import record
from lesson_runner.run.captures import capture_metrics
from lesson_runner.run.clean import STATE, clean_evidence
from lesson_runner.run.files import inspect_files, save_file_facts
from lesson_runner.run.hashing import Hasher
from lesson_runner.run.judge import (
    Conditions,
    Produced,
    describe_expected,
    evaluate_claim,
    judge,
    judge_shown,
)
from lesson_runner.run.permissions import describe_permission, is_granted, kind_of, permissions_needed
from lesson_runner.run.printed import Printed
from lesson_runner.run.time_limit import enforce_timeout

MOST_NAMED = 5
"""How many evidence files with secrets a step's message names."""


def run_step(
    step: PlannedStep,
    run: RunContext,
    plugins: Plugins,
    emit: Callable[[Event], None],
    facts: Mapping[str, Any],
) -> tuple[StepResult, Mapping[str, Any]]:
    """
    Run a step, with its retries; return its result and the facts that it found.

    Raises:
        HardwareError: this machine cannot run the step.
        UnmetNeedError: the step needs something that is missing, and is skipped.
        KeyboardInterrupt: the user stopped it.
    """
    started, clock = record.now(), time.monotonic()
    for attempt in range(1, step.retries + 2):
        try:
            result, found = _attempt(step, run, plugins, emit, facts, attempt)
        except (HardwareError, UnmetNeedError):
            raise
        except OSError as error:  # the disk is full, or the folder was removed
            result, found = _evidence_error(step, run, error), {}
        except Exception as error:  # a plugin returned what cannot be recorded; continue with the other steps
            message = with_fix(f"the result cannot be recorded: {type(error).__name__}: {error}", error)
            result, found = StepResult(step, "error", message, labels=run.labels), {}
        result = dataclasses.replace(
            result, attempts=attempt, started=started, seconds=time.monotonic() - clock
        )
        if result.status in ("passed", "skipped"):
            break
    return result, found


def _attempt(
    step: PlannedStep,
    run: RunContext,
    plugins: Plugins,
    emit: Callable[[Event], None],
    facts: Mapping[str, Any],
    attempt: int,
) -> tuple[StepResult, Mapping[str, Any]]:
    folder = make_below(run.folder, EVIDENCE) / step.id
    if os.path.lexists(folder):  # leftovers of a failed attempt must not be judged
        remove_tree(folder)
    folder.mkdir()
    deadline = None if step.timeout is None else time.monotonic() + step.timeout
    context = StepContext(run, step, folder, emit, deadline, attempt)
    try:
        status, outcome = _call(step, context, plugins, folder)
    finally:
        context.finish()
    # Judge exactly what is stored, so that judging it again gives the same result.
    printed = Printed.by(outcome, context.said, run.redactor)
    outcome = dataclasses.replace(outcome, message=run.redactor.text(outcome.message))
    try:
        printed.save(folder)
    except OSError as error:
        return _evidence_error(step, run, error, outcome.message), {}
    hasher = Hasher(deadline)
    files = inspect_files(step.expect, run.workspace.files, hasher)
    save_file_facts(files, folder)
    # Measure and judge what is stored: the output and the names are already redacted here.
    seen = run.store.setdefault(STATE, {})
    cleaned = [
        note for place in (folder, run.shared_evidence) for note in clean_evidence(place, run.redactor, seen)
    ]
    if cleaned:
        outcome = dataclasses.replace(
            outcome, message="; ".join(filter(None, (outcome.message, _cleaned_message(cleaned))))
        )
    try:
        read, unread = capture_metrics(step.capture, printed.output, printed.gaps.get("output"))
    except Exception as error:  # too slow, or a pattern that Python cannot handle
        message = f"the 'capture' patterns cannot be applied to the output: {error}"
        read, unread = {}, {}
        status, outcome = "error", dataclasses.replace(outcome, message=message)
    evidence = Evidence(folder, run.shared_evidence, printed.output, run.folder)
    measured, unmeasured = plugins.measure(step, evidence)
    metrics = {**outcome.metrics, **read, **measured}
    facts = {**facts, **outcome.facts}
    result = StepResult(
        step,
        status or outcome.status,
        outcome.message,
        metrics,
        labels=tuple(dict.fromkeys((*outcome.labels, *run.labels))),
        exit_code=outcome.exit_code,
        artifacts=record.artifacts(folder, run.folder, hasher),
    )
    if status is None and outcome.status not in ("skipped", "error"):
        if unmeasured and any(item.matcher == "metric" for item in step.expect):
            message = f"the step cannot be judged by its metrics: {'; '.join(map(str, unmeasured))}"
            return dataclasses.replace(result, status="error", message=message), outcome.facts
        try:
            produced = Produced(
                printed.output, printed.stdout, printed.gaps, result.exit_code, metrics, files, unread
            )
            result = _judged(result, produced, run, facts)
        except Exception as error:  # such as JSON nested too deeply; continue with the other steps
            message = f"the step cannot be judged: {type(error).__name__}: {error}"
            result = dataclasses.replace(result, status="error", message=message)
    diagnoses = plugins.diagnose(result, evidence)
    linked = tuple(_with_link(diagnosis, run.lesson) for diagnosis in diagnoses)
    return dataclasses.replace(result, diagnoses=linked), outcome.facts


def _cleaned_message(cleaned: Sequence[str]) -> str:
    """Describe what was done with evidence that held secrets."""
    more = f"; and {len(cleaned) - MOST_NAMED} more files" if len(cleaned) > MOST_NAMED else ""
    return f"evidence: {'; '.join(cleaned[:MOST_NAMED])}{more}"


def _evidence_error(step: PlannedStep, run: RunContext, error: OSError, before: str = "") -> StepResult:
    """Return the result of a step whose evidence cannot be written; remove its partial output."""
    with contextlib.suppress(OSError):
        (run.folder / EVIDENCE / step.id / OUTPUT).unlink(missing_ok=True)
    where = f"{error.filename}: " if error.filename else ""
    message = with_fix(f"the evidence cannot be written: {where}{error.strerror or error}", error)
    if error.errno == errno.ENOENT:
        message += " (was the folder removed while the lesson ran?)"
    message = f"{before}; {message}" if before else message
    return StepResult(step, "error", message, labels=run.labels)


def _with_link(diagnosis: Diagnosis, lesson: Lesson) -> Diagnosis:
    """Return a diagnosis with a link to the section it names, if the lesson has that section."""
    if not any(heading.title == diagnosis.section for heading in lesson.headings):
        return diagnosis
    return dataclasses.replace(diagnosis, link=f"{lesson.path}#{slug_of(diagnosis.section)}")


def _call(
    step: PlannedStep, context: StepContext, plugins: Plugins, folder: Path
) -> tuple[Status | None, Outcome]:
    """Return the outcome of the action, with a status if the action did not run to its end."""
    try:
        _check_permissions(step, context.run, plugins)
        with enforce_timeout(context):
            return None, plugins.run_step(step, context)
    except (HardwareError, UnmetNeedError):
        raise
    except LessonError as error:
        message = f"{error} ({error.fix})" if error.fix else str(error)
        return "failed", Outcome("failed", message)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        if isinstance(error, OSError) and fix_for(error):
            where = error.filename or context.workspace.root
            return "error", Outcome(
                "failed", with_fix(f"{where}: cannot be written: {error.strerror}", error)
            )
        # Unexpected, so most likely a bug in the action: keep the traceback for its author.
        trace = context.run.redactor.text(traceback.format_exc())
        what = ": ".join(filter(None, (type(error).__name__, str(error))))
        message = with_fix(f"{step.action} raised {what}", error)
        with contextlib.suppress(OSError):
            (folder / "error.txt").write_text(trace, "utf-8", "backslashreplace")
            message += f" (see {folder / 'error.txt'})"
        return "error", Outcome("failed", message)


def _check_permissions(step: PlannedStep, run: RunContext, plugins: Plugins) -> None:
    """
    Check a step's permissions again right before it runs: a link may lead elsewhere by now.

    Raises:
        LessonError: the step needs a permission that was not granted.
    """
    for permission in sorted(permissions_needed(step, plugins.actions()[step.action], run.inputs)):
        if not is_granted(permission, run.granted):
            fix = f"add --allow {kind_of(permission)}"
            raise LessonError(f"the step is not allowed to {describe_permission(permission)}", fix=fix)


def _judged(result: StepResult, produced: Produced, run: RunContext, facts: Mapping[str, Any]) -> StepResult:
    step = result.step
    verdicts = judge(step.expect, produced, facts)
    hardware = [item.name for item in run.hardware if item.is_board]
    conditions = Conditions(run.profile, hardware, step.params, facts)
    claims = tuple(evaluate_claim(claim, result.metrics, conditions) for claim in step.claims)
    shown = judge_shown(step.shown, produced)
    broken = next((verdict for verdict in verdicts if not verdict.passed), None)
    message = result.message
    if broken is not None and (
        not message or result.status != "failed"
    ):  # the message of an action that passed is not the reason
        message = f"expected {describe_expected(broken.matcher, broken.expected)}; got {broken.actual}"
    failed = broken is not None or result.status == "failed"
    return dataclasses.replace(
        result,
        status="failed" if failed else "passed",
        message=message,
        verdicts=verdicts,
        claims=claims,
        shown=shown,
    )
