"""A certificate folder from an untrusted sender: nothing outside it is read, and nothing blocks."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.lesson_runner.certify.garden import Bench, garden

from lesson_runner.model import Hardware


def pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def endless(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero")


def vast(path: Path) -> None:
    with path.open("ab") as file:
        file.truncate(1 << 40)  # a sparse file


def twin(path: Path) -> None:
    """A link to the same content elsewhere."""
    other = Path(str(path).partition("/.lesson/")[0], "twin")
    shutil.move(path, other)
    path.symlink_to(other)


def evidence(bench: Bench, name: str) -> Path:
    first = sorted(bench.certificate.glob("evidence/*-growing*"))[0].name
    return bench.certificate / "evidence" / name.replace("RUN", first)


@pytest.mark.parametrize("make", [pipe, endless, vast, twin], ids=lambda make: make.__name__)
@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("lesson.md", "lesson"),
        ("plan.json", "plan"),
        ("manifest.json", "evidence"),
        ("RUN/record.json", "evidence"),
        ("RUN/evidence/tell/output.txt", "evidence"),
    ],
)
def test_evidence_files_that_are_not_plain(
    certified: Bench, make: Callable[[Path], None], name: str, check: str
) -> None:
    path = evidence(certified, name)
    make(path)
    refused = certified.verify()
    assert (refused["holds"], refused["check"]) == (False, check)
    assert str(path) in refused["message"]


@pytest.mark.parametrize("make", [pipe, endless], ids=lambda make: make.__name__)
def test_added_files(certified: Bench, make: Callable[[Path], None]) -> None:
    for name in ("RUN/more", "more", ".hidden"):
        path = evidence(certified, name)
        make(path)
        assert certified.verify()["message"] == f"the evidence was added after it was signed: {path}"
        path.unlink()
    assert certified.verify()["holds"]


def test_a_run_folder_that_is_a_link(certified: Bench, tmp_path: Path) -> None:
    run = evidence(certified, "RUN")
    shutil.move(run, tmp_path / "moved")
    run.symlink_to(tmp_path / "moved")
    assert certified.verify()["check"] == "evidence"


@pytest.mark.parametrize("make", [pipe, endless, vast], ids=lambda make: make.__name__)
def test_an_invalid_bundle_does_not_affect_others(certified: Bench, make: Callable[[Path], None]) -> None:
    other = certified.folder / ".lesson" / "certificates" / "other"
    other.mkdir()
    make(other / "certificate.intoto.jsonl")
    said = certified.lesson("cert", "status", "growing.md", "--json").json
    assert [item["state"] for item in said["standings"]] == ["certified", "never run"]
    assert [item["why"].startswith("the bundle cannot be read: it ") for item in said["refused"]] == [True]


def test_untrusted_certificates_add_no_column(certified: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    home = str(certified.folder / "home")
    monkeypatch.setenv("LESSON_HOME", str(certified.folder / "strange"))
    certified.lesson("cert", "keys", "new", "stranger")
    garden.hardware = Hardware("galaxy", "a test", 1)
    (certified.folder / "any.yaml").write_text(json.dumps(ANY))
    assert certified.certify("--policy", "any.yaml").code == 0
    monkeypatch.setenv("LESSON_HOME", home)
    shutil.rmtree(certified.folder / ".lesson" / "runs")
    said = certified.lesson("cert", "status", "growing.md", "--json").json
    assert [item["hardware"] for item in said["standings"]] == ["n150", "n300"]
    assert "signed by a key that is not trusted here" in said["refused"][0]["why"]


ANY = {"policy_version": 1, "name": "any", "summary": "s", "classes": ["silicon"], "passes": 1}


def test_only_signed_files_are_imported(certified: Bench) -> None:
    away = certified.folder / "away"
    shutil.copytree(certified.certificate, away)
    (away / "evidence" / "run.sh").write_text("echo hello")
    said = certified.lesson("cert", "import", "away", "--workspace", "other")
    assert (said.code, "run.sh [evidence]" in said.out) == (5, True)
    assert list((certified.folder / "other").rglob("run.sh")) == []
    (away / "evidence" / "run.sh").unlink()
    (away / "run.sh").write_text("echo hello")  # other files next to the bundle are not imported
    assert certified.lesson("cert", "import", "away", "--workspace", "other").code == 0
    assert list((certified.folder / "other").rglob("run.sh")) == []


def test_a_line_that_parsers_read_differently(certified: Bench) -> None:
    path = certified.certificate / "certificate.intoto.jsonl"
    lines = path.read_text().splitlines()
    other = json.loads(lines[0])["payload"]
    path.write_text(lines[1].replace('"payload":', f'"payload":"{other}","payload":') + "\n")
    refused = certified.verify()
    assert refused["check"] == "envelope"
    assert "the key 'payload' appears twice in one object" in refused["message"]


def test_naming_a_revoked_key_does_not_restore_it(certified: Bench) -> None:
    public = certified.folder / "me.pub"
    public.write_text(certified.lesson("cert", "keys", "list", "me").out)
    assert certified.lesson("cert", "keys", "revoke", "me", "--reason", "stolen").code == 0
    assert certified.verify("--key", public)["message"].endswith("the key 'me', which was revoked: stolen")


@pytest.mark.parametrize("run_id", ["../../../../escaped", "/tmp/escaped", "a/b", ".", "a\n", ""])
def test_a_run_id_that_leads_out_of_the_folder(bench: Bench, run_id: str) -> None:
    bench.lesson("run", "growing.md", "--allow", "shell", "--fresh")
    (run,) = (bench.folder / ".lesson" / "runs").iterdir()
    shutil.move(run, bench.folder / "given")
    record = json.loads((bench.folder / "given" / "record.json").read_text())
    (bench.folder / "given" / "record.json").write_text(json.dumps({**record, "run_id": run_id}))
    said = bench.certify("--from-run", "given")
    assert (said.code, "record.json: run_id" in said.err) == (2, True)
    assert list(bench.folder.rglob("escaped")) == []
