"""The signed in-toto statements (v1): two on the same subjects, one for other tools and one for us."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from lesson_runner.certify.classes import BOARD
from lesson_runner.certify.policy import Policy
from lesson_runner.certify.policy_input import Pass, RequirementResult, parse_time
from lesson_runner.document.schema.validator import check, load_schema
from lesson_runner.files.canonical import canonical, parse_strict_json
from lesson_runner.model import NOT_BOARDS, Lesson, Location
from lesson_runner.run.record import now, plain

STATEMENT = "https://in-toto.io/Statement/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
CERTIFICATION = "urn:lesson-runner:lesson-certification/v1"
"""A name, not an address; ``lesson schema certificate`` prints its schema."""
CLOCKS_DIFFER = timedelta(minutes=5)
"""How far the clocks of the machines that run, sign and verify may differ."""
_BY_ID = "lesson-certification"


@dataclass(frozen=True, slots=True)
class Digests:
    """The sha256 of the three subjects: the lesson's content, the plan, the evidence manifest."""

    lesson: str
    plan: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Certificate:
    """The contents of a certificate; :mod:`lesson_runner.certify.verify` checks whether they are true."""

    predicate: Mapping[str, Any]
    digests: Digests

    @property
    def lesson_id(self) -> str:
        """The lesson's id."""
        return str(self.predicate["lesson"]["id"])

    @property
    def kind(self) -> str:
        """The class: silicon, simulator, emulated or host."""
        return str(self.predicate["class"])

    @property
    def target(self) -> str:
        """A board's name, or the class if there is no board."""
        return str(self.predicate["target"])

    @property
    def valid_from(self) -> datetime:
        """
        When the first of its runs ended, by that machine's clock; its age counts from then.

        The time of signing does not matter, because old runs can be signed at any time.
        """
        return min(parse_time(item["finished"]) for item in self.predicate["passes"])

    @property
    def since(self) -> str:
        """The same time as :attr:`valid_from`, as text."""
        return min((str(item["finished"]) for item in self.predicate["passes"]), key=parse_time)

    def time_problem(self, now: datetime) -> str:
        """Return what is impossible about its times; empty if they are plausible."""
        issued = parse_time(self.predicate["issued"])
        for item in self.predicate["passes"]:
            name, started, finished = item["runId"], parse_time(item["started"]), parse_time(item["finished"])
            if finished < started:
                return f"run {name} finished before it started"
            if finished > now + CLOCKS_DIFFER:
                return f"run {name} finished in the future: {item['finished']}"
            if issued < finished - CLOCKS_DIFFER:
                return f"it was issued ({self.predicate['issued']}) before run {name} finished"
        if issued > now + CLOCKS_DIFFER:
            return f"it was issued in the future: {self.predicate['issued']}"
        return ""

    @property
    def name(self) -> str:
        """The name of its folder: lesson, hardware, and when it was signed."""
        time = re.sub(r"[^0-9T]", "", str(self.predicate["issued"])[:19]).replace("T", "-")
        parts = [re.sub(r"[^A-Za-z0-9-]", "-", text)[:100] for text in (self.lesson_id, self.target)]
        return ".".join([*parts, time])

    @property
    def policy(self) -> Policy:
        """The policy under which it was signed."""
        return Policy(self.predicate["policy"]["content"])

    @property
    def runs(self) -> list[str]:
        """The ids of the runs behind it."""
        return [str(item["runId"]) for item in self.predicate["passes"]]


class BrokenStatementError(Exception):
    """A payload is not a valid statement; the message says why."""


def describe(
    lesson: Lesson,
    passes: Sequence[Pass],
    digests: Digests,
    policy: Policy,
    requirements: Sequence[RequirementResult],
) -> dict[str, Any]:
    """Return the predicate for runs that meet a policy."""
    last, place = passes[-1].record, passes[-1].place
    return {
        "lesson": {"id": lesson.id, "title": lesson.title, "sha256": digests.lesson},
        "class": place.kind,
        "target": place.target,
        "hardware": {
            "name": str(place.hardware.get("name", "none")),
            "detectedBy": str(place.hardware.get("detected_by", "nothing was found")),
            "chipsPresent": place.chips_present,
            "chipsUsed": place.chips_used,
        },
        "plan": {
            "profile": last["profile"],
            "params": {str(name): str(text) for name, text in last["params"].items()},
            "sha256": digests.plan,
            "steps": [step.id for step in passes[-1].steps],
        },
        "policy": {"name": policy.name, "sha256": policy.digest, "content": policy.content},
        "requirements": [
            {"requirement": item.requirement, "asked": item.asked, "found": item.found}
            for item in requirements
        ],
        "passes": [
            {
                "runId": item.id,
                "started": item.record["started"],
                "finished": item.record["finished"],
                "seconds": item.record["seconds"],
                "labels": item.record["labels"],
            }
            for item in passes
        ],
        "toolchain": {
            "versions": last["versions"],
            "plugins": {item["name"]: item["version"] for item in last["plugins"]},
            "facts": plain(last["facts"]),
        },
        "issued": now(),
    }


