"""
The formats of reports, diagnostics, matrices and surveys. To add one: write its function, add its line here.

The options' help, the errors and the guess from a file's name follow from this list. It names functions
instead of importing them, so that ``lesson --help`` needs no reporter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from lesson_runner.model.errors import LessonError


@dataclass(frozen=True, slots=True)
class Format:
    """
    One format of an output.

    Attributes:
        function: ``module:function`` in this package; returns the text, or yields it in pieces.
        purpose: what or whom it is for, in a few words.
        suffixes: file name suffixes that select it.
    """

    name: str
    function: str
    purpose: str
    suffixes: tuple[str, ...] = ()


class Formats:
    """The formats of one kind of output."""

    def __init__(self, *formats: Format) -> None:
        self._formats = {item.name: item for item in formats}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the formats."""
        return tuple(self._formats)

    @property
    def purposes(self) -> list[tuple[str, str]]:
        """The names of the formats, each with its purpose."""
        return [(item.name, item.purpose) for item in self._formats.values()]

    @property
    def help(self) -> str:
        """The formats with their purposes, for the help of ``--format``."""
        return "; ".join(f"{name} ({purpose})" for name, purpose in self.purposes)

    @property
    def suffixes(self) -> dict[str, str]:
        """The name of the format for each suffix."""
        return {suffix: item.name for item in self._formats.values() for suffix in item.suffixes}

    def checked(self, name: str) -> str:
        """
        Return the name of a format.

        Raises:
            LessonError: there is no such format.
        """
        if name not in self._formats:
            raise LessonError(f"--format {name}: expected one of {', '.join(self.names)}")
        return name

    def for_file(self, path: Path) -> str:
        """
        Return the name of the format for a file's suffix.

        Raises:
            LessonError: no format has this suffix.
        """
        found = self.suffixes.get(path.suffix.lower())
        if found is None:
            raise LessonError(f"-o {path}: cannot infer the format from the file name", fix="add --format")
        return found

    def renderer(self, name: str) -> Callable[..., Any]:
        """Return the function of a format; its module is imported now."""
        module, _, function = self._formats[name].function.partition(":")
        renderer: Callable[..., Any] = getattr(import_module(f"lesson_runner.report.{module}"), function)
        return renderer


REPORTS = Formats(
    Format("html", "html.page:render", "reading, printing", (".html", ".htm")),
    Format("markdown", "runs.markdown:render", "a comment on a pull request", (".md",)),
    Format("junit", "runs.junit:render", "continuous integration services", (".xml",)),
    Format("ctrf", "runs.ctrf:render", "tools that compare test runs"),
    Format("json", "runs.as_json:render", "programs", (".json",)),
)
"""For ``lesson report``; a function takes a :class:`~lesson_runner.report.runs.Report`."""
DIAGNOSTICS = Formats(
    Format("text", "diagnostics.text:render", "people"),
    Format("json", "diagnostics.as_json:render", "programs"),
    Format("github", "diagnostics.github:render", "annotations of GitHub Actions"),
    Format("sarif", "diagnostics.sarif:render", "code scanning and editors"),
)
"""For ``lesson validate``; a function takes the diagnostics and the current folder."""
MATRICES = Formats(
    Format("text", "matrix.text:render", "people"),
    Format("html", "matrix.page:render", "a page"),
    Format("markdown", "matrix.markdown:render", "a README"),
    Format("json", "matrix.as_json:render", "programs"),
    Format("svg-badge", "matrix.badge:render", "an image for a README"),
)
"""For ``lesson matrix``; a function takes a ``Grid``, and that of ``text`` a console too."""
SURVEYS = Formats(
    Format("text", "survey.text:render", "people"),
    Format("html", "survey.page:render", "a page", (".html", ".htm")),
    Format("markdown", "survey.markdown:render", "a README or an issue", (".md",)),
    Format("json", "survey.as_json:render", "programs", (".json",)),
)
"""For ``lesson survey``; a function takes a ``Survey``, and that of ``text`` a console too."""
