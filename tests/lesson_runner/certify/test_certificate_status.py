"""Certificate status of lessons: certified, text changed, stale, failed, never run, not supported."""

from __future__ import annotations

import json
import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from tests.lesson_runner.certify.garden import LESSON, Bench, garden

from lesson_runner.certify.certificate_index import index_certificates
from lesson_runner.certify.certificate_status import CertificateStatuses, LoadedLesson
from lesson_runner.certify.keys import KeyStore
from lesson_runner.certify.policy import shipped_policies
from lesson_runner.document.lessons import load_lesson
from lesson_runner.model import Hardware
from lesson_runner.report.formats import MATRICES
from lesson_runner.testing import load_plugins


def states(bench: Bench, *more: object) -> dict[str, tuple[str, str]]:
    said = bench.lesson("cert", "status", "growing.md", "--json", *more)
    assert said.code == 0, said
    return {item["hardware"]: (item["state"], item["reason"]) for item in said.json["standings"]}


def test_certified_on_one_board_and_never_run_on_another(certified: Bench) -> None:
    assert states(certified) == {"n150": ("certified", ""), "n300": ("never run", "")}


def test_prose_may_change(certified: Bench) -> None:
    certified.write(LESSON.replace("# Growing", "# Growing beans"))
    assert states(certified)["n150"] == ("text changed", "")


def test_applied_frontmatter_is_not_a_change(certified: Bench) -> None:
    certified.write(status="validated", validatedOn=["n150"], validationDate="2026-01-01")
    assert states(certified)["n150"] == ("certified", "")


@pytest.mark.parametrize(
    ("text", "front", "reason"),
    [
        (LESSON.replace("min: 3", "min: 4"), {}, "the plan changed"),
        (LESSON.replace("echo beans: 5", "echo  beans: 5"), {}, "the plan changed"),
        (LESSON.replace("uses: garden.grow", "uses: garden.gone"), {}, "it cannot be planned: "),
        (LESSON, {"minTTMetalVersion": "v0.67.0"}, "metal.version was None; the lesson needs v0.67.0 now"),
    ],
)
def test_stale(certified: Bench, text: str, front: dict[str, Any], reason: str) -> None:
    certified.write(text, **front)
    state, why = states(certified)["n150"]
    assert (state, why.startswith(reason)) == ("stale", True), why


def test_stale_by_policy(certified: Bench) -> None:
    policy = certified.folder / "board.yaml"
    content = {"policy_version": 1, "name": "board", "summary": "s", "classes": ["silicon"], "passes": 1}
    policy.write_text(json.dumps(content))
    assert states(certified, "--policy", policy)["n150"] == ("stale", "the policy 'board' changed")
    policy.write_text(json.dumps({**content, "name": "strict"}))
    assert states(certified, "--policy", policy)["n150"] == (
        "stale",
        "signed under the policy 'board', not 'strict'",
    )


@pytest.mark.parametrize(("days", "state"), [(180, "certified"), (181, "stale")])
def test_stale_by_age(certified: Bench, days: int, state: str) -> None:
    index = index_certificates([certified.folder / ".lesson"], KeyStore().trusted())
    (opened,) = index.open_latest_first("growing", "n150")
    today = opened.certificate.valid_from + timedelta(days=days, hours=1)
    lesson, problems = load_lesson(certified.folder / "growing.md")
    statuses = CertificateStatuses(index, shipped_policies().values(), load_plugins(garden), today=today)
    found = statuses.of(LoadedLesson(lesson, tuple(problems)), "n150")
    assert (found.state, found.reason) == (
        state,
        "" if state == "certified" else "181 days old; it is valid for 180",
    )


def test_a_bundle_with_another_layout(certified: Bench) -> None:
    bundle = certified.certificate / "certificate.intoto.jsonl"
    first, second = bundle.read_bytes().splitlines()
    for lines in ([second, b"", b""], [second, first], [b" ", first, second, b" "]):
        bundle.write_bytes(b"\n".join(lines))
        assert certified.verify()["holds"]
        assert states(certified)["n150"] == ("certified", "")


def test_an_older_certificate_counts_if_a_later_one_does_not(certified: Bench) -> None:
    (certified.folder / "mine.yaml").write_text(json.dumps({**MINE, "name": "mine"}))
    assert certified.certify("--policy", "mine.yaml").code == 0
    assert states(certified)["n150"] == ("certified", "")
    assert states(certified, "--policy", "mine.yaml")["n150"] == ("certified", "")
    (certified.folder / "mine.yaml").write_text(json.dumps({**MINE, "name": "other"}))
    assert states(certified, "--policy", "mine.yaml")["n150"] == (
        "stale",
        "signed under the policy 'mine', not 'other'",  # of several, the reason for the latest
    )


