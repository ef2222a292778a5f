"""The evidence of this plugin's steps, and the metrics computed from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from lesson_runner.files.plain import write_aside
from lesson_runner.plugins import Evidence
from lesson_tenstorrent import findings

HARDWARE = "hardware.json"
SUMMARY = "summary.json"


def write(path: Path, data: Any) -> None:
    """Write ``data`` as JSON."""
    write_aside(path, json.dumps(data, indent=2) + "\n")


def measure(evidence: Evidence) -> Mapping[str, float]:
    """Return a step's metrics from its evidence; a missing file contributes none."""
    numbers: dict[str, float] = {}
    if hardware := _load(evidence, HARDWARE):
        numbers["devices"] = sum(item["devices"] for item in hardware["found"])
        numbers["usable_devices"] = sum(device["usable"] for device in hardware["devices"])
        numbers["chips_on_bus"] = len(hardware["on_bus"])
    with suppress(FileNotFoundError):
        numbers |= findings.measure(evidence)
    if summary := _load(evidence, SUMMARY):
        numbers["ready"] = int(summary["ready"])
    return numbers


def _load(evidence: Evidence, name: str) -> Any:
    try:
        return evidence.read_json(name)
    except OSError:
        return None
