"""Fake machines: folders that look like those of a system with boards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lesson_runner.plugins.checks import Completed, Machine
from lesson_setup import machine as module
from lesson_tenstorrent.hardware.detect import detect
from lesson_tenstorrent.hardware.places import Places


@dataclass(frozen=True, slots=True)
class SilentMachine(Machine):
    """A machine on which no program answers."""

    def run(self, command: object, timeout: float = 10) -> Completed:
        return Completed(127, "", "no such program")


@dataclass(frozen=True, slots=True)
class World:
    """A fake system, and the machine on it."""

    places: Places
    bare: Machine

    @property
    def machine(self) -> Machine:
        """The machine with the current devices."""
        return replace(self.bare, hardware=(detect(self.places, environ={}),))

    def write(self, name: str, text: str) -> Path:
        """Write a file below ``/sys``."""
        path = self.places.sys / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
        return path

    def add_board(
        self, card: str = "n150", number: int = 0, *, iommu: str = "identity", driver: bool = True
    ) -> None:
        """Put a board with one chip on the bus; ``driver`` loads tt-kmd and creates its files."""
        address = f"0000:0{number + 1}:00.0"
        self.write(f"bus/pci/devices/{address}/vendor", "0x1e52")
        self.write(f"bus/pci/devices/{address}/iommu_group/type", iommu)
        if not driver:
            return
        self.write("module/tenstorrent/version", "2.3.0")
        node = f"class/tenstorrent/tenstorrent!{number}"
        self.write(f"{node}/tt_card_type", card)
        self.write(f"{node}/tt_fw_bundle_ver", "18.10.0.0")
        (self.places.sys / node / "device").symlink_to(self.places.sys / "bus/pci/devices" / address)
        self.places.devices.mkdir(exist_ok=True)
        (self.places.devices / str(number)).touch()

    def with_environ(self, **environ: str) -> World:
        """Return this world with a machine that has other variables."""
        return replace(self, bare=replace(self.bare, environ=environ))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A Linux machine with nothing in it."""
    root = tmp_path / "world"
    places = Places(root / "dev", root / "sys", root / "proc")
    (root / "home").mkdir(parents=True)
    places.proc.mkdir()
    (places.proc / "meminfo").write_text("MemTotal:       16000000 kB\nMemFree:  8 kB\n")
    (places.sys / "bus/pci/devices/0000:00:00.0").mkdir(parents=True)
    (places.sys / "bus/pci/devices/0000:00:00.0/vendor").write_text("0x8086\n")
    return World(places, SilentMachine(environ={}, home=root / "home", workspace=tmp_path / ".lesson"))


@pytest.fixture
def use_world(monkeypatch: pytest.MonkeyPatch) -> Callable[[World], None]:
    """Makes the actions and checks of this plugin use a fake system."""
    return lambda world: monkeypatch.setattr(module, "PLACES", world.places)
