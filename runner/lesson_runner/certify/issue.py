"""Issuing a certificate: runs judged again, held against a policy, signed together with their evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesson_runner.certify.envelope import sign, write_bundle
from lesson_runner.certify.evidence import LESSON, MANIFEST, PLAN, list_files
from lesson_runner.certify.keys import KnownKey, PrivateKey
from lesson_runner.certify.policy import Policy
from lesson_runner.certify.policy_input import Case, Pass, RequirementResult
from lesson_runner.certify.rejudge import judge_again
from lesson_runner.certify.requirements import examine
from lesson_runner.certify.statement import Certificate, Digests, describe, payloads
from lesson_runner.certify.store import BUNDLE, Stored, copy_run, publish, staging_folder
from lesson_runner.certify.trust import RefusedError
from lesson_runner.certify.verify import verify
from lesson_runner.files.canonical import canonical
from lesson_runner.files.evidence import EVIDENCE
from lesson_runner.files.plain import write_atomically
from lesson_runner.model import Diagnostic, Lesson, Plan
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run.digests import content_digest, plan_content
from lesson_runner.run.hashing import file_digest
from lesson_runner.run.params import params_of
from lesson_runner.run.plan import make_plan
from lesson_runner.run.stored import read_run


@dataclass(frozen=True, slots=True)
class Issued:
    """
    What came of it.

    Attributes:
        requirements: all that the policy asks.
        folder: the certificate's; ``None`` if something is missing, and none was signed.
    """

    requirements: tuple[RequirementResult, ...]
    folder: Path | None

    @property
    def missing(self) -> list[RequirementResult]:
        """What the policy asks, and the runs do not show."""
        return [item for item in self.requirements if not item.met]


def issue(
    lesson: Lesson,
    problems: Iterable[Diagnostic],
    runs: Sequence[Path],
    policy: Policy,
    key: Callable[[], PrivateKey],
    plugins: Plugins,
    certificates: Path,
) -> Issued:
    """
    Certify runs of a lesson, if they show what a policy asks.

    Args:
        runs: the runs' folders.
        key: what to sign with; asked for only if there is something to sign.
        certificates: the folder that gets a folder for the certificate.

    Raises:
        LessonError: a run is not one of this lesson as it is now, or something cannot be read or written.
        InvalidLessonError: the lesson has errors.
    """
    records = [read_run(folder) for folder in runs]
    _check_distinct(runs, records)
    plan = _plan_of(lesson, problems, records, plugins)
    try:
        with staging_folder(certificates) as staging:
            return _issue(lesson, plan, runs, records, policy, key, plugins, staging)
    except RefusedError as error:
        raise LessonError(f"the certificate would not hold, so none is given: {error}") from None
    except OSError as error:
        raise LessonError(f"{certificates}: cannot be written: {error.strerror or error}") from None


def _issue(
    lesson: Lesson,
    plan: Plan,
    runs: Sequence[Path],
    records: Sequence[dict[str, Any]],
    policy: Policy,
    key: Callable[[], PrivateKey],
    plugins: Plugins,
    staging: Path,
) -> Issued:
    """
    Put a certificate together in an empty folder, check it, and publish it next to that.

    Raises:
        RefusedError: it does not hold.
        OSError: the folder cannot be written.
    """
    evidence = staging / EVIDENCE
    for folder, record in zip(runs, records, strict=True):
        copy_run(folder, evidence / record["run_id"])
    steps = plan_content(plan.steps)
    # What was copied is judged, so that what is signed is what was judged.
    copied = [read_run(evidence / record["run_id"]) for record in records]
    passes = tuple(
        Pass(record, tuple(judge_again(steps, record, evidence / record["run_id"], plugins)))
        for record in copied
    )
    case = Case(lesson.frontmatter, frozenset(step.action for step in plan.steps), passes)
    issued = Issued(tuple(examine(case, policy)), None)
    if issued.missing:
        return issued
    write_atomically(evidence / LESSON, lesson.text)  # as it was run: the file may have changed since
    write_atomically(evidence / PLAN, canonical(steps))
    write_atomically(evidence / MANIFEST, canonical(list_files(evidence)))
    digests = Digests(content_digest(lesson), plan.digest, file_digest(evidence / MANIFEST))
    predicate = describe(lesson, passes, digests, policy, issued.requirements)
    private = key()
    signed = [sign(payload, private) for payload in payloads(predicate, digests, passes)]
    write_atomically(staging / BUNDLE, write_bundle(signed))
    public = private.public
    signer = KnownKey(private.name, public.keyid, public.pem)
    verify(Stored(staging / BUNDLE, evidence), {signer.keyid: signer}, plugins)
    return Issued(issued.requirements, publish(staging, staging.parent, Certificate(predicate, digests).name))


def _check_distinct(runs: Sequence[Path], records: Sequence[dict[str, Any]]) -> None:
    seen: dict[str, Path] = {}
    for folder, record in zip(runs, records, strict=True):
        other = seen.setdefault(record["run_id"], folder)
        if other != folder:
            message = f"{folder} and {other} call themselves the same run: {record['run_id']}"
            raise LessonError(message, fix="name runs that were made one after the other")


def _plan_of(
    lesson: Lesson, problems: Iterable[Diagnostic], records: Sequence[dict[str, Any]], plugins: Plugins
) -> Plan:
    """Return the one plan that all runs followed, which must be the lesson's."""
    problems, content = list(problems), content_digest(lesson)
    plans: dict[str, Plan] = {}
    for record in records:
        run, ran = record["run_id"], record["lesson"]
        for step in record["steps"]:
            for name, facts in step.get("artifacts", {}).items():
                if "sha256" not in facts:
                    raise LessonError(f"run {run}: {name} was not hashed: {facts.get('not_hashed', '')}")
        if ran["id"] != lesson.id:
            raise LessonError(f"run {run} is of the lesson '{ran['id']}', not of '{lesson.id}'")
        if ran.get("content_sha256") != content:
            raise LessonError(
                f"run {run}: the lesson was changed since ({lesson.path})", fix="run it again: lesson certify"
            )
        plan = make_plan(lesson, problems, plugins, record["profile"], params_of(record))
        if plan.digest != record["plan_digest"]:
            raise LessonError(
                f"run {run} followed another plan than the lesson has with the plugins here",
                fix="run it again with these plugins",
            )
        plans[plan.digest] = plan
    if len(plans) > 1:
        profiles = sorted({f"{record['profile']} {record['params'] or ''}".strip() for record in records})
        raise LessonError(
            f"the runs followed {len(plans)} plans (profiles and parameters: {'; '.join(profiles)})",
            fix="certify runs of one profile, with the same parameters",
        )
    if not plans:
        raise LessonError("there is no run to certify", fix="name one with --from-run")
    return next(iter(plans.values()))
