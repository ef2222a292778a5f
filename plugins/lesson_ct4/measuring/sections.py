"""Sections for the report on a run: the stages side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lesson_ct4.measuring.captions import metric_title
from lesson_ct4.measuring.curves import loss_curves
from lesson_ct4.measuring.evidence import WINDOW, stored_corpus
from lesson_ct4.measuring.experiments import Written, in_rows, settings_text
from lesson_ct4.measuring.learned import what_was_learned
from lesson_ct4.measuring.marks import marks
from lesson_ct4.names import base_name, loaded_stems, matching, saved_stem
from lesson_runner.files.evidence import EVIDENCE, SHARED, Evidence
from lesson_runner.model import Cell, Json, Passage, Section, Table, Texts

COLUMNS = ("steps", "final_loss", "validation_loss", "speaker_lines", "known_speakers", "seconds")
"""Metrics."""
MAX_TEXT = 4000
"""Maximum length of a text in a report, in characters."""
MOST_TEXTS = 200
"""Maximum number of steps whose texts are read; a report shows fewer."""
MAX_CORPUS = 8 * 1024 * 1024
"""Maximum size in bytes of a corpus to compare samples with; comparing takes about a second per megabyte."""


def report_sections(record: Json, folder: Path) -> list[Section]:
    """Return the sections; empty for a run without training and generation by ct4."""
    steps = [step for step in record.get("steps", ()) if isinstance(step, Mapping)]
    trained = _named([step for step in steps if step.get("action") == "ct4.train" and step.get("metrics")])
    wrote = [step for step in steps if step.get("action") == "ct4.generate"][:MOST_TEXTS]
    generated = [(step, samples) for step in wrote if (samples := _samples(step, folder))]
    stages = {saved_stem(str(step["params"].get("model_save_path", ""))): step for step in trained}
    first: dict[str, tuple[Json, Json]] = {}
    shown, others = [], []
    for step, samples in generated:
        stage = _stage(step, stages)
        written = _written(step, samples, stage, list(stages))
        if stage is not None and stage not in first:
            first[stage] = (step, samples)
            shown.append(written)
        else:
            others.append(written)
    in_order = {stage: first[stage] for stage in stages if stage in first}
    shared = Evidence(folder / EVIDENCE, folder / EVIDENCE / SHARED, run=folder)
    sections = [
        _texts(
            "What each stage writes",
            [("", _title(stages[stage]), samples) for stage, (_, samples) in in_order.items()],
            note=_shared_settings(shown),
            shared=shared,
        ),
        what_was_learned(
            {_title(stages[stage]): step.get("metrics", {}) for stage, (step, _) in in_order.items()}
        ),
        _table(stages, first),
        loss_curves(trained, folder, shakespeare=_dataset(record) == "shakespeare"),
        _texts(
            "Prompts and temperatures",
            in_rows(others, shown),
            note="By the model of the last stage, unless another one is named." if stages else "",
            shared=shared,
        ),
    ]
    return [section for section in sections if section is not None]


def _named(steps: list[Json]) -> list[Json]:
    """Return the steps with unique titles; steps of the same block share a title."""
    titles = [str(step.get("title") or step.get("id")) for step in steps]
    times = Counter(titles)
    return [
        {**step, "title": title if times[title] == 1 else f"{title} ({step.get('id')})"}
        for step, title in zip(steps, titles, strict=True)
    ]


def _title(step: Json) -> str:
    return str(step["title"])


def _stage(step: Json, stages: Iterable[str]) -> str | None:
    path = str(step["params"].get("model_path", ""))
    found = matching(path, loaded_stems(path), list(stages))
    return found[0] if len(found) == 1 else None


def _samples(step: Json, folder: Path) -> Json | None:
    """Return the stored samples of a generation step; None if they are unusable."""
    try:
        data = Evidence.of(folder, step).read_json("samples.json")
        prompt, first = data["prompt"], data["samples"][0]
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None
    if not isinstance(prompt, str) or not isinstance(first, str):
        return None
    settings = {name: str(data[name])[:MAX_TEXT] for name in ("temperature", "corpus") if name in data}
    return {**settings, "prompt": prompt[:MAX_TEXT], "samples": [first[:MAX_TEXT]]}


def _written(step: Json, samples: Json, stage: str | None, stages: list[str]) -> Written:
    """Return a text with the name of its model, which is empty for the last stage's model."""
    model = stage or loaded_stems(str(step["params"].get("model_path", "")))[0]
    if [base_name(name) for name in stages].count(base_name(model)) < 2:
        model = base_name(model)  # the folder says nothing more
    return Written(str(step["id"]), str(step.get("title")), "" if [stage] == stages[-1:] else model, samples)


def _shared_settings(found: list[Written]) -> str:
    """Return the prompt and temperature of the texts, if all texts have the same; empty otherwise."""
    settings = [{part: text for part, text in item.settings.items() if part != "model"} for item in found]
    same = bool(settings) and all(item == settings[0] for item in settings)
    return f"All {settings_text(settings[0])}; the first text of each stage." if same else ""


def _dataset(record: Json) -> str:
    """Return the name of the training text, if the record has it."""
    facts = record.get("facts")
    dataset = facts.get("dataset") if isinstance(facts, Mapping) else None
    return str(dataset.get("text")) if isinstance(dataset, Mapping) else ""


def _texts(title: str, found: list[tuple[str, str, Json]], note: str, *, shared: Evidence) -> Texts | None:
    """Return a section of texts with row names and titles; None if there are no texts."""
    items = tuple(_passage(row, name, samples, shared) for row, name, samples in found)
    return Texts(title, items, note) if items else None


def _passage(row: str, title: str, samples: Json, shared: Evidence) -> Passage:
    """Return the first sample with its marks."""
    prompt, text = samples["prompt"], samples["samples"][0]
    text = text[: MAX_TEXT - len(prompt)]
    try:
        corpus = stored_corpus(shared, str(samples.get("corpus")), MAX_CORPUS)
    except (OSError, ValueError):
        corpus = None
    return Passage(title, prompt + text, marks(prompt, text, corpus), row)


def _table(stages: Mapping[str, Json], first: Mapping[str, tuple[Json, Json]]) -> Table | None:
    rows: list[tuple[Cell, ...]] = []
    for name, step in stages.items():
        generated = first[name][0].get("metrics", {}) if name in first else {}
        metrics = {**generated, **step["metrics"]}
        rows.append((_title(step), *(_cell(metric, metrics.get(metric)) for metric in COLUMNS)))
    if not rows:
        return None
    columns = ("Stage", *(metric_title(metric).capitalize() for metric in COLUMNS))
    note = f"Final loss: mean of the last {WINDOW} steps. Text metrics: over all samples of the stage."
    return Table("The stages in numbers", columns, tuple(rows), note)


def _cell(metric: str, value: Any) -> Cell:
    if not isinstance(value, int | float):
        return None
    if metric in ("steps", "speaker_lines", "known_speakers"):
        return int(value)
    return round(value, 1 if metric == "seconds" else 3)
