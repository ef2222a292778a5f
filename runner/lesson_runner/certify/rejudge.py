"""
Judging a run again: every expectation of its plan, on the evidence it left.

The recorded verdicts are compared with what comes out here, and never believed. Exit codes, facts of the run
and what a person confirmed are taken from the record: nothing else is left of them.
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
from lesson_runner.run.files import load_file_facts
from lesson_runner.run.judge import Conditions, Produced, capture_metrics, evaluate_claim, judge


@dataclass(frozen=True, slots=True)
class Judged:
    """
    A step of a run, judged again.

    Attributes:
        status: as recorded, but ``failed`` where an expectation is not met after all.
        verdicts: those made here.
        problems: what was recorded and does not follow from the evidence.
        not_judged: what cannot be judged here, and why: the evidence or a plugin is missing.
        telling: how many expectations, other than of an exit code, tell something; see :func:`telling`.
        confirmed: a person was asked whether it worked; there is nothing else to judge.
        recorded: metrics that are in the record only: nothing measures them from the evidence.
    """

    id: str
    status: str
    verdicts: tuple[Verdict, ...] = ()
    problems: tuple[str, ...] = ()
    not_judged: tuple[str, ...] = ()
    optional: bool = False
    telling: int = 0
    confirmed: bool = False
    recorded: tuple[str, ...] = ()


def judge_again(
    plan: Sequence[Mapping[str, Any]], record: Mapping[str, Any], folder: Path, plugins: Plugins
) -> list[Judged]:
    """
    Return every step of a plan as a run's evidence shows it.

    Args:
        plan: the steps, as :func:`lesson_runner.run.digests.plan_content` has them.
        record: what was recorded of the run.
        folder: the run's; its evidence lies in ``evidence``.
    """
    recorded = {step["id"]: step for step in record["steps"]}
    judged = [_judge_step(step, recorded.get(step["id"]), record, folder, plugins) for step in plan]
    names = [step["id"] for step in record["steps"]]
    known = {step["id"] for step in plan}
    odd = {name: "it is not in the plan" for name in names if name not in known}
    odd |= {name: "it is recorded twice" for name in names if names.count(name) > 1}
    return [*judged, *(Judged(name, "error", problems=(why,)) for name, why in odd.items())]


def asks_a_person(step: PlannedStep) -> bool:
    """Return whether all there is to a step is what somebody says of it: the built-in action ``manual``."""
    return step.action == "manual"


def telling(step: PlannedStep, facts: Mapping[str, Any]) -> int:
    """
    Return how many expectations tell something: a step that leaves nothing behind would not meet them.

    A pattern that is found in nothing, or words that must not appear, are met by a step that did nothing.
    """
    unmet = [item for item in judge(step.expect, Produced(), facts) if not item.passed]
    return len({(item.matcher, item.expected) for item in unmet if item.matcher != "exit"})


def _judge_step(
    content: Mapping[str, Any],
    entry: Mapping[str, Any] | None,
    record: Mapping[str, Any],
    folder: Path,
    plugins: Plugins,
) -> Judged:
    step = planned_step(content)
    if entry is None:
        return Judged(step.id, "not-reached", problems=("the record has no such step",))
    status = str(entry["status"])
    if status not in ("passed", "failed"):
        return Judged(step.id, status, optional=step.optional)
    evidence = Evidence.of(folder, entry)
    try:
        output = evidence.read_bytes(OUTPUT).decode("utf-8", "backslashreplace")
    except FileNotFoundError:
        why = f"its output ({OUTPUT}) is not in the evidence"
        return Judged(step.id, "error", not_judged=(why,), optional=step.optional)
    except OSError as error:
        why = f"its output ({OUTPUT}) cannot be read: {error.strerror}"
        return Judged(step.id, "error", not_judged=(why,), optional=step.optional)
    evidence = replace(evidence, output=output)
    try:
        metrics = {**capture_metrics(step.capture, output), **plugins.measure(step, evidence)}
        produced = Produced(output, entry.get("exit_code"), metrics, load_file_facts(evidence))
        verdicts = judge(step.expect, produced, record["facts"])
        count = telling(step, record["facts"])
    except Exception as error:  # as when it was judged first; the other steps still count
        why = f"it cannot be judged: {type(error).__name__}: {error}"
        return Judged(step.id, "error", not_judged=(why,), optional=step.optional)
    missing = tuple(_not_judged(step, metrics, entry, plugins))
    if missing:
        return Judged(step.id, "error", not_judged=missing, optional=step.optional)
    problems = (*_differences(verdicts, entry), *_other_metrics(metrics, entry["metrics"]))
    passed = status == "passed" and all(item.passed for item in verdicts)
    status = "passed" if passed else "failed"
    confirmed = asks_a_person(step)
    recorded = tuple(sorted(entry["metrics"].keys() - metrics.keys()))
    return Judged(step.id, status, verdicts, problems, (), step.optional, count, confirmed, recorded)


def planned_step(content: Mapping[str, Any]) -> PlannedStep:
    """
    Return a step of a plan from its content, with all that judging needs.

    Raises:
        KeyError: it is not one; nor is what raises TypeError.
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
    step: PlannedStep, metrics: Mapping[str, float], entry: Mapping[str, Any], plugins: Plugins
) -> Iterable[str]:
    if step.action not in plugins.actions():
        yield f"no plugin here has the action '{step.action}'"
    wanted = {item.argument["name"] for item in step.expect if item.matcher == "metric"}
    errors = [f"; plugin '{item.name}': {item.error}" for item in plugins.infos.values() if item.error]
    for name in sorted(wanted & set(entry["metrics"]) - set(metrics)):
        yield f"nothing here measures '{name}' from the evidence{''.join(errors)}"


