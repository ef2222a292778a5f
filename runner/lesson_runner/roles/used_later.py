"""Which Python blocks define what a later block needs to show something, as the cells of a notebook do."""

from __future__ import annotations

from collections.abc import Sequence

from lesson_runner.model import BlockRole
from lesson_runner.roles.view import BlockView

_UNDECIDED = frozenset({"definitions-only", "undefined-names", "unsure"})
"""The rules that decide when nothing but the code itself says what a Python block is."""


def used_later(views: Sequence[BlockView], roles: Sequence[BlockRole]) -> frozenset[int]:
    """
    Return the positions of the blocks whose names a later whole program uses, directly or through others.

    A program counts only if nothing else was said about it than that names are missing, and if those blocks,
    with the ones that run anyway, define all of them.
    """
    found: set[int] = set()
    for position, (view, role) in enumerate(zip(views, roles, strict=True)):
        text = view.python
        if role.rule == "undefined-names" and text.is_complete and text.shows and _is_open(role):
            found |= _definers(position, views, roles) or set()
    return frozenset(found)


def _definers(position: int, views: Sequence[BlockView], roles: Sequence[BlockRole]) -> set[int] | None:
    """Return the blocks that define what one needs, nearest first; ``None`` if a name stays undefined."""
    missing = set(views[position].python.missing)
    found: set[int] = set()
    for earlier in range(position - 1, -1, -1):
        text, role = views[earlier].python, roles[earlier]
        if not text.defined & missing:
            continue
        if role.role == "run":
            missing -= text.defined
        elif role.rule in _UNDECIDED and _is_open(role) and not _leaves_out(views[earlier]):
            missing = (missing - text.defined) | text.missing
            found.add(earlier)
    return None if missing else found


def _is_open(role: BlockRole) -> bool:
    """Return whether only such rules spoke about a block."""
    return all(said.rule in _UNDECIDED for said in role.opinions)


def _leaves_out(view: BlockView) -> bool:
    return view.python.acts and not view.python.is_complete


__all__ = ["used_later"]
