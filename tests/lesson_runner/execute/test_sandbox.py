"""Commands in a real bubblewrap sandbox: what they can read, write and reach."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import last_files
from tests.lesson_runner.execute.conftest import STEP
from tests.reliability import fault

from lesson_runner.execute.sandbox import open_sandbox
from lesson_runner.plugins import Hardware
from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]


@pytest.mark.usefixtures("bubblewrap")
def test_the_home_folder_is_hidden(steps: Callable[..., Any], home: Path, tmp_path: Path) -> None:
    done = steps(
        f"find ~ {home} {tmp_path}/elsewhere -type f; cat $KUBECONFIG {home}/.ssh/id_ed25519; echo $HOME",
        "echo mine > ~/note; echo mine > /tmp/note",
        "cat ~/note /tmp/note; ls -A ~",
    )
    assert "kumquat" not in str(done)
    assert "diary" not in done["s1"][1]
    assert done["s3"] == ("passed", "mine\nmine\nnote")  # files last as long as the run
    assert sorted(path.name for path in home.iterdir() if path.name[0] != ".") == ["diary"]
    assert not list((tmp_path / ".lesson").rglob("note"))


@pytest.mark.usefixtures("bubblewrap", "home")
def test_only_the_workspace_can_be_written(steps: Callable[..., Any], tmp_path: Path) -> None:
    outside = Path(__file__).with_name("written-by-a-step")
    done = steps(
        "echo a > here; mkdir -p deep; cd deep; export FRUIT=fig; pwd",
        f"cat ../here; echo $FRUIT; touch {outside}",
        "touch /etc/x || touch /usr/x || touch /dev/x/y",
        "echo 'echo owned' >> $LESSON_WORKSPACE/shell/state.sh",
        "mkdir -p $LESSON_WORKSPACE/planted && echo planted",
    )
    assert done["s1"] == ("passed", str(last_files(tmp_path / ".lesson") / "deep"))
    assert done["s2"][0] == "failed"
    assert done["s2"][1].startswith("a\nfig\n")
    assert "Read-only file system" in done["s2"][1]
    assert not outside.exists()
    assert [done[name][0] for name in ("s3", "s4")] == ["failed", "failed"]
    # In the sandbox's own /tmp the path can be created, but not in the real one.
    assert not list((tmp_path / ".lesson").rglob("planted"))
    assert (last_files(tmp_path / ".lesson") / "here").read_text() == "a\n"


@pytest.mark.usefixtures("bubblewrap", "home")
def test_python_runs_in_a_sandbox_with_installed_packages(steps: Callable[..., Any], tmp_path: Path) -> None:
    code = "import sys, lesson_runner, typer\nopen('made', 'w').write('x')\nprint(sys.executable)"
    assert steps(code, language="python") == {"s1": ("passed", sys.executable)}
    assert (last_files(tmp_path / ".lesson") / "made").exists()


@pytest.mark.usefixtures("bubblewrap")
def test_reported_hardware_is_available_in_a_sandbox(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    board = Hardware("any", "a test", device_files=("/dev/any",), path_variables=("ANY_HOME",))
    (home / "sdk").mkdir()
    monkeypatch.setenv("ANY_HOME", str(home / "sdk"))

    without, sandbox = open_sandbox(), open_sandbox([board])

    words = sandbox.command(["true"], os.environ, tmp_path / "own", tmp_path)
    place = words.index("--dev-bind-try")
    assert words[place : place + 3] == ["--dev-bind-try", "/dev/any", "/dev/any"]
    assert "--dev-bind-try" not in without.command(["true"], os.environ, tmp_path / "own", tmp_path)
    assert (without.hides(home / "sdk"), sandbox.hides(home / "sdk")) == (True, False)


@pytest.mark.usefixtures("bubblewrap")
def test_programs_in_the_home_folder_run_in_a_sandbox(
    steps: Callable[..., Any], home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere" / "tools").mkdir()
    for folder, name in ((home / "bin", "one"), (tmp_path / "elsewhere" / "tools", "two")):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(f"#!/bin/sh\necho {name}\n")
        (folder / name).chmod(0o755)
    (home / "tools").symlink_to(tmp_path / "elsewhere" / "tools")
    monkeypatch.setenv("PATH", f"{home}/bin:{home}/tools:{os.environ['PATH']}")
    done = steps("one; two; touch ~/bin/one")
    assert done["s1"][0] == "failed"
    assert done["s1"][1].startswith("one\ntwo\n")
    assert "Read-only file system" in done["s1"][1]


@pytest.fixture
def server() -> Iterator[int]:
    """The port of a server on this machine that greets every client."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def greet() -> None:
            while True:
                try:
                    caller, _ = listening.accept()
                except OSError:  # the socket was closed
                    return
                with caller:
                    caller.sendall(b"hello")

        thread = threading.Thread(target=greet, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(5)


@pytest.mark.usefixtures("bubblewrap", "home")
@pytest.mark.parametrize("allowed", [False, True])
def test_network_only_if_allowed(
    steps: Callable[..., Any], server: int, allowed: bool, tmp_path: Path
) -> None:
    code = f"import socket\nprint(socket.create_connection(('127.0.0.1', {server}), 5).recv(5).decode())"
    options = ("--allow", "network") if allowed else ()
    status, output = steps(code, language="python", options=options)["s1"]
    assert (status, output == "hello") == (("passed", True) if allowed else ("failed", False))
    record = json.loads(next((tmp_path / ".lesson").glob("runs/*/record.json")).read_text())
    assert record["options"]["sandbox"] == ("with network" if allowed else "no network")
    events = next((tmp_path / ".lesson").glob("runs/*/events.jsonl")).read_text()
    assert ("--allow network enables it" in events) == (not allowed)


@pytest.mark.usefixtures("bubblewrap", "home")
def test_a_sandbox_has_no_capabilities_and_shows_no_other_process(steps: Callable[..., Any]) -> None:
    done = steps(
        "grep -E 'Cap(Eff|Prm|Bnd)' /proc/self/status | tr -d '[:alpha:]:[:space:]'",
        f"kill -0 {os.getpid()} || ls -d /proc/{os.getpid()} || echo $(ls /run | wc -l)",
    )
    assert set(done["s1"][1].replace("\n", "")) == {"0"}
    assert "No such process" in done["s2"][1]
    assert done["s2"][1].endswith("\n0")


@pytest.mark.slow
@pytest.mark.usefixtures("bubblewrap", "home")
def test_a_process_in_the_background_of_a_sandbox_lives_until_the_run_ends(
    steps: Callable[..., Any], alive: Callable[[str | int], bool], tmp_path: Path
) -> None:
    marks = [f"{8_000_000 + os.getpid() * 10 + n}" for n in range(2)]
    done = steps(
        f"sleep {marks[0]} >/dev/null 2>&1 & echo left",
        "kill -0 $! && echo up",
        f"(setsid sleep {marks[1]} &) ; sleep 60",
        timeout="1s",
    )
    assert done["s1"][0] == "passed"
    assert done["s2"] == ("passed", "up")
    assert done["s3"][0] == "failed"
    found = subprocess.run(["ps", "-A", "-o", "args="], capture_output=True, text=True, check=True).stdout
    assert [mark for mark in marks if f"sleep {mark}" in found] == []


@pytest.mark.usefixtures("bubblewrap", "home")
def test_a_step_in_a_sandbox_cannot_change_what_the_runner_writes_for_bash(steps: Callable[..., Any]) -> None:
    done = steps(
        "cd $LESSON_WORKSPACE/shell/exchange; ls; rm -f text || ln -s ~/x text || touch new || echo refused",
        "echo on",
    )
    assert done["s1"][1].endswith("refused")
    assert {"out", "reply", "state", "text"} <= set(done["s1"][1].split("\n"))
    assert done["s2"] == ("passed", "on")


def test_a_run_without_a_sandbox_does_not_mention_one(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(STEP.format("one", "5s", "bash", "true")))
    assert "sandbox" not in lesson("run", "a.md", "--allow", "shell", "--json").json["options"]


@fault(
    "sandbox",
    "there is no bubblewrap, or it cannot create a sandbox here",
    how="a PATH without bwrap; a bwrap that says that namespaces are not permitted; one that hangs",
    seen="what is missing and how to fix it, exit 2",
    survives="nothing was run: no run without a sandbox if one was requested",
)
@pytest.mark.parametrize(
    ("program", "message"),
    [
        (None, "--sandbox needs bubblewrap"),
        ("echo 'bwrap: No permissions to create a new namespace' >&2; exit 1", "create a new namespace"),
        ("exit 9", "exit code 9"),
        ("exec sleep 60", "timed out"),
    ],
    ids=["missing", "refused", "silent", "hanging"],
)
def test_nothing_runs_if_the_sandbox_cannot_be_created(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str | None, message: str
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "sh", "sleep"):
        (tools / name).symlink_to(str(shutil.which(name)))
    if program:
        (tools / "bwrap").write_text(f"#!/bin/sh\n{program}\n")
        (tools / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setattr("lesson_runner.execute.sandbox.TRIAL_SECONDS", 0.5)
    (tmp_path / "a.md").write_text(lesson_text(STEP.format("one", "5s", "bash", "touch ran")))
    said = lesson("run", "a.md", "--allow", "shell", "--sandbox")
    assert said.code == 2
    assert message in said.err
    assert "fix: " in said.err
    assert not (tmp_path / ".lesson").exists()


def test_a_home_folder_that_is_the_root_cannot_be_hidden(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/")
    monkeypatch.setattr("shutil.which", lambda name, **more: f"/usr/bin/{name}")
    (tmp_path / "a.md").write_text(lesson_text(STEP.format("one", "5s", "bash", "true")))
    said = lesson("run", "a.md", "--allow", "shell", "--sandbox")
    assert (said.code, "your home folder is /" in said.err) == (2, True)


@pytest.mark.slow
@pytest.mark.usefixtures("bubblewrap", "home")
def test_a_sandboxed_run_is_resumed_in_a_sandbox(lesson: Lesson, tmp_path: Path) -> None:
    steps = [
        STEP.format("one", "9s", "bash", "export FRUIT=fig"),
        STEP.format("two", "9s", "bash", "test -e go"),
    ]
    steps.append(
        STEP.format("three", "9s", "bash", "echo $FRUIT; ls -A ~ /run").replace("id", "needs: [two]\nid")
    )
    (tmp_path / "a.md").write_text(lesson_text("".join(steps).replace("optional: true\n", "")))
    assert lesson("run", "a.md", "--allow", "shell", "--sandbox").code == 1
    (last_files(tmp_path / ".lesson") / "go").touch()
    said = lesson("resume", "--allow", "shell", "--json")
    assert (said.code, said.json["options"]["sandbox"]) == (0, "no network")
    (output,) = (tmp_path / ".lesson").glob("runs/*/evidence/three/output.txt")
    assert output.read_text().split("\n")[:2] == ["fig", "/run:"]


@pytest.mark.slow
@pytest.mark.usefixtures("bubblewrap", "home")
def test_file_system_sockets_are_unreachable_without_network(
    steps: Callable[..., Any], listening: Path
) -> None:
    connect = f"import socket\nsocket.socket(socket.AF_UNIX).connect('{listening}')\nprint('reached')"
    assert steps(connect, language="python", options=("--allow", "network"))["s1"] == ("passed", "reached")
    pair = "import socket\na, b = socket.socketpair()\na.send(b'x')\nprint(b.recv(1))"
    done = steps(connect, pair, language="python")
    assert done["s1"][0] == "failed"
    assert "PermissionError" in done["s1"][1]
    assert done["s2"] == ("passed", "b'x'")  # socket pairs still work


@pytest.mark.usefixtures("bubblewrap", "home")
def test_keyrings_and_new_namespaces_are_unavailable(steps: Callable[..., Any]) -> None:
    code = """import ctypes, errno, platform
libc = ctypes.CDLL(None, use_errno=True)
first = {"x86_64": 248, "aarch64": 217}[platform.machine()]
for call in ((first + 2, 0, -3, 0), (first, b"user", b"a", b"b", 1, -3), (425, 1, 0)):
    print(libc.syscall(*call), errno.errorcode[ctypes.get_errno()])"""
    done = steps(code, language="python")
    assert done["s1"] == ("passed", "\n".join(["-1 EPERM"] * 3))
    assert steps("unshare --user true && echo made")["s1"][0] == "failed"


@pytest.mark.usefixtures("bubblewrap", "home")
@pytest.mark.parametrize(
    "name",
    ["HF_HOME", "CLOUDSDK_CONFIG", "AZURE_CONFIG_DIR", "GH_CONFIG_DIR", "CARGO_HOME", "ANY_TOOL_CONFIG"],
)
def test_folders_that_variables_name_for_secrets_are_hidden(
    steps: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    folder = Path(__file__).parent / f"secrets-{os.getpid()}"
    folder.mkdir()
    (folder / "token").write_text("kumquat")
    monkeypatch.setenv(name, str(folder))
    try:
        done = steps(f"cat {folder}/token || echo [${name}]")
    finally:
        shutil.rmtree(folder)
    assert "kumquat" not in done["s1"][1]
    assert done["s1"][1].endswith("[]")


@pytest.mark.slow
@pytest.mark.usefixtures("bubblewrap")
def test_a_python_session_in_a_sandbox(lesson: Lesson, tmp_path: Path) -> None:
    step = "<!-- step\nid: {}\nwith: {{session: a}}\n-->\n```python\n{}\n```\n"
    body = step.format("one", "x = 5") + step.format("two", "print(x)")
    body += "<!-- step\nid: end\n-->\n```bash\nexit\n```\n" + step.format("three", "print(x + 1)")
    (tmp_path / "a.md").write_text(lesson_text(body))
    said = lesson("run", "a.md", "--allow", "shell", "--sandbox")
    assert said.code == 0, said
    assert "│ 5\n" in said.out
    assert "│ 6\n" in said.out
