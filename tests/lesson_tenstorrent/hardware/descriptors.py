"""Descriptions of machines for tt-umd and ttnn: local copies of tt-metal's, and some that the tests write."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

VARIABLE = "LESSON_TEST_CLUSTER_DESCRIPTORS"
_DEFAULT = Path(__file__).parents[3] / "../shared/cluster-descriptors"
NAMES = ("n150", "n300", "p150", "p300", "t3k")
"""The expected names of tt-metal's descriptions, which are also their file names."""
BOARD_NUMBERS = {"n150": 0x18, "n300": 0x14, "p150": 0x40, "p300": 0x44, "ubb": 0x35}
"""Bits 36 to 55 of a board's serial number, which hold its type."""


def shared_descriptor(name: str) -> Path:
    """Return the path of the local copy of one of tt-metal's descriptions, or skip the test."""
    path = (Path(os.environ.get(VARIABLE) or _DEFAULT) / f"{name}.yaml").resolve()
    if not path.is_file():
        pytest.skip(f"no local copy of {name}.yaml; set {VARIABLE} to the folder of tt-metal's descriptions")
    return path


def write_descriptor(path: Path, boards: Sequence[tuple[str, int]]) -> Path:
    """
    Write a description of a machine.

    Args:
        path: where to.
        boards: for each, its type in tt-umd and its number of chips, all of them on PCI.
    """
    rows: list[str] = []
    chips: dict[int, str] = {}
    for number, (kind, count) in enumerate(boards):
        own = range(len(chips), len(chips) + count)
        chips |= dict.fromkeys(own, kind)
        rows += ["  -", f"    - board_id: {(BOARD_NUMBERS.get(kind, 1) << 36) + number}"]
        rows += [f"    - board_type: {kind}", f"    - chips: [{', '.join(map(str, own))}]"]
    mask = (
        "{noc_translation: true, harvest_mask: 0, dram_harvesting_mask: 0, eth_harvesting_mask: 0, "
        "pcie_harvesting_mask: 0, l2cpu_harvesting_mask: 0}"
    )
    parts = [
        ["cluster_id: vm", "arch:"],
        [f"  {chip}: {'blackhole' if kind[0] == 'p' else 'wormhole_b0'}" for chip, kind in chips.items()],
        ["chips:", "  {}", "chip_unique_ids:", *(f"  {chip}: {100 + chip}" for chip in chips)],
        ["ethernet_connections:", "  []", "ethernet_connections_to_remote_devices:", "  []"],
        ["chips_with_mmio:", *(f"  - {chip}: {337408 + chip}" for chip in chips)],
        ["io_device_type: PCIe", "harvesting:", *(f"  {chip}: {mask}" for chip in chips)],
        ["chip_to_bus_id:", *(f'  {chip}: "0x00"' for chip in chips)],
        ["boards:", *rows, "asic_locations:", *(f"  {chip}: {chip % 2}" for chip in chips)],
    ]
    path.write_text("\n".join(row for part in parts for row in part) + "\n")
    return path
