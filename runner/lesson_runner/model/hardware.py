"""The hardware of a machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from lesson_runner.model.document import Json

HardwareKind = Literal["silicon", "simulator", "mock", "none"]
NOT_BOARDS = ("simulator", "emulated", "host")
"""Certification targets that are not boards; each has a separate column."""


@dataclass(frozen=True, slots=True)
class Hardware:
    """
    Hardware in this machine, and how it was detected.

    Attributes:
        name: the name that lessons use, such as ``n150``; ``none`` if there is no hardware, ``unknown`` if
            its model is not known.
        detected_by: how it was detected, such as a program's or a folder's name.
        devices: how many chips a run can use; 0 if there are none, or only a description of a board.
        kind: ``silicon``; ``simulator`` (a program that simulates the chips); ``mock`` (a description on
            which nothing can run); ``none``. Only silicon counts as a board in claims.
        facts: other facts, by name, each as ``{"value": "blackhole", "found_by": "tt-umd"}``.
        device_files: files and folders in ``/dev`` that its programs open. A sandbox includes those that
            exist.
        path_variables: environment variables that name folders its programs read. A sandbox includes these
            folders.
        packages: distribution names of the Python packages that use it. A record keeps the versions of those
            that are installed.
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
        """True if steps can run on it: chips or a simulator; a mock device does not count."""
        return self.devices > 0 and self.kind in ("silicon", "simulator")

    @property
    def is_board(self) -> bool:
        """True if steps can run on it and it is real, so that claims and certificates count."""
        return self.usable and self.kind == "silicon"

    @property
    def found(self) -> Json:
        """The fields that records and ``--json`` show; those for sandboxes and versions are left out."""
        names = ("name", "detected_by", "devices", "kind", "facts")
        return {name: getattr(self, name) for name in names}
