"""
Verify a certificate: signature, digests and schema, then every expectation again, then the policy.

Each stage relies on the one before: only a statement signed by a trusted key is read, and only the signed
evidence is judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from lesson_runner.certify.keys import KnownKey
from lesson_runner.certify.policy import Policy, shipped_policies
from lesson_runner.certify.policy_input import Pass, PolicyInput, RequirementResult
from lesson_runner.certify.rejudge import RejudgedStep, claim_mismatches, rejudge
from lesson_runner.certify.requirements import examine
from lesson_runner.certify.statement import Certificate, describe, payloads
from lesson_runner.certify.store import StoredCertificate
from lesson_runner.certify.subjects import (
    INSTALL,
    NOT_REEVALUABLE,
    check_files,
    check_plan,
    versions_that_differ,
)
from lesson_runner.certify.trust import RefusedError, SignedCertificate, open_file
from lesson_runner.document.lessons import load_lesson
from lesson_runner.files.canonical import canonical, parse_strict_json
from lesson_runner.files.plain import MAX_JSON_BYTES, read_plain
from lesson_runner.model import Lesson, Plan
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run.digests import content_digest
from lesson_runner.run.record import RECORD
from lesson_runner.run.stored import read_run


@dataclass(frozen=True, slots=True)
class Verified:
    """
    A verified certificate.

    Attributes:
        judged: how many expectations were rejudged, without exit codes, which are only recorded.
        requirements: the requirements of its policy, all met.
        notes: what else a reader should know.
        recorded: for each step, the metrics that no evidence shows, so that they were not recomputed.
    """

    signed: SignedCertificate
    judged: int
    requirements: tuple[RequirementResult, ...]
    notes: tuple[str, ...] = field(default=())
    recorded: tuple[str, ...] = field(default=())


def verify(
    stored: StoredCertificate,
    trusted: Mapping[str, KnownKey],
    plugins: Plugins,
    *,
    policy: Policy | None = None,
    lesson: Path | None = None,
) -> Verified:
    """
    Check a certificate against its evidence.

    Args:
        policy: a policy that it must meet in addition to its own.
        lesson: the file of a lesson, which must be the certified one.

    Raises:
        RefusedError: it does not verify; the message is the first reason.
        LessonError: a file named by the user cannot be read.
    """
    signed = open_file(stored.bundle, trusted)
    certificate = signed.certificate
    _check_times(certificate, datetime.now(timezone.utc))
    ran, steps = check_files(certificate, stored)
    if lesson is not None:
        _check_lesson(certificate, lesson)
    plan = check_plan(certificate, ran, steps, plugins)
    passes = tuple(_passes(certificate, stored, steps, plugins))
    _check_passes(passes, versions_that_differ(certificate, plugins))
    _check_claims(plan, passes)
    policy_input = PolicyInput(ran.frontmatter, frozenset(str(step["action"]) for step in steps), passes)
    requirements = _check_policy(policy_input, certificate.policy, "its own policy")
    if policy is not None:
        _check_policy(policy_input, policy, f"the policy '{policy.name}'")
    _check_statements(signed, ran, passes)
    judged = sum(
        verdict.matcher != "exit" for item in passes for step in item.steps for verdict in step.verdicts
    )
    recorded = (
        f"{step.id}: {', '.join(step.recorded)}" for item in passes for step in item.steps if step.recorded
    )
    return Verified(
        signed, judged, requirements, tuple(_notes(certificate, passes)), tuple(dict.fromkeys(recorded))
    )


def _check_lesson(certificate: Certificate, path: Path) -> None:
    lesson, _ = load_lesson(path)
    if content_digest(lesson) != certificate.digests.lesson:
        message = f"{path} is not the certified lesson: its text differs"
        raise RefusedError("lesson", message, "certify its current text: lesson certify")


def _passes(
    certificate: Certificate, stored: StoredCertificate, steps: list[dict[str, Any]], plugins: Plugins
) -> list[Pass]:
    passes = []
    for name in certificate.runs:
        try:
            parse_strict_json(read_plain(stored.run(name) / RECORD, MAX_JSON_BYTES))
            record = read_run(stored.run(name))
            judged = rejudge(steps, record, stored.run(name), plugins)
        except (LessonError, OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            what = f"the record of run {name} is invalid: {error}"
            raise RefusedError("evidence", what) from None
        if record["run_id"] != name or record["plan_digest"] != certificate.digests.plan:
            raise RefusedError("evidence", f"{name}/{RECORD} is of another run or another plan")
        hidden = {label for step in record["steps"] for label in step.get("labels", ())} - {*record["labels"]}
        if hidden:
            what = f"{name}/{RECORD} omits labels of its steps: {', '.join(sorted(hidden))}"
            raise RefusedError("evidence", what)
        if record["lesson"].get("content_sha256") != certificate.digests.lesson:
            raise RefusedError("evidence", f"{name}/{RECORD} is of another lesson")
        passes.append(Pass(record, tuple(judged)))
    return passes


def _check_times(certificate: Certificate, now: datetime) -> None:
    """Refuse a certificate that is from the future or has expired; the runs' own times are compared later."""
    if problem := certificate.time_problem(now):
        raise RefusedError("time", problem)
    days, age = certificate.policy.content.get("valid_days"), (now - certificate.valid_from).days
    if days is not None and age > days:
        message = f"it has expired: its runs are {age} days old; under its policy it is valid for {days}"
        raise RefusedError("time", message, "run the lesson again: lesson certify")


