"""What hardware a machine has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from lesson_runner.model.document import Json

HardwareKind = Literal["silicon", "simulator", "mock", "none"]
NOT_BOARDS = ("simulator", "emulated", "host")
"""Certification targets that are not boards; each has a column of its own."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """
    What is in this machine, and how that was found out.

    Attributes:
        name: as lessons write it (``n150``); ``none`` or ``unknown`` where it is not known.
        detected_by: how the name was found out.
        devices: how many chips a run can use; 0 if there are none, or only a description of a board.
        kind: ``silicon``; ``simulator`` (a program that simulates the chips); ``mock`` (only a description of
            them, on which nothing can run); ``none``. Only silicon counts as a board in claims.
        facts: what else is known, by name, each as ``{"value": "blackhole", "found_by": "tt-umd"}``.
        device_files: files and folders in ``/dev`` that its programs open; a sandbox has them if they exist.
        path_variables: environment variables that name folders its programs read; a sandbox has these too.
        packages: the Python packages that use it; a record keeps the versions of those that are installed.
    """

    name: str
    detected_by: str
    devices: int = 0
    kind: HardwareKind = "silicon"
    facts: Json = field(default_factory=dict)
    device_files: tuple[str, ...] = ()
    path_variables: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """True if steps can run on it: chips, or a simulator of them. Nothing runs on a description."""
        return self.devices > 0 and self.kind in ("silicon", "simulator")

    @property
    def is_board(self) -> bool:
        """True if steps can run on it, and it is a real device, so that claims and certificates count."""
        return self.usable and self.kind == "silicon"

    @property
    def found(self) -> Json:
        """What was found, as records and ``--json`` show it; what follows from the make is left out."""
        names = ("name", "detected_by", "devices", "kind", "facts")
        return {name: getattr(self, name) for name in names}
