"""What each source reports about the machine: the driver's files, tt-umd and ttnn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lesson_tenstorrent.hardware import naming
from lesson_tenstorrent.hardware.ask import Answer, ask
from lesson_tenstorrent.hardware.places import UNKNOWN, Device

SYS, UMD, TTNN = "/sys", "tt-umd", "ttnn"
ASKED = "asking it, in a separate process"
UMD_SECONDS = 30.0
"""Discovery takes a second or two; each chip that does not answer adds time-outs of several seconds."""
TTNN_SECONDS = 90.0
"""A first import on a cold disk takes most of a minute."""


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What one source reports."""

    source: str
    how: str
    """How it found this, for a reader: ``tt-umd 0.9.14, topology discovery``."""
    name: str = naming.UNKNOWN
    chips: int = 0
    facts: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    """Why it reports nothing; empty if it does."""


def driver_report(devices: Sequence[Device]) -> SourceReport:
    """Return what the driver reports in ``/sys``; reading that opens no device."""
    parts = [(naming.board_name(device.card), device.serial) for device in devices]
    boards = naming.boards_of(parts, naming.ON_PCI)
    hidden = [naming.CHIPS.get(board, 1) - naming.ON_PCI.get(board, 1) for board in boards]
    cards = [device.card for device in devices if device.card != UNKNOWN]
    facts = {
        "cards": cards,
        "architecture": _distinct([device.architecture for device in devices]),
        "firmware": _distinct([device.firmware for device in devices if device.firmware != UNKNOWN]),
        "pci": [device.pci for device in devices if device.pci != UNKNOWN],
        "iommu": [device.pci for device in devices if device.iommu],
    }
    problem = "" if cards else "it does not name the cards: the driver or the firmware is too old"
    return SourceReport(
        SYS,
        "the driver's files in /sys",
        naming.system_name(boards),
        len(devices) + sum(hidden),
        {**_boards(boards if cards else ()), **facts},
        problem,
    )


def umd_report(question: str, path: str, environ: Mapping[str, str]) -> SourceReport:
    """
    Return what tt-umd reports.

    Args:
        question: ``discover`` for the machine's own chips, ``describe`` for those in a cluster descriptor.
        path: of the descriptor; empty for ``discover``.
        environ: its environment variables.
    """
    words = (question, path) if path else (question,)
    answer = ask("ask_umd.py", *words, seconds=UMD_SECONDS, environ=environ)
    if answer.problem:
        return SourceReport(UMD, ASKED, problem=answer.problem)
    how = f"tt-umd {answer.data.get('version', '')}".strip()
    how += ", topology discovery" if question == "discover" else ", reading the descriptor"
    try:
        chips = [dict(chip) for chip in answer.data.get("chips", ())]
        parts = [(naming.board_name(chip["board_type"]), str(chip["board"])) for chip in chips]
        facts = {
            "architecture": _distinct([str(chip["architecture"]) for chip in chips]),
            "firmware": _distinct([chip["firmware"] for chip in chips]),
            "pci": [chip["pci"] for chip in chips if chip["pci"]],
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        return SourceReport(UMD, how, problem=f"its answer is not valid: {error!r}")
    if not chips:
        return SourceReport(UMD, how, problem="it found no chip")
    boards = naming.boards_of(parts, naming.CHIPS)
    return SourceReport(UMD, how, naming.system_name(boards), len(chips), {**_boards(boards), **facts})


def ttnn_report(environ: Mapping[str, str]) -> SourceReport:
    """Return what ttnn reports; on a machine with boards, this initialises them."""
    answer = ask("ask_ttnn.py", seconds=TTNN_SECONDS, environ=environ)
    if answer.problem:
        return SourceReport(TTNN, ASKED, problem=answer.problem)
    how = f"ttnn {answer.data.get('version', '')}".strip() + ", its cluster type"
    try:
        kind, chips = str(answer.data["cluster_type"]), int(answer.data["chips"])
        facts = {"architecture": str(answer.data["architecture"]), "cluster type": kind}
    except (KeyError, TypeError, ValueError) as error:
        return SourceReport(TTNN, how, problem=f"its answer is not valid: {error!r}")
    boards = naming.boards_of_cluster_type(kind)
    return SourceReport(TTNN, how, naming.system_name(boards), chips, {**_boards(boards), **facts})


def simulator_architecture(soc: str, environ: Mapping[str, str]) -> tuple[str, Answer]:
    """Return the architecture that tt-umd reads from a simulator's description, and the whole answer."""
    answer = ask("ask_umd.py", "architecture", soc, seconds=UMD_SECONDS, environ=environ)
    return str(answer.data.get("architecture", "")), answer


def _boards(boards: Sequence[str]) -> dict[str, Any]:
    return {"boards": len(boards), "board_types": list(boards)} if boards else {}


def _distinct(values: Sequence[str | None]) -> str:
    """Return the distinct known values, comma-separated; usually there is one, or none is known."""
    return ", ".join(sorted({value for value in values if value}))
