"""Hostile bundles, key files and signers, and what a killed command leaves."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from tests.lesson_runner.certify.forgery import edit_records, resign
from tests.lesson_runner.certify.garden import Bench
from tests.lesson_runner.certify.test_keys import keys

from lesson_runner.certify.store import STAGING, StoredCertificate, remove_abandoned, staging_folder

FORGED = "0\n✓ the certificate is valid\n::set-output name=a::b"


@pytest.mark.parametrize("keyid", [FORGED, "0" * 63, "0" * 65, "G" * 64, "x" * 100_000])
def test_a_keyid_has_one_form(certified: Bench, keyid: str) -> None:
    bundle = certified.certificate / "certificate.intoto.jsonl"
    envelopes = [json.loads(row) for row in bundle.read_text().splitlines()]
    for envelope in envelopes:
        envelope["signatures"][0]["keyid"] = keyid
    bundle.write_text("".join(f"{json.dumps(envelope)}\n" for envelope in envelopes))
    message = "line 1: a keyid is not the sha256 of a key (64 hex digits)"
    assert certified.verify()["message"] == message
    for words in (("cert", "verify", certified.certificate), ("cert", "status"), ("matrix",)):
        said = certified.lesson(*words)
        assert "the certificate is valid" not in said.out + said.err
        assert not any(row.startswith(("✓", "::")) for row in (said.out + said.err).splitlines())
        assert len(said.err) < 2000


def test_a_key_file_contains_only_a_key(bench: Bench) -> None:
    pem = bench.lesson("cert", "keys", "list", "me").out
    shutil.rmtree(keys(bench))
    for text in (
        f"\x1b[2Jhello\n{pem}",
        f"{pem}hello\n",
        f"{pem}{pem}",
        pem.replace("\n", "\nProc-Type: 4\n", 1),
    ):
        (bench.folder / "k.pem").write_text(text)
        said = bench.lesson("cert", "keys", "trust", "them", "k.pem")
        assert (said.code, "k.pem: is not a key in PEM, or not only a key" in said.err) == (2, True), said
    (bench.folder / "k.pem").write_text(f"\n{pem}".replace("\n", "\r\n"))
    assert bench.lesson("cert", "keys", "trust", "them", "k.pem").code == 0
    assert bench.lesson("cert", "keys", "list", "them").out == pem
    # A key that an older version stored is not printed either.
    path = keys(bench) / "them.json"
    entry = json.loads(path.read_text())
    path.write_text(json.dumps({**entry, "public": f"\x1b[2J{pem}"}))
    said = bench.lesson("cert", "keys", "list", "them")
    assert (said.code, said.out, "\x1b" in said.err) == (2, "", False)


def test_a_key_file_is_plain_and_small(bench: Bench) -> None:
    os.mkfifo(bench.folder / "pipe")
    (bench.folder / "large").write_bytes(b"\n" * 20_000)
    for name, why in (
        ("pipe", "it is not a plain file"),
        ("large", "at most 16,384"),
        ("/dev/zero", "plain file"),
    ):
        said = bench.lesson("cert", "keys", "trust", "them", name)
        assert (said.code, why in said.err.lower()) == (2, True), said


@pytest.mark.parametrize("name", ["", "me.json", "me.pem"])
@pytest.mark.parametrize("mode", [0o020, 0o002])
def test_keys_that_others_can_write_do_not_count(certified: Bench, name: str, mode: int) -> None:
    path = keys(certified) / name
    path.chmod((path.stat().st_mode & 0o777) | mode)
    said = (
        certified.certify() if name == "me.pem" else certified.lesson("cert", "verify", certified.certificate)
    )
    assert said.code == 2, said
    assert ("other users can" in said.err, "chmod" in said.err) == (True, True)


def test_a_named_key_file_that_others_can_write(certified: Bench) -> None:
    public = certified.folder / "me.pub"
    public.write_text(certified.lesson("cert", "keys", "list", "me").out)
    assert certified.verify("--key", public)["holds"]
    public.chmod(0o666)
    said = certified.lesson("cert", "verify", certified.certificate, "--key", public)
    assert (said.code, f"chmod go-w {public}" in said.err) == (2, True), said


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_keys_of_another_user_do_not_count(certified: Bench) -> None:
    os.chown(keys(certified) / "me.json", 12345, -1)
    said = certified.lesson("cert", "verify", certified.certificate)
    assert (said.code, "belongs to another user (uid 12345)" in said.err) == (2, True), said


def stamp(minutes: int) -> str:
    """The time so many minutes from now."""
    return f"{datetime.now(timezone.utc) + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"issued": -1440}, "it was issued ("),
        ({"issued": 1440}, "it was issued in the future: "),
        (
            {"finished": "2099-01-01T00:00:00Z", "issued": "2099-01-02T00:00:00Z"},
            "finished in the future: 2099-",
        ),
        ({"finished": 60}, "finished in the future: "),
        ({"started": 4}, "finished before it started"),
    ],
    ids=str,
)
def test_impossible_times(certified: Bench, change: dict[str, str | int], why: str) -> None:
    times = {key: stamp(item) if isinstance(item, int) else item for key, item in change.items()}

    def edit(stored: StoredCertificate, predicate: dict[str, Any]) -> None:
        predicate.update({key: time for key, time in times.items() if key == "issued"})
        of_run = {key: time for key, time in times.items() if key != "issued"}
        predicate["passes"][-1].update(of_run)
        edit_records(stored, lambda record: record.update(of_run))

    resign(certified, edit)
    refused = certified.verify()
    assert (refused["check"], why in refused["message"]) == ("time", True), refused
    (standing,) = [
        item
        for item in certified.lesson("cert", "status", "growing.md", "--json").json["standings"]
        if item["hardware"] == "n150"
    ]
    assert (standing["state"], why in standing["reason"]) == ("stale", True), standing


def test_clocks_may_differ_a_little(certified: Bench) -> None:
    resign(certified, lambda stored, predicate: predicate.update(issued=stamp(minutes=4)))
    assert certified.verify()["holds"]


def metric(value: float) -> Callable[[dict[str, Any]], Any]:
    return lambda record: record["steps"][0]["metrics"].update(beans=value)


def number(record: dict[str, Any]) -> None:
    (verdict,) = (item for item in record["steps"][0]["verdicts"] if item["matcher"] == "metric")
    verdict["actual"] = "beans = 500"


def claim(record: dict[str, Any]) -> None:
    said = {"claim": "9 <= beans", "source": "me", "actual": "9", "result": "reproduced", "reason": ""}
    record["steps"][0]["claims"].append(said)


def label(record: dict[str, Any]) -> None:
    record["steps"][0]["labels"].append("synthetic dataset")


@pytest.mark.parametrize(
    ("change", "check", "why"),
    [
        (metric(6), "re-evaluation", "metric beans: recorded as 6, but the evidence shows 5"),
        (metric(5.001), "re-evaluation", "metric beans: recorded as 5.001, but the evidence shows 5"),
        (number, "re-evaluation", "recorded as beans = 500, but the evidence shows beans = 5"),
        (claim, "re-evaluation", "claim 9 <= beans: it is recorded, but the lesson does not make it"),
        (label, "evidence", "omits labels of its steps: synthetic dataset"),
    ],
)
def test_what_a_signer_records_wrongly(certified: Bench, change: Any, check: str, why: str) -> None:
    resign(certified, lambda stored, predicate: edit_records(stored, change))
    refused = certified.verify()
    assert (refused["check"], why in refused["message"]) == (check, True), refused


def test_a_claim_that_its_metrics_contradict(bench: Bench) -> None:
    from tests.lesson_runner.certify.garden import LESSON

    claims = "claims: [{metric: {name: beans, min: 9}, source: me}]\nexpect:\n  - metric"
    bench.write(LESSON.replace("expect:\n  - metric", claims, 1))
    assert bench.certify().code == 0
    assert bench.verify()["holds"]

    def better(record: dict[str, Any]) -> None:
        record["steps"][0]["claims"][0].update(result="reproduced", actual="9")

    resign(bench, lambda stored, predicate: edit_records(stored, better))
    why = "recorded as reproduced (9), but the metrics show worse (5)"
    assert why in bench.verify()["message"]
    resign(
        bench,
        lambda stored, predicate: edit_records(stored, lambda record: record["steps"][0].update(claims=[])),
    )
    assert "claim 9 <= beans: the lesson makes it, but it is not recorded" in bench.verify()["message"]


def test_metrics_that_are_only_recorded_are_noted(certified: Bench) -> None:
    assert certified.verify()["recorded_not_recomputed"] == ["grow: reported"]
    assert (
        "recorded  not recomputed: grow: reported"
        in certified.lesson("cert", "verify", certified.certificate).out
    )


def test_what_a_killed_command_leaves(certified: Bench) -> None:
    certificates = certified.certificate.parent
    left = certificates / f"{STAGING}abc"
    shutil.copytree(certified.certificate, left)
    with staging_folder(certificates) as alive:
        assert not left.exists()
        remove_abandoned(certificates)
        assert alive.exists(), "its process is alive"
    shutil.copytree(certified.certificate, left)
    said = certified.lesson("cert", "status", "growing.md")
    assert (said.code, left.exists()) == (0, False)
    assert [path.name for path in certificates.iterdir()] == [certified.certificate.name]
    shutil.copytree(certified.certificate, left)
    assert certified.certify().code == 0
    assert not left.exists()


def test_a_link_is_not_followed(certified: Bench, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").touch()
    (certified.certificate.parent / f"{STAGING}abc").symlink_to(kept)
    certified.lesson("cert", "status", "growing.md")
    assert (kept / "file").exists()
