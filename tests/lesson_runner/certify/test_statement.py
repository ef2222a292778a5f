"""Writing statements about runs, and reading signed statements."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.certify.policy import Policy
from lesson_runner.certify.policy_input import Pass, RequirementResult
from lesson_runner.certify.rejudge import RejudgedStep
from lesson_runner.certify.statement import (
    CERTIFICATION,
    STATEMENT,
    TEST_RESULT,
    BrokenStatementError,
    Certificate,
    Digests,
    certified_digest,
    describe,
    payloads,
    predicate_type,
    read_certificate,
)
from lesson_runner.files.canonical import canonical
from lesson_runner.testing import check_lesson, lesson_text

POLICY = Policy({"policy_version": 1, "name": "mine", "summary": "s", "classes": ["silicon"], "passes": 2})
DIGESTS = Digests("a" * 64, "b" * 64, "c" * 64)
BOARD = {"name": "n150", "detected_by": "a test", "devices": 2, "kind": "silicon"}


def record(number: int, **more: Any) -> dict[str, Any]:
    return {
        "run_id": f"run-{number}",
        "profile": "full",
        "params": {"steps": 3},
        "hardware": [BOARD],
        "labels": ["reused"],
        "backend": "auto",
        "facts": {"backend": {"mesh": [1, 1]}, "nan": float("nan")},
        "started": f"2026-01-0{number}T00:00:00Z",
        "finished": f"2026-01-0{number}T00:00:0{number}.5Z",
        "seconds": float(number),
        "versions": {"lesson-runner": "1.0"},
        "plugins": [{"name": "shell", "version": None, "origin": "x"}],
        **more,
    }


STEPS = (RejudgedStep("one", "passed"), RejudgedStep("two", "passed"))


def made(tmp_path: Path, *passes: Pass, requirements: tuple[RequirementResult, ...] = ()) -> dict[str, Any]:
    lesson, _ = check_lesson(lesson_text("x", id="growing", title="Growing"), tmp_path)
    return describe(lesson, passes, DIGESTS, POLICY, requirements)


@pytest.fixture
def predicate(tmp_path: Path) -> dict[str, Any]:
    return made(tmp_path, Pass(record(1, profile="other"), STEPS[:1]), Pass(record(2), STEPS))


def test_the_predicate_describes_the_runs(tmp_path: Path) -> None:
    met = RequirementResult("fresh", "asked", "found")
    first = record(1, profile="quick", params={}, facts={}, versions={}, hardware=[{**BOARD, "name": "p150"}])
    before = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    said = made(tmp_path, Pass(first, STEPS[:1]), Pass(record(2), STEPS), requirements=(met,))
    assert said.pop("issued") >= before
    assert said == {
        "lesson": {"id": "growing", "title": "Growing", "sha256": "a" * 64},
        "class": "silicon",
        "target": "n150",
        "hardware": {"name": "n150", "detectedBy": "a test", "chipsPresent": 2, "chipsUsed": 1},
        "plan": {"profile": "full", "params": {"steps": "3"}, "sha256": "b" * 64, "steps": ["one", "two"]},
        "policy": {"name": "mine", "sha256": POLICY.digest, "content": POLICY.content},
        "requirements": [{"requirement": "fresh", "asked": "asked", "found": "found"}],
        "passes": [
            {
                "runId": f"run-{number}",
                "started": f"2026-01-0{number}T00:00:00Z",
                "finished": f"2026-01-0{number}T00:00:0{number}.5Z",
                "seconds": float(number),
                "labels": ["reused"],
            }
            for number in (1, 2)
        ],
        "toolchain": {
            "versions": {"lesson-runner": "1.0"},
            "plugins": {"shell": None},
            "facts": {"backend": {"mesh": [1, 1]}, "nan": None},
        },
    }


def test_the_predicate_without_hardware(tmp_path: Path) -> None:
    said = made(tmp_path, Pass(record(1, hardware=[], facts={}), STEPS))
    nothing = {"name": "none", "detectedBy": "nothing was found", "chipsPresent": 0, "chipsUsed": 0}
    assert (said["class"], said["target"], said["hardware"]) == ("host", "host", nothing)


def test_two_payloads_on_the_same_subjects(predicate: dict[str, Any]) -> None:
    theirs, ours = payloads(predicate, DIGESTS, ())
    subject = [
        {"name": f"{kind}/growing", "digest": {"sha256": letter * 64}}
        for kind, letter in (("lesson", "a"), ("plan", "b"), ("evidence", "c"))
    ]
    same = {"_type": STATEMENT, "subject": subject}
    assert ours == canonical({**same, "predicateType": CERTIFICATION, "predicate": predicate})
    result = {
        "result": "PASSED",
        "configuration": [
            {"name": "lesson-certification", "digest": {"sha256": hashlib.sha256(ours).hexdigest()}},
            {"name": "policy/mine", "digest": {"sha256": POLICY.digest}},
        ],
        "passedTests": ["one", "two"],
        "warnedTests": [],
        "failedTests": [],
    }
    assert theirs == canonical({**same, "predicateType": TEST_RESULT, "predicate": result})
    assert (predicate_type(theirs), predicate_type(ours)) == (TEST_RESULT, CERTIFICATION)
    assert certified_digest(theirs) == hashlib.sha256(ours).hexdigest()
    assert certified_digest(ours) is None
    assert certified_digest(canonical({"_type": STATEMENT})) is None


def test_optional_steps_that_did_not_pass_are_warnings(predicate: dict[str, Any]) -> None:
    passes = [
        Pass(record(1), (RejudgedStep("one", "passed"), RejudgedStep("two", "failed", optional=True))),
        Pass(
            record(2),
            (RejudgedStep("two", "skipped", optional=True), RejudgedStep("a", "error", optional=True)),
        ),
    ]
    theirs = json.loads(payloads(predicate, DIGESTS, passes)[0])["predicate"]
    assert (theirs["result"], theirs["passedTests"], theirs["warnedTests"]) == (
        "WARNED",
        ["one"],
        ["a", "two"],
    )


def test_properties_of_a_certificate(predicate: dict[str, Any]) -> None:
    predicate["issued"] = "2026-03-04T05:06:07.890Z"
    read = read_certificate(payloads(predicate, DIGESTS, ())[1])
    assert read.digests == DIGESTS
    assert (read.lesson_id, read.kind, read.target) == ("growing", "silicon", "n150")
    assert read.policy == POLICY
    assert read.runs == ["run-1", "run-2"]
    assert read.name == "growing.n150.20260304-050607"
    assert read.valid_from == datetime(2026, 1, 1, 0, 0, 1, 500_000, timezone.utc)
    assert read.since == "2026-01-01T00:00:01.5Z"


def test_age_counts_from_the_first_run_that_ended(predicate: dict[str, Any]) -> None:
    """Times are compared as times, not as text."""
    predicate["passes"][0]["finished"] = "2026-01-02T00:00:02.45Z"
    predicate["passes"][1]["finished"] = "2026-01-02T00:00:02.123456789Z"
    assert Certificate(predicate, DIGESTS).since == "2026-01-02T00:00:02.123456789Z"
    predicate["passes"][1]["finished"] = "2026-01-02T00:00:02Z"
    assert Certificate(predicate, DIGESTS).since == "2026-01-02T00:00:02Z"


def test_names_are_valid_folder_names(predicate: dict[str, Any]) -> None:
    predicate["lesson"]["id"] = "../Ax_9-" + "z" * 200
    predicate["target"] = "é"
    predicate["issued"] = "2026-03-04T05:06:07Z"
    assert Certificate(predicate, DIGESTS).name == f"---Ax-9-{'z' * 92}.-.20260304-050607"


def test_large_numbers_survive_json(predicate: dict[str, Any], tmp_path: Path) -> None:
    """A large whole number stays the same number, however JSON writes it."""
    rule = {"fact": "flops", "values": [1e17], "otherwise": "count again"}
    policy = Policy({**POLICY.content, "facts": [rule]})
    predicate["policy"] = {"name": "mine", "sha256": policy.digest, "content": policy.content}
    predicate["toolchain"]["facts"] = {"flops": 1e17}
    read = read_certificate(payloads(predicate, DIGESTS, ())[1])
    assert canonical(read.predicate["toolchain"]) == canonical(predicate["toolchain"])


def broken(payload: bytes) -> str:
    with pytest.raises(BrokenStatementError) as caught:
        read_certificate(payload)
    return str(caught.value)


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (
            b"{",
            "the payload is not JSON: Expecting property name enclosed in double quotes: line 1 column 2",
        ),
        (b'{"a": 1, "a": 1}', "the payload is not JSON: the key 'a' appears twice in one object"),
        (b"[]", f"the payload is not an in-toto statement ({STATEMENT})"),
        (b"{}", f"the payload is not an in-toto statement ({STATEMENT})"),
        (b'{"_type": "other"}', f"the payload is not an in-toto statement ({STATEMENT})"),
        (f'{{"_type": "{STATEMENT}"}}'.encode(), "predicate: null is not a mapping"),
    ],
)
def test_invalid_statements(payload: bytes, why: str) -> None:
    assert broken(payload).startswith(why)
    if why.startswith("the payload"):
        for reader in (predicate_type, certified_digest):
            with pytest.raises(BrokenStatementError):
                reader(payload)


Change = Callable[[dict[str, Any], list[Any]], Any]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda said, subject: said.pop("issued"), "predicate: 'issued' is missing"),
        (lambda said, subject: subject.append(subject[0]), "it names a subject twice"),
        (lambda said, subject: subject.pop(1), "the subject 'plan/growing' is missing"),
        (lambda said, subject: subject.append(1), "the subject 'int' object is not subscriptable is missing"),
        (lambda said, subject: subject[0].pop("name"), "the subject 'name' is missing"),
        (
            lambda said, subject: said["lesson"].update(sha256="0" * 64),
            "the subjects and the predicate have different digests",
        ),
        (
            lambda said, subject: said["plan"].update(sha256="0" * 64),
            "the subjects and the predicate have different digests",
        ),
        (
            lambda said, subject: said["policy"].update(sha256="0" * 64),
            "its policy does not match the policy's digest",
        ),
        (lambda said, subject: said.update({"class": "host"}), "the class host does not fit the target n150"),
        (
            lambda said, subject: said.update(target="emulated"),
            "the class silicon does not fit the target emulated",
        ),
        (
            lambda said, subject: said.update(issued="2026-02-30T00:00:00Z"),
            "it has an invalid time: day is out of range for month",
        ),
        (
            lambda said, subject: said["passes"][0].update(finished="2026-01-01T25:00:00Z"),
            "it has an invalid time: hour must be in 0..23",
        ),
    ],
)
def test_contradictory_statements(predicate: dict[str, Any], change: Change, why: str) -> None:
    statement = json.loads(payloads(predicate, DIGESTS, ())[1])
    change(statement["predicate"], statement["subject"])
    assert broken(canonical(statement)) == why


@pytest.mark.parametrize("kind", ["emulated", "simulator", "host"])
def test_a_class_that_is_not_a_board(predicate: dict[str, Any], kind: str) -> None:
    predicate.update({"class": kind, "target": kind})
    assert read_certificate(payloads(predicate, DIGESTS, ())[1]).kind == kind
