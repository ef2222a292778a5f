"""Validation of many documents in several processes, also if one of them crashes."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.model import Lesson
from lesson_runner.plugins.manager import Plugins
from lesson_runner.testing import lesson_text
from lesson_runner.validate import parallel
from lesson_runner.validate.check import all_rules, validate
from lesson_runner.validate.settings import Settings

Command = Callable[..., Any]
SAMPLES = Path(__file__).parents[2] / "samples"
STEP = "<!-- step\nid: one\nexpect: [{contains: one}]\n-->\n```bash\necho one\n```"
BUILT_IN = ("lesson_runner.plugins.builtin",)


@pytest.fixture
def documents(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"lesson-{number}.md" for number in range(12)]
    for path in paths:
        path.write_text(lesson_text(STEP, id=path.stem))
    return paths


@pytest.fixture
def installed(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Path]:
    """Installs a plugin that only new processes load."""

    def install(source: str) -> Path:
        folder = tmp_path_factory.mktemp("installed")
        (folder / "odd_plugin.py").write_text(textwrap.dedent(source))
        about = folder / "odd-1.0.dist-info"
        about.mkdir()
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text("[lesson_runner]\nodd = odd_plugin\n")
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.setenv("LESSON_PLUGINS", "odd")
        return folder

    return install


RULE = """
    import os, signal, threading
    from pathlib import Path
    from lesson_runner.plugins import Rule, hookimpl

    def check(lesson, scope):
        if lesson.path.stem == "lesson-3":
            {}
        return []

    @hookimpl
    def lesson_rules():
        return [Rule("odd.rule", "warning", "Odd.", "Why.", check)]
"""


@pytest.mark.slow
@pytest.mark.parametrize("form", ["text", "sarif"])
def test_several_processes_find_what_one_finds(
    lesson: Command, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LESSON_PLUGINS", "")
    monkeypatch.setattr(parallel, "WINDOW", 3)
    said = [lesson("validate", SAMPLES / "bad", "--format", form, "--jobs", jobs) for jobs in (1, 3)]
    assert said[0].code == said[1].code == 1
    assert said[0].out == said[1].out
    assert len(said[0].out) > 10_000


@pytest.mark.slow
def test_several_processes_fix_what_one_fixes(
    lesson: Command, documents: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LESSON_PLUGINS", "")
    for path in documents:
        path.write_text(path.read_text().replace("supportedHardware", "supported_hardware"))
    said = lesson("validate", ".", "--fix", "--jobs", "2", "--json")
    assert (said.code, said.json["fixed"]) == (0, len(documents)), said
    assert all("supportedHardware" in path.read_text() for path in documents)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "said"),
    [("os.kill(os.getpid(), signal.SIGSEGV)", "signal 11"), ("os._exit(3)", "exit code 3")],
)
def test_a_document_that_crashes_its_process_is_named_and_the_others_are_checked(
    lesson: Command, documents: list[Path], installed: Callable[[str], Path], how: str, said: str
) -> None:
    installed(RULE.format(how))
    answer = lesson("validate", ".", "--jobs", "2", "--json")
    assert answer.code == 1
    (finding,) = answer.json["findings"]
    assert (finding["path"], finding["rule"]) == ("lesson-3.md", "unreadable")
    assert said in finding["message"]
    assert len(answer.json["lessons"]) == len(documents)


@pytest.mark.slow
def test_processes_that_cannot_start(
    lesson: Command, documents: list[Path], installed: Callable[[str], Path]
) -> None:
    installed("import os; os._exit(7)")
    answer = lesson("validate", ".", "--jobs", "2")
    assert answer.code == 2
    assert "ended before it was ready (exit code 7)" in answer.err
    assert "--jobs 1" in answer.err


@pytest.mark.slow
def test_a_bug_in_a_process_is_reported_with_its_traceback(
    lesson: Command,
    documents: list[Path],
    installed: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    reports = tmp_path / "reports"
    reports.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(reports))
    installed("""
        from lesson_runner.validate import check

        def load_lesson(path, overlay=None):
            raise ZeroDivisionError("on purpose")

        check.load_lesson = load_lesson
    """)
    answer = lesson("validate", *documents, "--jobs", "2")
    assert answer.code == 3
    (report,) = reports.glob("lesson-bug-*.txt")
    assert "ZeroDivisionError: on purpose" in report.read_text()


@pytest.mark.slow
def test_an_interrupt_ends_all_of_them(documents: list[Path], installed: Callable[[str], Path]) -> None:
    here = documents[0].parent
    folder = installed(RULE.format(f"Path({str(here / 'pid')!r}).write_text(str(os.getpid())); stop()"))
    stop = "\ndef stop():\n    print('waiting', flush=True)\n    threading.Event().wait()\n"
    with (folder / "odd_plugin.py").open("a") as file:
        file.write(stop)
    command = [sys.executable, "-m", "lesson_runner", "validate", ".", "--jobs", "2"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}
    with subprocess.Popen(
        command, cwd=here, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == b"waiting\n"  # what a plugin prints does not go to the output
        os.killpg(process.pid, signal.SIGINT)
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert (out, err) == (b"", b"")
    with pytest.raises(ProcessLookupError):
        os.kill(int((here / "pid").read_text()), 0)


@pytest.mark.slow
def test_only_one_document_is_kept_in_memory(documents: list[Path]) -> None:
    def held() -> int:
        return sum(type(item) is Lesson for item in gc.get_objects())

    plugins = Plugins(BUILT_IN, ())
    before = held()  # what other tests of this process keep
    for _ in validate(documents, plugins, Settings(), all_rules(plugins)):
        assert held() <= before + 2


def test_processes_are_started_if_they_save_time(tmp_path: Path, documents: list[Path]) -> None:
    assert parallel.useful_jobs(documents) == 1
    assert parallel.useful_jobs([*documents, tmp_path / "not-there.md"]) == 1
    for path in documents:
        os.truncate(path, 100_000_000)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    assert parallel.useful_jobs(documents) == min(cores, len(documents))


def test_a_process_that_has_just_ended_takes_no_document() -> None:
    ours, theirs = multiprocessing.Pipe()
    theirs.close()
    worker = object.__new__(parallel._Worker)
    worker.connection, worker.queued = ours, deque()
    assert worker.enqueue(0, Path("a.md")) is False
    assert not worker.queued
    ours.close()
