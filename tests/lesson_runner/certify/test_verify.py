"""A certificate is worth as much as its evidence: every change is refused and named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.lesson_runner.certify.forgery import edit_records, resign
from tests.lesson_runner.certify.garden import LESSON, Bench

from lesson_runner.certify.keys import KeyStore
from lesson_runner.certify.store import StoredCertificate
from lesson_runner.certify.trust import RefusedError, open_bundle
from lesson_runner.files.canonical import canonical
from lesson_runner.run.hashing import file_digest


def flip(path: Path, index: int = 0, bit: int = 0) -> None:
    data = bytearray(path.read_bytes())
    data[index] ^= 1 << bit
    path.write_bytes(data)


def evidence(bench: Bench, name: str) -> Path:
    """Return a file of the certificate's evidence; ``RUN`` is the first run."""
    first = sorted(bench.certificate.glob("evidence/*-growing*"))[0].name
    return bench.certificate / "evidence" / name.replace("RUN", first)


@pytest.mark.parametrize(
    ("name", "check", "message"),
    [
        ("lesson.md", "lesson", "the lesson was changed after it was certified"),
        ("plan.json", "plan", "the plan was changed after it was certified"),
        ("manifest.json", "evidence", "the evidence manifest was changed after it was signed"),
        ("RUN/record.json", "evidence", "the evidence was changed after it was signed"),
        ("RUN/evidence/grow/beans.json", "evidence", "the evidence was changed after it was signed"),
        ("RUN/evidence/tell/output.txt", "evidence", "the evidence was changed after it was signed"),
    ],
)
def test_one_byte_in_a_file(certified: Bench, name: str, check: str, message: str) -> None:
    path = evidence(certified, name)
    flip(path, path.stat().st_size // 2)
    refused = certified.verify()
    assert (refused["holds"], refused["check"]) == (False, check)
    assert refused["message"].startswith(message)
    assert str(path) in refused["message"]


def signatures(bundle: bytes) -> list[list[str]]:
    return [[item["sig"] for item in json.loads(line)["signatures"]] for line in bundle.splitlines()]


@pytest.mark.parametrize(
    ("line", "part", "check", "message"),
    [
        (1, "sig", "signature", "line 2: the signature was changed, the payload was not"),
        (1, "payload", "envelope", "line 2: the payload was changed after it was signed"),
        (0, "sig", "signature", "line 1: the signature does not match the payload; one of them was changed"),
        (
            0,
            "payload",
            "signature",
            "line 1: the signature does not match the payload; one of them was changed",
        ),
        (1, "keyid", "envelope", "its lines are signed by 2 keys; expected one"),
    ],
)
def test_one_byte_in_the_bundle(certified: Bench, line: int, part: str, check: str, message: str) -> None:
    path = certified.certificate / "certificate.intoto.jsonl"
    text = path.read_text().splitlines()[line]
    where = text.index(f'"{part}":"') + len(part) + 4 + 20  # somewhere in the value
    offset = sum(len(item) + 1 for item in path.read_text().splitlines()[:line])
    other = "A" if text[where] != "A" else "B"
    changed = (
        text[:where]
        + (other if part != "keyid" else str((int(text[where], 16) + 1) % 10))
        + text[where + 1 :]
    )
    data = path.read_text()
    path.write_text(data[:offset] + changed + data[offset + len(text) :])
    refused = certified.verify()
    assert (refused["check"], refused["message"]) == (check, message)


@pytest.fixture
def bundle(certified: Bench) -> bytes:
    return (certified.certificate / "certificate.intoto.jsonl").read_bytes()


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_bit_of_the_bundle(bundle: bytes, data: st.DataObject) -> None:
    index = data.draw(
        st.integers(0, len(bundle) - 2)
    )  # the last byte is the line feed, which is optional in JSON Lines
    changed = bytearray(bundle)
    changed[index] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(RefusedError):
        open_bundle(bytes(changed), KeyStore().trusted())


NAMES = st.sampled_from(["payload", "payloadType", "signatures", "sig", "keyid"])
SHAPES = st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner))


@pytest.mark.slow
@given(st.binary(max_size=200) | SHAPES.map(lambda shape: json.dumps(shape).encode()))
def test_random_bundles(junk: bytes) -> None:
    with pytest.raises(RefusedError):
        open_bundle(junk, {})


def test_added_and_removed_files(certified: Bench) -> None:
    extra = evidence(certified, "RUN/evidence/grow/more.json")
    extra.write_text("1")
    assert "was added after it was signed" in certified.verify()["message"]
    extra.unlink()
    assert certified.verify()["holds"]
    extra.symlink_to("/etc/passwd")
    assert "was added after it was signed" in certified.verify()["message"]
    extra.unlink()
    evidence(certified, "RUN/evidence/tell/output.txt").unlink()
    assert "is missing after it was signed" in certified.verify()["message"]
    shutil.rmtree(certified.certificate / "evidence")
    assert certified.verify()["fix"] == "name its folder: --evidence DIR"


def test_signing_again_changes_nothing(certified: Bench) -> None:
    resign(certified, lambda stored, predicate: None)
    assert certified.verify()["holds"]


