"""The diagnostics of ``lesson validate`` as text: one module per format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lesson_runner.report.findings import as_json, github, sarif, text

if TYPE_CHECKING:
    from rich.console import Console

    from lesson_runner.model import Diagnostics

FORMATS = ("text", "json", "github", "sarif")


def render(diagnostics: Diagnostics, form: str, root: Path, console: Console | None = None) -> Iterator[str]:
    """
    Yield what to print, while the diagnostics are read: as a rule a piece a document.

    Args:
        form: one of :data:`FORMATS`.
        root: the current folder; paths in it are shown relative to it.
        console: where the text goes; on a terminal it has colours and is as wide as that.
    """
    if form == "text" and console is not None and console.is_terminal:
        return _in_colours(diagnostics, root, console)
    plain = {"text": text.render, "json": as_json.render, "github": github.render, "sarif": sarif.render}
    return plain[form](diagnostics, root)


def _in_colours(diagnostics: Diagnostics, root: Path, console: Console) -> Iterator[str]:
    from rich.console import Group

    for piece in text.draw(diagnostics, root, console.width):
        with console.capture() as capture:
            console.print(Group(piece), end="", soft_wrap=True)
        yield capture.get()
