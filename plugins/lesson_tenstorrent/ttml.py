"""Checks of ``ttml``, the training library that is built from a tt-metal tree."""

from __future__ import annotations

from lesson_tenstorrent.checks import Check, Finding, Machine
from lesson_tenstorrent.environment import importable, probe

TTML_PARTS = frozenset({"autograd", "common", "models", "modules"})
"""Folders of tt-train's ``ttml`` in all versions; the unrelated package on PyPI has none of them."""


def check_unrelated_ttml(machine: Machine) -> Finding:
    """Look whether ``ttml`` is the package of that name on PyPI, which is about something else."""
    found = probe("ttml", machine, load=False)
    expected = "tt-train's ttml, or none"
    if not found.place:
        return Finding("ok", "none installed", expected)
    native = any(item.startswith("_ttml") for item in found.inside)
    if native or TTML_PARTS & set(found.inside):
        return Finding("ok", f"tt-train's, in {found.place}", expected)
    what = f"{found.place} is not tt-train's: it is the tensor-train package of that name on PyPI"
    return Finding("failed", what, expected, "pip uninstall -y ttml")


UNRELATED_TTML = Check(
    "unrelated-ttml",
    "ttml from PyPI",
    "import ttml would give a library that has nothing to do with training on a device",
    check_unrelated_ttml,
)
TTML = Check(
    "ttml",
    "import ttml",
    "all training and generation goes through it",
    lambda machine: importable("ttml", machine),
    board_only=True,
)
