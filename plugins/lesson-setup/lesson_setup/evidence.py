"""The files our steps leave behind, and the numbers in them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lesson_runner.resources import write_aside
from lesson_tenstorrent import findings

HARDWARE = "hardware.json"
SUMMARY = "summary.json"


def write(path: Path, data: Any) -> None:
    """Write ``data`` as JSON."""
    write_aside(path, json.dumps(data, indent=2) + "\n")


def measure(folder: Path) -> Mapping[str, float]:
    """Return the numbers of a step from the files it left; of a file that is not there, none."""
    numbers: dict[str, float] = {}
    if hardware := _load(folder / HARDWARE):
        numbers["devices"] = sum(item["devices"] for item in hardware["found"])
        numbers["usable_devices"] = sum(device["usable"] for device in hardware["devices"])
        numbers["chips_on_bus"] = len(hardware["on_bus"])
    if (folder / findings.RECORD).exists():
        numbers |= findings.measure(folder)
    if summary := _load(folder / SUMMARY):
        numbers["ready"] = int(summary["ready"])
    return numbers


def _load(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError:
        return None
