"""Name a machine's boards as lessons do: one n300 is ``n300``, four are ``t3k``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

UNKNOWN = "unknown"
SIMULATOR = "simulator"
BOARDS = ("n150", "n300", "p100", "p150", "p300", "p300c", "galaxy")
"""Single boards, and Galaxy, a rack that is always complete."""
SYSTEMS = {("n300", 4): "t3k", ("p300", 2): "p300x2", ("p300c", 2): "p300x2"}
"""Machines of several equal boards: a T3000 or LoudBox, a QuietBox 2."""
NAMES = (*BOARDS, *sorted(set(SYSTEMS.values())), SIMULATOR)
"""Hardware that lessons can name; ``schemas/lesson.schema.json`` has the same list."""
MORE_SPECIFIC = {"p300": "p300c"}
"""A p300c is a p300, so a source that reports p300c is more specific."""
CHIPS = {"n150": 1, "n300": 2, "p100": 1, "p150": 1, "p300": 2, "p300c": 2}
"""Number of chips of each board (product specifications)."""
ON_PCI = {"n150": 1, "n300": 1, "p100": 1, "p150": 1, "p300": 2, "p300c": 2}
"""Number of those chips that the driver shows: an n300's second chip is behind its first."""
CLUSTER_TYPES: Mapping[str, tuple[str, ...]] = {
    **{name.upper(): (name,) for name in ("n150", "n300", "p100", "p150", "p300")},
    "N300_2X2": ("n300",) * 2,
    "T3K": ("n300",) * 4,
    **{f"P150_X{count}": ("p150",) * count for count in (2, 4, 8)},
    "P300_X2": ("p300",) * 2,
    **dict.fromkeys(("GALAXY", "TG", "BLACKHOLE_GALAXY"), ("galaxy",)),
}
"""The boards of each ``ttnn.cluster.ClusterType``."""


def board_name(card: str) -> str:
    """
    Return a board's name in lessons: ``n150`` … ``galaxy``, or ``unknown``.

    Args:
        card: its name in the driver (``p150a``, ``galaxy-wormhole``) or in tt-umd (``p150``, ``ubb``).
    """
    text = card.strip().lower()
    if text.startswith(("galaxy", "ubb")):
        return "galaxy"
    match = re.fullmatch(r"([np]\d{3})[abc]?", text)
    plain = match[1] if match else ""
    return next((name for name in (text, plain) if name in BOARDS), UNKNOWN)


def boards_of(parts: Iterable[tuple[str, str]], parts_per_board: Mapping[str, int]) -> tuple[str, ...]:
    """
    Return the name of each board, given its chips or devices.

    Args:
        parts: for each part, the name of its board, and an id that the parts of one board share; the id is
            empty if not known.
        parts_per_board: the number of parts of a board. If ids are missing, or wrongly equal, this gives the
            smallest possible number of boards.
    """
    found = list(parts)
    boards: list[str] = []
    for name, count in sorted(Counter(name for name, _ in found).items()):
        known = {board for other, board in found if other == name and board}
        size = parts_per_board.get(name, count)
        boards += [name] * max(len(known), -(-count // size))
    return tuple(boards)


def system_name(boards: Sequence[str]) -> str:
    """
    Return the name of a machine with these boards: one of :data:`NAMES`, or ``unknown``.

    Several equal boards that do not form a named system have the name of one of them (two p150 are ``p150``;
    their number is a separate fact). A mix of boards has no name.
    """
    kinds = set(boards)
    if kinds == set(MORE_SPECIFIC) | set(MORE_SPECIFIC.values()):
        kinds = set(MORE_SPECIFIC)
    if len(kinds) != 1:
        return UNKNOWN
    name = kinds.pop()
    system = SYSTEMS.get((name, len(boards)), name)
    return system if system in NAMES else UNKNOWN


def boards_of_cluster_type(name: str) -> tuple[str, ...]:
    """Return the boards of a ``ClusterType`` of ttnn; empty if the type does not imply any."""
    return CLUSTER_TYPES.get(name.strip().upper(), ())


def agree(one: str, other: str) -> bool:
    """Return whether two names can mean the same machine: equal, one more specific, or one unknown."""
    return (
        one == other
        or UNKNOWN in (one, other)
        or MORE_SPECIFIC.get(one) == other
        or MORE_SPECIFIC.get(other) == one
    )
