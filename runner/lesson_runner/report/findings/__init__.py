"""The findings of ``lesson validate``: one module a format, each a function that yields a text in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lesson_runner.report.formats import FINDINGS

if TYPE_CHECKING:
    from rich.console import Console

    from lesson_runner.model import Findings


def render(findings: Findings, form: str, root: Path, console: Console | None = None) -> Iterator[str]:
    """
    Yield the text in pieces, usually one for each document, while the findings are read.

    Args:
        form: the name of one of :data:`~lesson_runner.report.formats.FINDINGS`.
        root: the current folder; paths in it are shown relative to it.
        console: where the text goes; on a terminal it has colours and fits the width.
    """
    if form == "text" and console is not None and console.is_terminal:
        return _in_colours(findings, root, console)
    pieces: Iterator[str] = FINDINGS.renderer(form)(findings, root)
    return pieces


def _in_colours(findings: Findings, root: Path, console: Console) -> Iterator[str]:
    from rich.console import Group

    from lesson_runner.report.findings import text

    for piece in text.draw(findings, root, console.width):
        with console.capture() as capture:
            console.print(Group(piece), end="", soft_wrap=True)
        yield capture.get()
