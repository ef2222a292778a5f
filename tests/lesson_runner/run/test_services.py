"""A service runs beside the steps after it, until the run ends or a step stops it."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.conftest import Said
from tests.lesson_runner.run.directives import record, steps

from lesson_runner.execute.family import processes
from lesson_runner.plugins.builtin.service import to_start_again
from lesson_runner.testing import plan_lesson

Lesson = Callable[..., Said]
OUTPUT = "service: {ready: {output: up}}"
SERVER = f"""{sys.executable} -c "
import socket, time
server = socket.create_server(('127.0.0.1', PORT))
print('listening')
time.sleep(60)
\""""


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_it_runs_beside_later_steps_and_ends_with_the_run(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        steps(
            (f"id: serve\n{OUTPUT}", "mkdir app; cd app\nX=5\nbash -c 'echo up; echo $$ >pid; sleep 60'"),
            ("id: use", 'kill -0 "$(cat pid)" && kill -0 %1\nbasename $PWD; echo $X'),
        )
    )
    said = lesson("run", "a.md", "--allow", "shell")
    assert said.code == 0, said
    found = record(tmp_path)
    assert (found["folder"] / "evidence/use/output.txt").read_text() == "app\n5"
    assert "up" in (found["folder"] / "evidence/serve/output.txt").read_text()
    assert "up" in (found["folder"] / "evidence/_shared/service-serve.txt").read_text()
    pid = int((found["folder"] / "files/app/pid").read_text())
    assert pid not in {row.member.pid for row in processes()}


def test_it_is_ready_when_its_port_answers(lesson: Lesson, tmp_path: Path, port: int) -> None:
    text = steps(
        (f"id: serve\nservice: {{ready: {{port: {port}}}}}", SERVER.replace("PORT", str(port))),
        ("id: use", f"kill -0 %1\nexec 3<>/dev/tcp/127.0.0.1/{port}"),
    )
    (tmp_path / "a.md").write_text(text)
    said = lesson("run", "a.md", "--allow", "shell")
    assert said.code == 0, said
    with socket.create_server(("127.0.0.1", port)):  # something else is there now
        said = lesson("run", "a.md", "--allow", "shell")
    step = record(tmp_path)["by_id"]["serve"]
    assert (said.code, step["status"]) == (1, "failed")
    assert f"port {port} answers already" in step["message"]


@pytest.mark.parametrize("stop", ["kill %1", "pkill -f 'sleep 98765[5]'", "kill $! && wait"])
def test_a_step_may_stop_it(lesson: Lesson, tmp_path: Path, stop: str) -> None:
    (tmp_path / "a.md").write_text(
        steps(
            (f"id: serve\n{OUTPUT}", "echo up\nsleep 987655 && echo never"), ("id: stop", f"{stop} || true")
        )
    )
    said = lesson("run", "a.md", "--allow", "shell")
    assert said.code == 0, said


def test_one_that_ends_by_itself_fails_the_run(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        steps(
            (
                f"id: serve\n{OUTPUT}",
                "bash -c 'echo up; until [[ -e die ]]; do sleep 0.01; done; echo no disk'",
            ),
            (
                "id: use",
                "touch die; while [[ -e /proc/$! ]]; do sleep 0.01; done; kill -0 %1 2>/dev/null || false",
            ),
            ("id: last", "echo fine"),
        )
    )
    said = lesson("run", "a.md", "--allow", "shell")
    found = record(tmp_path)
    assert said.code == 1
    assert {name: step["status"] for name, step in found["by_id"].items()} == {
        "serve": "failed",
        "use": "failed",
        "last": "passed",
    }
    assert "'serve' has ended: no disk" in found["by_id"]["serve"]["message"]


def test_a_failed_step_says_that_it_has_ended(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        steps(
            (
                f"id: serve\n{OUTPUT}",
                "bash -c 'echo up; until [[ -e die ]]; do sleep 0.01; done; echo no disk'",
            ),
            ("id: use", "touch die; while [[ -e /proc/$! ]]; do sleep 0.01; done\nfalse"),
        )
    )
    lesson("run", "a.md", "--allow", "shell")
    assert "'serve' has ended: no disk" in record(tmp_path)["by_id"]["use"]["message"]


@pytest.mark.parametrize(
    ("head", "block", "message"),
    [
        (
            "service: {ready: {output: up}}",
            "bash -c 'echo no such module; exit 3'",
            "exit code 3: no such module",
        ),
        ("service: {}", "bash -c 'echo no such module'", "exit code 0: no such module"),
        ("service: {ready: {output: up}, timeout: 0.3s}", "echo starting; sleep 60", "not ready after 0 s"),
        ("service: {ready: {output: up}}", "cd nowhere\necho up; sleep 60", "cd nowhere: exit code 1"),
    ],
)
def test_one_that_does_not_start(lesson: Lesson, tmp_path: Path, head: str, block: str, message: str) -> None:
    (tmp_path / "a.md").write_text(steps((f"id: serve\n{head}", block)))
    said = lesson("run", "a.md", "--allow", "shell")
    step = record(tmp_path)["by_id"]["serve"]
    assert (said.code, step["status"]) == (1, "failed")
    assert message in step["message"]


@pytest.mark.slow
def test_without_a_sign_it_is_labelled(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(steps(("id: serve\nservice: {stop: touch stopped}", "sleep 60 &")))
    said = lesson("run", "a.md", "--allow", "shell")
    found = record(tmp_path)
    assert said.code == 0, said
    assert found["by_id"]["serve"]["labels"] == ["readiness not checked"]
    assert (found["folder"] / "files" / "stopped").exists()


def test_a_stop_command_that_fails_fails_the_run(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        steps(("id: serve\nservice: {ready: {output: up}, stop: 'false'}", "echo up; sleep 60"))
    )
    assert lesson("run", "a.md", "--allow", "shell").code == 1
    assert "stop command failed" in record(tmp_path)["by_id"]["serve"]["message"]


@pytest.mark.slow
def test_a_part_of_a_run_starts_it_again(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.md").write_text(
        steps(
            (f"id: serve\n{OUTPUT}", "mkdir -p app; cd app\nbash -c 'echo up; pwd >where; sleep 60'"),
            ("id: move", "mkdir -p deep; cd deep; X=7"),
            ("id: use\nexpect: [{contains: deep7}]", "kill -0 %1; [[ -n $GO ]]\necho ${PWD##*/}$X"),
            ("id: stop", "kill %1"),
            ("id: last", "echo last"),
        )
    )
    assert lesson("run", "a.md", "--allow", "shell").code == 1
    monkeypatch.setenv("GO", "yes")
    said = lesson("resume", "--allow", "shell")
    assert said.code == 0, said
    assert record(tmp_path)["by_id"]["move"]["attempts"] == 1
    said = lesson("run", "a.md", "--allow", "shell", "--from", "use")
    assert said.code == 0, said
    assert record(tmp_path)["by_id"]["serve"]["status"] == "passed"
    said = lesson("run", "a.md", "--allow", "shell", "--only", "last")  # it was stopped before
    assert said.code == 0, said
    assert record(tmp_path)["by_id"]["serve"]["status"] == "skipped"


@pytest.mark.parametrize(
    ("stopped_by", "running", "again"),
    [
        (None, ["c"], {"a"}),
        ("c", ["c"], {"a"}),
        ("b", ["c"], set()),
        ("c", ["a", "b"], set()),
        ("gone", ["b"], {"a"}),
        (None, [], set()),
    ],
)
def test_which_services_start_again(
    tmp_path: Path, stopped_by: str | None, running: list[str], again: set[str]
) -> None:
    plan = plan_lesson(steps(("id: a", "true"), ("id: b", "true"), ("id: c", "true")), tmp_path)
    (tmp_path / "shell").mkdir()
    (tmp_path / "shell" / "service.json").write_text(json.dumps({"a": stopped_by, "other": None}))
    assert to_start_again(plan.steps, running, tmp_path) == again


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("bwrap"), reason="there is no bubblewrap")
def test_in_a_sandbox(lesson: Lesson, tmp_path: Path, port: int) -> None:
    (tmp_path / "a.md").write_text(
        steps(
            (f"id: serve\nservice: {{ready: {{port: {port}}}}}", SERVER.replace("PORT", str(port))),
            ("id: use", f"exec 3<>/dev/tcp/127.0.0.1/{port}"),
        )
    )
    said = lesson("run", "a.md", "--allow", "shell", "--sandbox")
    assert said.code == 0, said
