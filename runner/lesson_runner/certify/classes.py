"""The class and the hardware of a run, from its record alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Class = Literal["silicon", "simulator", "emulated", "host"]
BOARD: Class = "silicon"


@dataclass(frozen=True, slots=True)
class Place:
    """
    The class and the hardware of a run.

    Attributes:
        kind: ``silicon`` is a board; a simulator or the emulation never counts as one. ``host`` means that
            none of these was used.
        target: what a certificate is issued for: the board's name, or the class if there is no board.
        hardware: the record's entry for the hardware; empty if none was found.
        chips_used: how many chips the run used; 0 if that is not known.
    """

    kind: Class
    target: str
    hardware: Mapping[str, Any]
    chips_used: int = 0

    @property
    def chips_present(self) -> int:
        """How many chips the hardware has."""
        return int(self.hardware.get("devices", 0))


def place_of_run(record: Mapping[str, Any]) -> Place:
    """
    Return the class and the hardware of a run.

    Labels take precedence over hardware: one emulated or simulated step makes the whole run emulated or
    simulated.
    """
    hardware = record["hardware"]
    labels = set(record["labels"])
    backend = record["facts"].get("backend")
    backend = backend if isinstance(backend, Mapping) else {}
    used = _product(backend.get("mesh"))
    labels |= {"emulated"} & {record["backend"]}  # with --backend emulated, a board does not count
    weaker: tuple[Class, ...] = ("emulated", "simulator")
    for kind in weaker:
        if kind in labels or backend.get("kind") == kind:
            described = [item for item in hardware if item.get("kind") == kind]
            return Place(kind, kind, described[0] if described else {}, used)
    chips = [item for item in hardware if item["devices"] and item.get("kind", "silicon") == "silicon"]
    if chips:
        return Place("silicon", str(chips[0]["name"]), chips[0], used)
    simulated = next((item for item in hardware if item.get("kind") == "simulator"), None)
    if simulated is not None:
        return Place("simulator", "simulator", simulated, used)
    return Place("host", "host", {}, 0)


def _product(mesh: Any) -> int:
    if not isinstance(mesh, list) or not all(isinstance(size, int) and size > 0 for size in mesh):
        return 0
    product = 1
    for size in mesh:
        product *= size
    return product if mesh else 0
