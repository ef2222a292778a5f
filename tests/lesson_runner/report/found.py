"""Arbitrary diagnostics, for the tests of their formats."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import strategies as st
from rich.console import Console

from lesson_runner.model import Checked, Diagnostic, Diagnostics, Edit, Location, Rule, Severity
from lesson_runner.report.diagnostics import render

SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")
RULES = {
    rule.id: rule
    for rule in (
        Rule("unknown-key", "error", "A key that means nothing."),
        Rule("mine.own", "warning", "A plugin's rule.", page="Why: `{braces}` & <html>."),
        Rule("mine.silent", "info", "A plugin's rule without a page."),
    )
}
TEXT = st.text(st.characters(), max_size=40)
"""Arbitrary text, including halves of surrogate pairs."""
# What a file system gives as a file's name: text, or bytes that are none.
NAMES = (st.text(min_size=1, max_size=20) | st.binary(min_size=1, max_size=20).map(os.fsdecode)).filter(
    lambda name: name not in (".", "..") and not set(name) & {"/", "\0"}
)


def one(
    message: str = "wrong",
    path: str = "a.md",
    line: int = 1,
    column: int = 1,
    *,
    fix: str | None = None,
    edits: tuple[Edit, ...] = (),
    rule: str = "unknown-key",
) -> Diagnostic:
    severity = RULES[rule].severity if rule in RULES else "error"
    return Diagnostic(rule, severity, message, Location(Path(path), line, column), fix, edits)


def found(*items: Diagnostic, text: str = "", fixed: int = 0) -> Diagnostics:
    paths = tuple(dict.fromkeys(item.location.path for item in items)) or (Path("a.md"),)
    lines = dict(enumerate(text.split("\n"), 1))
    documents = [
        Checked(path, tuple(item for item in items if item.location.path == path), lines) for path in paths
    ]
    return Diagnostics(documents, RULES, fixed)


def items_of(diagnostics: Diagnostics) -> list[Diagnostic]:
    return [item for document in diagnostics.documents for item in document.diagnostics]


def shown(diagnostics: Diagnostics, form: str, root: Path, console: Console | None = None) -> str:
    return "".join(render(diagnostics, form, root, console))


@st.composite
def diagnostics(draw: st.DrawFn) -> Diagnostic:
    path = Path(draw(st.sampled_from(["", "/", "../"])) + draw(NAMES))
    place = Location(path, draw(st.integers(1, 5)), draw(st.integers(1, 60)))
    edits = draw(st.sampled_from([(), (Edit(place, draw(TEXT), draw(TEXT)),)]))
    rule = draw(st.sampled_from([*RULES, "mine.unlisted"]))
    severity = draw(st.sampled_from(SEVERITIES))
    return Diagnostic(rule, severity, draw(TEXT), place, draw(st.none() | TEXT), edits)


DIAGNOSTICS = st.builds(
    lambda items, text: found(*items, text=text.replace("\r", "\n")),
    st.lists(diagnostics(), max_size=4),
    st.text(st.characters(), max_size=300),
)