MINE = {"policy_version": 1, "summary": "s", "classes": ["silicon"], "passes": 1}


def test_hardware_that_the_lesson_no_longer_supports(certified: Bench) -> None:
    certified.write(supportedHardware=["n300"])
    assert "n150" not in states(certified)
    said = certified.lesson("cert", "apply", "growing.md", "--yes")
    assert (said.code, "no valid certificate of a board" in said.err) == (5, True)


def test_a_run_that_failed_later(certified: Bench) -> None:
    certified.lesson("run", "growing.md", "--allow", "shell", "--param", "beans=2")
    assert states(certified)["n150"] == ("failed", "step grow")
    certified.lesson(
        "run", "growing.md", "--allow", "shell", "--only", "tell"
    )  # a partial run does not count
    assert states(certified)["n150"][0] == "failed"
    assert certified.certify().code == 0
    assert states(certified)["n150"][0] == "certified"


def test_a_failure_on_other_hardware_does_not_count(certified: Bench) -> None:
    garden.hardware = Hardware("n300", "a test", 2)
    certified.lesson("run", "growing.md", "--allow", "shell", "--param", "beans=2")
    assert states(certified) == {"n150": ("certified", ""), "n300": ("failed", "step grow")}


def test_refused_certificates_are_listed(certified: Bench) -> None:
    bundle = certified.certificate / "certificate.intoto.jsonl"
    bundle.write_bytes(bundle.read_bytes().replace(b'"sig":"', b'"sig":"A', 1))
    said = certified.lesson("cert", "status", "growing.md", "--json").json
    assert said["standings"][0]["state"] == "never run"
    assert said["refused"][0]["file"] == str(bundle.relative_to(certified.folder))
    shown = certified.lesson("cert", "status", "growing.md").out.replace("\n", "")
    assert "does not count: the bundle was changed or damaged" in shown


def emulate(bench: Bench) -> None:
    garden.hardware, garden.labels = Hardware("none", "a test", 0, "none"), ("emulated",)
    assert bench.certify("--policy", "emulated").code == 0


def test_the_emulation_has_a_separate_column(bench: Bench) -> None:
    emulate(bench)
    assert states(bench) == {
        "n150": ("never run", ""),
        "n300": ("never run", ""),
        "emulated": ("certified", ""),
    }


@pytest.fixture
def several(certified: Bench) -> Bench:
    """Lessons in a folder: one certified, one not supported there, one whose title would be markup."""
    folder = certified.folder / "lessons"
    folder.mkdir()
    shutil.move(certified.folder / "growing.md", folder)
    certified.write(name="lessons/other.md", supportedHardware=["p150"])
    certified.write(name="lessons/odd.md", title="<script>alert(1)</script>", supportedHardware=["n300"])
    return certified


def matrix(bench: Bench, form: str) -> str:
    said = bench.lesson("matrix", "--lessons", "lessons", "--format", form)
    assert said.code == 0, said
    out: str = said.out
    return out


def test_matrix(several: Bench) -> None:
    found = {
        (item["lesson"], item["hardware"]): item["state"] for item in json.loads(matrix(several, "json"))
    }
    assert found["growing", "n150"] == "certified"
    assert found["growing", "p150"] == found["other", "n150"] == "not supported"
    assert found["other", "p150"] == "never run"
    assert len(found) == 9
    text = matrix(several, "text")
    assert [row.split() for row in text.splitlines()[:4]] == [
        ["lesson", "n150", "n300", "p150"],
        ["growing", "✓", "·", "-"],
        ["odd", "-", "·", "-"],
        ["other", "-", "-", "·"],
    ]
    rows = matrix(several, "markdown").splitlines()
    assert rows[2] == "| growing | ✓ certified | · never run | - not supported |"


def test_matrix_as_a_page(several: Bench) -> None:
    page = matrix(several, "html")
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)=", page)
    assert "1 of 4 pairs of a lesson and a board it supports are certified." in page


def test_unreadable_documents_are_listed_and_left_out(several: Bench) -> None:
    folder = several.folder / "lessons"
    (folder / "README.md").write_text("# What is in here\n")
    (folder / "broken.md").write_text("---\nid: [\n---\n")
    (folder / "odd-id.md").write_text("---\nid: [1]\n---\n")
    (folder / "empty.md").write_text("---\nid: empty\nsupportedHardware:\n---\n")
    (folder / "nested.md").write_text('---\nid: "a\\eb"\nsupportedHardware: [[n150]]\n---\n')
    for form in MATRICES.names:
        said = several.lesson("matrix", "--lessons", "lessons", "--format", form)
        assert said.code == 0, said
        assert [line.split(":")[1] for line in said.err.splitlines()] == [
            " lessons/broken.md",
            " lessons/nested.md",
            " lessons/odd-id.md",
        ]
    said = several.lesson("matrix", "lessons/nested.md", "--format", "svg-badge")
    ElementTree.fromstring(said.out)
    certs = several.folder / ".lesson"
    assert several.lesson("validate", "lessons/empty.md", "--certs", certs).code == 0


