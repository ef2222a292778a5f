"""Check the mesh graph descriptor, which says how chips are connected; several chips need it to train."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

from lesson_runner.plugins.checks import Finding, Machine
from lesson_tenstorrent.metal import find_home
from lesson_tenstorrent.probe import probe
from lesson_tenstorrent.tree import architectures

VARIABLE = "TT_MESH_GRAPH_DESC_PATH"
FOLDERS = ("tt_metal/fabric/mesh_graph_descriptors", "tt-train/configs/mgd")
"""Where tt-metal and tt-train keep descriptors, below the tree."""
NEEDED = (2, 4)
"""Numbers of Blackhole chips that need one. tt-train includes a descriptor only for 8 and 32 chips;
without one, 2 and 4 chips wait 10 s for the fabric's routers and give up, and neither a reset nor a
restart helps."""
FILES = {
    ("p300", 2): "p300_mesh_graph_descriptor.textproto",
    ("p150", 2): "p150_x2_mesh_graph_descriptor.textproto",
    ("p150", 4): "bh_qb_1_4_ring_ring.textproto",
}
"""By board and number of chips. tt-metal has no descriptor of four p300 chips in a line."""
WRITE_ONE = "write one with dims [1, 4], dim_types [LINE, RING], channels {count 2, RELAXED}"
_DIMS = re.compile(r"device_topology\s*\{\s*dims:\s*\[([\d,\s]+)\]")


def check_mesh_descriptor(machine: Machine) -> Finding:
    """Look for the mesh graph descriptor that 2 or 4 Blackhole chips need to train together."""
    chips = sum(item.devices for item in machine.hardware)
    named = machine.environ.get(VARIABLE, "").strip()
    needed = architectures(machine) == {"blackhole"} and chips in NEEDED
    wanted = f"names a descriptor of {chips} chips" if needed else "is not set, or names an existing file"
    expected = f"{VARIABLE} {wanted}"
    if named:
        return _check_named(Path(named).expanduser(), chips, expected, machine)
    if not architectures(machine):
        return Finding("skipped", "the board's architecture is not known")
    if not needed:
        return Finding(
            "ok", f"not needed for {chips} chip{'s' if chips != 1 else ''} of this board", expected
        )
    found = f"{VARIABLE} is not set, and tt-train includes no descriptor for {chips} Blackhole chips"
    return Finding("warning", found, expected, _fix_for(chips, machine))


def _check_named(path: Path, chips: int, expected: str, machine: Machine) -> Finding:
    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError as error:
        fix = _fix_for(chips, machine) if chips in NEEDED else f"unset {VARIABLE}"
        return Finding("failed", f"{VARIABLE}={path}: {error.strerror}", expected, fix)
    meshes = [math.prod(int(n) for n in dims.split(",") if n.strip()) for dims in _DIMS.findall(text)]
    if len(meshes) == 1 and meshes[0] != chips:
        found = f"{path} describes {meshes[0]} chips, the machine has {chips}"
        return Finding("warning", found, expected, _fix_for(chips, machine))
    return Finding("ok", str(path), expected)


def _fix_for(chips: int, machine: Machine) -> str:
    boards = " ".join(f"{item.name} {item.facts.get('board_types', '')}" for item in machine.hardware)
    for (board, count), name in FILES.items():
        if count == chips and board in boards:
            found = next((path for path in _candidates(name, machine) if path.is_file()), None)
            return f"export {VARIABLE}={found or f'/path/to/your/tt-metal/{FOLDERS[0]}/{name}'}"
    wanted = f"{WRITE_ONE}, then " if chips == 4 and "p300" in boards else ""
    return f"{wanted}export {VARIABLE}=/path/to/a/descriptor/of/your/board.textproto"


def _candidates(name: str, machine: Machine) -> Iterator[Path]:
    home = find_home(machine)
    wheel = probe("ttnn", machine, load=False).place
    roots = [*([home.path] if home else []), *([Path(wheel)] if wheel else [])]
    yield from (root / folder / name for root in roots for folder in FOLDERS)
