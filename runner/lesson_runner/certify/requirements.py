"""Holding runs against a policy: what is asked, what was found, what would satisfy it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from lesson_runner.certify.policy import Policy
from lesson_runner.certify.policy_input import Case, RequirementResult, moment
from lesson_runner.certify.versions import at_least
from lesson_runner.run.judge import fact_of


def examine(case: Case, policy: Policy) -> list[RequirementResult]:
    """Return everything that a policy asks of runs, met or not, in the policy's order."""
    return [result for check in _CHECKS for result in check(case, policy.content)]


def _passes(case: Case, asked: Mapping[str, Any]) -> Iterable[RequirementResult]:
    wanted, found = asked["passes"], len({item.id for item in case.passes})
    fix = "" if found >= wanted else f"run the lesson {wanted - found} more time{'s' * (wanted - found > 1)}"
    yield RequirementResult("passes", f"{wanted} run{'s' * (wanted > 1)}", str(found), fix)
    if found > 1:
        yield _one_after_another(case)
    places = sorted({item.place.target for item in case.passes})
    fix = "" if len(places) < 2 else "take runs that were made on the same hardware"
    yield RequirementResult("same-place", "all runs on the same hardware", " and ".join(places), fix)


def _one_after_another(case: Case) -> RequirementResult:
    """Copies of a run have its times; so have runs that a clock was set back between."""
    what, fix = "each run began after the one before had ended", "run the lesson again for each pass"
    try:
        times = sorted(
            (moment(item.record["started"]), moment(item.record["finished"]), item.id) for item in case.passes
        )
    except ValueError as error:
        return RequirementResult("distinct", what, f"a time that does not exist: {error}", fix)
    bad = [f"{name} ended before it began" for began, ended, name in times if ended < began]
    pairs = pairwise(times)
    bad += [f"{two} began before {one} had ended" for (_, end, one), (began, _, two) in pairs if began < end]
    return RequirementResult("distinct", what, _few(bad) or "yes", fix if bad else "")


def _steps(case: Case, asked: Mapping[str, Any]) -> Iterable[RequirementResult]:  # noqa: ARG001  # one form for all
    what = "every step passed, none skipped, but for optional ones"
    fix = "run the whole lesson where each of its steps can pass: no step left out, none skipped"
    not_passed = [
        (step.optional, f"{step.id} {step.status} in {item.id}")
        for item in case.passes
        for step in item.steps
        if step.status != "passed"
    ]
    bad = [text for optional, text in not_passed if not optional]
    bad += [f"{item.id} {item.record['status']}" for item in case.passes if item.record["status"] != "passed"]
    if any(not [step for step in item.steps if not step.optional] for item in case.passes):
        bad, fix = ["there is no step but optional ones"], "let at least one step not be optional"
    missing = f", but for {_few([text for _, text in not_passed])}" if not_passed else ""
    found = _few(bad) or f"all passed{missing}"
    yield RequirementResult("steps", what, found, fix if bad else "")


def _evidence(case: Case, asked: Mapping[str, Any]) -> Iterable[RequirementResult]:  # noqa: ARG001
    bad = [
        f"{step.id} in {item.id}: {why}"
        for item in case.passes
        for step in item.steps
        for why in (*step.problems, *step.not_judged)
    ]
    fix = (
        "install the plugins that the lesson uses; if they are there, run it again: the evidence was changed"
    )
    what = "every expectation judged again, on the evidence"
    yield RequirementResult("evidence", what, _few(bad) or "yes, with the same results", fix if bad else "")


def _judgements(case: Case, asked: Mapping[str, Any]) -> Iterable[RequirementResult]:
    if not (wanted := asked.get("judgements", 0)):
        return
    weak = sorted(
        {
            step.id
            for item in case.passes
            for step in item.steps
            if step.status == "passed" and not step.confirmed and step.telling < wanted
        }
    )
    what = f"each step judged by at least {wanted} expectation{'s' * (wanted > 1)} other than its exit code"
    fix = "give these steps an 'expect' that a step which leaves nothing would not meet" if weak else ""
    yield RequirementResult("judgements", what, _few([f"too few for {name}" for name in weak]) or "yes", fix)


def _classes(case: Case, asked: Mapping[str, Any]) -> Iterable[RequirementResult]:
    found = sorted({item.place.kind for item in case.passes})
    wrong = [kind for kind in found if kind not in asked["classes"]]
    names = " or ".join(_CLASS_NAMES[kind] for kind in asked["classes"])
    fix = f"run it on {names}" if wrong else ""
    yield RequirementResult(
        "class", f"made on {names}", " and ".join(_CLASS_NAMES[kind] for kind in found), fix
    )


_CLASS_NAMES = {
    "silicon": "a board",
    "simulator": "a simulator",
    "emulated": "the emulation",
    "host": "a machine without board",
}