def test_badges(several: Bench) -> None:
    ElementTree.fromstring(matrix(several, "svg-badge"))
    assert "certified: 1 of 4" in matrix(several, "svg-badge")
    said = several.lesson("matrix", "lessons/growing.md", "--format", "svg-badge", "-o", "badge.svg")
    assert said.code == 0
    assert "growing certified: n150" in (several.folder / "badge.svg").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "pdf"], f"--format pdf: expected one of {', '.join(MATRICES.names)}"),
        (["--certs", "none"], "--certs none: no such folder"),
        (["--lessons", "none"], "--lessons none: no such folder"),
        (["none.md"], "none.md: no such file"),
        (["--policy", "bord"], "did you mean 'board'"),
        (["--lessons", "lessons", "-o", "lessons"], "lessons: cannot be written"),
    ],
)
def test_wrong_matrix_options(several: Bench, arguments: list[str], message: str) -> None:
    said = several.lesson("matrix", *arguments)
    assert (said.code, message in said.err) == (2, True), said


def test_validating_claims(certified: Bench) -> None:
    certs = ["--certs", certified.folder / ".lesson" / "certificates"]
    certified.write(status="validated", validatedOn=["n150"], validationDate="2026-01-01")
    assert certified.lesson("validate", "growing.md", *certs).code == 0
    certified.write(status="validated", validatedOn=["n150", "n300"], validationDate="2026-01-01")
    assert certified.lesson("validate", "growing.md").code == 0  # claims are checked only with --certs
    said = certified.lesson("validate", "growing.md", "--json", *certs)
    (finding,) = said.json["findings"]
    assert said.code == 1
    assert finding["rule"] == "validated-without-certificate"
    assert finding["message"] == ("validated on 'n300' without a valid certificate: never run")
    line = (certified.folder / "growing.md").read_text().splitlines()[finding["line"] - 1]
    assert line.startswith("validatedOn")
    assert certified.lesson("validate", "growing.md", "--certs", "none").code == 2


def test_validating_claims_under_a_custom_policy(bench: Bench) -> None:
    (bench.folder / "mine.yaml").write_text(json.dumps({**MINE, "name": "mine"}))
    assert bench.certify("--policy", "mine.yaml").code == 0
    bench.write(status="validated", validatedOn=["n150"], validationDate="2026-01-01")
    certs = ["--certs", bench.folder / ".lesson" / "certificates"]
    said = bench.lesson("validate", "growing.md", *certs)
    assert (said.code, "signed under the policy 'mine', not 'board'" in said.out) == (1, True)
    assert bench.lesson("validate", "growing.md", *certs, "--policy", "mine.yaml").code == 0
    said = bench.lesson("validate", "growing.md", "--policy", "mine.yaml")
    assert (said.code, "--policy needs --certs" in said.err) == (2, True)


FRONT = """---
# A lesson about beans.
id: growing
title: 'Sample'   # short
description: A lesson for a test.
category: tests
tags: [test]

supportedHardware:
- n150   # the small one
- n300
{extra}---
"""


def apply(bench: Bench, extra: str, ends: str = "\n") -> tuple[Any, str]:
    """Apply certificates to a lesson with more frontmatter; return the output and the new frontmatter."""
    path = bench.folder / "growing.md"
    body = path.read_bytes().decode().split("---\n", 2)[2]
    path.write_bytes((FRONT.format(extra=extra) + body).replace("\n", ends).encode())
    said = bench.lesson("cert", "apply", "growing.md", "--yes")
    return said, path.read_bytes().decode()


