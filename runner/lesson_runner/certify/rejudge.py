"""
Rejudge a run: every expectation of its plan, on the run's evidence.

The new verdicts are compared with the recorded ones, which are never trusted. Exit codes, facts of the run
and a person's confirmations are taken from the record, because nothing else shows them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lesson_runner.files.evidence import OUTPUT, Evidence
from lesson_runner.model import Claim, Expectation, Location, PlannedStep, Verdict
from lesson_runner.plugins.manager import Plugins
from lesson_runner.plugins.plugin_errors import PluginError
from lesson_runner.run.captures import capture_metrics
from lesson_runner.run.files import load_file_facts
from lesson_runner.run.judge import Conditions, Produced, evaluate_claim, judge
from lesson_runner.run.printed import Printed


@dataclass(frozen=True, slots=True)
class RejudgedStep:
    """
    A rejudged step of a run.

    Attributes:
        status: the recorded status, but ``failed`` if an expectation is not met.
        verdicts: the new verdicts.
        problems: how the record contradicts the evidence.
        not_judged: what cannot be judged here, and why: evidence or a plugin is missing.
        meaningful: how many expectations count, exit codes excluded; see :func:`count_meaningful`.
        confirmed: True if a person confirmed that it worked, and there is nothing else to judge.
        recorded: metrics that are only in the record, because nothing measures them from the evidence.
    """

    id: str
    status: str
    verdicts: tuple[Verdict, ...] = ()
    problems: tuple[str, ...] = ()
    not_judged: tuple[str, ...] = ()
    optional: bool = False
    meaningful: int = 0
    confirmed: bool = False
    recorded: tuple[str, ...] = ()


def rejudge(
    plan: Sequence[Mapping[str, Any]], record: Mapping[str, Any], folder: Path, plugins: Plugins
) -> list[RejudgedStep]:
    """
    Return every step of a plan, rejudged on a run's evidence.

    Args:
        plan: the steps, as :func:`lesson_runner.run.digests.plan_content` returns them.
        record: the run's record.
        folder: the run folder; the evidence is in its subfolder ``evidence``.
    """
    recorded = {step["id"]: step for step in record["steps"]}
    judged = [_judge_step(step, recorded.get(step["id"]), record, folder, plugins) for step in plan]
    names = [step["id"] for step in record["steps"]]
    known = {step["id"] for step in plan}
    unexpected = {name: "it is not in the plan" for name in names if name not in known}
    unexpected |= {name: "it is recorded twice" for name in names if names.count(name) > 1}
    return [*judged, *(RejudgedStep(name, "error", problems=(why,)) for name, why in unexpected.items())]


def needs_confirmation(step: PlannedStep) -> bool:
    """Return whether only a person can say if a step worked: the built-in action ``manual``."""
    return step.action == "manual"


def count_meaningful(step: PlannedStep, facts: Mapping[str, Any]) -> int:
    """
    Return how many expectations a step that produces nothing would not meet.

    A step that does nothing meets an expectation that words do not appear, or that a pattern which matches
    the empty text is found.
    """
    unmet = [item for item in judge(step.expect, Produced(), facts) if not item.passed]
    return len({(item.matcher, item.expected) for item in unmet if item.matcher != "exit"})


def _judge_step(
    content: Mapping[str, Any],
    entry: Mapping[str, Any] | None,
    record: Mapping[str, Any],
    folder: Path,
    plugins: Plugins,
) -> RejudgedStep:
    step = planned_step(content)
    if entry is None:
        return RejudgedStep(step.id, "not-reached", problems=("the record does not have this step",))
    status = str(entry["status"])
    if status not in ("passed", "failed"):
        return RejudgedStep(step.id, status, optional=step.optional)
    evidence = Evidence.of(folder, entry)
    try:
        printed = Printed.stored(evidence)
    except FileNotFoundError as error:
        why = f"its output ({Path(error.filename or OUTPUT).name}) is missing from the evidence"
        return RejudgedStep(step.id, "error", not_judged=(why,), optional=step.optional)
    except (OSError, ValueError) as error:
        why = f"its output cannot be read: {getattr(error, 'strerror', None) or error}"
        return RejudgedStep(step.id, "error", not_judged=(why,), optional=step.optional)
    evidence = replace(evidence, output=printed.output)
    try:
        read, unread = capture_metrics(step.capture, printed.output, printed.gaps.get("output"))
        measured, unmeasured = plugins.measure(step, evidence)
        metrics = {**read, **measured}
        produced = Produced(
            printed.output,
            printed.stdout,
            printed.gaps,
            entry.get("exit_code"),
            metrics,
            load_file_facts(evidence),
            unread,
        )
        verdicts = judge(step.expect, produced, record["facts"])
        count = count_meaningful(step, record["facts"])
    except Exception as error:  # as in the first judging; the other steps still count
        why = f"it cannot be judged: {type(error).__name__}: {error}"
        return RejudgedStep(step.id, "error", not_judged=(why,), optional=step.optional)
    missing = tuple(_not_judged(step, metrics, entry, plugins, unmeasured))
    if missing:
        return RejudgedStep(step.id, "error", not_judged=missing, optional=step.optional)
    problems = (*_verdict_mismatches(verdicts, entry), *_metric_mismatches(metrics, entry["metrics"]))
    passed = status == "passed" and all(item.passed for item in verdicts)
    status = "passed" if passed else "failed"
    confirmed = needs_confirmation(step)
    recorded = tuple(sorted(entry["metrics"].keys() - metrics.keys()))
    return RejudgedStep(step.id, status, verdicts, problems, (), step.optional, count, confirmed, recorded)


def planned_step(content: Mapping[str, Any]) -> PlannedStep:
    """
    Return a planned step from its content, with everything that judging needs.

    Raises:
        KeyError, TypeError: it is not the content of a step.
    """
    return PlannedStep(
        id=content["id"],
        title="",
        location=Location(Path("plan"), 1),
        action=content["action"],
        params=content["params"],
        needs=tuple(content["needs"]),
        expect=tuple(
            Expectation(item["matcher"], item["argument"], item["when"]) for item in content["expect"]
        ),
        capture=content["capture"],
        optional=content["optional"],
    )


def _not_judged(
    step: PlannedStep,
    metrics: Mapping[str, float],
    entry: Mapping[str, Any],
    plugins: Plugins,
    unmeasured: Sequence[PluginError],
) -> Iterable[str]:
    if step.action not in plugins.actions():
        yield f"no installed plugin has the action '{step.action}'"
    wanted = {item.argument["name"] for item in step.expect if item.matcher == "metric"}
    if wanted and unmeasured:
        yield f"its metrics cannot be measured: {'; '.join(map(str, unmeasured))}"
        return
    errors = [f"; {error}" for error in plugins.errors.values()]
    for name in sorted(wanted & set(entry["metrics"]) - set(metrics)):
        yield f"no installed plugin measures '{name}' from the evidence{''.join(errors)}"


def claim_mismatches(
    claims: Sequence[Claim], entry: Mapping[str, Any], record: Mapping[str, Any]
) -> Iterable[str]:
    """
    Yield how the recorded results of the lesson's claims contradict the recorded metrics.

    Args:
        claims: the lesson's claims for the step.
        entry: the record of the step.
        record: the record of the run.
    """
    boards = [
        str(item["name"])
        for item in record["hardware"]
        if item["devices"] and item.get("kind", "silicon") == "silicon"
    ]
    here = Conditions(record["profile"], boards, entry["params"], record["facts"])
    metrics = {name: value for name, value in entry["metrics"].items() if value is not None}
    evaluated = {
        (item.claim, item.source): item for item in (evaluate_claim(claim, metrics, here) for claim in claims)
    }
    for stated in entry["claims"]:
        found = evaluated.get((stated["claim"], stated["source"]))
        if found is None:
            yield f"claim {stated['claim']}: it is recorded, but the lesson does not make it"
        # A claim that did not apply when it was evaluated may apply with facts from later steps.
        elif stated["result"] != "not evaluated" and (
            stated["result"],
            stated["actual"],
        ) != (
            found.result,
            found.actual,
        ):
            yield (
                f"claim {stated['claim']}: recorded as {stated['result']} ({stated['actual']}), "
                f"but the metrics show {found.result} ({found.actual})"
            )
    if entry["status"] == "passed":  # then all claims were evaluated
        recorded = {(stated["claim"], stated["source"]) for stated in entry["claims"]}
        for text, _ in sorted(evaluated.keys() - recorded):
            yield f"claim {text}: the lesson makes it, but it is not recorded"


def _metric_mismatches(measured: Mapping[str, float], recorded: Mapping[str, float | None]) -> Iterable[str]:
    """Yield the recorded metrics that differ from those measured from the evidence."""
    for name in sorted(measured.keys() & recorded.keys()):
        old, shows = recorded[name], measured[name]
        # Infinities and NaN are recorded as null; the last digits of a logarithm depend on the machine.
        same = not math.isfinite(shows) if old is None else math.isclose(old, shows, rel_tol=1e-9)
        if not same:
            yield f"metric {name}: recorded as {old}, but the evidence shows {shows}"


def _verdict_mismatches(verdicts: Sequence[Verdict], entry: Mapping[str, Any]) -> Iterable[str]:
    """Yield the recorded verdicts that differ from the new ones."""
    recorded = {(item["matcher"], item["expected"]): bool(item["passed"]) for item in entry["verdicts"]}
    numbers = {item["expected"]: item.get("actual") for item in entry["verdicts"]}
    now = {(item.matcher, item.expected): item for item in verdicts}
    for key, verdict in now.items():
        recorded_as, shows = recorded.get(key), "passed" if verdict.passed else f"failed ({verdict.actual})"
        if recorded_as is None:
            yield f"{' '.join(key)}: nothing is recorded, but the evidence shows {shows}"
        elif recorded_as != verdict.passed:
            old = "passed" if recorded_as else "failed"
            yield f"{' '.join(key)}: recorded as {old}, but the evidence shows {shows}"
        elif verdict.matcher == "metric" and (number := numbers[verdict.expected]) != verdict.actual:
            yield f"{' '.join(key)}: recorded as {number}, but the evidence shows {verdict.actual}"
    for key in recorded.keys() - now.keys():
        yield f"{' '.join(key)}: it is recorded, but it is not in the plan"
