"""Fake machines: folders like those of a system, and libraries that give prepared answers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

from lesson_runner.plugins import Hardware
from lesson_tenstorrent.hardware.detect import detect
from lesson_tenstorrent.hardware.places import Places

CHIPS = """
import enum

class Action(enum.Enum):
    THROW = 0
    IGNORE = 1

class TopologyDiscoveryOptions:
    Action = Action
    def __init__(self):
        self.cmfw_mismatch_action = Action.THROW

class Kind(enum.Enum):
    {kind} = 1

class Cluster:
    def get_all_chips(self): return set(range({chips}))
    def get_arch(self, chip): return "wormhole_b0"
    def get_board_type(self, chip): return Kind.{kind}
    def get_board_id_for_chip(self, chip): return 7 + chip // {chips_per_board}
    def get_chip_pci_bdfs(self): return {{0: "0000:01:00.0"}}

class Version:
    def to_string(self): return "18.10.0"

class Device:
    def get_firmware_info_provider(self): return self
    def get_firmware_version(self): return Version()

class TopologyDiscovery:
    @staticmethod
    def discover(options):
        assert options.cmfw_mismatch_action is Action.IGNORE
        print("a log line on standard output")
        return Cluster(), {{0: Device()}}
"""
"""A ``tt_umd`` that finds chips of one kind, each board with the same number of them."""
CLUSTER = """
class cluster:
    @staticmethod
    def get_cluster_type():
        print("a log line on standard output")
        return "ClusterType.{kind}"

def get_arch_name(): return "wormhole_b0"
def GetNumAvailableDevices(): return {chips}
"""
"""A ``ttnn`` that reports one kind of machine."""


def umd_of(kind: str, chips: int, chips_per_board: int = 1) -> str:
    """Return the source of a ``tt_umd`` that finds chips on boards of one kind, such as ``N300``."""
    return CHIPS.format(kind=kind, chips=chips, chips_per_board=chips_per_board)


def ttnn_of(kind: str, chips: int) -> str:
    """Return the source of a ``ttnn`` whose cluster type is ``kind``, such as ``N300``."""
    return CLUSTER.format(kind=kind, chips=chips)


@dataclass(frozen=True, slots=True)
class World:
    """A fake system; every path is below ``root``."""

    root: Path
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def places(self) -> Places:
        return Places(self.root / "dev", self.root / "sys", self.root / "proc")

    def write(self, path: str, text: str) -> Path:
        """Write a file with one line."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text + "\n")
        return target

    def add(self, card: str = "", serial: str = "", *, users: Iterable[int] = ()) -> None:
        """Add a device; ``card`` and ``serial`` are what the driver reports, if anything."""
        number = len(list((self.root / "dev").glob("*")))
        self.write(f"dev/{number}", "")
        node = f"sys/class/tenstorrent/tenstorrent!{number}"
        slot = self.root / f"sys/bus/pci/devices/0000:{number:02x}:00.0"
        self.write(f"{slot.relative_to(self.root)}/vendor", "0x1e52")
        self.write("sys/module/tenstorrent/version", "2.4.0")
        (self.root / node).mkdir(parents=True)
        (self.root / node / "device").symlink_to(slot)
        if card:
            self.write(f"{node}/tt_card_type", card)
            self.write(f"{node}/tt_fw_bundle_ver", "18.10.0.0")
        if serial:
            self.write(f"{node}/tt_serial", serial)
        self.write(f"proc/driver/tenstorrent/{number}/pids", "\n".join(map(str, users)))

    def add_package(self, name: str, source: str) -> None:
        """Put a Python package where our probes find it before the real one."""
        self.write(f"packages/{name}/__init__.py", dedent(source))

    @property
    def variables(self) -> dict[str, str]:
        """The variables of this process, and those of this world."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("TT_")}
        return {**inherited, "PYTHONPATH": str(self.root / "packages"), **self.environ}

    def detect(self, *, thorough: bool = False, **environ: str) -> Hardware:
        """Return what is found in this world."""
        return detect(self.places, thorough=thorough, environ={**self.variables, **environ})


def values(hardware: Hardware) -> dict[str, object]:
    """Return the facts without their sources, each of which must have one."""
    assert all(fact["found_by"] for fact in hardware.facts.values())
    return {name: fact["value"] for name, fact in hardware.facts.items()}
