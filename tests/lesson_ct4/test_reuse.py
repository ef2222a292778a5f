"""A repeated run reuses trainings that are still valid, and says so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lesson_ct4.plugin
from lesson_ct4.device import origin
from lesson_ct4.training import checkpoint_cache
from lesson_ct4.training.checkpoint import load_checkpoint
from lesson_runner.model import Event
from lesson_runner.testing import lesson_text, run_lesson

pytestmark = pytest.mark.torch

TEXT = """
<!-- step
id: text
uses: ct4.fetch-dataset
with: {name: text.txt, sha256: any, fallback: never}
-->
```text
the play
```
"""
STAGE = """
<!-- step
id: {id}
expect: [metric: {{name: steps, min: {steps}}}]
-->
```bash
lesson ct4 train --data_path data/text.txt --model_save_path {id} --max_steps {steps} --recipe tuned \
--warmup_steps 2 --n_layer 1 --n_embd 32 --n_head 1 --sequence_length 32 --batch_size 2 --dropout 0.1
```
"""
STAGES = {"short": 10, "long": 20}
LESSON = lesson_text(
    TEXT + "".join(STAGE.format(id=name, steps=steps) for name, steps in STAGES.items()),
    runner={"profiles": {"unchanged": {"summary": "no other numbers"}}},
)
PLAY = "ROMEO:\nIt is the east, and Juliet is the sun.\n\nJULIET:\nAy me!\n\n" * 30
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the two stages in one workspace, and returns the results of each, by name."""

    def go(*params: str, text: str = PLAY, fresh: bool = False) -> dict[str, Any]:
        heard: list[Event] = []
        (tmp_path / "play.txt").write_text(text)
        record = run_lesson(
            LESSON,
            tmp_path,
            plugins=[lesson_ct4.plugin],
            params=[f"dataset={tmp_path / 'play.txt'}", *params],
            backend="emulated",
            listeners=[heard.append],
            fresh=fresh,
        )
        evidence = tmp_path / ".lesson" / "runs" / record["run_id"] / "evidence"
        return {
            step["id"]: {
                **step,
                "said": (evidence / step["id"] / "output.txt").read_text(),
                "curve": (evidence / step["id"] / "loss.csv").read_bytes(),
                "checkpoint": evidence.parent / "files" / "checkpoints" / f"{step['id']}.safetensors",
                "trained": sum(event.kind == "progress" and event.step == step["id"] for event in heard),
            }
            for step in record["steps"]
            if step["id"] in STAGES
        }

    return go


def content(path: Path) -> tuple[Any, ...]:
    """Return the content of a checkpoint; its bytes vary, because the tensors have no fixed order."""
    found = load_checkpoint(path)
    assert found.optimizer is not None
    tensors = {
        **found.parameters,
        **{f"{k} {n}": a for k, m in found.optimizer.moments.items() for n, a in m.items()},
    }
    plain = {name: array.tobytes() for name, array in tensors.items()}
    return plain, found.optimizer.numbers, found.losses.tobytes(), found.seconds.tobytes(), found.config


def numbers(step: dict[str, Any]) -> dict[str, float]:
    """Return the results of a stage, regardless of which run trained it, and when."""
    return {
        name: value
        for name, value in step["metrics"].items()
        if name not in ("reused_steps", "seconds", "tokens_per_second")
    }


def test_a_second_run_trains_nothing_and_is_the_same_bit_for_bit(run: Run) -> None:
    first = run()
    before = {name: content(first[name]["checkpoint"]) for name in STAGES}
    again = run()
    for name, steps in STAGES.items():
        one, other = first[name], again[name]
        assert other["status"] == "passed"
        assert (other["trained"], other["metrics"]["reused_steps"], other["metrics"]["seconds"]) == (
            0,
            steps,
            0,
        )
        assert f"Note: reusing all {steps} steps" in other["said"]
        assert "reused" in other["labels"]
        assert "reused" not in one["labels"]
        assert one["curve"] == other["curve"]
        assert numbers(one) == numbers(other)
        assert content(other["checkpoint"]) == before[name]
    assert first["long"]["metrics"]["reused_steps"] == 9  # by the previous stage, in the same run


def test_a_later_run_gets_the_checkpoint_of_an_earlier_one(run: Run) -> None:
    before = content(run()["short"]["checkpoint"])
    again = run()["short"]
    assert again["trained"] == 0
    assert content(again["checkpoint"]) == before


