"""Busy devices, mesh descriptors, incompatible packages: with real files and real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lesson_runner.plugins import Hardware
from lesson_runner.plugins.checks import Machine
from lesson_tenstorrent import busy, devices
from lesson_tenstorrent.busy import check_busy, check_devices, find_holders
from lesson_tenstorrent.mesh import VARIABLE, check_mesh_descriptor
from lesson_tenstorrent.system import check_packages, check_python, training_requirements
from lesson_tenstorrent.ttml import (
    check_pip_ttnn,
    check_ttml_build,
    check_ttnn_packages,
    check_unrelated_ttml,
)

LINUX = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux has /proc")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(environ={"PATH": os.environ["PATH"]}, home=tmp_path, backend="ttml")


# --- a device that another process uses ------------------------------------------------------------


@pytest.fixture
def device(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(devices, "DEVICES", tmp_path / "dev")
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "0").touch()
    return tmp_path / "dev" / "0"


HOLD = "import sys\nwith open(sys.argv[1]): print('open', flush=True); sys.stdin.read()"
# A shell starts the process that holds the file, and exits: the process is no longer our descendant.
ORPHAN = 'exec 3<&0; "$0" -c "$1" "$2" <&3 & echo $!'


@pytest.fixture
def holder(device: Path) -> Iterator[int]:
    """The id of a process that holds the device and is not a descendant of this one."""
    command = ["sh", "-c", ORPHAN, sys.executable, HOLD, str(device)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert process.stdout.readline() == "open\n"
        process.wait()
        yield pid


@LINUX
def test_a_process_that_holds_a_device_is_named(machine: Machine, device: Path, holder: int) -> None:
    finding = check_busy(machine)

    assert finding.status == "warning"
    assert f"process {holder} (python" in finding.found
    assert f"has {device} open" in finding.found
    assert finding.fix.endswith(f"kill {holder}")
    assert finding.command == ()


@LINUX
def test_this_process_and_its_children_do_not_count(machine: Machine, device: Path) -> None:
    command = [sys.executable, "-c", HOLD, str(device)]
    with (
        device.open(),
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child,
    ):
        assert child.stdout is not None
        assert child.stdout.readline() == "open\n"
        assert find_holders(device.parent)[0] == []
        assert check_busy(machine).found.startswith("none")


@LINUX
def test_processes_that_cannot_be_inspected_are_counted(
    machine: Machine, device: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a fake ``/proc``, because root can inspect every real process."""
    for number in (7, 8, 9):
        (tmp_path / "proc" / str(number) / "fd").mkdir(parents=True)
    (tmp_path / "proc" / "7" / "fd" / "3").symlink_to(device)
    (tmp_path / "proc" / "7" / "comm").write_text("tt (smi)\n")
    (tmp_path / "proc" / "7" / "stat").write_text("7 (tt (smi)) S 1 7 7")
    (tmp_path / "proc" / "9" / "fd").rmdir()
    (tmp_path / "proc" / "meminfo").touch()
    real = busy._files

    def files(process: Path, prefix: str) -> Iterator[str]:
        if process.name == "8":
            raise PermissionError
        return real(process, prefix)

    monkeypatch.setattr(busy, "PROC", tmp_path / "proc")
    monkeypatch.setattr(busy, "_files", files)

    finding = check_busy(machine)

    assert finding.found == (
        f"process 7 (tt (smi)) has {device} open; 1 process of other users cannot be inspected"
    )


@LINUX
def test_processes_in_the_drivers_list_count_too(machine: Machine, device: Path) -> None:
    """It names the processes of other users, and our own."""
    users = {"used by": {"value": [os.getpid(), 4_000_000], "found_by": "a test"}}
    board = replace(machine, hardware=(Hardware("n150", "a test", 1, facts=users),))

    finding = check_busy(board)

    assert finding.found.startswith("process 4000000 (name not known) has a device open")
    assert finding.fix == "wait until it ends, or ask the user who started it"


