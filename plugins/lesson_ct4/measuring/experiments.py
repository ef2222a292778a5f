"""Texts from several prompts, at several temperatures, by several models: each experiment a row of a grid."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from lesson_runner.model import Json

OTHERS = "Other texts"
"""The name of the row of those that stand alone, if there are other rows."""


@dataclass(frozen=True, slots=True)
class Written:
    """A text that a step made."""

    step: str
    """The step's id."""
    title: str
    model: str
    """What the model that wrote it is called; empty for the last stage's, which needs no name."""
    samples: Json
    """What the step stored."""

    @property
    def experiment(self) -> str:
        """The block of the lesson that asked for it: its steps are ``block.1``, ``block.2`` and so on."""
        block, _, number = self.step.rpartition(".")
        return block if number.isdigit() else self.step

    @property
    def asked(self) -> dict[str, str]:
        """What was asked for, part by part."""
        parts = {
            "model": self.model,
            "prompt": f'from "{self.samples["prompt"]}"',
            "temperature": f"at temperature {self.samples.get('temperature')}",
        }
        return {name: text for name, text in parts.items() if text}


def in_words(asked: dict[str, str]) -> str:
    """Return what was asked for in words: ``stage1 from "ROMEO:" at temperature 0.8``."""
    return " ".join(asked.values())


def in_rows(written: Sequence[Written], shown: Collection[Written]) -> list[tuple[str, str, Json]]:
    """
    Return row, title and samples of each text, experiment by experiment.

    Args:
        shown: texts that the report has already. An experiment that asked nothing else is left out.
    """
    known = [item.asked for item in shown]
    experiments: dict[str, list[Written]] = {}
    for item in written:
        experiments.setdefault(item.experiment, []).append(item)
    rows: list[tuple[str, str, Json]] = []
    alone: list[Written] = []
    for items in experiments.values():
        if all(item.asked in known for item in items):
            continue
        if len(items) == 1:
            alone += items
        else:
            rows += _row(items)
    name = OTHERS if rows else ""
    return [*rows, *((name, in_words(item.asked), item.samples) for item in alone)]


def _row(items: Sequence[Written]) -> list[tuple[str, str, Json]]:
    """Return the texts of an experiment; what was the same for all of them stands in the row's name."""
    first = items[0].asked
    common = {part: text for part, text in first.items() if all(i.asked.get(part) == text for i in items)}
    name = f"{items[0].title}, {in_words(common)}" if common else items[0].title
    own = [{part: text for part, text in i.asked.items() if part not in common} or i.asked for i in items]
    return [(name, in_words(asked), item.samples) for item, asked in zip(items, own, strict=True)]
