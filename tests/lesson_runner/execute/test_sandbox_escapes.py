"""Ways out of a sandbox that namespaces alone do not close."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import last_files

from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]


@pytest.mark.usefixtures("bubblewrap", "home")
def test_only_sockets_isolated_by_a_network_namespace_can_be_created_without_network(
    steps: Callable[..., Any], listening: Path
) -> None:
    code = """import socket
for family in range(64):
    for kind in (1, 2, 3, 5):
        try:
            socket.socket(family, kind).close()
        except OSError:
            continue
        print(family)"""
    done = steps(code, language="python")
    assert {int(family) for family in done["s1"][1].split()} <= {2, 10, 16}  # IP and netlink
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(listening.parent / "datagrams"))
        send = f"import socket\na, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)\n\
a.sendto(b'x', '{listening.parent}/datagrams')"
        assert "PermissionError" in steps(send, language="python")["s1"][1]


@pytest.mark.usefixtures("bubblewrap", "home")
def test_kernel_settings_cannot_be_written(steps: Callable[..., Any]) -> None:
    done = steps(
        "find /proc -path '/proc/[0-9]*' -prune -o -type f -writable -print 2>/dev/null | head",
        "cat /proc/sys/vm/swappiness > same; cat same > /proc/sys/vm/swappiness",
    )
    assert done["s1"] == ("passed", "")
    assert done["s2"][0] == "failed"


@pytest.mark.usefixtures("bubblewrap", "home")
def test_no_setuid_file_is_left_for_other_users(steps: Callable[..., Any], tmp_path: Path) -> None:
    code = """import os
for make in (
    lambda: os.chmod("a", 0o4755),
    lambda: os.fchmod(os.open("a", os.O_RDONLY), 0o4755),
    lambda: os.open("b", os.O_CREAT | os.O_WRONLY, 0o4755),
    lambda: os.mknod("c", 0o104755),
):
    try:
        make()
    except PermissionError:
        print("refused")
os.chmod("a", 0o755)"""
    done = steps("touch a; chmod 750 a", f"cat > chmods.py <<'END'\n{code}\nEND\npython3 chmods.py")
    assert done["s2"] == ("passed", "\n".join(["refused"] * 4))
    files = last_files(tmp_path / ".lesson")
    assert not [path for path in files.iterdir() if path.stat().st_mode & 0o4000]
    assert (files / "a").stat().st_mode & 0o7777 == 0o755


@pytest.mark.usefixtures("bubblewrap", "home")
def test_programs_that_a_step_left_do_not_run_outside(
    steps: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f":{os.environ['PATH']}")
    script = f'#!/bin/bash\ntouch {tmp_path}/escaped\nexec /bin/sh "$@"\n'
    make = f"cat > sh <<'END'\n{script}END\nchmod +x sh; cp sh bwrap; cp sh bash; cp sh true"
    assert steps(make, "pwd")["s2"] == ("passed", str(last_files(tmp_path / ".lesson")))
    assert not (tmp_path / "escaped").exists()


@pytest.mark.usefixtures("bubblewrap")
def test_secret_places_inside_needed_folders_are_hidden(
    steps: Callable[..., Any], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    venv = home / "venv"
    for name in ("hub/token", "bin/tool"):
        (venv / name).parent.mkdir(parents=True, exist_ok=True)
        (venv / name).write_text("kumquat")
    monkeypatch.setenv("VIRTUAL_ENV", str(venv))
    monkeypatch.setenv("HF_HOME", str(venv / "hub"))
    assert steps(f"cat {venv}/bin/tool; ls {venv}/hub")["s1"] == ("passed", "kumquat")


@pytest.mark.usefixtures("bubblewrap", "home")
def test_a_secret_place_with_a_relative_name_is_hidden(
    steps: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = Path(__file__).parent / f"secrets-{os.getpid()}"
    folder.mkdir()
    (folder / "token").write_text("kumquat")
    monkeypatch.setenv("HF_HOME", os.path.relpath(folder, tmp_path))
    try:
        assert "kumquat" not in steps(f"cat {folder}/token")["s1"][1]
    finally:
        shutil.rmtree(folder)


@pytest.mark.usefixtures("bubblewrap", "home")
def test_the_first_process_has_no_credential_either(
    steps: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "kumquat-kumquat")
    check = """import pathlib
print(*("kumquat" in path.read_text() for path in pathlib.Path("/proc").glob("*/environ")))"""
    words = set(steps(check, language="python")["s1"][1].split())
    assert words == {"False"}


@pytest.mark.usefixtures("bubblewrap", "home")
def test_an_unknown_processor_is_named(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "abacus")
    (tmp_path / "a.md").write_text(lesson_text("<!-- step\nid: s1\n-->\n```bash\ntrue\n```\n"))
    said = lesson("run", "a.md", "--allow", "shell", "--sandbox")
    assert said.code == 0
    assert "warning: --sandbox cannot block system calls on this processor (abacus)" in said.err
