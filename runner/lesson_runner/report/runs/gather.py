"""Everything a report is made of, read once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesson_runner.model import Json, Section
from lesson_runner.report.runs.evidence import Excerpt, read_output
from lesson_runner.report.runs.shapes import Shape, shape_of


@dataclass(frozen=True, slots=True)
class Report:
    """A run, for reporters to draw."""

    record: Mapping[str, Any]
    """As ``schemas/record.schema.json`` describes it."""
    outputs: Mapping[str, Excerpt]
    """What each step printed, by its id."""
    sections: tuple[Section, ...]
    """What plugins want shown, as they gave it."""
    shapes: tuple[Shape, ...]
    """The same, read."""

    @property
    def conclusions(self) -> tuple[str, ...]:
        """What the sections come to, a sentence or two each."""
        return tuple(str(section.conclusion) for section in self.sections if section.conclusion)


def gather(record: Json, folder: Path, sections: Iterable[Section]) -> Report:
    """
    Return a report on a run.

    Args:
        record: the run's record; it follows the schema.
        folder: the run's folder. Evidence that is not there is left out.
        sections: what plugins want shown; one of an unknown shape is shown as that.
    """
    kept = tuple(sections)
    outputs = {str(step["id"]): read_output(folder, step) for step in record["steps"]}
    return Report(
        record,
        {name: excerpt for name, excerpt in outputs.items() if excerpt is not None},
        kept,
        tuple(map(shape_of, kept)),
    )
