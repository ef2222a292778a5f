"""Each check against machines that do not exist."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from packaging.version import Version
from tests.lesson_setup.conftest import World

from lesson_setup.checks.board import check_device_files, check_driver, check_huge_pages, check_tt_smi
from lesson_setup.checks.metal import check_metal_version, check_variables
from lesson_setup.checks.system import (
    check_memory,
    check_packages,
    check_python,
    memory_bytes,
    requirements,
)
from lesson_setup.checks.table import IDS, all_checks
from lesson_setup.places import UNKNOWN, Places, find_devices, find_on_bus
from lesson_tenstorrent.checks import Completed, Machine, run_checks
from lesson_tenstorrent.disk import check_disk

PAGES = "kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages"


@dataclass(frozen=True, slots=True)
class Told(Machine):
    """A machine on which every program answers the same."""

    answer: Completed = field(default_factory=lambda: Completed(1, "", ""))

    def run(self, command: object, timeout: float = 10) -> Completed:
        return self.answer


def told(machine: Machine, answer: Completed) -> Told:
    return Told(environ=machine.environ, home=machine.home, devices=machine.devices, answer=answer)


# --- the table -----------------------------------------------------------------------------------


def test_every_check_has_an_id_of_its_own_and_says_why(world: World) -> None:
    checks = all_checks(world.places)

    assert len(set(IDS)) == len(IDS) == len(checks)
    assert all(check.title and check.why for check in checks)


def test_without_a_board_what_needs_one_is_skipped_with_the_reason(world: World) -> None:
    found = {check.id: finding for check, finding in run_checks(all_checks(world.places), world.machine)}

    skipped = {name for name, finding in found.items() if finding.status == "skipped"}
    boards = {"device-files", "huge-pages", "tt-smi", "tt-metal-home", "tt-metal-version", "metal-variables"}
    assert skipped == boards | {"devices", "driver", "pip-ttnn", "ttnn"}
    assert all("no board" in found[name].found for name in boards)
    assert found["driver"].found == "no Tenstorrent chip on the PCI bus"


def test_with_a_board_nothing_is_skipped(world: World) -> None:
    world.add_board()

    results = run_checks(all_checks(world.places), world.machine)

    assert [check.id for check, finding in results if finding.status == "skipped"] == []


def test_all_that_is_wrong_says_what_to_do(world: World) -> None:
    world.add_board()
    (world.places.devices / "1").symlink_to("/nowhere/at/all")

    results = run_checks(all_checks(world.places, Version("0.67.0")), world.machine)

    wrong = {check.id: finding for check, finding in results if finding.status in ("failed", "warning")}
    assert {"device-files", "huge-pages", "tt-smi", "tt-metal-home", "metal-variables", "ttnn"} <= set(wrong)
    assert [name for name, finding in wrong.items() if not (finding.fix and finding.found)] == []


# --- Python, packages, disk, memory --------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "status"),
    [((3, 9, 18), "failed"), ((3, 10, 0), "ok"), ((3, 13, 1), "ok"), ((2, 7, 18), "failed")],
)
def test_python(world: World, version: tuple[int, int, int], status: str) -> None:
    finding = check_python(replace(world.machine, python_version=version))

    assert finding.status == status
    assert finding.found == ".".join(map(str, version))
    assert bool(finding.fix) == (status == "failed")


def test_what_a_machine_without_a_board_needs_is_the_same_and_pytorch() -> None:
    board, emulated = ({item.name for item in requirements(extra)} for extra in ("ct4", "cpu"))

    assert "numpy" in board
    assert emulated - board == {"torch"}
    assert board < emulated


@pytest.mark.parametrize(
    ("versions", "status", "found"),
    [
        ({}, "failed", "not installed: ml[-_]dtypes, numpy, safetensors, torch, tqdm"),
        ({"torch": None}, "failed", "not installed: torch$"),
        ({"torch": "1.13.0"}, "warning", "outside the tested range: torch 1.13.0"),
        ({"torch": "2.7.1+cpu"}, "ok", "torch 2.7.1"),
    ],
)
def test_packages(world: World, versions: Mapping[str, str | None], status: str, found: str) -> None:
    import re

    def version_of(name: str) -> str | None:
        return versions.get(name, "99.0") if versions else None

    finding = check_packages(world.machine, version_of)

    assert finding.status == status
    assert re.search(found, finding.found)
    assert finding.fix == ("" if status == "ok" else "pip install 'lesson-runner[cpu]'")


def test_with_a_board_pytorch_is_not_asked_for(world: World) -> None:
    world.add_board()

    finding = check_packages(world.machine, lambda name: None if name == "torch" else "99.0")

    assert finding.status == "ok"
    assert "torch" not in finding.expected


def test_disk(world: World) -> None:
    below = replace(world.machine, workspace=Path("/"), disk_gb=1e-6)

    assert check_disk(below).status == "ok"
    full = check_disk(replace(below, disk_gb=1e9))
    assert full.status == "failed"
    assert "--workspace" in full.fix
    assert check_disk(replace(world.machine, disk_gb=None)).expected == "1 GB"
    world.add_board()
    assert check_disk(replace(world.machine, disk_gb=None)).expected == "5 GB"


def test_memory_is_that_of_the_container_if_that_is_less(world: World) -> None:
    assert memory_bytes(world.places) == 16_384_000_000
    assert check_memory(world.places, world.machine).status == "ok"

    world.write("fs/cgroup/memory.max", "max")
    assert memory_bytes(world.places) == 16_384_000_000
    world.write("fs/cgroup/memory.max", "1000000000")
    finding = check_memory(world.places, world.machine)
    assert (finding.status, finding.found, finding.expected) == ("warning", "1.0 GB", "2 GB")
    assert check_memory(world.places, world.machine, wanted=0.5).status == "ok"


def test_memory_where_there_is_no_proc(world: World) -> None:
    (world.places.proc / "meminfo").unlink()

    assert (memory_bytes(world.places) or 0) > 1e8


# --- from the bus to the device file -------------------------------------------------------------


def test_a_board_without_a_driver_is_seen_on_the_bus(world: World) -> None:
    world.add_board(driver=False)
    world.add_board(number=1, driver=False)

    finding = check_driver(world.places, world.machine)

    assert (finding.status, finding.found) == ("failed", "2 Tenstorrent chips on the PCI bus, and no driver")
    assert finding.fix.startswith("sudo modprobe tenstorrent")
    assert find_on_bus(world.places) == ("0000:01:00.0", "0000:02:00.0")
    assert check_driver(world.places, replace(world.machine, backend="emulated")).status == "skipped"


def test_a_driver_whose_files_do_not_reach_this_container(world: World) -> None:
    world.add_board()
    (world.places.devices / "0").unlink()

    finding = check_driver(world.places, world.machine)

    assert finding.status == "failed"
    assert "tt-kmd 2.3.0 loaded, no files in" in finding.found
    assert "--device /dev/tenstorrent" in finding.fix


def test_a_driver_that_works(world: World) -> None:
    world.add_board()

    assert check_driver(world.places, world.machine).found == "tt-kmd 2.3.0"


def test_a_device_is_described_without_being_opened(world: World) -> None:
    for number, card in enumerate(["n300", "p150a"]):
        world.add_board(card, number, iommu=["DMA-FQ", "identity"][number])
    (world.places.devices / "by-id").mkdir()
    world.places.devices.joinpath("10").touch()

    first, second, third = find_devices(world.places)

    assert (first.card, first.firmware, first.pci) == ("n300", "18.10.0.0", "0000:01:00.0")
    assert (first.iommu, second.iommu, third.iommu) == (True, False, False)
    assert (first.architecture, second.architecture, third.architecture) == ("wormhole_b0", "blackhole", "")
    assert (third.number, third.card, third.pci, third.usable) == (10, UNKNOWN, UNKNOWN, True)


def test_device_files_that_can_be_used(world: World) -> None:
    world.add_board()
    world.add_board(number=1)

    assert check_device_files(world.places, world.machine).found == "2 of 2 can be used"


def test_device_files_that_lead_nowhere(world: World) -> None:
    """Nobody can use them, not even the superuser."""
    world.add_board()
    (world.places.devices / "1").symlink_to("/nowhere/at/all")

    finding = check_device_files(world.places, world.machine)

    assert finding.status == "failed"
    assert finding.found.startswith(f"1 of 2 cannot be used: {world.places.devices}/1: No such file")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may open every file")
@pytest.mark.parametrize("mode", [0o000, 0o400, 0o060])
def test_device_files_that_this_user_may_not_use(world: World, mode: int) -> None:
    world.add_board()
    (world.places.devices / "0").chmod(mode)

    finding = check_device_files(world.places, world.machine)

    assert finding.status == "failed"
    assert "you are" in finding.found
    assert finding.fix.startswith("sudo usermod -aG" if mode == 0o060 else "sudo chmod 666")


@pytest.mark.parametrize(("mode", "fix"), [(0o660, "sudo usermod -aG lab ada,"), (0o600, "sudo chmod 666")])
def test_the_fix_is_a_group_only_where_a_group_may(
    world: World, mode: int, fix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_board()
    (world.places.devices / "0").chmod(mode)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr(Path, "group", lambda path: "lab")

    finding = check_device_files(world.places, world.with_environ(USER="ada").machine)

    assert finding.status == "failed"
    assert finding.fix.startswith(fix)
    assert "group lab" in finding.found


@pytest.mark.parametrize(
    ("iommu", "pages", "mounted", "status", "found"),
    [
        ("DMA", None, False, "ok", "not needed: the IOMMU"),
        ("DMA-FQ", "0", False, "ok", "not needed: the IOMMU"),
        ("identity", None, False, "warning", "the kernel has no pages of 1 GB"),
        ("identity", "0", True, "warning", "0 pages of 1 GB, 1 devices"),
        ("identity", "4", False, "warning", "4 pages of 1 GB, not mounted"),
        ("identity", "1", True, "ok", "1 page of 1 GB"),
    ],
)
def test_huge_pages(
    world: World, iommu: str, pages: str | None, mounted: bool, status: str, found: str
) -> None:
    world.add_board(iommu=iommu)
    if pages is not None:
        world.write(PAGES, pages)
    if mounted:
        (world.places.proc / "mounts").write_text("nodev /dev/hugepages-1G hugetlbfs rw 0 0\n")

    finding = check_huge_pages(world.places, world.machine)

    assert finding.status == status
    assert finding.found.startswith(found)
    assert bool(finding.fix) == (status == "warning")


def test_huge_pages_where_there_is_no_linux(world: World) -> None:
    places = replace(world.places, sys=world.places.sys / "none")

    assert check_huge_pages(places, world.machine).status == "skipped"


def test_tt_smi(world: World, tmp_path: Path) -> None:
    assert check_tt_smi(world.machine).fix == "pip install tt-smi"

    tool = tmp_path / "tt-smi"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    finding = check_tt_smi(world.with_environ(PATH=str(tmp_path)).machine)
    assert (finding.status, finding.found) == ("ok", str(tool))


# --- tt-metal ------------------------------------------------------------------------------------


@pytest.fixture
def tree(world: World) -> Path:
    folder = world.machine.home / "tt-metal"
    (folder / "tt_metal").mkdir(parents=True)
    return folder


@pytest.mark.parametrize(
    ("minimum", "tag", "status"),
    [
        ("0.67.0", "v0.73.1", "ok"),
        ("0.67.0", "v0.66.0", "failed"),
        (None, "v0.60.0", "ok"),
        (None, "abc1234", "warning"),
        ("0.67.0", "abc1234", "warning"),
    ],
)
def test_metal_version(world: World, tree: Path, minimum: str | None, tag: str, status: str) -> None:
    machine = told(world.machine, Completed(0, tag + "\n", ""))

    finding = check_metal_version(Version(minimum) if minimum else None, machine)

    assert finding.status == status
    assert bool(finding.fix) == (status != "ok")


def test_variables_that_are_not_set_are_named(world: World, tree: Path) -> None:
    finding = check_variables(world.places, world.with_environ(TT_METAL_HOME=str(tree)).machine)

    assert finding.status == "warning"
    assert "TT_METAL_RUNTIME_ROOT is not set" in finding.found
    assert finding.fix == f"export TT_METAL_RUNTIME_ROOT={tree}"


def test_variables_that_name_two_trees(world: World, tree: Path) -> None:
    there = {"TT_METAL_HOME": str(tree), "TT_METAL_RUNTIME_ROOT": str(tree.parent / "other")}
    same = {"TT_METAL_HOME": str(tree), "TT_METAL_RUNTIME_ROOT": str(tree / ".." / tree.name)}

    assert check_variables(world.places, world.with_environ(**there).machine).status == "failed"
    assert check_variables(world.places, world.with_environ(**same).machine).status == "ok"


@pytest.mark.parametrize(
    ("card", "name", "status"),
    [
        ("p150a", "blackhole", "ok"),
        ("p150a", "Blackhole", "ok"),
        ("p150a", "wormhole_b0", "failed"),
        ("n300", "wormhole_b0", "ok"),
        ("n300", "blackhole", "failed"),
        ("mystery", "blackhole", "ok"),
    ],
)
def test_an_architecture_that_is_not_the_boards(
    world: World, tree: Path, card: str, name: str, status: str
) -> None:
    world.add_board(card)
    named = dict.fromkeys(("TT_METAL_HOME", "TT_METAL_RUNTIME_ROOT"), str(tree))

    finding = check_variables(world.places, world.with_environ(TT_METAL_ARCH_NAME=name, **named).machine)

    assert finding.status == status
    if status == "failed":
        assert finding.found.startswith(f"TT_METAL_ARCH_NAME={name}, the board is ")


def test_the_ttml_of_pypi_is_found_where_it_is(tmp_path: Path) -> None:
    """With a real interpreter, and a real package of that name."""
    (tmp_path / "ttml").mkdir()
    (tmp_path / "ttml" / "__init__.py").write_text("raise SystemExit('it must not be imported')\n")
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}

    (check,) = [check for check in all_checks(Places()) if check.id == "unrelated-ttml"]
    finding = check.run(Machine(environ=environ, python=sys.executable))

    assert (finding.status, finding.fix) == ("failed", "pip uninstall -y ttml")
    assert str(tmp_path / "ttml") in finding.found
