"""The interface of a benchmark case, and the cases that need no options."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from benchmarks.turns import Result, Timing

Measure = Callable[[Path | None, int], tuple[str, list[Timing]]]
"""Takes a folder to work in (``None``: a temporary one) and how many times each variant is measured."""


class Case(Protocol):
    """A module, or an object with the same interface."""

    def options(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments of this case."""

    def run(self, options: argparse.Namespace) -> Iterable[Result]:
        """Measure, and yield tables."""


class OneTable:
    """A case with one function, which returns one table."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self.__doc__ = measure.__doc__

    def options(self, parser: argparse.ArgumentParser) -> None:
        """Add ``--folder``."""
        parser.add_argument("--folder", type=Path, help="the folder to work in; what is made stays there")

    def run(self, options: argparse.Namespace) -> Iterator[Result]:
        """Measure."""
        yield Result(*self._measure(options.folder, options.turns))
