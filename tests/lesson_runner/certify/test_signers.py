"""A signer with a trusted key tries to make the evidence look better than it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.lesson_runner.certify.forgery import edit_records, resign
from tests.lesson_runner.certify.garden import LESSON, Bench

from lesson_runner.certify.store import StoredCertificate
from lesson_runner.document.lessons import load_lesson
from lesson_runner.files.canonical import canonical, digest_of
from lesson_runner.run import time_limit
from lesson_runner.run.digests import content_digest
from lesson_runner.run.hashing import file_digest

Change = Callable[[dict[str, Any]], Any]


def states(bench: Bench, *more: object) -> list[tuple[str, str]]:
    said = bench.lesson("cert", "status", "growing.md", "--json", *more)
    assert said.code == 0, said
    return [(item["state"], item["reason"]) for item in said.json["standings"]]


def test_a_weaker_plan_that_claims_another_version(certified: Bench) -> None:
    """It may be true, so it is not called a forgery; but it cannot be verified."""

    def weaken(stored: StoredCertificate, predicate: dict[str, Any]) -> None:
        steps = json.loads(stored.plan.read_bytes())
        for step in steps:
            step["expect"] = [{"matcher": "contains", "argument": "b", "when": {}}]
        stored.plan.write_bytes(canonical(steps))

        def edit(record: dict[str, Any]) -> None:
            record["plan_digest"] = file_digest(stored.plan)
            record["versions"]["lesson-runner"] = "0.0.1"
            verdict = {"matcher": "contains", "expected": "b", "actual": "found", "passed": True}
            for step in record["steps"]:
                step["verdicts"] = [verdict]

        edit_records(stored, edit)
        predicate["toolchain"]["versions"]["lesson-runner"] = "0.0.1"

    resign(certified, weaken)
    refused = certified.verify()
    assert refused["check"] == "not re-evaluable"
    assert (
        "the lesson is planned differently here; versions that differ: lesson-runner (then 0.0.1, here "
        in (refused["message"])
    )


@pytest.mark.parametrize("steps", [b"[1]", b"{}", b'[{"action": []}]', b"[", b'[{"id": 1, "id": 2}]'])
def test_an_invalid_plan(certified: Bench, steps: bytes) -> None:
    def change(stored: StoredCertificate, predicate: dict[str, Any]) -> None:
        stored.plan.write_bytes(steps)

    resign(certified, change)
    assert certified.verify()["check"] == "plan"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda said: said["lesson"].update(title="Better"), "lesson"),
        (lambda said: said["hardware"].update(detectedBy="looking at it"), "hardware"),
        (lambda said: said["passes"][0].update(seconds=1), "passes"),
        (lambda said: said["passes"][0].update(labels=["a label"]), "passes"),
        (lambda said: said["passes"][1].update(started="2020-01-01T00:00:00Z"), "passes"),
        (lambda said: said["toolchain"]["facts"].update(metal={"version": "v9.9.9"}), "toolchain"),
        (lambda said: said["toolchain"]["versions"].update(python="9"), "toolchain"),
        (lambda said: said["plan"].update(steps=["grow"]), "plan"),
    ],
)
def test_a_certificate_that_contradicts_its_runs(certified: Bench, change: Change, key: str) -> None:
    resign(certified, lambda stored, predicate: change(predicate))
    refused = certified.verify()
    assert refused["check"] == ("hardware" if key == "hardware" else "statement")
    assert refused["message"].startswith(f"its {key} does not match its runs: ")


def replace(old: bytes, new: bytes, line: int = 1) -> Callable[[list[bytes]], list[bytes]]:
    def change(both: list[bytes]) -> list[bytes]:
        assert old in both[line]
        both[line] = both[line].replace(old, new, 1)
        return both[line : line + 1] if line else both

    return change


DEEP = b'"facts":{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"facts":{}', b'"facts":{"a":1,"a":2}', "the key 'a' appears twice in one object"),
        (b'"facts":{}', b'"facts":{"a":NaN}', "NaN is not JSON"),
        (b'"facts":{}', DEEP, "nested too deeply"),
        (b'"facts":{}', b'"facts":{"a":' + b"[" * 150 + b"]" * 150 + b"}", "nested too deeply"),
        (
            b'"subject":[',
            b'"subject":[{"digest":{"sha256":"0"},"name":"plan/growing"},',
            "names a subject twice",
        ),
        (b'"issued":"20', b'"issued":"9999-99-99T00:00:00Z","x":"', "unknown key 'x'"),
    ],
)
def test_a_statement_that_parsers_read_differently(
    certified: Bench, old: bytes, new: bytes, message: str
) -> None:
    resign(certified, lambda stored, predicate: None, replace(old, new))
    refused = certified.verify()
    assert (refused["check"], message in refused["message"]) == ("statement", True), refused
    assert states(certified)[0][0] == "never run"  # one bad certificate does not affect the others


@pytest.mark.parametrize("key", ["issued", "finished"])
def test_an_invalid_time(certified: Bench, key: str) -> None:
    def change(stored: StoredCertificate, predicate: dict[str, Any]) -> None:
        (predicate if key == "issued" else predicate["passes"][0])[key] = "2026-99-99T00:00:00.0Z"

    resign(certified, change)
    assert "it has an invalid time" in certified.verify()["message"]
    assert states(certified)[0][0] == "never run"


def test_the_statement_for_other_tools_must_match(certified: Bench) -> None:
    resign(
        certified, lambda stored, predicate: None, replace(b'["grow","tell"]', b'["grow","tell","more"]', 0)
    )
    refused = certified.verify()
    assert (refused["check"], "for other tools" in refused["message"]) == ("statement", True)


def shift(stored: StoredCertificate, predicate: dict[str, Any], days: int) -> None:
    """Make runs older or younger than they are."""

    def moved(text: str) -> str:
        time = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ") + timedelta(days=days)
        return f"{time:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"

    def edit(item: dict[str, Any]) -> None:
        item.update(started=moved(item["started"]), finished=moved(item["finished"]))

    edit_records(stored, edit)
    for item in predicate["passes"]:
        edit(item)


def test_signing_old_runs_again_does_not_renew_them(certified: Bench) -> None:
    resign(certified, lambda stored, predicate: shift(stored, predicate, -200))
    refused = certified.verify()
    assert refused["check"] == "time"
    assert (
        refused["message"]
        == "it has expired: its runs are 200 days old; under its policy it is valid for 180"
    )
    assert states(certified)[0] == ("stale", "200 days old; it is valid for 180")


def test_runs_from_the_future_do_not_count(certified: Bench) -> None:
    resign(certified, lambda stored, predicate: shift(stored, predicate, 3000))
    state, reason = states(certified)[0]
    assert (state, " finished in the future: " in reason) == ("stale", True)
    assert certified.verify()["check"] == "time"


@pytest.mark.parametrize(
    ("change", "check", "message"),
    [
        (lambda record: record.update(status="failed"), "policy", "every step passed"),
        (lambda record: record.update(started="2020-01-01T00:00:00Z"), "policy", "started before"),
        (
            lambda record: record.update(finished="2020-01-01T00:00:00Z"),
            "policy",
            "finished before it started",
        ),
        (lambda record: record.update(finished="2020-13-01T00:00:00Z"), "policy", "invalid time"),
        (lambda record: record.update(backend="emulated"), "policy", "made on a board"),
        (
            lambda record: record["steps"].insert(0, {**record["steps"][0], "status": "failed"}),
            "evidence",
            "two steps with the same id",
        ),
        (lambda record: record["facts"].update(a=DEPTHS), "evidence", "nested too deeply"),
    ],
)
def test_an_invented_record(certified: Bench, change: Change, check: str, message: str) -> None:
    resign(certified, lambda stored, predicate: edit_records(stored, change))
    refused = certified.verify()
    assert (refused["check"], message in refused["message"]) == (check, True), refused


DEPTHS: list[Any] = []
for _ in range(200):
    DEPTHS = [DEPTHS]


def test_a_lesson_that_does_not_validate(certified: Bench) -> None:
    def change(stored: StoredCertificate, predicate: dict[str, Any]) -> None:
        text = stored.lesson.read_text().replace("supportedHardware:", "supportedHardware: 5\nnote:")
        stored.lesson.write_text(text)
        predicate["lesson"]["sha256"] = content_digest(load_lesson(stored.lesson)[0])

    resign(certified, change)
    refused = certified.verify()
    assert (refused["check"], "does not validate" in refused["message"]) == ("lesson", True)


def test_a_custom_policy_under_a_built_in_name(certified: Bench) -> None:
    def change(stored: StoredCertificate, predicate: dict[str, Any]) -> None:
        predicate["policy"]["content"]["passes"] = 1
        predicate["policy"]["sha256"] = digest_of(predicate["policy"]["content"])

    resign(certified, change)
    assert certified.verify()["notes"] == [
        "its policy 'board' differs from the built-in one of that name; to use that: --policy board"
    ]
    assert states(certified)[0] == ("stale", "the policy 'board' changed")


def test_a_policy_may_not_have_the_name_of_a_built_in_one(bench: Bench) -> None:
    content = {"policy_version": 1, "name": "board", "summary": "s", "classes": ["silicon"], "passes": 1}
    (bench.folder / "mine.yaml").write_text(json.dumps(content))
    said = bench.certify("--policy", "mine.yaml")
    assert (said.code, "give it another 'name'" in said.err) == (2, True)


def test_apply_verifies_the_evidence_too(certified: Bench) -> None:
    certified.write()
    (certified.certificate / "evidence" / "plan.json").unlink()
    assert states(certified)[0][0] == "certified"  # the status checks only signatures
    before = (certified.folder / "growing.md").read_bytes()
    said = certified.lesson("cert", "apply", "growing.md", "--yes")
    assert (said.code, "n150: " in said.err, "[plan]" in said.err) == (5, True, True)
    assert (certified.folder / "growing.md").read_bytes() == before


def test_a_private_key_file_that_was_replaced(bench: Bench) -> None:
    bench.lesson("cert", "keys", "new", "you")
    keys = bench.folder / "home" / "config" / "keys"
    (keys / "me.pem").write_bytes((keys / "you.pem").read_bytes())
    said = bench.certify("--key", "me")
    assert (said.code, "is not the private half of the key 'me'" in said.err) == (2, True)


def test_judging_ends(certified: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limit, "MOST_SECONDS", 0.000_001)
    refused = certified.verify()
    assert (refused["check"], "it took more than" in refused["message"]) == ("not re-evaluable", True)


def test_a_pattern_that_would_take_years(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_limit, "MOST_SECONDS", 0.05)
    for old, new in (
        (r'regex: "^beans: \\d+$"', 'regex: "^(a|a)*$"'),
        ("expect: [{regex", 'capture: {x: "^((?:a|a)*)$"}\nexpect: [{regex'),
    ):
        bench.write(LESSON.replace("echo beans: 5", f"echo beans: 5; echo {'a' * 40}b").replace(old, new))
        said = bench.lesson("run", "growing.md", "--allow", "shell", "--json")
        assert said.code == 1
        step = said.json["steps"][1]
        assert (step["status"], "it took more than" in step["message"]) == ("error", True)


def test_the_certificate_keeps_the_lesson_as_it_was_run(bench: Bench) -> None:
    """The author may edit the file while it runs for hours."""
    here = bench.folder / "growing.md"
    bench.write(LESSON.replace("echo beans: 5", f"echo beans: 5; echo more >> {here}"))
    text = here.read_text()
    assert bench.certify().code == 0
    assert here.read_text() == text + "more\nmore\n"
    assert bench.verify()["holds"]
    assert Path(bench.certificate, "evidence", "lesson.md").read_text() == text