def _hardware(case: Case, asked: Mapping[str, Any]) -> Iterable[RequirementResult]:
    if not asked.get("supported_hardware"):
        return
    supported = [str(name) for name in case.frontmatter.get("supportedHardware", ())]
    found = {
        f"{entry['name']} ({entry['detected_by']})"
        for item in case.passes
        for entry in item.record["hardware"]
    } or {"none"}
    good = all(item.place.kind == "silicon" and item.place.target in supported for item in case.passes)
    fix = "" if good else f"run it on one of {', '.join(supported)}; 'lesson hw' says what a machine has"
    what = "hardware that was detected, and that the lesson supports"
    yield RequirementResult("hardware", what, " and ".join(sorted(found)), fix)


def _fresh(case: Case, asked: Mapping[str, Any]) -> Iterable[RequirementResult]:
    if not asked.get("fresh"):
        return
    stale = [item.id for item in case.passes if item.record["options"].get("fresh") is not True]
    resumed = [item.id for item in case.passes if item.record.get("resumed")]
    fix = "run again with --fresh, in one go" if stale or resumed else ""
    found = _few(
        [
            *(f"{name} could use what earlier runs left" for name in stale),
            *(f"{name} was resumed" for name in resumed),
        ]
    )
    found = found or "yes"
    yield RequirementResult("fresh", "each run began with nothing of earlier ones", found, fix)


def _whole(case: Case, asked: Mapping[str, Any]) -> Iterable[RequirementResult]:  # noqa: ARG001
    parts = [
        item.id
        for item in case.passes
        if any(item.record["options"].get(name) for name in ("start", "until", "only"))
    ]
    fix = "run without --from, --until and --only" if parts else ""
    found = _few([f"{name} left steps out" for name in parts]) or "yes"
    yield RequirementResult("whole", "the whole lesson was run", found, fix)


def _profile(case: Case, asked: Mapping[str, Any]) -> Iterable[RequirementResult]:
    if "profiles" not in asked:
        return
    found = sorted({str(item.record["profile"]) for item in case.passes})
    wanted = " or ".join(asked["profiles"])
    wrong = [name for name in found if name not in asked["profiles"]]
    fix = f"run with --profile {asked['profiles'][0]}" if wrong else ""
    yield RequirementResult("profile", f"profile {wanted}", " and ".join(found), fix)


def _parameters(case: Case, asked: Mapping[str, Any]) -> Iterable[RequirementResult]:
    if "parameters" not in asked:
        return
    given = sorted({str(name) for item in case.passes for name in item.record["params"]})
    wrong = [name for name in given if name.rpartition(".")[2] not in asked["parameters"]]
    allowed = ", ".join(asked["parameters"])
    what = f"no --param but {allowed}" if allowed else "no --param"
    fix = f"run without --param {', '.join(wrong)}" if wrong else ""
    yield RequirementResult("parameters", what, ", ".join(given) or "none", fix)


def _versions(case: Case, asked: Mapping[str, Any]) -> Iterable[RequirementResult]:
    for rule in asked.get("versions", ()):
        minimum = case.frontmatter.get(rule["at_least"])
        if not isinstance(minimum, str):
            continue
        values = [fact_of(item.record["facts"], rule["fact"]) for item in case.passes]
        good = all(isinstance(value, str) and at_least(value, minimum) for value in values)
        found = " and ".join(sorted({"not known" if value is None else str(value) for value in values}))
        what = f"{rule['fact']} at least {minimum} ({rule['at_least']})"
        yield RequirementResult(f"version {rule['fact']}", what, found, "" if good else rule["otherwise"])


def _facts(case: Case, asked: Mapping[str, Any]) -> Iterable[RequirementResult]:
    for rule in asked.get("facts", ()):
        if "actions" in rule and not case.actions & set(rule["actions"]):
            continue
        values = [fact_of(item.record["facts"], rule["fact"]) for item in case.passes]
        # True == 1 in Python, not in a policy.
        good = all(
            any(value == one and type(value) is type(one) for one in rule["values"]) for value in values
        )
        found = " and ".join(sorted({"not known" if value is None else _shown(value) for value in values}))
        what = f"{rule['fact']} is {' or '.join(_shown(one) for one in rule['values'])}"
        yield RequirementResult(f"fact {rule['fact']}", what, found, "" if good else rule["otherwise"])


_CHECKS: Sequence[Callable[[Case, Mapping[str, Any]], Iterable[RequirementResult]]] = (
    _passes,
    _classes,
    _hardware,
    _profile,
    _whole,
    _parameters,
    _fresh,
    _steps,
    _evidence,
    _judgements,
    _facts,
    _versions,
)


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _few(items: Sequence[str], most: int = 4) -> str:
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return f"{', '.join(items[:most])}{more}"
