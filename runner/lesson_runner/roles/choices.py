"""Give the ways that a reader chooses from names: a group for each choice, an option for each way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from lesson_runner.document.anchors import name_of
from lesson_runner.model import MAIN_PATH, BlockRole
from lesson_runner.roles.candidates import COMMAND_LINK
from lesson_runner.roles.ways import Way, alternative_title

_Key = TypeVar("_Key", str, tuple[str, ...])


def with_choices(roles: Sequence[BlockRole], ways: Sequence[Way | None]) -> list[BlockRole]:
    """
    Return roles with the names of their groups and options.

    A choice has at least one alternative. The blocks of one way have the same option.

    Args:
        ways: the way that each of them belongs to.
    """
    scopes = _scopes(roles, ways)
    named = {scope for scope, role in zip(scopes, roles, strict=True) if scope and role.role == "alternative"}
    groups = _names({scope: scope[-2] if len(scope) > 1 else "way" for scope in scopes if scope in named})
    labels: dict[tuple[str, ...], dict[str, str]] = {scope: {} for scope in named}
    for scope, role, way in zip(scopes, roles, ways, strict=True):
        if scope in named:
            labels[scope].setdefault(_label(role, way), _label(role, way))
    options = {scope: _names(found) for scope, found in labels.items()}
    return [
        replace(role, group=groups[scope], option=options[scope][_label(role, way)])
        if scope in named and _is_way(role)
        else role
        for scope, role, way in zip(scopes, roles, ways, strict=True)
    ]


def _is_way(role: BlockRole) -> bool:
    return role.role == "alternative" or role.role in MAIN_PATH


def _scopes(roles: Sequence[BlockRole], ways: Sequence[Way | None]) -> list[tuple[str, ...]]:
    """Return for each block what it has in common with the other ways; empty if it is not one of several."""
    scopes: list[tuple[str, ...]] = []
    recommended = -1
    shared: dict[int, tuple[str, ...]] = {}
    for index, (role, way) in enumerate(zip(roles, ways, strict=True)):
        scopes.append(way.scope if way is not None and _is_way(role) else ())
        if role.role in MAIN_PATH:
            recommended = index
        elif role.role == "alternative" and way is None:
            heading = role.block.headings[-1] if role.block.headings else ""
            scopes[index] = shared.setdefault(recommended, (heading, str(recommended)))
            if recommended >= 0 and not scopes[recommended]:
                scopes[recommended] = scopes[index]
    return scopes


def _label(role: BlockRole, way: Way | None) -> str:
    if way is not None:
        return way.label
    if role.role == "alternative" and (title := alternative_title(role.block.headings) or role.block.fold):
        return title
    if role.block.language == COMMAND_LINK and role.block.headings:
        return role.block.headings[-1]
    lines = (line.strip() for line in role.block.text.splitlines())
    return next((line for line in lines if line and not line.startswith("#")), "other")


def _names(titles: Mapping[_Key, str]) -> dict[_Key, str]:
    """Return a name of words and hyphens for each title, all different."""
    taken: dict[str, int] = {}
    found: dict[_Key, str] = {}
    for key, title in titles.items():
        name = name_of(title)
        taken[name] = taken.get(name, 0) + 1
        found[key] = name if taken[name] == 1 else f"{name}-{taken[name]}"
    return found
