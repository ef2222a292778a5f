"""The hooks of ``lesson_tenstorrent``."""

from __future__ import annotations

from collections.abc import Iterable

from lesson_runner.plugin import Hardware, hookimpl
from lesson_tenstorrent.devices import DEVICES, count_devices, describe_devices


@hookimpl
def lesson_detect_hardware() -> Iterable[Hardware]:
    """
    Return one entry: ``none``, or ``unknown`` with the number of devices.

    Which board it is cannot be told from the device files alone.
    """
    count = count_devices(DEVICES)
    name = "unknown" if count else "none"
    return [Hardware(name=name, detected_by=describe_devices(DEVICES), devices=count)]
