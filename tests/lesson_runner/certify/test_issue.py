"""Certificates that are not issued, and the folders of those that are."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.lesson_runner.certify.garden import LESSON, Bench

from lesson_runner.certify.store import BUNDLE, publish
from lesson_runner.model.errors import LessonError


def staged(folder: Path, content: bytes) -> Path:
    staging = folder / ".certificate-x"
    staging.mkdir()
    (staging / BUNDLE).write_bytes(content)
    return staging


def test_publishing_twice_is_a_no_op(tmp_path: Path) -> None:
    assert publish(staged(tmp_path, b"1"), tmp_path, "a").name == "a"
    again = staged(tmp_path, b"1")
    assert publish(again, tmp_path, "a").name == "a"
    shutil.rmtree(again)
    assert publish(staged(tmp_path, b"2"), tmp_path, "a").name == "a-2"


def test_at_most_a_hundred_certificates_of_one_name(tmp_path: Path) -> None:
    for number in range(1, 100):
        publish(staged(tmp_path, str(number).encode()), tmp_path, "a")
    with pytest.raises(LessonError, match="a hundred certificates are called a"):
        publish(staged(tmp_path, b"more"), tmp_path, "a")


def test_a_certificates_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file")
    with pytest.raises(NotADirectoryError):
        publish(staged(tmp_path, b"1"), tmp_path, "a")


@pytest.fixture
def run(bench: Bench) -> Path:
    """A run that passed."""
    bench.lesson("run", "growing.md", "--allow", "shell", "--fresh")
    (folder,) = (bench.folder / ".lesson" / "runs").iterdir()
    return folder


def edit(run: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    record = json.loads((run / "record.json").read_text())
    change(record)
    (run / "record.json").write_text(json.dumps(record))


def test_a_run_of_another_plan(bench: Bench, run: Path) -> None:
    edit(run, lambda record: record.update(plan_digest="0" * 64))
    said = bench.certify("--from-run", "latest")
    assert (
        said.code,
        ": its plan differs from the lesson's plan with the plugins installed here" in said.err,
    ) == (
        2,
        True,
    )


def test_runs_of_two_profiles(bench: Bench) -> None:
    bench.write(runner={"profiles": {"quick": {"summary": "q"}, "full": {"summary": "f"}}})
    text = (bench.folder / "growing.md").read_text()
    step = "uses: garden.grow\nprofiles: {quick: {with: {beans: 4}}}"
    (bench.folder / "growing.md").write_text(text.replace("uses: garden.grow", step))
    for profile in ("quick", "full"):
        bench.lesson("run", "growing.md", "--allow", "shell", "--fresh", "--profile", profile)
    names = sorted(path.name for path in (bench.folder / ".lesson" / "runs").iterdir())
    said = bench.certify("--from-run", names[0], "--from-run", names[1])
    assert said.code == 2
    assert "the runs followed 2 different plans (profile and parameters: full; quick)" in said.err


def test_evidence_that_cannot_be_copied(bench: Bench, run: Path) -> None:
    shutil.rmtree(run / "evidence")
    said = bench.certify("--from-run", "latest")
    assert said.code == 2
    assert f"{run.name}/evidence: cannot be copied: No such file or directory" in said.err
    assert list((bench.folder / ".lesson" / "certificates").iterdir()) == []


def test_documents_that_are_not_lessons_have_no_status(bench: Bench) -> None:
    said = bench.lesson("cert", "apply", "none.md")
    assert (said.code, "none.md: no such file" in said.err, "name the lesson's .md file" in said.err) == (
        2,
        True,
        True,
    )
    (bench.folder / "bad.md").write_bytes(b"\xff")
    said = bench.lesson("cert", "apply", "bad.md")
    assert (said.code, "bad.md: cannot be read as a lesson" in said.err) == (2, True)


def test_show_lists_validation_and_profiles(bench: Bench) -> None:
    """``lesson show`` lists validated hardware, the tt-metal version, and profiles."""
    front: dict[str, Any] = {"validatedOn": ["n150"], "minTTMetalVersion": "v0.67.0", "tags": ["a", "b"]}
    bench.write(LESSON, runner={"profiles": {"quick": {"summary": "short"}}}, **front)
    shown = bench.lesson("show", "growing.md").out
    for row in (
        "Hardware: n150, n300",
        "Validated on: n150",
        "Tags: a, b",
        "tt-metal: v0.67.0 or later",
        "Profile quick: short",
    ):
        assert f"\n{row}\n" in shown
