"""The command line: exit codes, output streams, and protection of the terminal."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fake_plugin import fake_plugin
from tests.reliability import fault

from lesson_runner.cli.app import COMMANDS
from lesson_runner.model.sections import Line, Passage, Series, Table, Texts
from lesson_runner.plugins import Action, HardwareError, Json, Outcome, StepContext, catalog
from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]

ESCAPES = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
SHELL = "<!-- step\nid: one\n-->\n```bash\n{}\n```\n"
ACTION = "<!-- step\nid: one\nuses: {}\n-->\n```text\nx\n```\n"


def refuse(params: Json, context: StepContext) -> Outcome:
    raise HardwareError("no board", fix="insert one")


def chatter(params: Json, context: StepContext) -> Outcome:
    """Print as libraries do, bypassing the runner: from Python and on the file descriptor."""
    print("from Python")
    os.write(1, b"from C\n")
    context.say("\x1b[2Jsaid \x1b]0;title\x07\x9b31m\ud800")
    return Outcome(metrics={"loss": 1.0})


NAN = float("nan")
chatty = fake_plugin(
    "chatty",
    actions=[
        Action("refuse", "Refuse", refuse, self_judging=True),
        Action("chatter", "Chatter", chatter, self_judging=True),
    ],
    report_sections=[
        Table("Numbers\x1b[2J", ("a",), ((NAN,), (1.5,), ("x\x1b[2J",), (None,))),
        Series("Curve", (Line("loss", tuple((n, NAN) for n in range(20))),)),
        Texts("Words", (Passage("t", "text\x1b[2J"),)),
        Series("Nothing", ()),
        Table("Broken", None, ()),  # type: ignore[arg-type]  # a plugin may be untyped
        Table("Ragged", ("a",), (("x", "y"),)),
    ],
)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def make(body: str, name: str = "a.md", **front: Any) -> Path:
        path = tmp_path / name
        path.write_text(lesson_text(body, **front))
        return path

    return make


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts ``lesson`` in a separate process, without installed plugins."""

    def start(*arguments: str, **options: Any) -> subprocess.Popen[str]:
        inherited = {key: value for key, value in os.environ.items() if not key.endswith("_COLOR")}
        inherited.pop("LESSON_WORKSPACE", None)
        home = str(tmp_path / "home")  # permissions granted here must not be remembered for this user
        own = {"LESSON_PLUGINS": "", "LESSON_HOME": home, "COLUMNS": "80"}
        env = {**inherited, **own, **options.pop("env", {})}
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(
            [sys.executable, "-m", "lesson_runner", *arguments],
            cwd=tmp_path,
            env=env,
            encoding="utf-8",
            **{**pipes, **options},
        )

    return start


# --- exit codes ---


@pytest.mark.parametrize(
    ("block", "code", "status"), [("echo hi", 0, "passed"), ("false", 1, "failed"), ("exit 7", 1, "failed")]
)
def test_run_reports_whether_the_lesson_passed(
    lesson: Lesson, write: Callable[..., Path], block: str, code: int, status: str
) -> None:
    write(SHELL.format(block))
    said = lesson("run", "a.md", "--allow", "shell")
    assert said.code == code
    assert f"sample: {status}, profile default" in said.out
    assert said.err == ""


USAGE = [
    (["run"], "Missing argument"),
    (["run", "a.md", "--nope"], "No such option"),
    (["nope"], "No such command"),
    (["run", "none.md"], "none.md: no such file"),
    (["run", "none"], "there is no lesson 'none'"),
    (["plan", "."], ".: is a folder, not a lesson"),
    (["run", "x" * 300], "there is no lesson"),
    (["run", "a.md"], "read these steps, then run the lesson again with --allow shell"),
    (["run", "a.md", "--allow", "all"], "--allow all: there is no such permission"),
    (["run", "a.md", "--allow", "shell,all"], "--allow all: there is no such permission"),
    (["run", "a.md", "--profile", "x"], "--profile x: the lesson has no such profile"),
    (["run", "a.md", "--backend", "cuda"], "--backend cuda: expected auto, ttml or emulated"),
    (["run", "a.md", "--param", "x=1"], "no step of this lesson has a parameter 'x'"),
    (["run", "a.md", "--only", "two", "--allow", "shell"], "--only two: there is no such step"),
    (["run", "a.md", "--allow", "shell", "--workspace", "a.md"], "cannot be created"),
    (["plan", "a.md", "--param", "x"], "expected NAME=VALUE"),
    (["run", "bad.md"], "bad.md:1:1: error: the frontmatter is not closed"),
    (["plan", "bad.md"], "the lesson does not validate: 1 error"),
    (["show", "none.md"], "none.md: no such file"),
    (["validate", "none.md"], "none.md: no such file"),
]