def wrong_claims(
    claims: Sequence[Claim], entry: Mapping[str, Any], record: Mapping[str, Any]
) -> Iterable[str]:
    """
    Yield where what a record says of the lesson's claims does not follow from its metrics.

    Args:
        claims: those of the step, as the lesson makes them.
        entry: what was recorded of the step.
    """
    boards = [
        str(item["name"])
        for item in record["hardware"]
        if item["devices"] and item.get("kind", "silicon") == "silicon"
    ]
    here = Conditions(record["profile"], boards, entry["params"], record["facts"])
    metrics = {name: value for name, value in entry["metrics"].items() if value is not None}
    weighed = {
        (item.claim, item.source): item for item in (evaluate_claim(claim, metrics, here) for claim in claims)
    }
    for said in entry["claims"]:
        found = weighed.get((said["claim"], said["source"]))
        if found is None:
            yield f"claim {said['claim']}: it is recorded, and the lesson does not make it"
        # Facts that later steps found out may make a claim apply that did not when it was weighed.
        elif said["result"] != "not evaluated" and (said["result"], said["actual"]) != (
            found.result,
            found.actual,
        ):
            yield (
                f"claim {said['claim']}: recorded as {said['result']} ({said['actual']}), "
                f"the metrics say {found.result} ({found.actual})"
            )
    if entry["status"] == "passed":  # then all claims were weighed
        recorded = {(said["claim"], said["source"]) for said in entry["claims"]}
        for text, _ in sorted(weighed.keys() - recorded):
            yield f"claim {text}: the lesson makes it, and it is not recorded"


def _other_metrics(measured: Mapping[str, float], recorded: Mapping[str, float | None]) -> Iterable[str]:
    """Yield where recorded metrics are not those that the evidence gives."""
    for name in sorted(measured.keys() & recorded.keys()):
        said, shows = recorded[name], measured[name]
        # Infinities and NaN are recorded as null; the last digits of a logarithm depend on the system.
        same = not math.isfinite(shows) if said is None else math.isclose(said, shows, rel_tol=1e-9)
        if not same:
            yield f"metric {name}: recorded as {said}, the evidence says {shows}"


def _differences(verdicts: Sequence[Verdict], entry: Mapping[str, Any]) -> Iterable[str]:
    """Yield where the recorded verdicts are not those that the evidence gives."""
    recorded = {(item["matcher"], item["expected"]): bool(item["passed"]) for item in entry["verdicts"]}
    numbers = {item["expected"]: item.get("actual") for item in entry["verdicts"]}
    now = {(item.matcher, item.expected): item for item in verdicts}
    for key, verdict in now.items():
        said, shows = recorded.get(key), "passed" if verdict.passed else f"failed ({verdict.actual})"
        if said is None:
            yield f"{' '.join(key)}: nothing is recorded, the evidence says {shows}"
        elif said != verdict.passed:
            yield f"{' '.join(key)}: recorded as {'passed' if said else 'failed'}, the evidence says {shows}"
        elif verdict.matcher == "metric" and (number := numbers[verdict.expected]) != verdict.actual:
            yield f"{' '.join(key)}: recorded as {number}, the evidence says {verdict.actual}"
    for key in recorded.keys() - now.keys():
        yield f"{' '.join(key)}: it is recorded, and the plan does not ask for it"
