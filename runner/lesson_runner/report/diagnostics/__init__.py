"""The diagnostics of ``lesson validate``: each format is a module with one function."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lesson_runner.report.formats import DIAGNOSTICS

if TYPE_CHECKING:
    from rich.console import Console

    from lesson_runner.model import Diagnostics


def render(diagnostics: Diagnostics, form: str, root: Path, console: Console | None = None) -> Iterator[str]:
    """
    Yield the text in pieces, usually one for each document, while the diagnostics are read.

    Args:
        form: the name of one of :data:`~lesson_runner.report.formats.DIAGNOSTICS`.
        root: the current folder; paths in it are shown relative to it.
        console: where the text goes; on a terminal it has colours and fits the width.
    """
    if form == "text" and console is not None and console.is_terminal:
        return _in_colours(diagnostics, root, console)
    pieces: Iterator[str] = DIAGNOSTICS.renderer(form)(diagnostics, root)
    return pieces


def _in_colours(diagnostics: Diagnostics, root: Path, console: Console) -> Iterator[str]:
    from rich.console import Group

    from lesson_runner.report.diagnostics import text

    for piece in text.draw(diagnostics, root, console.width):
        with console.capture() as capture:
            console.print(Group(piece), end="", soft_wrap=True)
        yield capture.get()
