"""One result for each cell, with its runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.lesson_fleet.conftest import Answer, Start, document

from lesson_fleet.cells import Cell
from lesson_fleet.collect import Collector
from lesson_runner.document.schema.validator import load_schema, validator_for
from lesson_runner.model.errors import LessonError
from lesson_runner.run.find import run_folders
from lesson_runner.run.stored import read_run

TOY = Cell("toy", "n150")


def stored(collector: Collector) -> dict[str, Any]:
    """Return the contents of the results file, which must follow its schema."""
    data: dict[str, Any] = json.loads(collector.path.read_text())
    assert list(validator_for(load_schema("fleet")).iter_errors(data)) == []
    return data


def result(collector: Collector) -> dict[str, Any]:
    (item,) = stored(collector)["results"]
    return dict(item)


def test_a_workers_answer_is_stored(start: Start, answer: Answer, tmp_path: Path) -> None:
    certified: list[tuple[str, list[str]]] = []
    collector = start(passes=2, certified=certified)
    assert result(collector)["status"] == "waiting"
    collector.started(TOY)
    assert collector.take(TOY, answer(passes=2))
    assert collector.waiting() == []
    item = result(collector)
    assert (item["status"], item["host"], item["board"], item["seconds"]) == (
        "passed",
        "lab1",
        "pretended 1",
        3,
    )
    names = [one["run"] for one in item["passes"]]
    assert [path.name for path in run_folders(tmp_path / "workspace" / "runs")] == sorted(names)
    for one in item["passes"]:
        record = read_run(tmp_path / "workspace" / "runs" / one["run"])
        assert one["run"].startswith(record["run_id"])
        assert one["run"].endswith("-pretended-n150")
        assert one["labels"] == record["labels"] == ["emulated", "pretended n150"]
    assert certified == [("toy.md", names)]
    assert item["certificate"] == {"issued": True, "message": "certified"}


def test_the_first_result_is_kept(start: Start, answer: Answer, tmp_path: Path) -> None:
    collector = start()
    assert collector.take(TOY, answer(host="lab1"))
    before = stored(collector)
    assert not collector.take(TOY, answer(host="lab2"))
    assert not collector.take(TOY, answer(host="lab2", script="echo no"))
    assert not collector.give_up(TOY, "lost", "gone")
    assert stored(collector) == before
    assert len(run_folders(tmp_path / "workspace" / "runs")) == 1


def test_runs_with_the_same_name(start: Start, answer: Answer, tmp_path: Path) -> None:
    """Two workers may start within the same second."""
    same = answer()
    for _ in range(2):
        assert start().take(TOY, same)
    first, second = (path.name for path in run_folders(tmp_path / "workspace" / "runs"))
    assert second == f"{first}-2"
    assert len(list((tmp_path / "workspace" / "fleet").iterdir())) == 2


def test_a_lesson_that_failed(start: Start, answer: Answer, tmp_path: Path) -> None:
    failing = answer(script="echo no")
    collector = start(document("toy"), passes=2)
    # The run is of another text than the one that was sent, so it does not count.
    collector.take(TOY, failing)
    item = result(collector)
    assert (item["status"], item["message"]) == ("failed", "the returned run is of another lesson")
    assert run_folders(tmp_path / "workspace" / "runs") == []


@pytest.mark.parametrize(
    ("answer_", "message"),
    [
        (
            {"passes": [{"exit_code": 2, "seconds": 0.1, "message": "error: no such file", "archive": None}]},
            "error: no such file",
        ),
        (
            {"passes": [{"exit_code": 4, "seconds": 0.1, "message": "", "archive": None}]},
            "exit code 4, and no run was returned",
        ),
        ({"passes": [], "refused": "the board is held"}, "the board is held"),
        ({"passes": []}, "a pass returned no result"),
        (
            {"passes": [{"exit_code": 0, "seconds": 0.1, "message": "", "archive": b"damaged"}]},
            "the archive is damaged",
        ),
    ],
)
def test_failures(start: Start, answer_: dict[str, Any], message: str) -> None:
    collector = start()
    assert collector.take(TOY, {"host": "lab1", "board": None, "refused": None, **answer_})
    item = result(collector)
    assert item["status"] == "failed"
    assert item["message"].startswith(message)
    assert item["certificate"] is None


def test_a_missing_pass(start: Start, answer: Answer) -> None:
    collector = start(passes=2)
    collector.take(TOY, answer(passes=1))
    assert (result(collector)["status"], result(collector)["message"]) == (
        "failed",
        "a pass returned no result",
    )


def test_a_run_must_be_labelled_as_pretended(start: Start, answer: Answer) -> None:
    for labels in ("", "emulated", "pretended n300"):
        collector = start()
        collector.take(TOY, answer(labels=labels))
        assert "is not labelled as run on a pretended board" in result(collector)["message"]


def test_unsupported_hardware(start: Start) -> None:
    collector = start(document("toy", supported=["n150"]), document("other"), hardware=["n150", "n300"])
    assert collector.waiting() == [TOY, Cell("other", "n150"), Cell("other", "n300")]
    items = {(item["lesson"], item["hardware"]): item for item in stored(collector)["results"]}
    assert items["toy", "n300"]["status"] == "not-supported"
    assert items["toy", "n300"]["message"] == "the lesson is for n150"


def test_losses_and_the_end(start: Start) -> None:
    collector = start()
    assert [collector.started(TOY), collector.started(TOY)] == [1, 2]
    collector.worker_lost(TOY, "gone")
    assert result(collector)["losses"] == ["gone"]
    collector.finish("interrupted")
    data = stored(collector)
    assert (data["status"], data["results"][0]["status"]) == ("interrupted", "waiting")
    assert data["finished"] is not None


def test_a_workspace_that_cannot_be_written(start: Start, tmp_path: Path) -> None:
    (tmp_path / "workspace").write_text("a file")
    with pytest.raises(LessonError, match="cannot be created") as caught:
        start()
    assert "--workspace" in str(caught.value.fix)
