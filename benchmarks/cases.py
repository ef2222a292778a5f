"""What a case of the benchmarks is, and those that need no options of their own."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from benchmarks.turns import Result, Timing

Measure = Callable[[Path | None, int], tuple[str, list[Timing]]]
"""Takes a folder to work in (``None``: a temporary one) and how often each way is measured."""


class Case(Protocol):
    """A module, or what stands for one."""

    def options(self, parser: argparse.ArgumentParser) -> None:
        """Add the arguments that this case alone has."""

    def run(self, options: argparse.Namespace) -> Iterable[Result]:
        """Measure, and yield tables."""


class OneTable:
    """A case of one function, which gives one table."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self.__doc__ = measure.__doc__

    def options(self, parser: argparse.ArgumentParser) -> None:
        """Add ``--folder``."""
        parser.add_argument("--folder", type=Path, help="where to work, and leave what was made")

    def run(self, options: argparse.Namespace) -> Iterator[Result]:
        """Measure."""
        yield Result(*self._measure(options.folder, options.turns))