def payloads(predicate: Mapping[str, Any], digests: Digests, passes: Sequence[Pass]) -> tuple[bytes, bytes]:
    """
    Return the payloads of a bundle: the test result for other tools, then the certification.

    The test result contains the certification's digest, so that lines of two bundles cannot be mixed.
    """
    name = predicate["lesson"]["id"]
    subjects = [
        {"name": f"{kind}/{name}", "digest": {"sha256": digest}}
        for kind, digest in (
            ("lesson", digests.lesson),
            ("plan", digests.plan),
            ("evidence", digests.evidence),
        )
    ]
    ours = canonical(_statement(subjects, CERTIFICATION, predicate))
    optional = sorted({step.id for item in passes for step in item.steps if step.status != "passed"})
    theirs = {
        "result": "WARNED" if optional else "PASSED",
        "configuration": [
            {"name": _BY_ID, "digest": {"sha256": hashlib.sha256(ours).hexdigest()}},
            {
                "name": f"policy/{predicate['policy']['name']}",
                "digest": {"sha256": predicate["policy"]["sha256"]},
            },
        ],
        "passedTests": [step for step in predicate["plan"]["steps"] if step not in optional],
        "warnedTests": optional,
        "failedTests": [],
    }
    return canonical(_statement(subjects, TEST_RESULT, theirs)), ours


def _statement(subjects: Sequence[Any], kind: str, predicate: Mapping[str, Any]) -> dict[str, Any]:
    return {"_type": STATEMENT, "subject": subjects, "predicateType": kind, "predicate": predicate}


def predicate_type(payload: bytes) -> str:
    """
    Return the predicate type of a payload.

    Raises:
        BrokenStatementError: it is not a statement.
    """
    return str(_read(payload).get("predicateType"))


def certified_digest(payload: bytes) -> str | None:
    """Return the digest of the certification that a test result refers to; ``None`` if there is none."""
    for item in _read(payload).get("predicate", {}).get("configuration", ()):
        if item.get("name") == _BY_ID:
            return str(item["digest"]["sha256"])
    return None


def read_certificate(payload: bytes) -> Certificate:
    """
    Return the certificate in a payload.

    Raises:
        BrokenStatementError: the payload does not follow the schema, or contradicts itself.
    """
    data = _read(payload)
    predicate: Any = data.get("predicate")
    place: dict[tuple[str | int, ...], Location] = {(): Location(Path("predicate"), 1)}
    problem = next(iter(check(predicate, load_schema("certificate"), place, what="predicate")), None)
    if problem is not None:
        raise BrokenStatementError(problem.message)
    try:
        subjects = {str(item["name"]): str(item["digest"]["sha256"]) for item in data["subject"]}
        if len(subjects) != len(data["subject"]):
            raise BrokenStatementError("it names a subject twice")
        name = predicate["lesson"]["id"]
        digests = Digests(*(subjects[f"{kind}/{name}"] for kind in ("lesson", "plan", "evidence")))
    except (KeyError, TypeError) as error:
        raise BrokenStatementError(f"the subject {error} is missing") from None
    certificate = Certificate(predicate, digests)
    if (predicate["lesson"]["sha256"], predicate["plan"]["sha256"]) != (digests.lesson, digests.plan):
        raise BrokenStatementError("the subjects and the predicate have different digests")
    if certificate.policy.digest != predicate["policy"]["sha256"]:
        raise BrokenStatementError("its policy does not match the policy's digest")
    wanted = certificate.target if certificate.target in NOT_BOARDS else BOARD
    if certificate.kind != wanted:
        raise BrokenStatementError(
            f"the class {certificate.kind} does not fit the target {certificate.target}"
        )
    try:
        for time in (
            predicate["issued"],
            *(item[key] for item in predicate["passes"] for key in ("started", "finished")),
        ):
            parse_time(time)
    except ValueError as error:
        raise BrokenStatementError(f"it has an invalid time: {error}") from None
    return certificate


def _read(payload: bytes) -> Mapping[str, Any]:
    try:
        data = parse_strict_json(payload)
    except ValueError as error:
        raise BrokenStatementError(f"the payload is not JSON: {error}") from None
    if not isinstance(data, Mapping) or data.get("_type") != STATEMENT:
        raise BrokenStatementError(f"the payload is not an in-toto statement ({STATEMENT})")
    return data