@LINUX
def test_the_fix_does_not_kill_a_process_id_of_another_container(machine: Machine, device: Path) -> None:
    """The driver's process id is also that of a process here, which holds no device."""
    command = ["sh", "-c", "sleep 60 <&- >&- 2>&- & echo $!"]
    bystander = int(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    users = {"used by": {"value": [bystander], "found_by": "a test"}}
    try:
        finding = check_busy(replace(machine, hardware=(Hardware("n150", "a test", 1, facts=users),)))
    finally:
        os.kill(bystander, 9)

    assert f"process {bystander} (in another container) has a device open" in finding.found
    assert "kill" not in finding.fix


@LINUX
@pytest.mark.parametrize(("lists", "status"), [(True, "ok"), (False, "warning")])
def test_processes_of_other_users_are_unknown_without_the_drivers_lists(
    machine: Machine,
    device: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lists: bool,
    status: str,
) -> None:
    def refuse(process: Path, prefix: str) -> Iterator[str]:
        raise PermissionError

    (tmp_path / "proc" / "7").mkdir(parents=True)
    if lists:
        (tmp_path / "proc" / "driver" / "tenstorrent").mkdir(parents=True)
    monkeypatch.setattr(busy, "PROC", tmp_path / "proc")
    monkeypatch.setattr(busy, "_files", refuse)

    finding = check_busy(machine)

    assert (finding.status, bool(finding.fix)) == (status, not lists)
    assert "1 process of other users cannot be inspected" in finding.found


def test_a_device_that_this_user_may_not_use_is_a_fault(machine: Machine, device: Path) -> None:
    """A dangling link represents it: not even root can use it."""
    board = replace(machine, hardware=(Hardware("n150", "a test", 2),))
    assert check_devices(board).status == "ok"

    closed = device.parent / "1"
    closed.symlink_to("/nowhere/at/all")
    finding = check_devices(board)

    assert (finding.status, finding.found) == (
        "failed",
        f"a test; you do not have permission to read and write {closed}",
    )
    assert finding.fix.startswith("sudo chmod")
    assert finding.command == ()


def test_without_devices_the_check_is_skipped(machine: Machine, device: Path) -> None:
    device.unlink()

    assert check_busy(machine).status == "skipped"


def test_without_proc_the_check_is_skipped(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(busy, "PROC", tmp_path / "none")

    assert check_busy(machine).status == "skipped"


# --- the mesh graph descriptor -------------------------------------------------------------------

MESH = 'mesh_descriptors {{\n  name: "M0"\n  arch: BLACKHOLE\n  device_topology {{ dims: [ {} ] }}\n}}\n'


def with_board(machine: Machine, name: str, chips: int, architecture: str = "blackhole") -> Machine:
    facts = {"architecture": {"value": architecture, "found_by": "a test"}} if architecture else {}
    return replace(machine, hardware=(Hardware(name, "a test", chips, facts=facts),))


@pytest.mark.parametrize(
    ("name", "chips", "architecture", "status"),
    [
        ("p150", 1, "blackhole", "ok"),
        ("p300c", 2, "blackhole", "warning"),
        ("p300x2", 4, "blackhole", "warning"),
        ("unknown", 4, "blackhole", "warning"),
        ("unknown", 8, "blackhole", "ok"),
        ("n300", 2, "wormhole_b0", "ok"),
        ("unknown", 2, "", "skipped"),
    ],
)
def test_which_boards_need_a_descriptor(
    machine: Machine, name: str, chips: int, architecture: str, status: str
) -> None:
    finding = check_mesh_descriptor(with_board(machine, name, chips, architecture))

    assert finding.status == status
    assert (f"export {VARIABLE}=" in finding.fix) == (status == "warning")
    assert ("dims [1, 4]" in finding.fix) == (name == "p300x2")


def test_the_fix_names_an_existing_file(machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "tt-metal" / "tt_metal" / "fabric" / "mesh_graph_descriptors"
    folder.mkdir(parents=True)
    (folder / "p300_mesh_graph_descriptor.textproto").write_text(MESH.format("1, 2"))

    finding = check_mesh_descriptor(with_board(machine, "p300", 2))

    assert finding.fix == f"export {VARIABLE}={folder}/p300_mesh_graph_descriptor.textproto"


@pytest.mark.parametrize(
    ("text", "status", "words"),
    [
        (MESH.format("1, 2"), "ok", "one.textproto"),
        (MESH.format("2, 2"), "warning", "describes 4 chips, the machine has 2"),
        (MESH.format("1, 2") * 2, "ok", "one.textproto"),
        ("something newer", "ok", "one.textproto"),
        (None, "failed", "No such file or directory"),
    ],
)
def test_a_descriptor_that_is_named(
    machine: Machine, tmp_path: Path, text: str | None, status: str, words: str
) -> None:
    path = tmp_path / "one.textproto"
    if text is not None:
        path.write_text(text)
    board = with_board(replace(machine, environ={VARIABLE: str(path)}), "p300", 2)

    finding = check_mesh_descriptor(board)

    assert finding.status == status
    assert words in finding.found
    assert bool(finding.fix) == (status != "ok")


# --- packages --------------------------------------------------------------------------------------


def install(folder: Path, name: str, version: str, *requires: str) -> None:
    """Put a package there as pip would, with its metadata."""
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").touch()
    rows = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
    rows += [f"Requires-Dist: {text}" for text in requires]
    (folder / f"{name}-{version}.dist-info").mkdir()
    (folder / f"{name}-{version}.dist-info" / "METADATA").write_text("\n".join(rows) + "\n")


def test_requirements_of_a_ttnn_from_pip(machine: Machine, tmp_path: Path) -> None:
    here = replace(machine, environ={"PYTHONPATH": str(tmp_path / "lib")})
    assert check_ttnn_packages(here).status == "skipped"

    wants = ["pytest<1", "pluggy>=1", "absent-thing; extra == 'dev'", "no good", "no-such-package-of-anybody"]
    install(tmp_path / "lib", "ttnn", "0.67.0", *wants)
    finding = check_ttnn_packages(here)

    assert finding.status == "failed"
    assert finding.found == f"pytest {pytest.__version__}, no-such-package-of-anybody not installed"
    assert finding.command[1:] == ("-m", "pip", "install", "pytest<1", "no-such-package-of-anybody")


def test_a_failed_probe_is_not_ok(machine: Machine, tmp_path: Path) -> None:
    """Python exits at once, because of a broken file that it reads at startup."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "sitecustomize.py").write_text("import os; os._exit(7)")
    (tmp_path / "tt-metal" / "tt_metal").mkdir(parents=True)
    (tmp_path / "tt-metal" / "build").mkdir()
    here = replace(machine, environ={"PYTHONPATH": str(tmp_path / "lib")})

    for check in (check_unrelated_ttml, check_pip_ttnn, check_ttnn_packages, check_ttml_build):
        finding = check(here)
        assert (finding.status, finding.found) == ("warning", "not known: exit 7")
        assert finding.fix.startswith(f"{machine.python} -c ")


def test_packages_of_ttnn_that_are_all_installed(machine: Machine, tmp_path: Path) -> None:
    install(tmp_path / "lib", "ttnn", "0.67.0", "pytest>=1")

    finding = check_ttnn_packages(replace(machine, environ={"PYTHONPATH": str(tmp_path / "lib")}))

    assert (finding.status, finding.expected) == ("ok", "what ttnn 0.67.0 requires")


@pytest.mark.parametrize(
    ("there", "status", "fix"),
    [
        ([], "skipped", ""),
        (["path/ttml/autograd/__init__.py"], "failed", "./build_metal.sh --build-tt-train"),
        (["path/ttml/autograd/__init__.py", "path/ttml/_ttml.cpython.so"], "ok", ""),
        (["path/ttml/autograd/__init__.py", "path/_ttml.py"], "ok", ""),
        (["path/ttml/autograd/__init__.py", "path/ttml/_ttml.pyi"], "failed", "--build-tt-train"),
        (
            [
                "path/ttml/autograd/__init__.py",
                "tt-metal/tt_metal/x",
                "tt-metal/build/tt-train/sources/ttml/_ttml.so",
            ],
            "failed",
            "export PYTHONPATH=",
        ),
    ],
)
def test_a_ttml_that_was_not_built(
    machine: Machine, tmp_path: Path, there: list[str], status: str, fix: str
) -> None:
    for name in there:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()

    finding = check_ttml_build(replace(machine, environ={"PYTHONPATH": str(tmp_path / "path")}))

    assert finding.status == status
    assert fix in finding.fix


@pytest.mark.parametrize(
    ("version", "status"),
    [((3, 9, 18), "failed"), ((3, 10, 0), "ok"), ((3, 14, 1), "ok"), ((2, 7, 18), "failed")],
)
def test_python(machine: Machine, version: tuple[int, int, int], status: str) -> None:
    finding = check_python(replace(machine, python_version=version))

    assert finding.status == status
    assert finding.found == ".".join(map(str, version))
    assert bool(finding.fix) == (status == "failed")


def test_a_machine_without_a_board_needs_pytorch_in_addition(machine: Machine) -> None:
    board = {item.name for item in training_requirements(machine)}
    emulated = {item.name for item in training_requirements(replace(machine, backend="emulated"))}

    assert "numpy" in board
    assert emulated - board == {"torch"}
    assert board < emulated


@pytest.mark.parametrize(
    ("torch", "status", "found"),
    [
        (None, "failed", "not installed: torch"),
        ("1.13.0", "warning", "outside the tested range: torch 1.13.0"),
        ("2.7.1+cpu", "ok", "torch 2.7.1"),
    ],
)
def test_packages(machine: Machine, torch: str | None, status: str, found: str) -> None:
    def version_of(name: str) -> str | None:
        return torch if name == "torch" else "99.0"

    finding = check_packages(replace(machine, backend="emulated"), version_of)

    assert finding.status == status
    assert found in finding.found
    install = (sys.executable, "-m", "pip", "install", "lesson-runner[cpu]")
    assert finding.command == (() if status == "ok" else install)
    assert check_packages(machine, version_of).status == "ok"