def test_one_parameter_that_changed_is_trained_again(run: Run, tmp_path: Path) -> None:
    run()
    changed = run("long.learning_rate=0.002")
    assert changed["short"]["trained"] == 0
    assert changed["long"]["trained"] == 20
    assert (
        "Note: no steps of an earlier stage or run can be reused: learning_rate was 0.001, is 0.002"
        in (changed["long"]["said"])
    )
    assert "reused" not in changed["long"]["labels"]


@pytest.mark.slow
def test_a_length_that_changed_trains_what_is_new(run: Run) -> None:
    run()
    changed = run("long.max_steps=30")
    assert changed["long"]["metrics"]["reused_steps"] == 18
    assert "reusing the first 18 steps" in changed["long"]["said"]
    assert changed["long"]["labels"].count("reused") == 1
    alone = run("long.max_steps=30", fresh=True)
    assert numbers(alone["long"]) | {"training_seconds": 0} == (
        numbers(changed["long"]) | {"training_seconds": 0}
    )


def test_another_text_is_trained_from_scratch(run: Run) -> None:
    run()
    other = run(text=PLAY.replace("Juliet", "Rosaline"))
    assert [step["trained"] for step in other.values()] == [10, 11]
    assert "can be reused: dataset was " in other["short"]["said"]


@pytest.mark.parametrize(
    ("what", "value", "reason"),
    [
        ("torch", "9.9.9", "session.versions was"),
        ("threads", 64, "session.threads was"),
        ("code", "0" * 64, "code was"),
        ("processor", "a faster one", "processor was"),
    ],
)
def test_another_version_trains_from_scratch(
    run: Run, monkeypatch: pytest.MonkeyPatch, what: str, value: Any, reason: str
) -> None:
    import ttml_emulation

    run()
    describe, found = ttml_emulation.describe, origin.origin()
    if what in found:
        monkeypatch.setattr(checkpoint_cache, "origin", lambda: {**found, what: value})
    else:
        monkeypatch.setattr(ttml_emulation, "describe", lambda: {**describe(), what: value})
    again = run()
    assert [step["trained"] for step in again.values()] == [10, 11]
    assert f"Note: no steps of an earlier stage or run can be reused: {reason}" in again["short"]["said"]


@pytest.mark.parametrize(("damaged", "reused"), [("result_*", 18), ("*", 9)])
def test_damaged_checkpoints_are_skipped(run: Run, tmp_path: Path, damaged: str, reused: int) -> None:
    first = run()
    kept = {name: content(step["checkpoint"]) for name, step in first.items()}
    for path in (tmp_path / ".lesson" / "checkpoint-cache").glob(f"*/{damaged}.safetensors"):
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    again = run()
    assert again["long"]["metrics"]["reused_steps"] == reused
    assert "Note: not reused: " in again["long"]["said"] or damaged == "*"
    assert "checksum" in again["short"]["said"]
    for name in STAGES:
        made = content(again[name]["checkpoint"])
        assert (kept[name][:3], kept[name][4:]) == (
            made[:3],
            made[4:],
        )  # except for the duration of the steps


def test_a_fresh_run_sees_nothing_of_earlier_ones(run: Run) -> None:
    run()
    fresh = run(fresh=True)
    assert [step["trained"] for step in fresh.values()] == [10, 11]
    assert all("reused" not in step["labels"] for step in fresh.values())


@pytest.mark.slow
def test_the_states_of_few_settings_are_kept(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint_cache, "KEPT", 2)
    for seed in (1, 2, 1, 3):
        run(f"seed={seed}")
    folders = list((tmp_path / ".lesson" / "checkpoint-cache").iterdir())
    assert len(folders) == 2
    assert [run(f"seed={seed}")["long"]["trained"] for seed in (3, 1)] == [0, 0]  # 1 was used after 2


def test_where_a_file_cannot_be_linked_it_is_copied(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr("lesson_ct4.training.checkpoint_cache.os.link", refuse)
    run()
    assert run()["long"]["trained"] == 0


def test_the_code_that_trains_has_a_digest() -> None:
    import ttml_emulation  # noqa: F401  # it is part of it

    names = [path.name for path in origin._sources()]
    assert {"config.py", "train.py", "schedule.py", "dataset.py", "session.py", "adamw.py"} <= set(names)
