"""Where each lesson stands on each hardware: what certificates and runs say of it today."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from lesson_runner.certify.certificate_index import Held, Holdings
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

COUNTING = frozenset({"certified", "text changed"})
"""States in which a certificate counts."""
State = Literal["certified", "text changed", "stale", "failed", "never run", "not supported"]


@dataclass(frozen=True, slots=True)
class Standing:
    """
    One lesson on one hardware.

    Attributes:
        reason: why it is stale or failed, for people; empty otherwise.
        since: when the first of the certificate's runs ended, or the run failed; ISO 8601.
        bundle: the certificate's file.
    """

    lesson: str
    target: str
    state: State
    reason: str = ""
    since: str = ""
    bundle: Path | None = None


@dataclass(frozen=True)
class Known:
    """A lesson whose standing is asked for, with what was found while reading it."""

    lesson: Lesson
    problems: tuple[Diagnostic, ...] = ()

    @cached_property
    def digest(self) -> str:
        """Of what it says; see :func:`lesson_runner.run.digests.content_digest`."""
        return content_digest(self.lesson)


class Standings:
    """
    Standings of lessons, from certificates and from runs that failed.

    Args:
        holdings: certificates.
        policies: what a certificate of each class must have been signed under.
        runs: records of runs; the last one of a lesson on a hardware may have failed.
        today: for the age of certificates.
    """

    def __init__(
        self,
        holdings: Holdings,
        policies: Iterable[Policy],
        plugins: Plugins,
        runs: Iterable[Mapping[str, Any]] = (),
        today: datetime | None = None,
    ) -> None:
        # A policy's digest is computed once, not for each of many certificates.
        known = [(policy, policy.digest) for policy in policies]
        self._policies = {kind: pair for pair in known for kind in pair[0].classes}
        self._holdings = holdings
        self._plugins = plugins
        self._today = today or datetime.now(timezone.utc)
        self._runs: dict[tuple[str, str], Mapping[str, Any]] = {}
        for record in sorted(runs, key=lambda item: str(item["started"])):
            if not any(record["options"].get(name) for name in ("start", "until", "only")):
                self._runs[record["lesson"]["id"], place_of_run(record).target] = record
        self._plans: dict[tuple[str, str, str], str] = {}

    def targets(self, lessons: Collection[str], known: Collection[str]) -> list[str]:
        """Return what there are certificates or runs of these lessons for, beside the targets known."""
        found = {target for lesson, target in self._runs if lesson in lessons}
        for lesson, target in self._holdings.pairs():
            # What is not signed must not bring a column of its own.
            if lesson in lessons and target not in found and target not in known:
                found |= {target for _ in islice(self._holdings.opened(lesson, target), 1)}
        return sorted(found - set(known))

    def of(self, known: Known, target: str) -> Standing:
        """Return where a lesson stands on a hardware, or on what stands in its place."""
        lesson = known.lesson
        if target in hardware_names() and target not in supported(lesson):
            return Standing(lesson.id, target, "not supported")
        best: Standing | None = None
        current = {digest for _, digest in self._policies.values()}
        for item in self._holdings.opened(lesson.id, target, current):
            found = self._weigh(known, target, item)
            if best is None or _RANK[found.state] > _RANK[best.state]:
                best = found
            if found.state == "certified":  # those before it cannot say more
                break
        failed = self._failed(lesson, target, best)
        if failed is not None:
            return failed
        return best or Standing(lesson.id, target, "never run")

    def _failed(self, lesson: Lesson, target: str, best: Standing | None) -> Standing | None:
        """Return that the last whole run failed, if it was after the certificate."""
        record = self._runs.get((lesson.id, target))
        if record is None or record["status"] != "failed" or (best and best.since > record["started"]):
            return None
        bad = [step["id"] for step in record["steps"] if step["status"] in ("failed", "error")]
        return Standing(lesson.id, target, "failed", f"step {', '.join(bad)}", str(record["finished"]))

    def _weigh(self, known: Known, target: str, item: Held) -> Standing:
        changed = item.certificate.digests.lesson != known.digest
        why = self._stale(known, item.certificate)
        state: State = "stale" if why else "text changed" if changed else "certified"
        return Standing(known.lesson.id, target, state, why, item.certificate.since, item.bundle)

    def _stale(self, known: Known, certificate: Certificate) -> str:
        policy, digest = self._policies.get(certificate.kind, (None, ""))
        if policy is None or policy.name != certificate.policy.name:
            wanted = f"'{policy.name}'" if policy else "one that is known here"
            return f"signed under the policy '{certificate.policy.name}', not {wanted}"
        if digest != certificate.predicate["policy"]["sha256"]:
            return f"the policy '{policy.name}' changed"
        days = policy.content.get("valid_days")
        age = (self._today - certificate.seen).days
        if problem := certificate.time_problem(self._today):
            return problem
        if days is not None and age > days:
            return f"{age} days old; it counts for {days}"
        for rule in policy.content.get("versions", ()):
            minimum = known.lesson.frontmatter.get(rule["at_least"])
            version = fact_of(certificate.predicate["toolchain"]["facts"], rule["fact"])
            if isinstance(minimum, str) and not at_least(str(version), minimum):
                return f"{rule['fact']} was {version}; the lesson needs {minimum} now"
        plan = self._plan(known, certificate)
        if plan.startswith(_NO_PLAN):
            return plan
        return "" if plan == certificate.digests.plan else "the plan changed"

    def _plan(self, known: Known, certificate: Certificate) -> str:
        """Return the digest of the lesson's plan today, as it was run then; or why it has none."""
        said = certificate.predicate["plan"]
        params = tuple(sorted(said["params"].items()))
        key = str(known.lesson.path), str(said["profile"]), repr(params)
        if key not in self._plans:
            try:
                plan = make_plan(
                    known.lesson, known.problems, self._plugins, said["profile"], params_of(said)
                )
                self._plans[key] = plan.digest
            except LessonError as error:
                self._plans[key] = f"{_NO_PLAN}: {error}"
        return self._plans[key]


_NO_PLAN = "it cannot be planned"
_RANK: Mapping[State, int] = {"stale": 0, "text changed": 1, "certified": 2}


def supported(lesson: Lesson) -> list[str]:
    """Return the hardware a lesson is written for, as far as it says so in a way that can be understood."""
    names = lesson.frontmatter.get("supportedHardware")
    return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def hardware_names() -> list[str]:
    """Return the names of hardware that a lesson can support, in the schema's order."""
    names: list[str] = load_schema("lesson")["$defs"]["hardware"]["enum"]
    return names
