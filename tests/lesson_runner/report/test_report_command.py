"""``lesson report``: the choice of run, format and file, and errors about runs that cannot be reported."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from tests.lesson_runner.report.stories import SCRIPT, run, teller

from lesson_runner.report.formats import DIAGNOSTICS, MATRICES, REPORTS, Formats

Lesson = Callable[..., Any]


@pytest.fixture
def ran(lesson: Lesson, tmp_path: Path) -> Path:
    """The folder of a run in this folder's workspace."""
    _, folder = run()
    return Path(shutil.copytree(folder, tmp_path / ".lesson" / "runs" / folder.name))


@pytest.mark.slow
def test_a_run_is_found_by_any_name(lesson: Lesson, ran: Path) -> None:
    told = lesson("report", plugins=[teller]).out
    assert told.startswith("## ❌")
    for name in ("latest", ran.name, ran, ran / "record.json", ran.relative_to(Path.cwd())):
        assert lesson("report", name, plugins=[teller]).out == told
    elsewhere = Path("elsewhere")
    shutil.move(".lesson", elsewhere)
    assert lesson("report", "latest", "--workspace", elsewhere, plugins=[teller]).out == told


def test_latest_is_the_last_one(lesson: Lesson, ran: Path) -> None:
    later = ran.with_name("29991231-235959-later")
    shutil.copytree(ran, later)
    record = json.loads((later / "record.json").read_text())
    (later / "record.json").write_text(json.dumps({**record, "run_id": later.name}))
    assert lesson("report", "--format", "json").json["record"]["run_id"] == later.name


@pytest.mark.parametrize(
    "formats", [REPORTS, DIAGNOSTICS, MATRICES], ids=["reports", "diagnostics", "matrices"]
)
def test_every_format_has_its_function(formats: Formats) -> None:
    assert all(callable(formats.renderer(name)) for name in formats.names)


def test_every_format_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "reports.md").read_text("utf-8")
    assert re.findall(r"^\| `(\w+)` \| ([^|]+) \|", text, re.MULTILINE) == REPORTS.purposes
    assert all(f"`{suffix}`" in text for suffix in REPORTS.suffixes)


def test_the_help_names_every_format(lesson: Lesson) -> None:
    said = " ".join(lesson("report", "--help").out.split())
    assert all(f"{name} ({purpose})" in said for name, purpose in REPORTS.purposes)


BEGINNINGS = {"html": "<!doctype html>", "markdown": "## ", "junit": "<?xml", "json": "{\n"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "begins"),
    [(f"a{suffix}", BEGINNINGS[form]) for suffix, form in REPORTS.suffixes.items()],
)
def test_the_file_name_determines_the_format(lesson: Lesson, ran: Path, name: str, begins: str) -> None:
    said = lesson("report", "latest", "-o", f"new/{name}", plugins=[teller])
    written = Path("new", name)
    assert said.code == 0, said.err
    assert said.out.startswith(f"new/{name}: ")
    assert written.read_text("utf-8").startswith(begins)
    assert [path.name for path in Path("new").iterdir()] == [name], "nothing else is left behind"


@pytest.mark.slow
@pytest.mark.parametrize("form", REPORTS.names)
def test_printed_and_written_are_the_same_bytes_every_time(lesson: Lesson, ran: Path, form: str) -> None:
    printed = lesson("report", "--format", form, plugins=[teller]).out
    assert lesson("report", "--format", form, "-o", "file", plugins=[teller]).code == 0
    assert Path("file").read_text("utf-8") == printed


@pytest.mark.slow
def test_json_is_the_record_and_the_sections(lesson: Lesson, ran: Path) -> None:
    said = lesson("report", "--format", "json", plugins=[teller]).json
    assert said["record"] == json.loads((ran / "record.json").read_text("utf-8"))
    assert [section["title"] for section in said["sections"]][:2] == [
        "What each stage writes",
        "What was learned",
    ]
    assert set(said["sections"][0]) == {"title", "kind", "note", "conclusion", "data"}


def test_a_run_without_its_plugin_is_reported_without_sections(lesson: Lesson, ran: Path) -> None:
    said = lesson("report", "--format", "html").out
    assert "What failed" in said
    assert "Loss curves" not in said


def test_a_record_alone_is_reported_without_evidence(lesson: Lesson, ran: Path) -> None:
    Path("alone").mkdir()
    shutil.copy(ran / "record.json", "alone")
    said = lesson("report", "alone", "--format", "junit")
    assert said.code == 0, said.err
    assert ElementTree.fromstring(said.out).find(".//system-out") is None


@pytest.mark.parametrize("form", ["pdf", "HTML", ""])
def test_an_unknown_format(lesson: Lesson, ran: Path, form: str) -> None:
    said = lesson("report", "--format", form)
    assert said.code == 2
    assert f"expected one of {', '.join(REPORTS.names)}" in said.err


def test_a_file_name_without_a_known_suffix(lesson: Lesson, ran: Path) -> None:
    said = lesson("report", "-o", "report.pdf")
    assert (said.code, said.out) == (2, "")
    assert "fix: add --format" in said.err


