"""From boards to the name that lessons write: one n300 is ``n300``, four are ``t3k``."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

UNKNOWN = "unknown"
SIMULATOR = "simulator"
BOARDS = ("n150", "n300", "p100", "p150", "p300", "p300c", "galaxy")
"""Single boards, and the rack that is always whole."""
SYSTEMS = {("n300", 4): "t3k", ("p300", 2): "p300x2", ("p300c", 2): "p300x2"}
"""Machines that several equal boards make: a T3000 or LoudBox, a QuietBox 2."""
NAMES = (*BOARDS, *sorted(set(SYSTEMS.values())), SIMULATOR)
"""What lessons can ask for; ``schemas/lesson.schema.json`` has the same list."""
FINER = {"p300": "p300c"}
"""A p300c is a p300: who says the second knows more than who says the first."""
CHIPS = {"n150": 1, "n300": 2, "p100": 1, "p150": 1, "p300": 2, "p300c": 2}
"""How many chips a board has (product specifications)."""
ON_PCI = {"n150": 1, "n300": 1, "p100": 1, "p150": 1, "p300": 2, "p300c": 2}
"""How many of them the driver shows: an n300's second chip is behind its first."""
CLUSTER_TYPES: Mapping[str, tuple[str, ...]] = {
    **{name.upper(): (name,) for name in ("n150", "n300", "p100", "p150", "p300")},
    "N300_2X2": ("n300",) * 2,
    "T3K": ("n300",) * 4,
    **{f"P150_X{count}": ("p150",) * count for count in (2, 4, 8)},
    "P300_X2": ("p300",) * 2,
    **dict.fromkeys(("GALAXY", "TG", "BLACKHOLE_GALAXY"), ("galaxy",)),
}
"""What ``ttnn.cluster.ClusterType`` calls machines, as their boards."""


def board_name(card: str) -> str:
    """
    Return a board as lessons write it: ``n150`` … ``galaxy``, or ``unknown``.

    Args:
        card: what the driver calls it (``p150a``, ``galaxy-wormhole``) or tt-umd (``p150``, ``ubb``).
    """
    text = card.strip().lower()
    if text.startswith(("galaxy", "ubb")):
        return "galaxy"
    match = re.fullmatch(r"([np]\d{3})[abc]?", text)
    plain = match[1] if match else ""
    return next((name for name in (text, plain) if name in BOARDS), UNKNOWN)


def boards_of(parts: Iterable[tuple[str, str]], parts_a_board: Mapping[str, int]) -> tuple[str, ...]:
    """
    Return the names of boards, one entry a board, from chips or devices.

    Args:
        parts: for each its board's name, and what is equal for those of one board; empty if not known.
        parts_a_board: how many of them a board has. Where the numbers of boards are not known, or wrongly
            equal, this says how many boards there are at least.
    """
    found = list(parts)
    boards: list[str] = []
    for name, count in sorted(Counter(name for name, _ in found).items()):
        known = {board for other, board in found if other == name and board}
        size = parts_a_board.get(name, count)
        boards += [name] * max(len(known), -(-count // size))
    return tuple(boards)


def system_name(boards: Sequence[str]) -> str:
    """
    Return the name of a machine with these boards: always one of :data:`NAMES`, or ``unknown``.

    Several boards that make no system of their own are called as one of them is (two p150 are ``p150``; how
    many there are is a fact beside the name). Different boards have no name.
    """
    kinds = set(boards)
    if kinds == set(FINER) | set(FINER.values()):
        kinds = set(FINER)
    if len(kinds) != 1:
        return UNKNOWN
    name = kinds.pop()
    system = SYSTEMS.get((name, len(boards)), name)
    return system if system in NAMES else UNKNOWN


def boards_of_cluster_type(name: str) -> tuple[str, ...]:
    """Return the boards that a ``ClusterType`` of ttnn stands for; none for one that says nothing of them."""
    return CLUSTER_TYPES.get(name.strip().upper(), ())


def agree(one: str, other: str) -> bool:
    """Return whether two names can be of the same machine: equal, one finer, or one not known."""
    return one == other or UNKNOWN in (one, other) or FINER.get(one) == other or FINER.get(other) == one
