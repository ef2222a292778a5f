"""
Diagnostics as workflow commands, which GitHub Actions shows next to the lines of a change.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lesson_runner.model import Diagnostic, Diagnostics
from lesson_runner.report.diagnostics.formatting import in_repository, sentence, shown, totals
from lesson_runner.report.text import line

SHOWN = 10
"""GitHub shows at most this many errors, warnings and notices of a step; the others are only in its log."""
_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}


def render(diagnostics: Diagnostics, root: Path) -> Iterator[str]:
    """Yield a command for each diagnostic, and a last line for people who read the log."""
    for document in diagnostics:
        yield "".join(f"{_command(item, root)}\n" for item in document.diagnostics)
    more = max(diagnostics.errors, diagnostics.warnings, diagnostics.notes) > SHOWN
    hint = f" (GitHub shows {SHOWN} of each kind next to the code; this log has them all)" if more else ""
    yield f"{totals(diagnostics)}{hint}\n"


def _command(item: Diagnostic, root: Path) -> str:
    place = item.location
    path = in_repository(place.path, root) or place.path
    properties = {
        "file": line(path.as_posix()),
        "line": str(place.line),
        "col": str(place.column),
        "title": line(item.rule),
    }
    written = ",".join(f"{name}={_escape_property(value)}" for name, value in properties.items())
    # The log shows only the message, so the message must contain the place.
    where = f"{shown(place.path, root)}:{place.line}:{place.column}"
    message = f"{line(where)}: {line(sentence(item))} [{line(item.rule)}]"
    return f"::{_COMMANDS[item.severity]} {written}::{_escape(message)}"


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape(text).replace(":", "%3A").replace(",", "%2C")
