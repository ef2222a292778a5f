"""The cells of a fleet run, each one lesson on one kind of hardware, and the jobs that workers receive."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from lesson_runner import __version__

PRETENDED = "pretended"
"""The label of everything that ran on a pretended board."""


class Cell(NamedTuple):
    """One lesson on one kind of hardware."""

    lesson: str
    """Its id."""
    hardware: str
    """As lessons write it, such as ``n150``."""

    def __str__(self) -> str:
        return f"{self.lesson} on {self.hardware}"


@dataclass(frozen=True, slots=True)
class Document:
    """A lesson as it is sent to workers: with its text, because they need not have the file."""

    id: str
    title: str
    path: str
    text: bytes
    sha256: str
    """The sha256 of ``text``, in hexadecimal."""
    supported: tuple[str, ...]
    """Its ``supportedHardware``."""
    allow: tuple[str, ...] = ()
    """The permissions that it has on a worker."""


@dataclass(frozen=True, slots=True)
class CellOptions:
    """How every cell is run."""

    passes: int
    """How often a lesson is run, each time from scratch; a failed pass is the last one."""
    pretended: bool = False
    """No board is used: the lesson runs on the emulation, and says so."""
    profile: str | None = None
    backend: str = "auto"
    params: tuple[str, ...] = ()

    def arguments(self, document: Document, hardware: str) -> list[str]:
        """Return the options of ``lesson run`` for a cell."""
        expected = ["--backend", "emulated"] if self.pretended else ["--backend", self.backend]
        expected += [] if self.pretended else ["--hardware", hardware]
        profile = ["--profile", self.profile] if self.profile else []
        params = [word for text in self.params for word in ("--param", text)]
        return [
            *expected,
            *profile,
            *params,
            *(word for name in document.allow for word in ("--allow", name)),
        ]


def job_for(cell: Cell, document: Document, options: CellOptions) -> dict[str, Any]:
    """Return the job for a worker, as plain data that any release of this package can read."""
    return {
        "version": __version__,
        "lesson": document.id,
        "text": document.text,
        "sha256": document.sha256,
        "hardware": cell.hardware,
        "pretended": options.pretended,
        "passes": options.passes,
        "arguments": options.arguments(document, cell.hardware),
    }


def resource_of(hardware: str, *, pretended: bool) -> str:
    """
    Return the name of Ray's custom resource for a kind of board.

    A pretended board has a different name, so that nothing can mistake it for a real one.
    """
    return f"{PRETENDED}-{hardware}" if pretended else hardware


def cells_of(documents: Iterable[Document], hardware: Iterable[str]) -> list[Cell]:
    """Return every lesson on every kind of hardware, supported or not."""
    kinds = list(hardware)
    return [Cell(document.id, kind) for document in documents for kind in kinds]