def test_a_verdict_that_was_changed_to_passed(bench: Bench) -> None:
    """The holder of the key makes a failed run look as if it had passed."""
    bench.certify()  # a certificate to start from
    bench.lesson("run", "growing.md", "--allow", "shell", "--fresh", "--param", "beans=2")
    failed = sorted((bench.folder / ".lesson" / "runs").iterdir())[-1]
    assert json.loads((failed / "record.json").read_text())["status"] == "failed"

    def forge(stored: StoredCertificate, predicate: dict[str, Any]) -> None:
        for step in ("grow",):
            for run in stored.evidence.glob("*-growing*"):
                shutil.rmtree(run / "evidence" / step)
                shutil.copytree(failed / "evidence" / step, run / "evidence" / step)

    resign(bench, forge)
    refused = bench.verify()
    assert refused["check"] == "re-evaluation"
    assert "step grow of " in refused["message"]
    assert (
        "metric 3 <= beans: recorded as passed, but the evidence shows failed (beans = 2)"
        in refused["message"]
    )


def test_a_weaker_plan_that_was_signed(certified: Bench) -> None:
    def weaken(stored: StoredCertificate, predicate: dict[str, Any]) -> None:
        steps = json.loads(stored.plan.read_bytes())
        steps[0]["expect"] = steps[0]["expect"][1:]
        stored.plan.write_bytes(canonical(steps))
        edit_records(stored, lambda record: record.update(plan_digest=file_digest(stored.plan)))
        edit_records(stored, lambda record: record["steps"][0]["verdicts"].pop(0))

    resign(certified, weaken)
    refused = certified.verify()
    assert (refused["check"], refused["message"]) == (
        "plan",
        "the signed plan is not the lesson's plan",
    )


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda predicate: predicate.update(target="n300"), "hardware"),
        (lambda predicate: predicate["hardware"].update(chipsUsed=2), "hardware"),
        (lambda predicate: predicate.update({"class": "emulated"}), "statement"),
        (lambda predicate: predicate.update({"class": "emulated", "target": "emulated"}), "hardware"),
        (lambda predicate: predicate["lesson"].update(sha256="0" * 64), "lesson"),
        (lambda predicate: predicate["policy"].update(sha256="0" * 64), "statement"),
        (lambda predicate: predicate["policy"]["content"].update(passes=1), "statement"),
        (lambda predicate: predicate.pop("issued"), "statement"),
        (lambda predicate: predicate["passes"].pop(), "policy"),
        (lambda predicate: predicate["passes"][0].update(runId="a/../b"), "statement"),
    ],
)
def test_a_changed_predicate(certified: Bench, change: Callable[[dict[str, Any]], Any], check: str) -> None:
    resign(certified, lambda stored, predicate: change(predicate))
    assert certified.verify()["check"] == check


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda record: record.update(run_id="other"), "evidence"),
        (lambda record: record.update(plan_digest="0" * 64), "evidence"),
        (lambda record: record["lesson"].update(content_sha256="0" * 64), "evidence"),
        (lambda record: record.update(steps=[]), "re-evaluation"),
        (lambda record: record["steps"][1].update(verdicts=[]), "re-evaluation"),
        (lambda record: record["steps"][0].update(status="skipped"), "policy"),
        (lambda record: record.pop("steps"), "evidence"),
        (lambda record: record["steps"].append({**record["steps"][0], "id": "new"}), "re-evaluation"),
        (lambda record: record["options"].update(fresh=False), "policy"),
    ],
)
def test_a_changed_record(certified: Bench, change: Callable[[dict[str, Any]], Any], check: str) -> None:
    resign(certified, lambda stored, predicate: edit_records(stored, change))
    assert certified.verify()["check"] == check


def test_without_the_plugin_nothing_is_verified(certified: Bench) -> None:
    certified.plugins = []
    refused = certified.verify()
    assert refused["check"] == "not re-evaluable"
    assert "no installed plugin has the action 'garden.grow'" in refused["message"]


def test_lines_of_two_certificates(certified: Bench) -> None:
    first = (certified.certificate / "certificate.intoto.jsonl").read_bytes()
    shutil.rmtree(certified.certificate)
    certified.certify()
    path = certified.certificate / "certificate.intoto.jsonl"
    second = path.read_bytes()
    path.write_bytes(first.splitlines(True)[0] + second.splitlines(True)[1])
    assert certified.verify()["message"].endswith("a line belongs to another certificate")
    path.write_bytes(first.splitlines(True)[0])
    assert "0 statements of type urn:lesson-runner" in certified.verify()["message"]
    path.write_bytes(second.splitlines(True)[1])
    assert certified.verify()["holds"]  # the line for other tools is optional


def test_evidence_in_another_folder(certified: Bench, tmp_path: Path) -> None:
    away = tmp_path / "away"
    shutil.copytree(certified.certificate / "evidence", away / "kept")
    shutil.copy(certified.certificate / "certificate.intoto.jsonl", away / "mine.jsonl")
    said = certified.lesson("cert", "verify", away / "mine.jsonl", "--evidence", away / "kept", "--json")
    assert said.json["holds"], said
    assert certified.lesson("cert", "verify", away).code == 2
    said = certified.lesson("cert", "verify", away / "mine.jsonl")
    assert (said.code, said.err.startswith("error: ")) == (5, True)


def test_the_named_lesson(certified: Bench) -> None:
    lesson = certified.folder / "growing.md"
    assert certified.verify("--lesson", lesson)["holds"]
    certified.write(LESSON, status="validated", validatedOn=["n150"])
    lesson.write_bytes(lesson.read_bytes().replace(b"\n", b"\r\n"))
    assert certified.verify("--lesson", lesson)["holds"]
    flip(lesson, lesson.stat().st_size - 10)
    refused = certified.verify("--lesson", lesson)
    assert (refused["check"], "its text differs" in refused["message"]) == ("lesson", True)
