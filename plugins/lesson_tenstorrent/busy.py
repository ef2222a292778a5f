"""Checks of the devices: whether there are any, and whether another process holds one of them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lesson_runner.plugins.checks import Finding, Machine
from lesson_tenstorrent import devices
from lesson_tenstorrent.hardware.places import Places, find_devices

PROC = Path("/proc")
LISTS = "driver/tenstorrent"
"""Where newer drivers list, below ``/proc``, who has a device open, whoever that is."""


def check_devices(machine: Machine) -> Finding:
    """Look for device files, and whether this user may read and write them."""
    found = ", ".join(item.detected_by for item in machine.hardware) or "no plugin looks for devices"
    if machine.has_board:
        closed = [device.path for device in find_devices(Places()) if not device.usable]
        if not closed:
            return Finding("ok", found)
        fix = f"sudo chmod a+rw {devices.DEVICES}/[0-9]*  # tt-kmd's udev rule does it at every start"
        denied = f"{found}; you may not read and write {closed[0]}"
        return Finding("failed", denied, "devices that this user may read and write", fix)
    if machine.backend == "ttml":
        fix = "lspci -d 1e52:  # shows the board; if so, look at its driver (tt-kmd); or --backend emulated"
        return Finding("failed", found, "at least one device for --backend ttml", fix)
    return Finding("skipped", f"{machine.why_no_board}: the emulation is used")


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a device file open."""

    pid: int
    name: str
    files: str
    """In words."""


def check_busy(machine: Machine) -> Finding:
    """Look for a process, other than ours, that has a device file open."""
    expected = "no other process has a device open"
    if not PROC.is_dir():
        return Finding("skipped", f"{PROC} is absent: processes cannot be looked into")
    if not devices.count_devices(devices.DEVICES):
        return Finding("skipped", "there are no device files")
    seen, closed = find_holders(devices.DEVICES)
    found = [*seen, *_by_the_driver(machine, {item.pid for item in seen})]
    others = f"{closed} process{'' if closed == 1 else 'es'} of other users"
    hidden = f"; {others} cannot be looked into" if closed else ""
    if not found and closed and not (PROC / LISTS).is_dir():
        fix = f"ask as the superuser: sudo fuser -v {devices.DEVICES}/[0-9]*"
        return Finding("warning", f"none of yours; not known of others{hidden}", expected, fix)
    if not found:
        return Finding("ok", f"none{hidden}", expected)
    held = "; ".join(f"process {item.pid} ({item.name}) has {item.files} open" for item in found)
    # A number that only the driver names may mean another process here.
    end = f"end it: kill {' '.join(str(item.pid) for item in seen)}" if seen else "ask whoever started it"
    fix = f"wait until it ends, or {end}"
    return Finding("warning", held + hidden, expected, fix)


def find_holders(folder: Path) -> tuple[list[Holder], int]:
    """
    Return the processes that have a file of a folder open, and how many processes may not be looked into.

    Our own process and those it started do not count. Nothing is opened but entries of ``/proc``.
    """
    found: list[Holder] = []
    closed = 0
    for process in sorted((entry for entry in PROC.iterdir() if entry.name.isdecimal()), key=_number):
        try:
            files = sorted(set(_files(process, f"{folder}/")))
        except PermissionError:
            closed += 1
        except OSError:  # it has ended meanwhile
            continue
        else:
            if files and not _is_ours(_number(process)):
                found.append(Holder(_number(process), _name(process), ", ".join(files)))
    return found, closed


def _by_the_driver(machine: Machine, known: set[int]) -> list[Holder]:
    """Return those that only the driver's own lists name: of other users, or outside a container."""
    users = [item.facts.get("used by") or {} for item in machine.hardware]
    pids = {int(pid) for fact in users for pid in fact.get("value", ())}
    new = sorted(pid for pid in pids - known if not _is_ours(pid))
    return [Holder(pid, _name_of_other(PROC / str(pid)), "a device") for pid in new]


def _name_of_other(process: Path) -> str:
    """Return the name of a process that we did not see holding a device, although the driver says so."""
    # One that we may look into, and that holds none, has the same number in another container.
    return "in another container" if os.access(process / "fd", os.R_OK) else _name(process)


def _number(process: Path) -> int:
    return int(process.name)


def _files(process: Path, prefix: str) -> Iterator[str]:
    for entry in (process / "fd").iterdir():
        try:
            target = str(entry.readlink())
        except FileNotFoundError:  # it was closed meanwhile
            continue
        if target.startswith(prefix):
            yield target


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text("utf-8", errors="replace").strip()
    except OSError:
        return "name not known"


def _is_ours(pid: int) -> bool:
    """Return whether a process is this one, or one that it started."""
    while pid > 1:
        if pid == os.getpid():
            return True
        try:
            # After the name in parentheses, which may have any character in it: state, then the parent.
            after = (PROC / str(pid) / "stat").read_text("utf-8", errors="replace").rpartition(")")[2]
        except OSError:
            return False
        pid = int(after.split()[1])
    return False
