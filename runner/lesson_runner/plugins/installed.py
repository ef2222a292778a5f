"""Installed plugins: their entry points, and what is known about each of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, entry_points
from typing import Any, Protocol

PROJECT = "lesson_runner"
RESTRICT = "LESSON_PLUGINS"
"""Environment variable: load only these entry points, comma-separated; empty loads none."""


class Point(Protocol):
    """The parts of :class:`importlib.metadata.EntryPoint` that are used."""

    @property
    def name(self) -> str:
        """The plugin's name."""

    @property
    def value(self) -> str:
        """The plugin's module."""

    @property
    def dist(self) -> Distribution | None:
        """The distribution it came with."""

    def load(self) -> Any:
        """Import and return the plugin."""


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """A plugin, loaded or not."""

    name: str
    origin: str
    """The module, and the distribution it came with."""
    version: str | None
    error: str | None = None
    """Why it was not loaded, or what went wrong in it later; several errors are joined with semicolons."""
    loaded: bool = True


def installed_points() -> list[Point]:
    """
    Return the entry points of installed plugins, this project's own first.

    The environment variable ``LESSON_PLUGINS`` restricts them to the names it lists.
    """
    wanted = os.environ.get(RESTRICT)
    points: list[Point] = sorted(
        entry_points(group=PROJECT),
        key=lambda point: (distribution_of(point.dist)[0] != "lesson-runner", point.name),
    )
    if wanted is None:
        return points
    names = {name.strip() for name in wanted.split(",")}
    return [point for point in points if point.name in names]


@cache
def distribution_of(dist: Distribution | None) -> tuple[str | None, str | None]:
    """Return a distribution's name and version; cached, because they are in a file with all of its README."""
    return (dist.name, dist.version) if dist else (None, None)
