"""The results as text: a table of lessons by hardware."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lesson_fleet.cells import PRETENDED

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

LONGEST = 300
"""Characters of a message that are shown in a line; the results file has all of it."""
SIGNS = {
    "passed": ("✓", "green"),
    "failed": ("✗", "red"),
    "lost": ("✗", "red"),
    "not-supported": ("-", "dim"),
    "waiting": ("…", "yellow"),
}


def print_results(console: Console, data: Mapping[str, Any], path: Path, *, certify: bool) -> None:
    """Print a table of lessons by hardware, failures and certificates, and the path of the results."""
    from rich.text import Text

    from lesson_runner.report.tables import PlainTable
    from lesson_runner.report.text import duration, line

    label = f"  [{PRETENDED}]" if data["pretended"] else ""
    by_cell = {(item["lesson"], item["hardware"]): item for item in data["results"]}
    table = PlainTable("lesson", *(f"{name}{label}" for name in data["hardware"]))
    for lesson in data["lessons"]:
        row: list[str | Text] = [lesson["id"]]
        for kind in data["hardware"]:
            item = by_cell[lesson["id"], kind]
            sign, style = SIGNS[item["status"]]
            time = f" {duration(item['seconds'])}" if item["passes"] else ""
            row.append(Text(f"{sign} {item['status'].replace('-', ' ')}{time}", style))
        table.add(*row)
    console.print()
    console.print(table)
    for item in data["results"]:
        cell = f"{item['lesson']} on {item['hardware']}{label}"
        if item["message"] and item["status"] != "not-supported":
            console.print(Text(line(f"{cell}: {shorten(item['message'])}"), "red"))
        if item["certificate"] and certify:
            console.print(f"{cell}: {item['certificate']['message']}")
    counts = Counter(item["status"].replace("-", " ") for item in data["results"])
    total = len(data["results"])
    summary = ", ".join(f"{count} {status}" for status, count in counts.items())
    console.print(f"{total} result{'' if total == 1 else 's'}: {summary}{label}")
    console.print(f"Results: {path}")


def outcome(result: Mapping[str, Any]) -> str:
    """Return a cell's result in words, with its labels."""
    from lesson_runner.report.text import duration

    words = [result["status"].replace("-", " ")]
    if result["passes"]:
        count = len(result["passes"])
        words += [f"in {duration(result['seconds'])}", f"({count} pass{'' if count == 1 else 'es'})"]
    if result["host"] and result["board"]:
        words.append(f"on {result['host']}, board {result['board']}")
    if result["attempts"] > 1:
        words[-1] += f", attempt {result['attempts']}"
    message = f": {shorten(result['message'])}" if result["message"] else ""
    return f"{' '.join(words)}{message}{f'  [{PRETENDED}]' if result['pretended'] else ''}"


def shorten(text: str) -> str:
    """Return a text on one line, cut after :data:`LONGEST` characters."""
    line = " ".join(text.split())
    return f"{line[:LONGEST]}…" if len(line) > LONGEST else line
