"""Everything a report is made of, read once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesson_runner.model import Json, Section
from lesson_runner.report.runs.evidence import Excerpt, read_output


@dataclass(frozen=True, slots=True)
class Report:
    """The data of a run that every format shows."""

    record: Mapping[str, Any]
    """As ``schemas/record.schema.json`` describes it."""
    outputs: Mapping[str, Excerpt]
    """What each step printed, by its id."""
    sections: tuple[Section, ...]
    """What plugins add to the report."""

    @property
    def conclusions(self) -> tuple[str, ...]:
        """The conclusions of the sections, a sentence or two each."""
        return tuple(section.conclusion for section in self.sections if section.conclusion)


def read_report(record: Json, folder: Path, sections: Iterable[Section]) -> Report:
    """
    Return the data of a report on a run.

    Args:
        record: the run's record; it follows the schema.
        folder: the run folder. Missing evidence is left out.
        sections: what plugins add to the report, as :func:`~lesson_runner.model.checked_section` returns it.
    """
    outputs = {str(step["id"]): read_output(folder, step) for step in record["steps"]}
    kept = {name: excerpt for name, excerpt in outputs.items() if excerpt is not None}
    return Report(record, kept, tuple(sections))