def _check_passes(passes: tuple[Pass, ...], differ: str) -> None:
    """Check for steps that cannot be rejudged here first: they say nothing about the signer."""
    steps: list[tuple[str, RejudgedStep]] = [(item.id, step) for item in passes for step in item.steps]
    for run, step in steps:
        if step.not_judged:
            raise RefusedError(
                NOT_REEVALUABLE, f"step {step.id} of {run} is not re-evaluable: {step.not_judged[0]}", INSTALL
            )
    for run, step in steps:
        if step.problems:
            message = f"step {step.id} of {run} was recorded wrongly: {step.problems[0]}"
            fix = (
                f"these versions differ, which may be why; verify with the recorded ones: {differ}"
                if differ
                else ""
            )
            raise RefusedError("re-evaluation", message, fix)


def _check_claims(plan: Plan, passes: Sequence[Pass]) -> None:
    claims = {step.id: step.claims for step in plan.steps}
    for item in passes:
        for entry in item.record["steps"]:
            for wrong in claim_mismatches(claims.get(entry["id"], ()), entry, item.record):
                message = f"step {entry['id']} of {item.id} was recorded wrongly: {wrong}"
                raise RefusedError("re-evaluation", message)


def _check_statements(signed: SignedCertificate, ran: Lesson, passes: tuple[Pass, ...]) -> None:
    """Make sure that the certificate's statements match its runs."""
    certificate = signed.certificate
    predicate = certificate.predicate
    shown = describe(ran, passes, certificate.digests, certificate.policy, ())
    for key, value in shown.items():
        # Only the signer knows the time of signing; the wording of requirements may change.
        if key not in ("issued", "requirements") and canonical(value) != canonical(predicate[key]):
            check = "hardware" if key in ("class", "target", "hardware") else "statement"
            message = f"its {key} does not match its runs: {_short(predicate[key])}, expected {_short(value)}"
            raise RefusedError(check, message)
    theirs, _ = payloads(predicate, certificate.digests, passes)
    if any(payload != theirs for payload in signed.others):
        raise RefusedError("statement", "its statement for other tools contradicts its certification")


def _short(value: Any) -> str:
    text = canonical(value).decode()
    return text if len(text) <= 200 else f"{text[:200]}…"


def _check_policy(policy_input: PolicyInput, policy: Policy, what: str) -> tuple[RequirementResult, ...]:
    requirements = tuple(examine(policy_input, policy))
    missing = [item for item in requirements if not item.met]
    if missing:
        first = missing[0]
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        message = f"{what} is not met{more}: {first.asked}; found: {first.found}"
        raise RefusedError("policy", message, first.fix)
    return requirements


def _notes(certificate: Certificate, passes: tuple[Pass, ...]) -> Iterator[str]:
    """Yield what a reader may not expect of a verified certificate."""
    policy, last = certificate.policy, passes[-1]
    shipped = shipped_policies().get(policy.name)
    if shipped is not None and shipped.digest != policy.digest:
        name = policy.name
        yield f"its policy '{name}' differs from the built-in one of that name; to use that: --policy {name}"
    confirmed = [step.id for step in last.steps if step.confirmed]
    if confirmed:
        yield f"a person confirmed {', '.join(confirmed)}; that cannot be rejudged"
    retried = sorted(
        {step["id"] for item in passes for step in item.record["steps"] if step.get("attempts", 1) > 1}
    )
    if retried:
        yield f"needed more than one attempt: {', '.join(retried)}"
    optional = [f"{step.id} {step.status}" for step in last.steps if step.status != "passed"]
    if optional:
        yield f"optional steps: {', '.join(optional)}"
