"""``docs/reliability.md``: the faults that tests cause."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from tests.reliability import Fault, faults_of

PAGE = Path(__file__).parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- faults: written by python -m tools.docs -->", "<!-- end of faults -->"


def text(faults: Sequence[Fault] | None = None) -> str:
    """Return the whole page, with a table of ``faults``; by default of the faults of all tests."""
    found = collect() if faults is None else faults
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n\n{table(found)}\n\n{END}", PAGE.read_text("utf-8"))


def table(faults: Sequence[Fault]) -> str:
    """Return the table as Markdown."""
    rows = ["| | fault | how it is provoked | what the user sees | what survives |", "|---|---|---|---|---|"]
    area = ""
    for item in faults:
        shown = "" if item.area == area else f"**{item.area}**"
        rows.append(f"| {shown} | {item.what} | {item.how} | {item.seen} | {item.survives} |")
        area = item.area
    return "\n".join(rows)


def collect() -> tuple[Fault, ...]:
    """
    Return the faults of all tests, in the table's order, without running a test.

    Raises:
        SystemExit: pytest cannot collect the tests.
    """
    collector = _Collector()
    arguments = ["--collect-only", "-qq", "-m", "fault", "-p", "no:xdist", "-o", "addopts="]
    if code := pytest.main(arguments, [collector]):
        raise SystemExit(code)
    return collector.faults


class _Collector:
    """A pytest plugin that stores the faults of the collected tests."""

    faults: tuple[Fault, ...] = ()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Store them."""
        self.faults = faults_of(session.items)
