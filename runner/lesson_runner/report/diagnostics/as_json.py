"""Diagnostics for a program; ``schemas/findings.schema.json`` describes the text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lesson_runner.model import Diagnostic, Diagnostics
from lesson_runner.report.diagnostics.formatting import shown
from lesson_runner.report.text import json_text


def render(diagnostics: Diagnostics, root: Path) -> Iterator[str]:
    """Yield the diagnostics as JSON; the counts come last because they are known only then."""
    lessons: list[str] = []
    yield '{\n  "findings": ['
    between = ""
    for document in diagnostics:
        if document.is_lesson:
            lessons.append(shown(document.path, root))
        for item in document.diagnostics:
            yield between + f"\n{json_text(_diagnostic(item, root))}".replace("\n", "\n    ")
            between = ","
    closing = {
        "lessons": lessons,
        "errors": diagnostics.errors,
        "warnings": diagnostics.warnings,
        "notes": diagnostics.notes,
        "fixed": diagnostics.fixed,
    }
    end = "\n  " if between else ""
    yield f"{end}],\n{json_text(closing)[2:]}\n"


def _diagnostic(item: Diagnostic, root: Path) -> dict[str, Any]:
    return {
        "rule": item.rule,
        "severity": item.severity,
        "message": item.message,
        "path": shown(item.location.path, root),
        "line": item.location.line,
        "column": item.location.column,
        "fix": item.fix,
        "fixable": bool(item.edits),
    }
