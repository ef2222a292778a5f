"""
Checking a certificate: signature, digests, schema, then every expectation again, then the policy.

Each stage stands on the one before: what is not signed by a trusted key is not read, and evidence that is not
what was signed is not judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lesson_runner import __version__
from lesson_runner.certify.again import Judged, judge_again
from lesson_runner.certify.classes import place_of_run
from lesson_runner.certify.keys import KnownKey
from lesson_runner.certify.policy import Policy, policy_from
from lesson_runner.certify.requirements import Case, Finding, Pass, examine
from lesson_runner.certify.statement import Certificate
from lesson_runner.certify.store import Stored, list_files, read_json
from lesson_runner.certify.trust import RefusedError, Signed, open_bundle
from lesson_runner.errors import InvalidLessonError, LessonError
from lesson_runner.model import Lesson
from lesson_runner.plugins import Plugins
from lesson_runner.run.digests import content_digest
from lesson_runner.run.files import file_digest
from lesson_runner.run.params import params_of
from lesson_runner.run.plan import make_plan
from lesson_runner.run.record import RECORD
from lesson_runner.run.stored import read_run
from lesson_runner.schema.lessons import load_lesson


@dataclass(frozen=True, slots=True)
class Verified:
    """
    A certificate that holds.

    Attributes:
        judged: how many expectations were judged again.
        findings: what its policy asks, all met.
        notes: what a reader should know beside that.
    """

    signed: Signed
    judged: int
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = field(default=())


def read_stored(stored: Stored) -> bytes:
    """
    Return a bundle's bytes.

    Raises:
        LessonError: it cannot be read.
    """
    try:
        return stored.bundle.read_bytes()
    except OSError as error:
        raise LessonError(f"{stored.bundle}: cannot be read: {error.strerror or error}") from None


def verify(
    stored: Stored,
    trusted: Mapping[str, KnownKey],
    plugins: Plugins,
    *,
    policy: Policy | None = None,
    lesson: Path | None = None,
) -> Verified:
    """
    Check a certificate against its evidence.

    Args:
        policy: hold it against this one too, besides its own.
        lesson: a lesson that must be the one that was certified.

    Raises:
        RefusedError: it does not hold; the first reason.
        LessonError: a file named by the user cannot be read.
    """
    signed = open_bundle(read_stored(stored), trusted)
    certificate = signed.certificate
    ran, steps = _check_subjects(certificate, stored)
    if lesson is not None:
        _check_lesson(certificate, lesson)
    passes = tuple(_passes(certificate, stored, steps, plugins))
    _check_passes(passes)
    _check_place(certificate, passes)
    case = Case(ran.frontmatter, frozenset(str(step["action"]) for step in steps), passes)
    findings = _check_policy(case, policy_from(certificate.policy.content), "its own policy")
    if policy is not None:
        _check_policy(case, policy, f"the policy '{policy.name}'")
    judged = sum(len(step.verdicts) for item in passes for step in item.steps)
    return Verified(signed, judged, findings, _check_plan(certificate, ran, plugins))


def _check_subjects(certificate: Certificate, stored: Stored) -> tuple[Lesson, list[dict[str, Any]]]:
    """Return the lesson and the plan's steps, if they and the evidence are what was signed."""
    if not stored.evidence.is_dir():
        fix = "name the folder it is in: --evidence DIR"
        raise RefusedError("evidence", f"the evidence is not here: {stored.evidence}", fix)
    ran = _lesson(stored)
    if content_digest(ran) != certificate.digests.lesson:
        raise RefusedError("lesson", f"the lesson was changed after it was certified: {stored.lesson}")
    if _digest(stored.plan, "plan") != certificate.digests.plan:
        raise RefusedError("plan", f"the plan was changed after it was certified: {stored.plan}")
    if _digest(stored.manifest, "evidence") != certificate.digests.evidence:
        raise RefusedError(
            "evidence", f"the list of the evidence was changed after it was signed: {stored.manifest}"
        )
    try:
        listed, steps = read_json(stored.manifest), read_json(stored.plan)
        found = list_files(stored.evidence, certificate.runs)
    except (ValueError, OSError) as error:
        raise RefusedError("evidence", f"the evidence cannot be read: {error}") from None
    for name in sorted(listed.keys() | found.keys()):
        if listed.get(name) != found.get(name):
            what = "was added" if name not in listed else "is missing" if name not in found else "was changed"
            raise RefusedError(
                "evidence", f"the evidence {what} after it was signed: {stored.evidence / name}"
            )
    return ran, steps


