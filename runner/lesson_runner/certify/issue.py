"""Issue a certificate: rejudge runs, check them against a policy, sign the result with its evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesson_runner.certify.envelope import sign, write_bundle
from lesson_runner.certify.evidence import LESSON, MANIFEST, PLAN, SIDECAR, list_files
from lesson_runner.certify.keys import KnownKey, PrivateKey
from lesson_runner.certify.policy import Policy
from lesson_runner.certify.policy_input import Pass, PolicyInput, RequirementResult
from lesson_runner.certify.rejudge import rejudge
from lesson_runner.certify.requirements import examine
from lesson_runner.certify.statement import Certificate, Digests, describe, payloads
from lesson_runner.certify.store import BUNDLE, StoredCertificate, copy_run, publish, staging_folder
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
    The result of :func:`issue`.

    Attributes:
        requirements: all requirements of the policy, met or not.
        folder: the certificate's folder; ``None`` if a requirement is not met, so no certificate was signed.
    """

    requirements: tuple[RequirementResult, ...]
    folder: Path | None

    @property
    def missing(self) -> list[RequirementResult]:
        """The requirements that the runs do not meet."""
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
    Certify runs of a lesson if they meet a policy.

    Args:
        runs: the runs' folders.
        key: returns the key to sign with; called only if there is something to sign.
        certificates: the folder in which the certificate's folder is created.

    Raises:
        LessonError: a run is not of this lesson with its current text, or a file cannot be read or written.
        InvalidLessonError: the lesson has errors.
    """
    records = [read_run(folder) for folder in runs]
    _check_distinct(runs, records)
    plan = _plan_of(lesson, problems, records, plugins)
    try:
        with staging_folder(certificates) as staging:
            return _issue(lesson, plan, runs, records, policy, key, plugins, staging)
    except RefusedError as error:
        raise LessonError(f"no certificate was issued because it would not verify: {error}") from None
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
    Build a certificate in the empty folder ``staging``, verify it, and publish it next to that folder.

    Raises:
        RefusedError: the certificate does not verify.
        OSError: the folder cannot be written.
    """
    evidence = staging / EVIDENCE
    for folder, record in zip(runs, records, strict=True):
        copy_run(folder, evidence / record["run_id"])
    steps = plan_content(plan.steps)
    # Judge the copies: they are what is signed.
    copied = [read_run(evidence / record["run_id"]) for record in records]
    passes = tuple(
        Pass(record, tuple(rejudge(steps, record, evidence / record["run_id"], plugins))) for record in copied
    )
    policy_input = PolicyInput(lesson.frontmatter, frozenset(step.action for step in plan.steps), passes)
    issued = Issued(tuple(examine(policy_input, policy)), None)
    if issued.missing:
        return issued
    write_atomically(evidence / LESSON, lesson.text)  # as it was run: the file may have changed since then
    if lesson.sidecar:
        write_atomically(evidence / SIDECAR, lesson.sidecar.text)
    write_atomically(evidence / PLAN, canonical(steps))
    write_atomically(evidence / MANIFEST, canonical(list_files(evidence)))
    digests = Digests(content_digest(lesson), plan.digest, file_digest(evidence / MANIFEST))
    predicate = describe(lesson, passes, digests, policy, issued.requirements)
    private = key()
    signed = [sign(payload, private) for payload in payloads(predicate, digests, passes)]
    write_atomically(staging / BUNDLE, write_bundle(signed))
    public = private.public
    signer = KnownKey(private.name, public.keyid, public.pem)
    verify(StoredCertificate(staging / BUNDLE, evidence), {signer.keyid: signer}, plugins)
    return Issued(issued.requirements, publish(staging, staging.parent, Certificate(predicate, digests).name))


def _check_distinct(runs: Sequence[Path], records: Sequence[dict[str, Any]]) -> None:
    seen: dict[str, Path] = {}
    for folder, record in zip(runs, records, strict=True):
        other = seen.setdefault(record["run_id"], folder)
        if other != folder:
            message = f"{folder} and {other} have the same run id: {record['run_id']}"
            raise LessonError(message, fix="name different runs, made one after the other")


def _plan_of(
    lesson: Lesson, problems: Iterable[Diagnostic], records: Sequence[dict[str, Any]], plugins: Plugins
) -> Plan:
    """Return the plan that all runs followed, which must be the lesson's current plan."""
    problems, content = list(problems), content_digest(lesson)
    plans: dict[str, Plan] = {}
    for record in records:
        run, ran = record["run_id"], record["lesson"]
        for step in record["steps"]:
            for name, facts in step.get("artifacts", {}).items():
                if "sha256" not in facts:
                    raise LessonError(
                        f"run {run}: the file {name} was not hashed: {facts.get('not_hashed', '')}"
                    )
        if ran["id"] != lesson.id:
            raise LessonError(f"run {run} is of the lesson '{ran['id']}', not of '{lesson.id}'")
        if ran.get("content_sha256") != content:
            raise LessonError(
                f"run {run}: the lesson has changed since then ({lesson.path})",
                fix="run it again: lesson certify",
            )
        plan = make_plan(lesson, problems, plugins, record["profile"], params_of(record))
        if plan.digest != record["plan_digest"]:
            raise LessonError(
                f"run {run}: its plan differs from the lesson's plan with the plugins installed here",
                fix="run the lesson again with these plugins",
            )
        plans[plan.digest] = plan
    if len(plans) > 1:
        profiles = sorted({f"{record['profile']} {record['params'] or ''}".strip() for record in records})
        raise LessonError(
            f"the runs followed {len(plans)} different plans (profile and parameters: {'; '.join(profiles)})",
            fix="certify runs with the same profile and the same parameters",
        )
    if not plans:
        raise LessonError("no run to certify", fix="name one with --from-run")
    return next(iter(plans.values()))
