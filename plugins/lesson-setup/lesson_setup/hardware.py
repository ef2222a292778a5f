"""The hardware of this machine, as data and as text; no device is opened."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lesson_runner.plugins import Hardware
from lesson_tenstorrent.hardware.places import Device, Places, driver_version, find_devices, find_on_bus


@dataclass(frozen=True, slots=True)
class Inventory:
    """The hardware of a machine."""

    found: tuple[Hardware, ...]
    """What the plugins detected; it decides whether steps that need a board run."""
    driver: str | None
    on_bus: tuple[str, ...]
    devices: tuple[Device, ...]

    @property
    def lines(self) -> list[str]:
        """The hardware as lines of text."""
        return [
            *map(_found_line, self.found),
            f"driver: {f'tt-kmd {self.driver}' if self.driver else 'not loaded'}",
            f"PCI bus: {', '.join(self.on_bus) if self.on_bus else 'no Tenstorrent chip'}",
            *map(_line, self.devices),
        ]

    @property
    def data(self) -> dict[str, Any]:
        """The hardware as plain data."""
        names = ("name", "kind", "detected_by", "devices")
        return {
            "found": [{name: getattr(item, name) for name in names} for item in self.found],
            "driver": self.driver,
            "on_bus": list(self.on_bus),
            "devices": [
                {**dataclasses.asdict(device), "architecture": device.architecture or None}
                for device in self.devices
            ],
        }


def take_inventory(places: Places, found: Sequence[Hardware]) -> Inventory:
    """Return the hardware of this machine; ``found`` is what plugins detected."""
    return Inventory(tuple(found), driver_version(places), find_on_bus(places), find_devices(places))


def _found_line(item: Hardware) -> str:
    kind = {"simulator": ", a simulator", "mock": ", a mock"}.get(item.kind, "")
    chips = f", {item.devices} chip{'' if item.devices == 1 else 's'}" if item.devices else ""
    return f"hardware: {item.name}{kind}{chips} (found by: {item.detected_by})"


def _line(device: Device) -> str:
    use = "can be used" if device.usable else "not permitted for you"
    memory = ", IOMMU" if device.iommu else ""
    return (
        f"device {device.number}: card {device.card}, firmware {device.firmware}, "
        f"PCI {device.pci}{memory}; {device.path} {use}"
    )
