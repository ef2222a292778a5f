"""Each check on fake machines."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.lesson_setup.conftest import World

from lesson_runner.plugins.checks import Machine, run_checks
from lesson_setup.checks.board import check_device_files, check_driver, check_huge_pages, check_tt_smi
from lesson_setup.checks.system import check_memory, memory_bytes
from lesson_setup.checks.table import IDS, all_checks, own_checks
from lesson_tenstorrent.hardware.places import UNKNOWN, Places, find_devices, find_on_bus
from lesson_tenstorrent.table import CHECKS_BY_ID

PAGES = "kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages"


# --- the table -----------------------------------------------------------------------------------


def test_every_check_has_a_unique_id_and_a_reason(world: World) -> None:
    checks = all_checks(world.places)

    assert len(set(IDS)) == len(IDS) == len(checks)
    assert all(check.title and check.why for check in checks)


def test_without_a_board_board_only_checks_are_skipped_with_the_reason(world: World) -> None:
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


def test_every_problem_has_a_fix(world: World) -> None:
    world.add_board()
    (world.places.devices / "1").symlink_to("/nowhere/at/all")

    results = run_checks(all_checks(world.places), world.machine)

    wrong = {check.id: finding for check, finding in results if finding.status in ("failed", "warning")}
    assert {"device-files", "huge-pages", "tt-smi", "tt-metal-home", "metal-variables", "ttnn"} <= set(wrong)
    assert [name for name, finding in wrong.items() if not (finding.fix and finding.found)] == []


def test_the_hook_adds_only_new_checks(world: World) -> None:
    own = {check.id for check in own_checks(world.places)}

    assert own == set(IDS) - set(CHECKS_BY_ID)
    assert not own & set(CHECKS_BY_ID)


# --- disk and memory -----------------------------------------------------------------------------


def test_a_step_sets_the_disk_space(world: World) -> None:
    disk = {gigabytes: all_checks(world.places, disk_gb=gigabytes)[2] for gigabytes in (1e-6, 1e9)}

    assert disk[1e-6].run(world.machine).status == "ok"
    full = disk[1e9].run(world.machine)
    assert (disk[1e9].id, full.status) == ("disk", "failed")
    assert "--workspace" in full.fix


def test_a_container_may_limit_the_memory(world: World) -> None:
    assert memory_bytes(world.places) == 16_384_000_000
    assert check_memory(world.places, world.machine).status == "ok"

    world.write("fs/cgroup/memory.max", "max")
    assert memory_bytes(world.places) == 16_384_000_000
    world.write("fs/cgroup/memory.max", "1000000000")
    finding = check_memory(world.places, world.machine)
    assert (finding.status, finding.found, finding.expected) == ("warning", "1.0 GB", "2 GB")
    assert check_memory(world.places, world.machine, wanted=0.5).status == "ok"


def test_memory_without_proc(world: World) -> None:
    (world.places.proc / "meminfo").unlink()

    assert (memory_bytes(world.places) or 0) > 1e8


# --- from the bus to the device file -------------------------------------------------------------


def test_a_board_without_a_driver_is_seen_on_the_bus(world: World) -> None:
    world.add_board(driver=False)
    world.add_board(number=1, driver=False)

    finding = check_driver(world.places, world.machine)

    assert (finding.status, finding.found) == ("failed", "2 Tenstorrent chips on the PCI bus, but no driver")
    assert finding.fix.startswith("sudo modprobe tenstorrent")
    assert find_on_bus(world.places) == ("0000:01:00.0", "0000:02:00.0")
    assert check_driver(world.places, replace(world.machine, backend="emulated")).status == "skipped"


def test_a_driver_without_files_in_this_container(world: World) -> None:
    world.add_board()
    (world.places.devices / "0").unlink()

    finding = check_driver(world.places, world.machine)

    assert finding.status == "failed"
    assert "tt-kmd 2.3.0 loaded, but no files in" in finding.found
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


def test_without_device_files_the_check_is_skipped(world: World) -> None:
    assert check_device_files(world.places, world.machine).status == "skipped"


def test_device_files_that_are_dangling_links(world: World) -> None:
    """Not even root can use them."""
    world.add_board()
    (world.places.devices / "1").symlink_to("/nowhere/at/all")

    finding = check_device_files(world.places, world.machine)

    assert finding.status == "failed"
    assert finding.found.startswith(f"1 of 2 cannot be used: {world.places.devices}/1: No such file")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every file")
@pytest.mark.parametrize("mode", [0o000, 0o400, 0o060])
def test_device_files_that_this_user_may_not_use(world: World, mode: int) -> None:
    world.add_board()
    (world.places.devices / "0").chmod(mode)

    finding = check_device_files(world.places, world.machine)

    assert finding.status == "failed"
    assert "you are" in finding.found
    assert finding.fix.startswith("sudo usermod -aG" if mode == 0o060 else "sudo chmod 666")


@pytest.mark.parametrize(("mode", "fix"), [(0o660, "sudo usermod -aG lab ada,"), (0o600, "sudo chmod 666")])
def test_the_fix_is_a_group_only_if_the_group_has_access(
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
        ("identity", None, False, "warning", "the kernel has no huge pages of 1 GB"),
        ("identity", "0", True, "warning", "0 huge pages of 1 GB for 1 device"),
        ("identity", "4", False, "warning", "4 huge pages of 1 GB, not mounted"),
        ("identity", "1", True, "ok", "1 huge page of 1 GB"),
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


def test_huge_pages_without_linux(world: World) -> None:
    places = replace(world.places, sys=world.places.sys / "none")

    assert check_huge_pages(places, world.machine).status == "skipped"


def test_tt_smi(world: World, tmp_path: Path) -> None:
    assert check_tt_smi(world.machine).fix == "pip install tt-smi"

    tool = tmp_path / "tt-smi"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o755)
    finding = check_tt_smi(world.with_environ(PATH=str(tmp_path)).machine)
    assert (finding.status, finding.found) == ("ok", str(tool))


# --- the ttml of PyPI ------------------------------------------------------------------------------


def test_the_ttml_of_pypi_is_found(tmp_path: Path) -> None:
    """With a real interpreter, and a real package of that name."""
    (tmp_path / "ttml").mkdir()
    (tmp_path / "ttml" / "__init__.py").write_text("raise SystemExit('it must not be imported')\n")
    (tmp_path / "ttml-1.0.dist-info").mkdir()
    (tmp_path / "ttml-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: ttml\nVersion: 1.0\n"
    )
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}

    (check,) = [check for check in all_checks(Places()) if check.id == "unrelated-ttml"]
    finding = check.run(Machine(environ=environ, python=sys.executable))

    assert finding.status == "failed"
    assert finding.command == (sys.executable, "-m", "pip", "uninstall", "-y", "ttml")
    assert str(tmp_path / "ttml") in finding.found
