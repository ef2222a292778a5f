"""Curves in a terminal, where they are tables."""

from __future__ import annotations

from rich.console import Console

from lesson_runner.model import Section
from lesson_runner.report.closing import print_section


def test_a_curve_for_comparison_has_values_at_its_own_points_only() -> None:
    items = [
        {"name": "ours", "points": [[10, 3.0], [20, 2.0], [40, 1.0]]},
        {"name": "theirs", "points": [[1, 9.0], [20, 8.0]], "dashed": True},
    ]
    console = Console(width=80)

    with console.capture() as captured:
        print_section(console, Section("Loss", "series", {"x": "step", "y": "loss", "items": items}), "")

    rows = {line.split()[0]: line.split()[1:] for line in captured.get().splitlines() if line.strip()}
    assert rows["loss"] == ["at", "step", "8", "16", "20", "24", "32", "40"]
    assert rows["ours"] == ["3.00", "2.00", "2.00", "2.00", "1.00"]
    assert rows["theirs"] == ["8.00"]