def _lesson(stored: Stored) -> Lesson:
    try:
        return load_lesson(stored.lesson)[0]
    except (LessonError, InvalidLessonError) as error:
        raise RefusedError("lesson", f"the lesson that was certified cannot be read: {error}") from None


def _digest(path: Path, check: str) -> str:
    try:
        return file_digest(path)
    except OSError as error:
        raise RefusedError(check, f"{path} cannot be read: {error.strerror or error}") from None


def _check_lesson(certificate: Certificate, path: Path) -> None:
    lesson, _ = load_lesson(path)
    if content_digest(lesson) != certificate.digests.lesson:
        message = f"{path} is not the lesson that was certified: its text differs"
        raise RefusedError("lesson", message, "certify it as it is now: lesson certify")


def _passes(
    certificate: Certificate, stored: Stored, steps: list[dict[str, Any]], plugins: Plugins
) -> list[Pass]:
    passes = []
    for name in certificate.runs:
        try:
            record = read_run(stored.run(name))
            judged = judge_again(steps, record, stored.run(name), plugins)
        except (LessonError, KeyError, TypeError) as error:
            what = f"the record of run {name} is not one: {error}"
            raise RefusedError("evidence", what) from None
        if record["run_id"] != name or record["plan_digest"] != certificate.digests.plan:
            raise RefusedError("evidence", f"{name}/{RECORD} is of another run or another plan")
        if record["lesson"].get("content_sha256") != certificate.digests.lesson:
            raise RefusedError("evidence", f"{name}/{RECORD} is of another lesson")
        passes.append(Pass(record, tuple(judged)))
    return passes


def _check_passes(passes: tuple[Pass, ...]) -> None:
    """Refuse what cannot be judged here before what was judged wrongly: that says nothing of the signer."""
    steps: list[tuple[str, Judged]] = [(item.id, step) for item in passes for step in item.steps]
    for run, step in steps:
        if step.not_judged:
            message = f"step {step.id} of {run} is not re-evaluable: {step.not_judged[0]}"
            fix = "install the plugins that the lesson uses; 'lesson plugins' lists those that are here"
            raise RefusedError("not re-evaluable", message, fix)
    for run, step in steps:
        if step.problems:
            message = f"step {step.id} of {run} was recorded wrongly: {step.problems[0]}"
            raise RefusedError("re-evaluation", message)


def _check_place(certificate: Certificate, passes: tuple[Pass, ...]) -> None:
    for item in passes:
        place, said = place_of_run(item.record), certificate.predicate["hardware"]
        shown = (place.kind, place.target, place.chips_present, place.chips_used)
        claimed = (certificate.kind, certificate.target, said["chipsPresent"], said["chipsUsed"])
        if (item is passes[-1] and shown != claimed) or shown[:2] != claimed[:2]:
            message = f"it is for {claimed}, and run {item.id} was made on {shown} (class, target, chips)"
            raise RefusedError("hardware", message)


def _check_policy(case: Case, policy: Policy, what: str) -> tuple[Finding, ...]:
    findings = tuple(examine(case, policy))
    missing = [item for item in findings if not item.met]
    if missing:
        first = missing[0]
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        message = f"{what} is not met{more}: {first.asked}; found: {first.found}"
        raise RefusedError("policy", message, first.fix)
    return findings


def _check_plan(certificate: Certificate, ran: Lesson, plugins: Plugins) -> tuple[str, ...]:
    """
    Return what a reader should know of the plan, if it can have come from the lesson.

    Other versions of the runner or of plugins may plan the same lesson in another way: that is no forgery.
    """
    said = certificate.predicate
    try:
        plan = make_plan(ran, (), plugins, said["plan"]["profile"], params_of(said["plan"]))
    except LessonError as error:
        return (f"the lesson cannot be planned here: {error}",)
    if plan.digest == certificate.digests.plan:
        return ()
    now = {"lesson-runner": __version__, **{name: info.version for name, info in plugins.infos.items()}}
    then = {
        "lesson-runner": said["toolchain"]["versions"].get("lesson-runner"),
        **said["toolchain"]["plugins"],
    }
    differ = sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))
    if not differ:
        raise RefusedError("plan", "the plan that was signed does not follow from the lesson")
    return (f"the same lesson is planned differently here; versions that differ: {', '.join(differ)}",)
