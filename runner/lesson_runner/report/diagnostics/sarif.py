"""
Diagnostics as a SARIF log, which code-scanning services and editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from lesson_runner import __version__
from lesson_runner.model import Diagnostic, Diagnostics, Edit, Rule
from lesson_runner.report.diagnostics.formatting import in_repository, sentence
from lesson_runner.report.text import escaped_json, safe
from lesson_runner.validate.rules.table import page_of

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
BASE = "%SRCROOT%"
"""The base of relative paths; services know this name for the top of a repository."""
FINGERPRINT = "lessonFinding/v1"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def render(diagnostics: Diagnostics, root: Path) -> Iterator[str]:
    """Yield the log: every rule, and every diagnostic with its place and the edits that fix it."""
    driver = {
        "name": "lesson-runner",
        "version": __version__,
        "rules": list(map(_rule, diagnostics.rules.values())),
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {BASE: {"description": {"text": "The top of the repository."}}},
        "results": [],
    }
    log = _json({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})
    before, _, after = log.rpartition("[]")  # the results go here
    yield f"{before}["
    between = ""
    for result in _results(diagnostics, root):
        yield between + f"\n{_json(result)}".replace("\n", "\n" + " " * 8)
        between = ","
    end = "\n      " if between else ""
    yield f"{end}]{after}\n"


def _json(data: dict[str, Any]) -> str:
    return escaped_json(json.dumps(data, indent=2))


def _rule(rule: Rule) -> dict[str, Any]:
    described = {
        "id": rule.id,
        "shortDescription": {"text": safe(rule.summary)},
        "fullDescription": {"text": safe(rule.summary)},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }
    page = safe(page_of(rule))
    return {**described, "help": {"text": page, "markdown": page}} if page else described


def _results(diagnostics: Diagnostics, root: Path) -> Iterator[dict[str, Any]]:
    order = {rule: index for index, rule in enumerate(diagnostics.rules)}
    seen: Counter[str] = Counter()  # two documents may be the same file, found in two ways
    for document in diagnostics:
        for item in document.diagnostics:
            place = item.location
            artifact = _artifact(place.path, root)
            region = {"startLine": place.line, "startColumn": place.column}
            fingerprint = _fingerprint(item, artifact["uri"], document.lines.get(place.line, ""), seen)
            yield {
                "ruleId": safe(item.rule),
                **({"ruleIndex": order[item.rule]} if item.rule in order else {}),
                "level": _LEVELS[item.severity],
                "message": {"text": sentence(item)},
                "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
                "partialFingerprints": {FINGERPRINT: fingerprint},
                **({"fixes": [_fix(item, root)]} if item.edits else {}),
            }


def _artifact(path: Path, root: Path) -> dict[str, str]:
    inside = in_repository(path, root)
    if inside is None:
        return {"uri": Path(os.path.normpath(root.absolute() / path)).as_uri()}
    return {"uri": quote(os.fsencode(inside.as_posix())), "uriBaseId": BASE}


def _fingerprint(item: Diagnostic, uri: str, line: str, seen: Counter[str]) -> str:
    """Return a digest that does not change when lines are inserted above; equal diagnostics are numbered."""
    parts = "\0".join((item.rule, uri, line.strip(), item.message))
    digest = hashlib.sha256(parts.encode("utf-8", "backslashreplace")).hexdigest()[:32]
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"


def _fix(item: Diagnostic, root: Path) -> dict[str, Any]:
    edits: dict[Path, list[Edit]] = {}
    for edit in item.edits:
        edits.setdefault(edit.location.path, []).append(edit)
    changes = [
        {"artifactLocation": _artifact(path, root), "replacements": list(map(_replacement, group))}
        for path, group in edits.items()
    ]
    return {"description": {"text": safe(item.fix or item.message)}, "artifactChanges": changes}


def _replacement(edit: Edit) -> dict[str, Any]:
    first, *more = edit.old.split("\n")
    place = edit.location
    region = {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.line + len(more),
        "endColumn": len(more[-1]) + 1 if more else place.column + len(first),
    }
    return {"deletedRegion": region, "insertedContent": {"text": safe(edit.new)}}
