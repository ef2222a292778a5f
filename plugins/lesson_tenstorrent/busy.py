"""Check that there are devices, and that no other process has one open."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lesson_runner.plugins.checks import Finding, Machine
from lesson_tenstorrent import devices
from lesson_tenstorrent.hardware.places import Places, find_devices

PROC = Path("/proc")
DRIVER_LISTS = "driver/tenstorrent"
"""Folder below ``/proc`` where newer drivers list every process that has a device open, of any user."""


def check_devices(machine: Machine) -> Finding:
    """Check that device files exist, and that this user may read and write them."""
    found = ", ".join(item.detected_by for item in machine.hardware) or "no plugin detects devices"
    if machine.has_board:
        denied = [device.path for device in find_devices(Places()) if not device.usable]
        if not denied:
            return Finding("ok", found)
        fix = f"sudo chmod a+rw {devices.DEVICES}/[0-9]*  # tt-kmd's udev rule does this at every boot"
        found += f"; you do not have permission to read and write {denied[0]}"
        return Finding("failed", found, "permission to read and write every device", fix)
    if machine.backend == "ttml":
        fix = "lspci -d 1e52:  # if it lists the board, check the driver (tt-kmd); or use --backend emulated"
        return Finding("failed", found, "at least one device for --backend ttml", fix)
    return Finding("skipped", f"{machine.why_no_board}: the emulation is used")


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a device file open."""

    pid: int
    name: str
    files: str
    """The device files, in words."""


def check_busy(machine: Machine) -> Finding:
    """Check that no other process has a device file open."""
    expected = "no other process has a device open"
    if not PROC.is_dir():
        return Finding("skipped", f"{PROC} does not exist, so processes cannot be inspected")
    if not devices.count_devices(devices.DEVICES):
        return Finding("skipped", "there are no device files")
    holders, unreadable = find_holders(devices.DEVICES)
    found = [*holders, *_listed_by_driver(machine, {item.pid for item in holders})]
    others = f"{unreadable} process{'' if unreadable == 1 else 'es'} of other users"
    hidden = f"; {others} cannot be inspected" if unreadable else ""
    if not found and unreadable and not (PROC / DRIVER_LISTS).is_dir():
        fix = f"look as root: sudo fuser -v {devices.DEVICES}/[0-9]*"
        return Finding("warning", f"none of your processes{hidden}", expected, fix)
    if not found:
        return Finding("ok", f"none{hidden}", expected)
    held = "; ".join(f"process {item.pid} ({item.name}) has {item.files} open" for item in found)
    # A process id that only the driver reports may belong to a different process in this container.
    end = (
        f"end it: kill {' '.join(str(item.pid) for item in holders)}"
        if holders
        else "ask the user who started it"
    )
    fix = f"wait until it ends, or {end}"
    return Finding("warning", held + hidden, expected, fix)


def find_holders(folder: Path) -> tuple[list[Holder], int]:
    """
    Return the processes that have a file of a folder open, and the number of processes that are unreadable.

    This process and its children do not count. Only entries of ``/proc`` are opened.
    """
    found: list[Holder] = []
    unreadable = 0
    for process in sorted((entry for entry in PROC.iterdir() if entry.name.isdecimal()), key=_pid):
        try:
            files = sorted(set(_files(process, f"{folder}/")))
        except PermissionError:
            unreadable += 1
        except OSError:  # it has ended in the meantime
            continue
        else:
            if files and not _is_ours(_pid(process)):
                found.append(Holder(_pid(process), _name(process), ", ".join(files)))
    return found, unreadable


def _listed_by_driver(machine: Machine, known: set[int]) -> list[Holder]:
    """Return the processes that only the driver lists: those of other users, or outside this container."""
    users = [item.facts.get("used by") or {} for item in machine.hardware]
    pids = {int(pid) for fact in users for pid in fact.get("value", ())}
    new = sorted(pid for pid in pids - known if not _is_ours(pid))
    return [Holder(pid, _name_of_unseen(PROC / str(pid)), "a device") for pid in new]


def _name_of_unseen(process: Path) -> str:
    """Return the name of a process that only the driver reports as holding a device."""
    # We can inspect the process with this id and it holds no device: the id is of another container.
    return "in another container" if os.access(process / "fd", os.R_OK) else _name(process)


def _pid(process: Path) -> int:
    return int(process.name)


def _files(process: Path, prefix: str) -> Iterator[str]:
    for entry in (process / "fd").iterdir():
        try:
            target = str(entry.readlink())
        except FileNotFoundError:  # it was closed in the meantime
            continue
        if target.startswith(prefix):
            yield target


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text("utf-8", errors="replace").strip()
    except OSError:
        return "name not known"


def _is_ours(pid: int) -> bool:
    """Return whether a process is this one or a descendant of it."""
    while pid > 1:
        if pid == os.getpid():
            return True
        try:
            # After the name in parentheses, which may contain any character: the state, then the parent.
            after = (PROC / str(pid) / "stat").read_text("utf-8", errors="replace").rpartition(")")[2]
        except OSError:
            return False
        pid = int(after.split()[1])
    return False
