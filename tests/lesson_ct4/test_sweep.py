"""``lesson ct4 sweep``: trains and compares all combinations, and none if one of them is invalid."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lesson_ct4.plugin
from lesson_runner.model.errors import HardwareError

Lesson = Callable[..., Any]
SHAPE = "--n_layer 1 --n_embd 32 --n_head 1 --sequence_length 32"
TINY = f"{SHAPE} --backend emulated --data_path text.txt"


@pytest.fixture
def sweep(lesson: Lesson, tmp_path: Path) -> Callable[..., Any]:
    (tmp_path / "text.txt").write_text("To be, or not to be, that is the question:\n" * 100)
    return lambda *flags: lesson("ct4", "sweep", *TINY.split(" "), *flags, plugins=[lesson_ct4.plugin])


@pytest.mark.torch
def test_every_combination_is_trained_and_compared(sweep: Callable[..., Any], tmp_path: Path) -> None:
    said = sweep("--max_steps", 3, "--learning_rate=1e-3,1e-2", "--batch-size", "1,2", "--json")
    assert said.code == 0, said
    assert [item["settings"] for item in said.json] == [
        {"learning_rate": rate, "batch_size": size} for rate in (0.001, 0.01) for size in (1, 2)
    ]
    assert all(item["labels"] == ["emulated", "other dataset"] for item in said.json)
    assert all(item["metrics"]["steps"] == 3 for item in said.json)
    curves = {(Path(item["evidence"]) / "loss.csv").read_text().split("seconds")[0] for item in said.json}
    assert len(curves) == 1
    assert len({item["metrics"]["final_loss"] for item in said.json}) == 4
    saved = sorted(path.name for path in (tmp_path / ".lesson" / "files" / "checkpoints").iterdir())
    assert saved == [f"nanogpt-{number}.safetensors" for number in range(1, 5)]


@pytest.mark.torch
def test_people_read_a_table_with_the_best_marked(sweep: Callable[..., Any]) -> None:
    said = sweep("--max_steps", 30, "--learning_rate", "1e-9,1e-2")
    assert said.code == 0
    assert "1/2 learning_rate 1e-9" in said.out
    assert "[emulated, other dataset]" in said.out
    rows = [line.split() for line in said.out.splitlines()]
    assert [row[-1] for row in rows if row[:1] in (["1e-09"], ["0.01"])][-1] == "lowest"
    assert sum(row[-1:] == ["lowest"] for row in rows) == 1


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ([], "no flag has several values"),
        (["--learning_rate", "1e-3"], "no flag has several values"),
        (["--learning_rate", "1e-3,nonsense"], "nonsense"),
        (["--learning_rate", "1e-3,7"], "--learning_rate is 7"),
        (["--seed", ",".join(map(str, range(101)))], "these flags make 101 runs"),
        (["--n_head", "1,5"], "--n_head 5"),
        (["--learning_rate", "1e-3,1e-2", "--wrong", "1"], "--wrong"),
    ],
)
def test_nothing_is_trained_if_one_cannot_be(
    sweep: Callable[..., Any], tmp_path: Path, flags: list[str], words: str
) -> None:
    said = sweep("--max_steps", 3, *flags)
    assert said.code == 2, said
    assert words in said.err
    assert not (tmp_path / ".lesson" / "files").exists()


def test_a_board_that_fails_ends_it(sweep: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    from lesson_ct4.actions import train

    tried: list[object] = []

    def lost(params: Any, *_: Any, **__: Any) -> None:
        tried.append(params)
        raise HardwareError("the device stopped answering")

    monkeypatch.setattr(train, "run", lost)
    said = sweep("--max_steps", 3, "--learning_rate", "1e-3,1e-2")
    assert said.code == 4, said
    assert "the device stopped answering" in said.err
    assert len(tried) == 1
