"""Check that there is enough memory."""

from __future__ import annotations

import os

from lesson_runner.plugins import Finding, Machine
from lesson_tenstorrent.hardware.places import Places, read

MEMORY_GB = 2.0
"""Twice the measured memory of a first training: 0.9 GB for 10.8 million parameters, emulated, on Linux."""


def check_memory(
    places: Places,
    machine: Machine,  # noqa: ARG001
    wanted: float = MEMORY_GB,
) -> Finding:
    """Check the memory of the machine, or the limit of the container if that is less."""
    total = memory_bytes(places)
    expected = f"{wanted:g} GB"
    if total is None:
        return Finding("warning", "the system does not report its memory", expected)
    found = f"{total / 1e9:.1f} GB"
    if total >= wanted * 1e9:
        return Finding("ok", found, expected)
    return Finding(
        "warning", found, expected, "use the profile quick, if the lesson has one: --profile quick"
    )


def memory_bytes(places: Places) -> int | None:
    """Return the available memory, or ``None`` if the system does not report it."""
    sizes = []
    rows = dict(row.split(":", 1) for row in read(places.proc / "meminfo").splitlines() if ":" in row)
    kilobytes = rows.get("MemTotal", "").split()[:1]
    if kilobytes and kilobytes[0].isdecimal():
        sizes.append(int(kilobytes[0]) * 1024)
    else:  # macOS has no /proc
        try:
            sizes.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
        except (OSError, ValueError):
            return None
    limit = read(places.sys / "fs" / "cgroup" / "memory.max")
    if limit.isdecimal():
        sizes.append(int(limit))
    return min(sizes)
