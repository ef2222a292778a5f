"""The mesh graph descriptor: how the chips of a board are connected, for training on several of them."""

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
"""Where tt-metal and tt-train keep theirs, below the tree."""
NEEDED = (2, 4)
"""Numbers of Blackhole chips. tt-train finds a descriptor by itself for 8 and 32 chips only; without one, 2
and 4 wait 10 s for the fabric's routers and give up, and neither a reset nor a new start helps."""
FILES = {
    ("p300", 2): "p300_mesh_graph_descriptor.textproto",
    ("p150", 2): "p150_x2_mesh_graph_descriptor.textproto",
    ("p150", 4): "bh_qb_1_4_ring_ring.textproto",
}
"""By the kind of board and the number of chips. For four chips of p300 there is none in a line."""
OF_FOUR = "write one with dims [1, 4], dim_types [LINE, RING], channels {count 2, RELAXED}"
_DIMS = re.compile(r"device_topology\s*\{\s*dims:\s*\[([\d,\s]+)\]")


def check_mesh_descriptor(machine: Machine) -> Finding:
    """Look for the descriptor that several Blackhole chips need before they can train together."""
    chips = sum(item.devices for item in machine.hardware)
    named = machine.environ.get(VARIABLE, "").strip()
    needed = architectures(machine) == {"blackhole"} and chips in NEEDED
    wanted = f"names a descriptor of {chips} chips" if needed else "is not needed, and a file if it is set"
    expected = f"{VARIABLE} {wanted}"
    if named:
        return _judge(Path(named).expanduser(), chips, expected, machine)
    if not architectures(machine):
        return Finding("skipped", "which architecture the board has is not known")
    if not needed:
        return Finding("ok", f"not needed for {chips} chip{'s' if chips != 1 else ''} of this kind", expected)
    found = f"{VARIABLE} is not set, and tt-train has no descriptor of its own for {chips} Blackhole chips"
    return Finding("warning", found, expected, _how_to_name(chips, machine))


def _judge(path: Path, chips: int, expected: str, machine: Machine) -> Finding:
    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError as error:
        fix = _how_to_name(chips, machine) if chips in NEEDED else f"unset {VARIABLE}"
        return Finding("failed", f"{VARIABLE}={path}: {error.strerror}", expected, fix)
    meshes = [math.prod(int(n) for n in dims.split(",") if n.strip()) for dims in _DIMS.findall(text)]
    if len(meshes) == 1 and meshes[0] != chips:
        found = f"{path} describes {meshes[0]} chips, the machine has {chips}"
        return Finding("warning", found, expected, _how_to_name(chips, machine))
    return Finding("ok", str(path), expected)


def _how_to_name(chips: int, machine: Machine) -> str:
    boards = " ".join(f"{item.name} {item.facts.get('board_types', '')}" for item in machine.hardware)
    for (board, count), name in FILES.items():
        if count == chips and board in boards:
            found = next((path for path in _places(name, machine) if path.is_file()), None)
            return f"export {VARIABLE}={found or f'/path/to/your/tt-metal/{FOLDERS[0]}/{name}'}"
    wanted = f"{OF_FOUR}, then " if chips == 4 and "p300" in boards else ""
    return f"{wanted}export {VARIABLE}=/path/to/a/descriptor/of/your/board.textproto"


def _places(name: str, machine: Machine) -> Iterator[Path]:
    home = find_home(machine)
    wheel = probe("ttnn", machine, load=False).place
    roots = [*([home.path] if home else []), *([Path(wheel)] if wheel else [])]
    yield from (root / folder / name for root in roots for folder in FOLDERS)
