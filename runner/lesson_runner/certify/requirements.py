"""Check runs against a policy: what it asks, what was found, how to meet it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from lesson_runner.certify.policy import Policy
from lesson_runner.certify.policy_input import PolicyInput, RequirementResult, parse_time
from lesson_runner.certify.versions import at_least
from lesson_runner.run.judge import fact_of


def examine(policy_input: PolicyInput, policy: Policy) -> list[RequirementResult]:
    """Return all requirements of a policy, met or not, in a fixed order."""
    return [result for check in _CHECKS for result in check(policy_input, policy.content)]


def _passes(policy_input: PolicyInput, content: Mapping[str, Any]) -> Iterable[RequirementResult]:
    wanted, found = content["passes"], len({item.id for item in policy_input.passes})
    fix = "" if found >= wanted else f"run the lesson {wanted - found} more time{'s' * (wanted - found > 1)}"
    yield RequirementResult("passes", f"{wanted} run{'s' * (wanted > 1)}", str(found), fix)
    if found > 1:
        yield _no_overlap(policy_input)
    places = sorted({item.place.target for item in policy_input.passes})
    fix = "" if len(places) < 2 else "use runs that were made on the same hardware"
    yield RequirementResult("same-place", "all runs on the same hardware", " and ".join(places), fix)


def _no_overlap(policy_input: PolicyInput) -> RequirementResult:
    """Detect copies of a run, which have the same times, and a clock that was set back between runs."""
    what, fix = "each run started after the previous one had finished", "run the lesson again for each pass"
    try:
        times = sorted(
            (parse_time(item.record["started"]), parse_time(item.record["finished"]), item.id)
            for item in policy_input.passes
        )
    except ValueError as error:
        return RequirementResult("distinct", what, f"invalid time: {error}", fix)
    bad = [f"{name} finished before it started" for start, end, name in times if end < start]
    pairs = pairwise(times)
    bad += [
        f"{two} started before {one} had finished" for (_, end, one), (start, _, two) in pairs if start < end
    ]
    return RequirementResult("distinct", what, _few(bad) or "yes", fix if bad else "")


def _steps(policy_input: PolicyInput, content: Mapping[str, Any]) -> Iterable[RequirementResult]:  # noqa: ARG001  # all checks have the same signature
    what = "every step passed, none skipped, except optional ones"
    fix = "run the whole lesson on a machine where every step can pass, without skipping a step"
    not_passed = [
        (step.optional, f"{step.id} {step.status} in {item.id}")
        for item in policy_input.passes
        for step in item.steps
        if step.status != "passed"
    ]
    bad = [text for optional, text in not_passed if not optional]
    bad += [
        f"{item.id} {item.record['status']}"
        for item in policy_input.passes
        if item.record["status"] != "passed"
    ]
    if any(not [step for step in item.steps if not step.optional] for item in policy_input.passes):
        bad, fix = ["all steps are optional"], "make at least one step non-optional"
    missing = f", except {_few([text for _, text in not_passed])}" if not_passed else ""
    found = _few(bad) or f"all passed{missing}"
    yield RequirementResult("steps", what, found, fix if bad else "")


def _evidence(policy_input: PolicyInput, content: Mapping[str, Any]) -> Iterable[RequirementResult]:  # noqa: ARG001
    bad = [
        f"{step.id} in {item.id}: {why}"
        for item in policy_input.passes
        for step in item.steps
        for why in (*step.problems, *step.not_judged)
    ]
    fix = "install the plugins that the lesson uses; if they are, the evidence was changed: run it again"
    what = "every expectation rejudged on the evidence"
    yield RequirementResult("evidence", what, _few(bad) or "yes, with the same results", fix if bad else "")


def _judgements(policy_input: PolicyInput, content: Mapping[str, Any]) -> Iterable[RequirementResult]:
    if not (wanted := content.get("judgements", 0)):
        return
    weak = sorted(
        {
            step.id
            for item in policy_input.passes
            for step in item.steps
            if step.status == "passed" and not step.confirmed and step.meaningful < wanted
        }
    )
    what = f"each step judged by at least {wanted} expectation{'s' * (wanted > 1)} other than its exit code"
    fix = "give these steps an 'expect' that a step which produces nothing would not meet" if weak else ""
    yield RequirementResult("judgements", what, _few([f"too few for {name}" for name in weak]) or "yes", fix)


def _classes(policy_input: PolicyInput, content: Mapping[str, Any]) -> Iterable[RequirementResult]:
    found = sorted({item.place.kind for item in policy_input.passes})
    wrong = [kind for kind in found if kind not in content["classes"]]
    names = " or ".join(_CLASS_NAMES[kind] for kind in content["classes"])
    fix = f"run it on {names}" if wrong else ""
    yield RequirementResult(
        "class", f"made on {names}", " and ".join(_CLASS_NAMES[kind] for kind in found), fix
    )


_CLASS_NAMES = {
    "silicon": "a board",
    "simulator": "a simulator",
    "emulated": "the emulation",
    "host": "a machine without a board",
}


def _hardware(policy_input: PolicyInput, content: Mapping[str, Any]) -> Iterable[RequirementResult]:
    if not content.get("supported_hardware"):
        return
    supported = [str(name) for name in policy_input.frontmatter.get("supportedHardware", ())]
    found = {
        f"{entry['name']} ({entry['detected_by']})"
        for item in policy_input.passes
        for entry in item.record["hardware"]
    } or {"none"}
    good = all(
        item.place.kind == "silicon" and item.place.target in supported for item in policy_input.passes
    )
    fix = "" if good else f"run it on one of {', '.join(supported)}; 'lesson hw' says what a machine has"
    what = "detected hardware that the lesson supports"
    yield RequirementResult("hardware", what, " and ".join(sorted(found)), fix)


def _fresh(policy_input: PolicyInput, content: Mapping[str, Any]) -> Iterable[RequirementResult]:
    if not content.get("fresh"):
        return
    stale = [item.id for item in policy_input.passes if item.record["options"].get("fresh") is not True]
    resumed = [item.id for item in policy_input.passes if item.record.get("resumed")]
    continued = [item.id for item in policy_input.passes if item.record.get("continues")]
    placed = [item.id for item in policy_input.passes if item.record["options"].get("in")]
    found = _few(
        [
            *(f"{name} could reuse results of earlier runs" for name in stale),
            *(f"{name} was resumed" for name in resumed),
            *(f"{name} continued the files of another run" for name in continued),
            *(f"{name} worked in a folder that already existed" for name in placed),
        ]
    )
    fix = (
        "run the whole lesson again with --fresh, without --in, --continue and interruption" if found else ""
    )
    found = found or "yes"
    yield RequirementResult("fresh", "each run started from scratch", found, fix)


def _whole(policy_input: PolicyInput, content: Mapping[str, Any]) -> Iterable[RequirementResult]:  # noqa: ARG001
    parts = [
        item.id
        for item in policy_input.passes
        if any(item.record["options"].get(name) for name in ("start", "until", "only"))
    ]
    fix = "run without --from, --until and --only" if parts else ""
    found = _few([f"{name} left steps out" for name in parts]) or "yes"
    yield RequirementResult("whole", "the whole lesson was run", found, fix)


def _profile(policy_input: PolicyInput, content: Mapping[str, Any]) -> Iterable[RequirementResult]:
    if "profiles" not in content:
        return
    found = sorted({str(item.record["profile"]) for item in policy_input.passes})
    wanted = " or ".join(content["profiles"])
    wrong = [name for name in found if name not in content["profiles"]]
    fix = f"run with --profile {content['profiles'][0]}" if wrong else ""
    yield RequirementResult("profile", f"profile {wanted}", " and ".join(found), fix)


def _parameters(policy_input: PolicyInput, content: Mapping[str, Any]) -> Iterable[RequirementResult]:
    if "parameters" not in content:
        return
    given = sorted({str(name) for item in policy_input.passes for name in item.record["params"]})
    wrong = [name for name in given if name.rpartition(".")[2] not in content["parameters"]]
    allowed = ", ".join(content["parameters"])
    what = f"no --param except {allowed}" if allowed else "no --param"
    fix = f"run without --param {', '.join(wrong)}" if wrong else ""
    yield RequirementResult("parameters", what, ", ".join(given) or "none", fix)


def _versions(policy_input: PolicyInput, content: Mapping[str, Any]) -> Iterable[RequirementResult]:
    for rule in content.get("versions", ()):
        minimum = policy_input.frontmatter.get(rule["at_least"])
        if not isinstance(minimum, str):
            continue
        values = [fact_of(item.record["facts"], rule["fact"]) for item in policy_input.passes]
        good = all(isinstance(value, str) and at_least(value, minimum) for value in values)
        found = " and ".join(sorted({"unknown" if value is None else str(value) for value in values}))
        what = f"{rule['fact']} at least {minimum} ({rule['at_least']})"
        yield RequirementResult(f"version {rule['fact']}", what, found, "" if good else rule["otherwise"])


def _facts(policy_input: PolicyInput, content: Mapping[str, Any]) -> Iterable[RequirementResult]:
    for rule in content.get("facts", ()):
        if "actions" in rule and not policy_input.actions & set(rule["actions"]):
            continue
        values = [fact_of(item.record["facts"], rule["fact"]) for item in policy_input.passes]
        # True == 1 in Python, not in a policy.
        good = all(
            any(value == one and type(value) is type(one) for one in rule["values"]) for value in values
        )
        found = " and ".join(sorted({"unknown" if value is None else _shown(value) for value in values}))
        what = f"{rule['fact']} is {' or '.join(_shown(one) for one in rule['values'])}"
        yield RequirementResult(f"fact {rule['fact']}", what, found, "" if good else rule["otherwise"])


_CHECKS: Sequence[Callable[[PolicyInput, Mapping[str, Any]], Iterable[RequirementResult]]] = (
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