@pytest.mark.parametrize(("arguments", "message"), USAGE, ids=[" ".join(item[0])[:40] for item in USAGE])
def test_errors_that_the_user_can_fix_exit_with_2(
    lesson: Lesson, write: Callable[..., Path], tmp_path: Path, arguments: list[str], message: str
) -> None:
    write(SHELL.format("echo hi"))
    (tmp_path / "bad.md").write_text("---\ntext")
    said = lesson(*arguments)
    assert said.code == 2
    assert said.out == ""
    assert message in " ".join(re.sub(r"[│╭╮╰╯─]", "", said.err).split())
    assert not (tmp_path / ".lesson").exists()


def test_a_bug_exits_with_3_and_writes_a_report(
    lesson: Lesson, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(catalog, "lessons", lambda plugins: 1 / 0)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    said = lesson("list")
    assert said.code == 3
    assert "this is a bug in lesson-runner: ZeroDivisionError: division by zero" in said.err
    report = next(tmp_path.glob("lesson-bug-*.txt")).read_text()
    assert report.startswith("lesson list\nlesson-runner ")
    assert "Traceback" in report


def test_the_wrong_hardware_exits_with_4(lesson: Lesson, write: Callable[..., Path]) -> None:
    write(ACTION.format("refuse"))
    said = lesson("run", "a.md", plugins=[chatty])
    assert said.code == 4
    assert "no board (insert one)" in said.out


def test_help_and_version(lesson: Lesson) -> None:
    assert lesson("--version").out.startswith("lesson-runner ")
    assert lesson("--help").code == lesson("run", "-h").code == 0
    assert lesson().code == 2


def test_the_list_of_commands_matches_the_help_of_each_command(lesson: Lesson) -> None:
    """The list is a table, so that no command need be imported to print it."""
    for name, summary in COMMANDS.items():
        shown = lesson(name, "--help").out.split("\n\n")[1]
        assert " ".join(shown.split()) == summary, name


def test_a_command_that_does_not_exist(lesson: Lesson) -> None:
    said = lesson("validat")
    assert said.code == 2
    assert "No such command 'validat'. Did you mean 'validate'?" in said.err
    assert lesson("runs", "rn").code == 2


@fault(
    "interruption",
    "Ctrl-C, SIGTERM or SIGHUP during a step",
    how="the signal, to a run with a shell step",
    seen="`interrupted`; exit code 130",
    survives="the record, earlier steps; no process of the step",
)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_run_and_is_recorded(
    command: Callable[..., Any], write: Callable[..., Path], tmp_path: Path, number: int
) -> None:
    """A real signal to a real process, in the middle of a shell step; its children end as well."""
    steps = "\n\n".join(SHELL.replace("one", name) for name in ("a", "b", "c"))
    write(steps.format("echo hi", "echo $$; echo so far >&2; sleep 60", "echo never"))
    process = command("run", "a.md", "--allow", "shell", start_new_session=True)
    shown = []
    for row in process.stdout:
        shown.append(row)
        if "│ so far" in row:
            break
    os.killpg(process.pid, number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130, out + err
    assert err == ""
    assert "sample: interrupted" in out
    folder = next((tmp_path / ".lesson" / "runs").iterdir())
    record = json.loads((folder / "record.json").read_text())
    assert (record["status"], record["exit_code"]) == ("interrupted", 130)
    assert [(item["status"], item["message"]) for item in record["steps"]] == [
        ("passed", ""),
        ("error", "interrupted"),
        ("not-reached", "the run ended before this step"),
    ]
    with pytest.raises(ProcessLookupError):
        os.kill(int(shown[-2].split()[-1]), 0)


# --- permission ---


providing = fake_plugin("providing", directories=lambda: [Path.cwd()])


def test_an_installed_lesson_needs_no_permission(lesson: Lesson, write: Callable[..., Path]) -> None:
    write(SHELL.format("echo hi"), "sample.md")
    assert lesson("run", "sample.md").code == 2
    assert lesson("run", "sample", plugins=[providing]).code == 0
    assert lesson("run", "sample.md", plugins=[providing]).code == 0
    assert lesson("list", plugins=[providing]).out == "sample  Sample\n"


def test_a_typed_action_needs_no_permission(lesson: Lesson, write: Callable[..., Path]) -> None:
    write(ACTION.format("chatter"))
    assert lesson("run", "a.md", plugins=[chatty]).code == 0


def test_two_lessons_with_the_same_id(lesson: Lesson, write: Callable[..., Path]) -> None:
    write(SHELL.format("echo hi"), "x.md")
    write(SHELL.format("echo hi"), "y.md")
    said = lesson("run", "sample", plugins=[providing])
    assert said.code == 2
    assert "two lessons have the id 'sample'" in said.err
    assert "did you mean 'sample'?" in lesson("run", "samples", plugins=[providing]).err


def test_a_lesson_with_a_byte_order_mark_is_found(lesson: Lesson, write: Callable[..., Path]) -> None:
    path = write(SHELL.format("echo hi"))
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert [item["id"] for item in lesson("list", "--json", plugins=[providing]).json] == ["sample"]


# --- streams ---


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "a.md"],
        ["plan", "a.md"],
        ["validate", "a.md"],
        ["validate", "."],
        ["show", "a.md"],
        ["show", "bad.md"],
        ["list"],
        ["runs"],
        ["plugins"],
    ],
    ids=" ".join,
)
def test_json_is_one_document_and_nothing_else(
    lesson: Lesson, write: Callable[..., Path], tmp_path: Path, arguments: list[str]
) -> None:
    path = write(ACTION.format("chatter"), playground=1)
    path.write_text(path.read_text().replace("playground: 1", "playground: .nan"))
    (tmp_path / "bad.md").write_text("---\nplayground: .nan\ntags: 5\nrunner: {profiles: 3}\n---\n")
    said = lesson(*arguments, "--json", plugins=[chatty, providing])
    assert "NaN" not in said.out
    json.loads(said.out)
    assert "from C" not in said.out
    assert ("from Python" in said.err) == (arguments[0] == "run")


