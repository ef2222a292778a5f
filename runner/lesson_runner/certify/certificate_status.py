"""The certificate status of each lesson on each hardware, from certificates and runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from lesson_runner.certify.certificate_index import CertificateIndex, OpenedCertificate
from lesson_runner.certify.classes import place_of_run
from lesson_runner.certify.policy import Policy
from lesson_runner.certify.statement import Certificate
from lesson_runner.certify.versions import at_least
from lesson_runner.document.schema.validator import load_schema
from lesson_runner.model import Diagnostic, Lesson
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run.digests import content_digest
from lesson_runner.run.judge import fact_of
from lesson_runner.run.params import params_of
from lesson_runner.run.plan import make_plan

VALID_STATES = frozenset({"certified", "text changed"})
"""States in which a lesson has a valid certificate."""
State = Literal["certified", "text changed", "stale", "failed", "never run", "not supported"]


@dataclass(frozen=True, slots=True)
class CertificateStatus:
    """
    The status of one lesson on one hardware.

    Attributes:
        reason: why it is stale or failed, in words; empty otherwise.
        since: when the first of the certificate's runs ended, or the failed run ended; ISO 8601.
        bundle: the certificate's file.
    """

    lesson: str
    target: str
    state: State
    reason: str = ""
    since: str = ""
    bundle: Path | None = None


@dataclass(frozen=True)
class LoadedLesson:
    """A lesson and the diagnostics found while reading it."""

    lesson: Lesson
    problems: tuple[Diagnostic, ...] = ()

    @cached_property
    def digest(self) -> str:
        """The lesson's :func:`~lesson_runner.run.digests.content_digest`."""
        return content_digest(self.lesson)


