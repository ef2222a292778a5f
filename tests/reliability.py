"""
Faults that tests provoke for real, and the table of them in ``docs/reliability.md``.

A test says with :func:`fault` what it provokes and what it has seen survive. ``python -m tests.reliability``
collects the tests, runs none, and writes the table anew; ``test_reliability_document.py`` compares.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[1] / "docs" / "reliability.md"
BEGIN, END = "<!-- faults: written by python -m tests.reliability -->", "<!-- end of faults -->"
FAULTS = pytest.StashKey[tuple["Fault", ...]]()
"""Where ``conftest.py`` keeps the faults of all tests it saw, those that are not chosen included."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One row of the table."""

    area: str
    """Such as ``interruption`` or ``downloads``: rows of one stand together."""
    what: str
    how: str
    """How the test provokes it."""
    seen: str
    """What the user sees; the exit code with it."""
    survives: str


def fault(area: str, what: str, *, how: str, seen: str, survives: str) -> pytest.MarkDecorator:
    """Mark a test as one that provokes a fault; see :class:`Fault`."""
    return pytest.mark.fault(Fault(area, what, how, seen, survives))


def faults_of(items: Iterable[pytest.Item]) -> tuple[Fault, ...]:
    """Return the faults that tests are marked with, each once, in the table's order."""
    return tuple(sorted({mark.args[0] for item in items for mark in item.iter_markers("fault")}))


def table(faults: Sequence[Fault]) -> str:
    """Return the table as Markdown."""
    rows = ["| | fault | how it is provoked | what the user sees | what survives |", "|---|---|---|---|---|"]
    area = ""
    for item in faults:
        shown = "" if item.area == area else f"**{item.area}**"
        rows.append(f"| {shown} | {item.what} | {item.how} | {item.seen} | {item.survives} |")
        area = item.area
    return "\n".join(rows)


def document(text: str, faults: Sequence[Fault]) -> str:
    """Return the document with its table written anew."""
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n\n{table(faults)}\n\n{END}", text)


class _Collector:
    """A plugin of pytest that notes the faults of what was collected."""

    faults: tuple[Fault, ...] = ()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.faults = faults_of(session.items)


if __name__ == "__main__":
    from lesson_runner.resources import write_aside

    collector = _Collector()
    if code := pytest.main(
        ["--collect-only", "-qq", "-m", "fault", "-p", "no:xdist", "-o", "addopts="], [collector]
    ):
        raise SystemExit(code)
    write_aside(DOCUMENT, document(DOCUMENT.read_text("utf-8"), collector.faults))