@pytest.mark.parametrize(
    ("extra", "wanted"),
    [
        ("", "status: validated\nvalidatedOn: [n150]\nvalidationDate: DAY\n"),
        (
            "status: draft  # not yet\nnote: hello\n",
            "status: validated  # not yet\nnote: hello\nvalidatedOn: [n150]\nvalidationDate: DAY\n",
        ),
        (
            "validatedOn:\n- n300\n- n150\n# between\nstatus: draft\n",
            "validatedOn:\n- n150\n# between\nstatus: validated\nvalidationDate: DAY\n",
        ),
        (
            "validatedOn:\n  - n300   # once\n\nvalidationDate: 2020-01-01\nstatus: 'draft'\n",
            "validatedOn:\n  - n150\n\nvalidationDate: DAY\nstatus: validated\n",
        ),
        (
            "validatedOn:  # where\n  - n300\n  # small\n  - 'n150'   # me\nstatus: draft\n",
            "validatedOn:  # where\n  # small\n  - 'n150'   # me\nstatus: validated\nvalidationDate: DAY\n",
        ),
        (
            "validatedOn: [n300,  # once\n  n150]\nstatus: draft\n",
            "validatedOn: [n150]\nstatus: validated\nvalidationDate: DAY\n",
        ),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_apply(certified: Bench, extra: str, wanted: str, ends: str) -> None:
    certified.write()
    # A new layout does not change the lesson's content, so its certificate still applies.
    said, text = apply(certified, extra, ends)
    assert said.code == 0, said
    day = certified.verify()["certificate"]["issued"][:10]
    front = text.split(f"---{ends}", 2)[1].replace(ends, "\n")
    assert front == FRONT.format(extra=wanted.replace("DAY", day))[4:-4]
    assert said.out.startswith("--- growing.md\n+++ growing.md\n")
    assert states(certified)["n150"] == ("text changed" if "note" in extra else "certified", "")
    assert certified.lesson("cert", "apply", "growing.md", "--yes").out == "growing.md: already up to date\n"


def test_apply_asks_and_refuses(certified: Bench) -> None:
    before = (certified.folder / "growing.md").read_bytes()
    said = certified.lesson("cert", "apply", "growing.md")
    assert (said.code, "+status: validated" in said.out, "nothing was written" in said.err) == (2, True, True)
    certified.write(LESSON.replace("min: 3", "min: 4"))
    said = certified.lesson("cert", "apply", "growing.md", "--yes")
    assert (said.code, "n150: stale, the plan changed" in said.err) == (5, True)
    certified.write()
    assert (certified.folder / "growing.md").read_bytes() == before
    assert certified.lesson("cert", "apply", "none.md").code == 2


def test_apply_refuses_frontmatter_it_cannot_edit_safely(certified: Bench) -> None:
    said, text = apply(certified, '? status\n: "draft"\n')
    assert (said.code, "cannot be edited safely" in said.err) == (2, True)
    assert '? status\n: "draft"\n' in text


def test_the_emulation_is_never_applied(bench: Bench) -> None:
    emulate(bench)
    said = bench.lesson("cert", "apply", "growing.md", "--yes")
    assert (said.code, "no valid certificate of a board" in said.err) == (5, True)


def test_import(certified: Bench, tmp_path: Path) -> None:
    away = tmp_path / "downloads" / "artifact"
    shutil.move(certified.folder / ".lesson" / "certificates", away)
    shutil.copytree(next(away.iterdir()), away / "damaged")
    damaged = away / "damaged" / "evidence" / "plan.json"
    damaged.write_text(damaged.read_text() + " ")
    said = certified.lesson("cert", "import", "downloads")
    assert said.code == 5
    assert [line[0] for line in sorted(said.out.splitlines())] == ["✓", "✗"]
    assert "the plan was changed after it was certified" in said.out
    assert certified.verify()["holds"]
    assert (
        certified.lesson("cert", "import", "downloads").code == 5
    )  # the valid one has already been imported
    shutil.rmtree(away / "damaged")
    assert certified.lesson("cert", "import", "downloads").code == 0
    assert states(certified)["n150"][0] == "certified"
    assert certified.lesson("cert", "import", "none").code == 2
    assert "no certificate" in certified.lesson("cert", "import", "home").err


def test_import_names_folders_by_content(certified: Bench, tmp_path: Path) -> None:
    """Folder names do not matter: two certificates of one name are kept next to each other, none twice."""
    name = certified.certificate.name
    shutil.move(certified.certificate, tmp_path / "away" / "✓ nice\n✓ more")
    kept = certified.folder / ".lesson" / "certificates"
    (kept / name).mkdir()
    (kept / name / "note.txt").write_text("somebody else's")
    said = certified.lesson("cert", "import", "away")
    assert (said.code, len(said.out.splitlines())) == (0, 1)
    assert certified.lesson("cert", "import", "away").code == 0
    assert sorted(path.name for path in kept.iterdir()) == [name, f"{name}-2"]
    said = certified.lesson("cert", "verify", kept / f"{name}-2", "--json")
    assert said.json["holds"]


def test_import_from_inside_the_certificates_folder(
    certified: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(certified.certificate)
    elsewhere = certified.folder / "elsewhere"
    assert certified.lesson("cert", "import", ".", "--workspace", elsewhere).code == 0
    assert [path.name for path in (elsewhere / "certificates").iterdir()] == [certified.certificate.name]