class CertificateStatuses:
    """
    The certificate status of lessons, from certificates and from failed runs.

    Args:
        index: the certificates.
        policies: the policy that certificates of each class must be signed under; a later one replaces
            an earlier one.
        runs: records of runs; the last complete run of a lesson on a hardware decides whether it failed.
        today: the time from which the age of certificates is counted; now by default.
    """

    def __init__(
        self,
        index: CertificateIndex,
        policies: Iterable[Policy],
        plugins: Plugins,
        runs: Iterable[Mapping[str, Any]] = (),
        today: datetime | None = None,
    ) -> None:
        # Compute each policy's digest once, not for each of many certificates.
        digested = [(policy, policy.digest) for policy in policies]
        self._policies = {kind: pair for pair in digested for kind in pair[0].classes}
        self._index = index
        self._plugins = plugins
        self._today = today or datetime.now(timezone.utc)
        self._runs: dict[tuple[str, str], Mapping[str, Any]] = {}
        for record in sorted(runs, key=lambda item: str(item["started"])):
            if not any(record["options"].get(name) for name in ("start", "until", "only")):
                self._runs[record["lesson"]["id"], place_of_run(record).target] = record
        self._plans: dict[tuple[str, str, str], str] = {}

    def targets(self, lessons: Collection[str], known: Collection[str]) -> list[str]:
        """Return the targets of these lessons' certificates and runs, without those in ``known``."""
        found = {target for lesson, target in self._runs if lesson in lessons}
        for lesson, target in self._index.pairs():
            # An unsigned certificate must not add a column to the matrix.
            if lesson in lessons and target not in found and target not in known:
                found |= {target for _ in islice(self._index.open_latest_first(lesson, target), 1)}
        return sorted(found - set(known))

    def of(self, loaded: LoadedLesson, target: str) -> CertificateStatus:
        """Return a lesson's status on a hardware, or on a class that is not a board, such as ``emulated``."""
        lesson = loaded.lesson
        if target in hardware_names() and target not in supported(lesson):
            return CertificateStatus(lesson.id, target, "not supported")
        best: CertificateStatus | None = None
        current = {digest for _, digest in self._policies.values()}
        for item in self._index.open_latest_first(lesson.id, target, current):
            found = self._status_from(loaded, target, item)
            if best is None or _RANK[found.state] > _RANK[best.state]:
                best = found
            if found.state == "certified":  # earlier ones cannot improve on it
                break
        failed = self._failed_run(lesson, target, best)
        if failed is not None:
            return failed
        return best or CertificateStatus(lesson.id, target, "never run")

    def _failed_run(
        self, lesson: Lesson, target: str, best: CertificateStatus | None
    ) -> CertificateStatus | None:
        """Return the status ``failed`` if the last complete run failed, and did so after the certificate."""
        record = self._runs.get((lesson.id, target))
        if record is None or record["status"] != "failed" or (best and best.since > record["started"]):
            return None
        bad = [step["id"] for step in record["steps"] if step["status"] in ("failed", "error")]
        return CertificateStatus(
            lesson.id, target, "failed", f"step {', '.join(bad)}", str(record["finished"])
        )

    def _status_from(self, loaded: LoadedLesson, target: str, item: OpenedCertificate) -> CertificateStatus:
        changed = item.certificate.digests.lesson != loaded.digest
        why = self._why_stale(loaded, item.certificate)
        state: State = "stale" if why else "text changed" if changed else "certified"
        return CertificateStatus(loaded.lesson.id, target, state, why, item.certificate.since, item.bundle)

    def _why_stale(self, loaded: LoadedLesson, certificate: Certificate) -> str:
        """Return why a certificate is stale; empty if it is not."""
        policy, digest = self._policies.get(certificate.kind, (None, ""))
        if policy is None or policy.name != certificate.policy.name:
            wanted = f"'{policy.name}'" if policy else "a policy that is known here"
            return f"signed under the policy '{certificate.policy.name}', not {wanted}"
        if digest != certificate.predicate["policy"]["sha256"]:
            return f"the policy '{policy.name}' changed"
        days = policy.content.get("valid_days")
        age = (self._today - certificate.valid_from).days
        if problem := certificate.time_problem(self._today):
            return problem
        if days is not None and age > days:
            return f"{age} days old; it is valid for {days}"
        for rule in policy.content.get("versions", ()):
            minimum = loaded.lesson.frontmatter.get(rule["at_least"])
            version = fact_of(certificate.predicate["toolchain"]["facts"], rule["fact"])
            if isinstance(minimum, str) and not at_least(str(version), minimum):
                return f"{rule['fact']} was {version}; the lesson needs {minimum} now"
        plan = self._plan_digest(loaded, certificate)
        if plan.startswith(_NO_PLAN):
            return plan
        return "" if plan == certificate.digests.plan else "the plan changed"

    def _plan_digest(self, loaded: LoadedLesson, certificate: Certificate) -> str:
        """Return the digest of today's plan with a certificate's profile and parameters, or an error."""
        signed_plan = certificate.predicate["plan"]
        params = tuple(sorted(signed_plan["params"].items()))
        key = str(loaded.lesson.path), str(signed_plan["profile"]), repr(params)
        if key not in self._plans:
            try:
                plan = make_plan(
                    loaded.lesson,
                    loaded.problems,
                    self._plugins,
                    signed_plan["profile"],
                    params_of(signed_plan),
                )
                self._plans[key] = plan.digest
            except LessonError as error:
                self._plans[key] = f"{_NO_PLAN}: {error}"
        return self._plans[key]


_NO_PLAN = "it cannot be planned"
_RANK: Mapping[State, int] = {"stale": 0, "text changed": 1, "certified": 2}


def supported(lesson: Lesson) -> list[str]:
    """Return the lesson's ``supportedHardware``, without entries that are not text."""
    names = lesson.frontmatter.get("supportedHardware")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def hardware_names() -> list[str]:
    """Return the names of hardware that a lesson can support, in the schema's order."""
    names: list[str] = load_schema("lesson")["$defs"]["hardware"]["enum"]
    return names
