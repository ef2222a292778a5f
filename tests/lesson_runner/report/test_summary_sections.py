"""Sections of plugins on a terminal, where curves are tables."""

from __future__ import annotations

from rich.console import Console

from lesson_runner.model import Line, Passage, Section, Series, Texts
from lesson_runner.report.summary import print_section


def printed(section: Section) -> dict[str, list[str]]:
    """Return the words of each line by its first word."""
    console = Console(width=80)
    with console.capture() as captured:
        print_section(console, section, "")
    return {line.split()[0]: line.split()[1:] for line in captured.get().splitlines() if line.strip()}


def test_a_curve_for_comparison_has_values_at_its_own_points_only() -> None:
    ours = Line("ours", tuple((step, 40 / step) for step in (5, 10, 15, 20, 25, 30, 35, 40)))
    theirs = Line("theirs", ((1, 9.0), (20, 8.0)), dashed=True)

    rows = printed(Series("Loss", (ours, theirs), "step", "loss"))

    assert rows["loss"] == ["at", "step", "8", "16", "20", "24", "32", "40"]
    assert rows["ours"] == ["8.00", "2.67", "2.00", "2.00", "1.33", "1.00"]
    assert rows["theirs"] == ["8.00"]


def test_few_points_are_all_shown() -> None:
    lines = Line("words", ((1, 0.25), (2, 0.5))), Line("form", ((2, 0.75),))

    rows = printed(Series("Learned", lines, "stage", "share"))

    assert rows["share"] == ["at", "stage", "1", "2"]
    assert (rows["words"], rows["form"]) == (["0.25", "0.50"], ["0.75"])


def test_texts_are_below_the_name_of_their_row() -> None:
    items = (
        Passage("cold", "a", row="Temperatures"),
        Passage("ROMEO", "b", row="Speakers"),
        Passage("hot", "c", row="Temperatures"),
    )

    rows = printed(Texts("All", items, conclusion="Hot is wild."))

    assert list(rows)[:2] == ["All", "Hot"]
    lines = list(rows)
    assert lines.index("Temperatures") < lines.index("Speakers")
