"""Texts from several prompts, temperatures and models, arranged in a grid with one row per experiment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lesson_runner.model import Json

OTHERS = "Other texts"
"""The name of the row for single texts, if there are other rows."""


@dataclass(frozen=True, slots=True)
class Written:
    """A text that a step generated."""

    step: str
    """The step's id."""
    title: str
    model: str
    """Name of the model that wrote it; empty for the last stage's model."""
    samples: Json
    """The stored samples of the step."""

    @property
    def experiment(self) -> str:
        """Id of the lesson's block; the steps of a block are ``block.1``, ``block.2`` and so on."""
        block, _, number = self.step.rpartition(".")
        return block if number.isdigit() else self.step

    @property
    def settings(self) -> dict[str, str]:
        """The settings of the request by name."""
        parts = {
            "model": self.model,
            "prompt": f'from "{self.samples["prompt"]}"',
            "temperature": f"at temperature {self.samples.get('temperature')}",
        }
        return {name: text for name, text in parts.items() if text}


def settings_text(settings: dict[str, str]) -> str:
    """Return the settings as text: ``stage1 from "ROMEO:" at temperature 0.8``."""
    return " ".join(settings.values())


def in_rows(written: Sequence[Written], shown: Collection[Written]) -> list[tuple[str, str, Json]]:
    """
    Return row, title and samples of each text, experiment by experiment.

    Args:
        shown: texts that the report already has. An experiment with only these settings is left out.
    """
    known = [item.settings for item in shown]
    experiments: dict[str, list[Written]] = {}
    for item in written:
        experiments.setdefault(item.experiment, []).append(item)
    rows: list[tuple[str, str, Json]] = []
    alone: list[Written] = []
    for items in experiments.values():
        if all(item.settings in known for item in items):
            continue
        if len(items) == 1:
            alone += items
        else:
            rows += _row(items)
    name = OTHERS if rows else ""
    return [*rows, *((name, settings_text(item.settings), item.samples) for item in alone)]


def _row(items: Sequence[Written]) -> list[tuple[str, str, Json]]:
    """Return the texts of an experiment; the settings they have in common go into the row's name."""
    first = items[0].settings
    common = {part: text for part, text in first.items() if all(i.settings.get(part) == text for i in items)}
    name = f"{items[0].title}, {settings_text(common)}" if common else items[0].title
    own = [
        {part: text for part, text in i.settings.items() if part not in common} or i.settings for i in items
    ]
    return [(name, settings_text(settings), item.samples) for item, settings in zip(items, own, strict=True)]
