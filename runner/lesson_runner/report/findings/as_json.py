"""Findings for a program; ``schemas/findings.schema.json`` describes the text."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lesson_runner.model import Diagnostic, Findings
from lesson_runner.report.findings.phrases import shown


def render(findings: Findings, root: Path) -> str:
    """Return the findings as JSON."""
    data = {
        "lessons": [shown(path, root) for path in findings.lessons],
        "errors": findings.errors,
        "warnings": findings.warnings,
        "notes": findings.notes,
        "fixed": len(findings.fixed),
        "findings": [_finding(item, root) for item in findings.diagnostics],
    }
    text = json.dumps(data, indent=2, ensure_ascii=False)
    # A file's name may hold bytes that are no text; JSON can write what stands for them, UTF-8 cannot.
    return text.encode("utf-8", "backslashreplace").decode() + "\n"


def _finding(item: Diagnostic, root: Path) -> dict[str, Any]:
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
