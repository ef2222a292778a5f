"""Checks of what a program needs to use a board: the driver, its files, huge pages, ``tt-smi``."""

from __future__ import annotations

import getpass
import shutil
import stat
from pathlib import Path

from lesson_runner.plugins import Finding, Machine
from lesson_tenstorrent.hardware.places import (
    UNKNOWN,
    Places,
    driver_version,
    find_devices,
    find_on_bus,
    read,
)

PAGES = "kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages"
MOUNT = "/dev/hugepages-1G"
"""Where tt-metal looks for huge pages."""


def check_driver(places: Places, machine: Machine) -> Finding:
    """Compare the chips on the PCI bus with the devices that the driver shows."""
    if machine.backend == "emulated":
        return Finding("skipped", machine.why_no_board)
    devices, on_bus, version = find_devices(places), find_on_bus(places), driver_version(places)
    expected = "tt-kmd loaded, with a file for each device"
    if devices:
        return Finding("ok", f"tt-kmd {version or UNKNOWN}", expected)
    if not on_bus:
        return Finding("skipped", "no Tenstorrent chip on the PCI bus")
    chips = f"{len(on_bus)} Tenstorrent chip{'s' if len(on_bus) > 1 else ''} on the PCI bus"
    if version is None:
        fix = "sudo modprobe tenstorrent  # if there is no such module, install tt-kmd"
        return Finding("failed", f"{chips}, but no driver", expected, fix)
    fix = (
        "in a container: start it with --device /dev/tenstorrent; elsewhere: sudo dmesg | grep -i tenstorrent"
    )
    return Finding(
        "failed", f"{chips} and tt-kmd {version} loaded, but no files in {places.devices}", expected, fix
    )


def check_device_files(places: Places, machine: Machine) -> Finding:
    """Check that this user may read and write every device file, without opening one."""
    expected = "permission to read and write every device file"
    devices = find_devices(places)
    if not devices:
        return Finding("skipped", f"no device files in {places.devices}")
    closed = [device.path for device in devices if not device.usable]
    if not closed:
        return Finding("ok", f"{len(devices)} of {len(devices)} can be used", expected)
    found = f"{len(closed)} of {len(devices)} cannot be used: {_describe(Path(closed[0]))}"
    return Finding("failed", found, expected, _how_to_open(Path(closed[0]), places, machine))


def _describe(path: Path) -> str:
    try:
        facts = path.stat()
    except OSError as error:
        return f"{path}: {error.strerror}"
    return f"{path} is {stat.filemode(facts.st_mode)}, {_owner(path)}; you are {_user()}"


def _owner(path: Path) -> str:
    try:
        return f"owner {path.owner()}, group {path.group()}"
    except (KeyError, OSError):  # in a container, a user id may have no name
        return "owner without a name in this container"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "a user without a name"


def _how_to_open(path: Path, places: Places, machine: Machine) -> str:
    everybody = f"sudo chmod 666 {places.devices}/[0-9]*  # tt-kmd's udev rule does this at every boot"
    try:
        mode, group = path.stat().st_mode, path.group()
    except (KeyError, OSError):
        return everybody
    if mode & 0o060 == 0o060 and group != "root":
        name = machine.environ.get("USER") or _user()
        return f"sudo usermod -aG {group} {name}, then log out and in again"
    return everybody


def check_huge_pages(places: Places, machine: Machine) -> Finding:  # noqa: ARG001
    """
    Look for huge pages of 1 GB, unless an IOMMU makes them unnecessary.

    Never fails, only warns: the number needed depends on board and driver, and shows when a device is opened.
    """
    devices = find_devices(places)
    expected = "an IOMMU, or at least one huge page of 1 GB for each device"
    if not places.sys.is_dir():
        return Finding("skipped", f"{places.sys} does not exist: this is not Linux")
    if devices and all(device.iommu for device in devices):
        return Finding("ok", "not needed: the IOMMU maps memory for the devices", expected)
    pages = read(places.sys / PAGES)
    fix = (
        "install tt-system-tools, then: sudo systemctl enable --now tenstorrent-hugepages "
        r"'dev-hugepages\x2d1G.mount', and restart the machine"
    )
    if not pages.isdecimal():
        return Finding("warning", "the kernel has no huge pages of 1 GB", expected, fix)
    found = f"{pages} huge page{'s' if pages != '1' else ''} of 1 GB"
    if int(pages) < len(devices):
        needed = f"{len(devices)} device{'s' if len(devices) != 1 else ''}"
        return Finding("warning", f"{found} for {needed}", expected, fix)
    mounts = read(places.proc / "mounts").splitlines()
    if not any(row.split()[1:2] == [MOUNT] for row in mounts):
        return Finding("warning", f"{found}, not mounted at {MOUNT}", expected, fix)
    return Finding("ok", found, expected)


def check_tt_smi(machine: Machine) -> Finding:
    """Look for ``tt-smi`` on the path."""
    found = shutil.which("tt-smi", path=machine.environ.get("PATH", ""))
    if found:
        return Finding("ok", found, "on the path")
    return Finding("warning", "not on the path", "on the path", "pip install tt-smi")
