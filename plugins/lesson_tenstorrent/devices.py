"""Find Tenstorrent devices without opening them: the driver creates one numbered file for each."""

from __future__ import annotations

from pathlib import Path

from lesson_runner.model import Hardware

DEVICES = Path("/dev/tenstorrent")
"""Where the kernel driver (tt-kmd) puts the device files."""


def count_devices(folder: Path = DEVICES) -> int:
    """
    Return how many devices the driver shows.

    Only numeric names count: newer drivers put other entries, such as ``by-id``, next to them.
    """
    try:
        return sum(entry.name.isdecimal() for entry in folder.iterdir())
    except OSError:
        return 0


def describe_devices(folder: Path = DEVICES) -> str:
    """Say in words what :func:`count_devices` counted."""
    count = count_devices(folder)
    if count:
        return f"{count} device file{'s' if count != 1 else ''} in {folder}"
    return f"{folder} has no device files" if folder.is_dir() else f"{folder} does not exist"


def hardware_of(folder: Path | None = None) -> Hardware:
    """Return what the device files alone show: the number of devices, but not which boards they are."""
    folder = folder or DEVICES
    count = count_devices(folder)
    found_by = describe_devices(folder)
    return Hardware("unknown", found_by, count) if count else Hardware("none", found_by, kind="none")
