"""Whether there is memory enough."""

from __future__ import annotations

import os

from lesson_runner.plugins import Finding, Machine
from lesson_tenstorrent.hardware.places import Places, read

MEMORY_GB = 2.0
"""Twice what a first training took, measured: 0.9 GB for 10.8 million parameters, emulated, on Linux."""


def check_memory(
    places: Places,
    machine: Machine,  # noqa: ARG001
    wanted: float = MEMORY_GB,
) -> Finding:
    """Compare the memory of the machine, or of the container if that is less."""
    total = memory_bytes(places)
    expected = f"{wanted:g} GB"
    if total is None:
        return Finding("warning", "the system does not say", expected)
    found = f"{total / 1e9:.1f} GB"
    if total >= wanted * 1e9:
        return Finding("ok", found, expected)
    return Finding("warning", found, expected, "choose the profile that is called quick, where there is one")


def memory_bytes(places: Places) -> int | None:
    """Return how much memory there is, or ``None`` if the system does not say."""
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