def test_plan_has_the_steps_of_the_record(lesson: Lesson, write: Callable[..., Path]) -> None:
    write(ACTION.format("chatter"))
    planned = lesson("plan", "a.md", "--json", plugins=[chatty]).json
    record = lesson("run", "a.md", "--json", plugins=[chatty]).json
    assert planned["plan_digest"] == record["plan_digest"]
    keys = planned["steps"][0].keys() - {"status", "message", "metrics", "permissions"}
    assert {key: record["steps"][0][key] for key in keys} == {key: planned["steps"][0][key] for key in keys}
    assert planned["steps"][0]["status"] == "planned"


@pytest.mark.parametrize("name", ["run", "plan", "show", "validate", "list"])
def test_terminal_escapes_in_a_lesson_do_not_reach_the_terminal(
    lesson: Lesson, write: Callable[..., Path], name: str
) -> None:
    title = "Clear \x1b[2J\x9b2J\x07 and \r\n go"
    write(ACTION.format("chatter"), title=title, description=title, tags=[title], unknown=title)
    arguments = [] if name == "list" else ["a.md"]
    said = lesson(name, *arguments, plugins=[chatty, providing])
    assert said.code == 0, said
    assert said.out
    assert not ESCAPES.search(said.out), repr(said.out)


def test_sections_of_plugins_are_shown_as_far_as_possible(lesson: Lesson, write: Callable[..., Path]) -> None:
    write(ACTION.format("chatter"))
    said = lesson("run", "a.md", plugins=[chatty])
    assert said.code == 0
    assert "not finite" in said.out
    assert "Broken  [default]\nThis section cannot be shown: TypeError: None is not a tuple" in said.out
    assert "Ragged  [default]\nThis section cannot be shown: ValueError: a row has 2 cells" in said.out


def test_output_in_a_pipe_is_plain(command: Callable[..., Any], write: Callable[..., Path]) -> None:
    write(SHELL.format("echo hi"))
    out, err = command("run", "a.md", "--allow", "shell").communicate(timeout=30)
    assert not ESCAPES.search(out + err)
    assert "│ hi\n" in out


def test_a_stream_that_cannot_encode_everything(
    command: Callable[..., Any], write: Callable[..., Path]
) -> None:
    write(SHELL.format("echo grün"))
    process = command("run", "a.md", "--allow", "shell", env={"PYTHONIOENCODING": "ascii"})
    out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert "? passed" in out


