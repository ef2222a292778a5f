"""Read what the system shows about Tenstorrent devices, without opening one."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from lesson_tenstorrent import devices

VENDOR = "0x1e52"
"""Tenstorrent's vendor id on the PCI bus."""
UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Places:
    """Folders of the system; tests use others."""

    devices: Path = field(default_factory=lambda: devices.DEVICES)
    sys: Path = Path("/sys")
    proc: Path = Path("/proc")


@dataclass(frozen=True, slots=True)
class Device:
    """What the driver shows of one device."""

    number: int
    path: str
    usable: bool
    """True if this user may read and write its file."""
    card: str
    """Such as ``n150`` or ``p150a``; :data:`UNKNOWN` if driver or firmware are too old to report it."""
    firmware: str
    """The version of the firmware bundle."""
    pci: str
    iommu: bool
    """True if the IOMMU translates addresses for it, so that it needs no huge pages."""
    serial: str = ""
    """The board's serial number in hexadecimal, the same for all chips of a board; empty if not known."""
    users: tuple[int, ...] = ()
    """Ids of other processes that have it open, according to the driver."""

    @property
    def architecture(self) -> str:
        """``blackhole`` or ``wormhole_b0``, as in ``TT_METAL_ARCH_NAME``; empty if not known."""
        if self.card.startswith("galaxy-"):
            return {"galaxy-blackhole": "blackhole", "galaxy-wormhole": "wormhole_b0"}.get(self.card, "")
        family = self.card[:1].lower() if self.card[1:2].isdecimal() else ""
        return {"p": "blackhole", "n": "wormhole_b0"}.get(family, "")


def read(path: Path) -> str:
    """Return the content of a one-line system file; empty if it cannot be read."""
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def exists(path: Path) -> bool:
    """Return whether a path exists; unlike :meth:`Path.exists`, never raises for lack of permission."""
    return os.path.exists(path)  # noqa: PTH110  # see above


def find_devices(places: Places) -> tuple[Device, ...]:
    """Return the devices that the driver shows, sorted by number."""
    try:
        found = [entry for entry in places.devices.iterdir() if entry.name.isdecimal()]
    except OSError:
        return ()
    return tuple(_device(entry, places) for entry in sorted(found, key=lambda entry: int(entry.name)))


def _device(path: Path, places: Places) -> Device:
    node = places.sys / "class" / "tenstorrent" / f"tenstorrent!{path.name}"
    slot = node / "device"
    users = read(places.proc / "driver" / "tenstorrent" / path.name / "pids").split()
    return Device(
        number=int(path.name),
        path=str(path),
        usable=os.access(path, os.R_OK | os.W_OK),
        card=read(node / "tt_card_type") or UNKNOWN,
        firmware=read(node / "tt_fw_bundle_ver") or UNKNOWN,
        pci=slot.resolve().name if exists(slot) else UNKNOWN,
        # "DMA" and "DMA-FQ" translate; "identity" does not.
        iommu=read(slot / "iommu_group" / "type").startswith("DMA"),
        serial=read(node / "tt_serial"),
        users=tuple(sorted({int(text) for text in users if text.isdecimal()} - {os.getpid()})),
    )


def find_on_bus(places: Places) -> tuple[str, ...]:
    """Return the PCI addresses of Tenstorrent chips, which are visible even without the driver."""
    try:
        slots = sorted((places.sys / "bus" / "pci" / "devices").iterdir())
    except OSError:
        return ()
    return tuple(slot.name for slot in slots if read(slot / "vendor") == VENDOR)


def driver_version(places: Places) -> str | None:
    """Return the version of the loaded driver (tt-kmd), or ``None`` if it is not loaded."""
    module = places.sys / "module" / "tenstorrent"
    return (read(module / "version") or UNKNOWN) if module.is_dir() else None
