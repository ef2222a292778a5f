"""The sections of a run's report."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from lesson_ct4.measuring.curves import CURVE_POINTS
from lesson_ct4.measuring.sections import report_sections
from lesson_runner.model import Line, Passage, Series, Table, Texts


def trained(id: str, name: str, **metrics: float) -> dict[str, Any]:  # noqa: A002
    params = {"model_save_path": f"checkpoints/{name}.pkl"}
    return {"id": id, "title": id.title(), "action": "ct4.train", "params": params, "metrics": metrics}


def generated(id: str, name: str, **metrics: float) -> dict[str, Any]:  # noqa: A002
    params = {"model_path": f"checkpoints/{name}.pkl_final.pkl"}
    return {"id": id, "title": id.title(), "action": "ct4.generate", "params": params, "metrics": metrics}


def write(folder: Path, step: str, **files: str) -> None:
    place = folder / "evidence" / step
    place.mkdir(parents=True)
    for name, text in files.items():
        (place / name.replace("_", ".")).write_text(text)


def samples(text: str, temperature: float = 0.8) -> str:
    return json.dumps({"prompt": "ROMEO:", "samples": [text], "temperature": temperature})


def test_a_whole_run(tmp_path: Path) -> None:
    record = {
        "steps": [
            {"id": "dataset", "action": "ct4.fetch-dataset", "params": {}, "metrics": {"bytes": 1}},
            trained("stage-1", "one", steps=2, final_loss=3.5, seconds=1.23),
            generated(
                "sample-1", "one", real_word_ratio=0.25, speaker_lines=1, known_speakers=0, format_score=0.5
            ),
            trained("stage-2", "two", steps=3, final_loss=2.5, validation_loss=2.6, seconds=2),
            generated(
                "sample-2", "two", real_word_ratio=0.5, speaker_lines=2, known_speakers=1, format_score=1
            ),
            generated("hot", "two", real_word_ratio=0.1),
            generated("lost", "two"),
        ]
    }
    write(tmp_path, "stage-1", loss_csv="step,loss\n1,4.0\n2,3.0\n")
    write(tmp_path, "stage-2", loss_csv="step,loss\n1,4.0\n2,3.0\n3,2.0\n")
    write(tmp_path, "sample-1", samples_json=samples("\nasdf"))
    write(tmp_path, "sample-2", samples_json=samples("\nBut soft"))
    write(tmp_path, "hot", samples_json=samples("\nWild", 1.2))

    stages, learned, table, curves, others = report_sections(record, tmp_path)

    assert isinstance(stages, Texts)
    assert [item.text for item in stages.items] == ["ROMEO:\nasdf", "ROMEO:\nBut soft"]
    assert isinstance(learned, Series)
    assert learned.lines == (
        Line("Look of a play", ((1, 0.5), (2, 1))),
        Line("Real words", ((1, 0.25), (2, 0.5))),
    )
    assert learned.stages == ((1, "Stage-1"), (2, "Stage-2"))
    assert "look of a play 0.5 (structure), real words 0.6 (vocabulary)" in learned.note
    assert learned.conclusion == (
        "Learned: structure by stage 1, speakers of the play by stage 2. Not learned: vocabulary."
    )
    assert isinstance(table, Table)
    assert table.columns[:3] == ("Stage", "Steps", "Final loss")
    assert table.rows == (
        ("Stage-1", 2, 3.5, None, 1, 0, 1.2),
        ("Stage-2", 3, 2.5, 2.6, 2, 1, 2),
    )
    assert isinstance(curves, Series)
    assert curves.lines[0] == Line("Stage-1", ((1, 4.0), (2, 3.0)))
    assert curves.stages == ((2, "Stage-1"), (3, "Stage-2"))
    prompt = (0, 6, "prompt")
    assert isinstance(others, Texts)
    assert others.items == (Passage('from "ROMEO:" at temperature 1.2', "ROMEO:\nWild", (prompt,)),)


def test_texts_are_marked_with_what_they_have_from_the_corpus(tmp_path: Path) -> None:
    corpus = b"ROMEO:\nBut soft, the light is in the window now.\n"
    name = f"corpus-{hashlib.sha256(corpus).hexdigest()[:16]}.txt"
    write(tmp_path, "_shared")
    (tmp_path / "evidence/_shared" / name).write_bytes(corpus)
    record = {"prompt": "ROMEO:", "samples": ["\nzorp, the light is in the window now.\n"], "corpus": name}
    write(tmp_path, "text", samples_json=json.dumps(record))

    (section,) = report_sections({"steps": [generated("text", "one")]}, tmp_path)

    assert isinstance(section, Texts)
    (item,) = section.items
    parts = [(kind, item.text[start:end]) for start, end, kind in item.marks]
    assert parts == [
        ("prompt", "ROMEO:"),
        ("invented", "zorp"),
        ("copied", ", the light is in the window now."),  # without the invisible end of the line
    ]


def test_a_published_curve_lies_behind_those_of_the_same_text(tmp_path: Path) -> None:
    rows = "\n".join(f"{step},{2.0}" for step in range(1, 1201))
    write(tmp_path, "stage", loss_csv=f"step,loss\n{rows}\n")
    record: dict[str, Any] = {"steps": [trained("stage", "one", steps=1200)]}

    def dashed(text: str) -> list[Line]:
        facts = {"dataset": {"text": text}}
        curves = report_sections({**record, "facts": facts}, tmp_path)[-1]
        assert isinstance(curves, Series)
        return [line for line in curves.lines if line.dashed]

    (published,) = dashed("shakespeare")
    assert published.points == (
        (1, 4.656),
        (50, 3.05),
        (500, 2.297),
        (1000, 1.867),
    )  # no further than our curve
    assert dashed("synthetic") == []


def test_long_curves_are_thinned(tmp_path: Path) -> None:
    rows = "\n".join(f"{step},{2.0}" for step in range(1, 1002))
    write(tmp_path, "stage", loss_csv=f"step,loss\n{rows}\n")

    curves = report_sections({"steps": [trained("stage", "one", steps=1001)]}, tmp_path)[-1]

    assert isinstance(curves, Series)
    points = curves.lines[0].points
    assert len(points) <= CURVE_POINTS
    assert points[-1] == (1001, 2.0)


def test_texts_of_models_trained_earlier_are_told_apart(tmp_path: Path) -> None:
    write(tmp_path, "compare.1", samples_json=samples("one"))
    write(tmp_path, "compare.2", samples_json=samples("two"))
    steps = [{**generated(f"compare.{n}", f"stage{n}"), "title": "Compare"} for n in (1, 2)]

    (section,) = report_sections({"steps": steps}, tmp_path)

    assert isinstance(section, Texts)
    assert [(item.row, item.title) for item in section.items] == [
        ('Compare, from "ROMEO:" at temperature 0.8', "stage1"),
        ('Compare, from "ROMEO:" at temperature 0.8', "stage2"),
    ]


def test_every_experiment_is_a_row_of_a_grid(tmp_path: Path) -> None:
    asked = {
        "text": ("ROMEO:", 0.8),
        "compare.1": ("ROMEO:", 0.8),
        "heat.1": ("ROMEO:", 0.3),
        "heat.2": ("ROMEO:", 0.8),
        "who.1": ("ROMEO:", 0.8),
        "who.2": ("JULIET:", 0.8),
        "hot": ("NURSE:", 1.5),
    }
    for name, (prompt, temperature) in asked.items():
        stored = {"prompt": prompt, "samples": [name], "temperature": temperature}
        write(tmp_path, name, samples_json=json.dumps(stored))
    titles = {"heat": "Temperatures", "who": "Speakers"}
    steps = [
        trained("stage", "one", steps=1),
        *(
            {**generated(name, "one"), "title": titles.get(name.partition(".")[0], name.title())}
            for name in asked
        ),
    ]

    section = report_sections({"steps": steps}, tmp_path)[-1]

    assert section.title == "Prompts and temperatures"
    heat, who = 'Temperatures, from "ROMEO:"', "Speakers, at temperature 0.8"
    assert isinstance(section, Texts)
    assert [(item.row, item.title) for item in section.items] == [
        (heat, "at temperature 0.3"),
        (heat, "at temperature 0.8"),
        (who, 'from "ROMEO:"'),
        (who, 'from "JULIET:"'),
        ("Other texts", 'from "NURSE:" at temperature 1.5'),
    ]


def test_a_question_asked_again_is_shown_once(tmp_path: Path) -> None:
    for name in ("text", "compare", "other"):
        write(tmp_path, name, samples_json=samples(name, temperature=0.8 if name != "other" else 0.3))
    steps = [
        trained("stage", "one", steps=1),
        *(generated(name, "one") for name in ("text", "compare", "other")),
    ]

    sections = {section.title: section for section in report_sections({"steps": steps}, tmp_path)}

    written, others = sections["What each stage writes"], sections["Prompts and temperatures"]
    assert isinstance(written, Texts)
    assert isinstance(others, Texts)
    assert [item.title for item in written.items] == ["Stage"]
    assert written.note == 'All from "ROMEO:" at temperature 0.8; the first text of each stage.'
    (other,) = others.items
    assert other.title == 'from "ROMEO:" at temperature 0.3'


def test_other_runs_have_no_sections(tmp_path: Path) -> None:
    assert report_sections({}, tmp_path) == []
    assert report_sections({"steps": [{"id": "a", "action": "shell", "params": {}}]}, tmp_path) == []
    unfinished = {**trained("stage", "one"), "status": "failed"}
    assert report_sections({"steps": [unfinished, generated("g", "one")]}, tmp_path) == []


def test_damaged_files_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "sample", samples_json='{"prompt": "x", "samples": []}')
    write(tmp_path, "stage", loss_csv="nonsense")

    record = {"steps": [trained("stage", "one", steps=1), generated("sample", "one")]}
    assert [type(section) for section in report_sections(record, tmp_path)] == [Table]
