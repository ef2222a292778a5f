"""The roles that blocks of a lesson have, and what steps need from the machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal[
    "run",
    "file",
    "service",
    "system",
    "placeholder",
    "interactive",
    "alternative",
    "output",
    "illustration",
    "reference",
]
"""
What a lesson means a block to be.

``run``: execute it. ``file``: the content of a file that the reader saves. ``service``: start something that
runs until it is stopped. ``system``: as ``run``, but it changes the machine. ``placeholder``: run it after
something was filled in. ``interactive``: run it, and it waits for a person. ``alternative``: one of several
ways, and not the recommended one. ``output``: what a command prints. ``illustration``: to read.
``reference``: only if something went wrong, or to look up.
"""

MAIN_PATH: frozenset[Role] = frozenset({"run", "file", "service", "system", "placeholder", "interactive"})
"""The roles of blocks that are steps of a lesson without directives."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one rule said about a block."""

    rule: str
    """The name of the rule."""
    role: Role
    reason: str
    """Why, in words."""