def test_a_file_that_cannot_be_written(lesson: Lesson, ran: Path) -> None:
    Path("folder.html").mkdir()
    said = lesson("report", "-o", "folder.html")
    assert said.code == 2
    assert "folder.html: cannot be written" in said.err
    assert "Traceback" not in said.err


def test_no_such_run(lesson: Lesson, ran: Path, tmp_path: Path) -> None:
    said = lesson("report", f"{ran.name[:-1]}x")
    assert said.code == 2
    assert ran.name in said.err, "the run that was most likely meant"
    empty = lesson("report", "--workspace", tmp_path / "empty")
    assert empty.code == 2
    assert "there are no runs" in empty.err
    assert "fix:" in empty.err


def test_a_run_that_did_not_finish(lesson: Lesson, ran: Path) -> None:
    (ran / "record.json").unlink()
    said = lesson("report")
    assert said.code == 2
    assert "did not finish" in said.err


def damaged(record: dict[str, Any], **changes: Any) -> str:
    return json.dumps({**record, **changes})


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda record: json.dumps(record)[:200], "cannot be read"),
        (lambda record: "[" * 100_000, "nested too deeply"),
        (lambda record: "[]", "not a record"),
        (lambda record: json.dumps({"record_version": 1}), "is missing"),
        (lambda record: damaged(record, record_version=2), "not a record"),
        (lambda record: damaged(record, status="great"), "'great' is not allowed"),
        (lambda record: damaged(record, steps=[{"id": "x"}]), "is missing"),
        (lambda record: damaged(record, steps="none"), "steps"),
        (lambda record: damaged(record, seconds=-1), "seconds"),
        (lambda record: damaged(record, started="yesterday"), "started"),
    ],
)
def test_a_damaged_record(lesson: Lesson, ran: Path, damage: Callable[[Any], str], says: str) -> None:
    path = ran / "record.json"
    path.write_text(damage(json.loads(path.read_text("utf-8"))))
    for form in ("html", "json"):
        said = lesson("report", "--format", form)
        assert (said.code, said.out) == (2, "")
        assert says in said.err
        assert "Traceback" not in said.err


def test_a_later_version_may_have_added_keys(lesson: Lesson, ran: Path) -> None:
    path = ran / "record.json"
    path.write_text(damaged(json.loads(path.read_text("utf-8")), weather="fair"))
    assert lesson("report", "--format", "html").code == 0


def test_a_step_that_leads_out_of_the_run_finds_nothing(lesson: Lesson, ran: Path) -> None:
    (ran.parent / "secret").mkdir()
    (ran.parent / "secret" / "output.txt").write_text("private")
    path = ran / "record.json"
    record = json.loads(path.read_text("utf-8"))
    record["steps"][0]["id"] = "../../secret"
    path.write_text(json.dumps(record))
    for form in ("html", "markdown", "junit", "ctrf"):
        assert "private" not in lesson("report", "--format", form).out


@pytest.mark.parametrize("form", ["html", "markdown", "junit", "ctrf"])
def test_a_report_contains_no_escape_and_no_token(lesson: Lesson, ran: Path, form: str) -> None:
    said = lesson("report", "--format", form, plugins=[teller]).out
    decoded = json.dumps(json.loads(said), ensure_ascii=False) if form == "ctrf" else said
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe]", decoded)
    assert "ghp_aB3dE5" not in decoded
    assert SCRIPT not in decoded or form == "ctrf", "JSON is no markup"


@pytest.mark.slow
def test_without_matplotlib_the_page_has_tables_and_a_hint(ran: Path) -> None:
    program = (
        "import sys; sys.modules['matplotlib'] = None\n"
        "from tests.lesson_runner.report.stories import story\n"
        "from lesson_runner.report.runs import render\n"
        "sys.stdout.write(render(story(), 'html'))"
    )
    root = Path(__file__).parents[3]
    env = {**os.environ, "PYTHONPATH": str(root), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", env=env, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "<svg" not in done.stdout
    assert "pip install &#34;lesson-runner[report]&#34;" in done.stdout
    assert "The numbers behind it" in done.stdout


def test_a_report_loads_no_more_than_its_format_needs(ran: Path) -> None:
    program = (
        "import sys; from lesson_runner.cli import invoke\n"
        "code = invoke(['report', 'latest', '--format', 'junit', '-o', 'x.xml'])\n"
        "sys.exit(code or ' '.join({'jinja2', 'matplotlib', 'torch'} & set(sys.modules)) or 0)"
    )
    env = {**os.environ, "LESSON_PLUGINS": ""}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("form", ["markdown", "html", "junit", "ctrf", "json"])
def test_steps_with_only_required_fields(lesson: Lesson, ran: Path, form: str) -> None:
    record = json.loads((ran / "record.json").read_text())
    asked = ("id", "title", "line", "action", "params", "status", "message", "metrics", "verdicts", "claims")
    record["steps"] = [{name: step[name] for name in asked} for step in record["steps"]]
    (ran / "record.json").write_text(json.dumps(record))
    assert lesson("report", "--format", form).code == 0