@pytest.mark.parametrize("arguments", [["plugins"], ["run", "a.md", "--allow", "shell"]], ids=lambda a: a[0])
def test_a_reader_that_is_gone(
    command: Callable[..., Any], write: Callable[..., Path], tmp_path: Path, arguments: list[str]
) -> None:
    """``lesson run … | head -1`` still runs the lesson, and records it."""
    write(SHELL.format("echo hi"))
    reading, writing = os.pipe()
    process = command(*arguments, stdout=writing)
    os.close(writing)
    os.close(reading)
    _, err = process.communicate(timeout=30)
    assert err == ""
    if arguments[0] == "run":
        assert process.returncode == 0
        record = next((tmp_path / ".lesson" / "runs").glob("*/record.json"))
        assert json.loads(record.read_text())["status"] == "passed"


# --- a terminal ---


def at_terminal(
    command: Callable[..., Any],
    *arguments: str,
    keys: bytes = b"",
    question: bytes = b"[y/N]",
    env: dict[str, str] | None = None,
) -> tuple[int, str]:
    """Run a command at a terminal where ``keys`` are typed at each ``question``; return code and output."""
    ours, theirs = pty.openpty()
    env = {"TERM": "xterm-256color", **(env or {})}
    process = command(*arguments, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True)
    os.close(theirs)
    shown, end = b"", time.monotonic() + 30
    while time.monotonic() < end and select.select([ours], [], [], 30)[0]:
        try:
            data = os.read(ours, 65_536)
        except OSError:  # the other side is closed
            break
        if not data:
            break
        shown += data
        if keys and question in data:
            os.write(ours, keys)
    os.close(ours)
    return int(process.wait(10)), shown.decode("utf-8", "replace")


MANUAL = "<!-- manual\nid: look\ninstruction: 'Is the light on?'\n-->\n\n"


@pytest.mark.parametrize(
    ("keys", "code", "status"),
    [(b"y\n", 0, "passed"), (b"n\n", 1, "failed"), (b"\x03", 130, "interrupted")],
)
def test_a_person_confirms(
    command: Callable[..., Any],
    write: Callable[..., Path],
    tmp_path: Path,
    keys: bytes,
    code: int,
    status: str,
) -> None:
    write(MANUAL)
    # This is not the controlling terminal, so Ctrl-C arrives as the end of the input.
    keys = b"\x04" if keys == b"\x03" else keys
    found, shown = at_terminal(command, "run", "a.md", keys=keys)
    assert found == code, shown
    record = next((tmp_path / ".lesson" / "runs").glob("*/record.json"))
    assert json.loads(record.read_text())["status"] == status


@pytest.mark.parametrize(
    ("keys", "code", "statuses"),
    [
        (b"\n", 0, ["passed", "passed", "passed"]),
        (b"q\n", 130, ["passed", "not-reached", "not-reached"]),
        (b"\x04", 130, ["passed", "not-reached", "not-reached"]),
    ],
)
def test_the_user_takes_one_step_at_a_time(
    command: Callable[..., Any],
    write: Callable[..., Path],
    tmp_path: Path,
    keys: bytes,
    code: int,
    statuses: list[str],
) -> None:
    write("".join(SHELL.format(f"echo {name}").replace("id: one", f"id: {name}") for name in "abc"))
    arguments = ["run", "a.md", "--allow", "shell", "--step"]
    found, shown = at_terminal(command, *arguments, keys=keys, question=b"Press Enter")
    assert found == code, shown
    record = next((tmp_path / ".lesson" / "runs").glob("*/record.json"))
    assert [step["status"] for step in json.loads(record.read_text())["steps"]] == statuses
    assert shown.count("Press Enter") == (2 if code == 0 else 1)  # none after the last step


def test_one_step_at_a_time_needs_a_terminal(lesson: Lesson, write: Callable[..., Path]) -> None:
    write(SHELL.format("echo hi"))
    said = lesson("run", "a.md", "--allow", "shell", "--step")
    assert said.code == 2
    assert "--step needs a person at a terminal" in said.err


@pytest.mark.parametrize(("keys", "code"), [(b"y\n", 0), (b"n\n", 2)])
def test_permission_is_asked_for_at_a_terminal(
    command: Callable[..., Any], write: Callable[..., Path], keys: bytes, code: int
) -> None:
    write(SHELL.format("echo hi"))
    found, shown = at_terminal(command, "run", "a.md", keys=keys)
    assert found == code, shown
    wants = "wants to run its own commands on this machine, as you (step 'one'). Allow this"
    assert wants in " ".join(shown.split())


@pytest.mark.parametrize("off", [True, False])
def test_no_color(command: Callable[..., Any], write: Callable[..., Path], off: bool) -> None:
    write(SHELL.format("false"))
    env = {"NO_COLOR": "1" if off else ""}
    _, shown = at_terminal(command, "run", "a.md", "--allow", "shell", env=env)
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]", shown)) == (not off)
