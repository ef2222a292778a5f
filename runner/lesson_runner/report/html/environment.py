"""The Jinja environment of every page: it redacts and escapes what a template prints."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from lesson_runner.report.runs.formatting import public

_STYLE = Path(__file__).with_name("style.css")


def environment(folder: Path) -> Environment:
    """Return an environment for the templates of a folder; only :class:`Markup` is not escaped."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda item: item if isinstance(item, Markup) else public(item),
    )


def style(*more: Path) -> Markup:
    """Return the style sheet of all pages, followed by others."""
    return Markup("".join(path.read_text("utf-8") for path in (_STYLE, *more)))
