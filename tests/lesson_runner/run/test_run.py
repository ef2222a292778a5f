"""Runs: the record, the effects of a failure, and the options."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from tests.fake_plugin import fake_plugin

from lesson_runner.document.schema.validator import load_schema, validator_for
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins import (
    Action,
    ActionCall,
    Block,
    Event,
    Hardware,
    HardwareError,
    Json,
    Outcome,
    StepContext,
)
from lesson_runner.run import runner
from lesson_runner.testing import lesson_text, run_lesson

BOARD = Hardware("n150", "a test", devices=1, facts={"temperature": math.nan, "path": Path("/dev/x")})


def act(params: Json, context: StepContext) -> Outcome:
    """Do what the block's word says."""
    word = params["word"]
    if word == "loop":
        while True:
            context.check_time()
    if word == "raise":
        raise RuntimeError("boom \x1b[2J")
    if word == "exit":
        sys.exit("no")
    if word == "fix":
        raise LessonError("no disk", fix="buy one")
    if word == "hardware":
        raise HardwareError("no board", fix="insert one")
    if word == "interrupt":
        context.say("so far")
        raise KeyboardInterrupt
    if word == "second-time":
        return Outcome("passed" if context.attempt == 2 else "failed", f"attempt {context.attempt}")
    if word == "nothing":
        return None  # type: ignore[return-value]  # a plugin may be untyped
    if word == "words":
        return Outcome(metrics={"loss": "low"})  # type: ignore[dict-item]  # likewise
    if word == "numbers":
        metrics = {"nan": math.nan, "inf": -math.inf, "one": 1}
        facts = {"where": Path("/x"), "nan": math.nan, "set": {1}}
        return Outcome(metrics=metrics, facts=facts, labels=("emulated",), output="half \ud83d a pair")
    context.say(f"said {word}")
    context.progress(1, 2, loss=math.nan)
    (context.evidence / "kept.txt").write_text(word)
    return Outcome("failed" if word == "fail" else "skipped" if word == "skip" else "passed")


def interpret(block: Block) -> list[ActionCall] | None:
    """Read one word per line, in blocks in the language ``act``."""
    if block.language != "act":
        return None
    return [ActionCall("act", {"word": row}, block.location, row) for row in block.text.split()]


SCHEMA = {"type": "object", "properties": {"word": {"type": "string"}}}
ACT = Action("act", "Act", act, schema=SCHEMA, self_judging=True)
acting = fake_plugin("acting", actions=[ACT], interpret_block=interpret)


def step(name: str, words: str = "", **keys: str) -> str:
    rows = "".join(f"{key}: {value}\n" for key, value in keys.items())
    return f"<!-- step\nid: {name}\n{rows}-->\n```act\n{words or name}\n```\n\n"


def run(folder: Path, *body: str, **options: Any) -> dict[str, Any]:
    """Run a lesson, check everything that must be true of any run, and return its record."""
    heard: list[Event] = []
    record = run_lesson(
        lesson_text("".join(body)), folder, plugins=[acting], listeners=[heard.append], **options
    )
    check_files(folder / ".lesson" / "runs" / record["run_id"], record, heard)
    return record


def check_files(folder: Path, record: dict[str, Any], heard: list[Event]) -> None:
    text = (folder / "record.json").read_text("utf-8")
    assert json.loads(text) == record | {
        "options": {**record["options"], "only": list(record["options"]["only"])}
    }
    assert "NaN" not in text
    assert [e.message for e in validator_for(load_schema("record")).iter_errors(json.loads(text))] == []
    events = [json.loads(row) for row in (folder / "events.jsonl").read_text("utf-8").splitlines()]
    assert [event["event"] for event in events if event["event"] != "progress"] == [
        event.kind for event in heard if event.kind != "progress"
    ]
    assert events[0]["event"] == "run-started"
    assert events[-1]["event"] == "run-finished"
    times = [datetime.fromisoformat(event["time"].replace("Z", "+00:00")) for event in events]
    assert times == sorted(times)
    running = None
    for event in events[1:-1]:
        if event["event"] == "step-started":
            assert running is None
            running = event["step"]
        elif event["event"] == "step-finished":
            assert running in (None, event["step"])
            running = None
        else:
            assert event["step"] == running
    finished = [event["step"] for event in events if event["event"] == "step-finished"]
    reached = [item["id"] for item in record["steps"] if item["id"] in finished]
    assert finished == reached
    for name, facts in {
        k: v for item in record["steps"] for k, v in item.get("artifacts", {}).items()
    }.items():
        assert (folder / name).stat().st_size == facts["bytes"]


def statuses(record: dict[str, Any]) -> dict[str, str]:
    return {item["id"]: item["status"] for item in record["steps"]}


def test_a_run_that_passes(tmp_path: Path) -> None:
    record = run(tmp_path, step("one"), step("two", "a b"))
    assert (record["status"], record["exit_code"]) == ("passed", 0)
    assert statuses(record) == {"one": "passed", "two.1": "passed", "two.2": "passed"}
    first = record["steps"][0]
    assert first["attempts"] == 1
    assert set(first["artifacts"]) == {"evidence/one/kept.txt", "evidence/one/output.txt"}
    folder = tmp_path / ".lesson" / "runs" / record["run_id"]
    assert (folder / "evidence" / "one" / "output.txt").read_text() == "said one"


def test_what_depends_on_a_failure_is_not_reached_and_the_rest_runs(tmp_path: Path) -> None:
    record = run(
        tmp_path,
        step("a", "fail"),
        step("b", needs="[a]"),
        step("c", needs="[b]"),
        step("d"),
        step("e", "raise"),
        step("f", needs="[e]"),
    )
    assert (record["status"], record["exit_code"]) == ("failed", 1)
    assert {item["id"]: (item["status"], item["message"]) for item in record["steps"][:4]} == {
        "a": ("failed", ""),
        "b": ("not-reached", "it needs 'a', which failed"),
        "c": ("not-reached", "it needs 'b', which was not reached"),
        "d": ("passed", ""),
    }
    assert statuses(record)["e"] == "error"
    assert record["steps"][5]["message"] == "it needs 'e', which ended with an error"


@pytest.mark.parametrize(
    ("word", "status", "message"),
    [
        ("raise", "error", "act raised RuntimeError: boom"),
        ("exit", "error", "act raised SystemExit: no"),
        ("nothing", "error", "act raised TypeError: action 'act' returned None, not an Outcome"),
        ("words", "error", "act raised ValueError: could not convert string to float: 'low'"),
        ("fix", "failed", "no disk (buy one)"),
    ],
)
def test_an_action_that_goes_wrong(tmp_path: Path, word: str, status: str, message: str) -> None:
    record = run(tmp_path, step("one", word), step("two"))
    one = record["steps"][0]
    assert one["status"] == status
    assert one["message"].startswith(message)
    assert statuses(record)["two"] == "passed"
    assert ("evidence/one/error.txt" in one["artifacts"]) == (status == "error")


def test_values_that_json_does_not_have(tmp_path: Path) -> None:
    record = run(tmp_path, step("one", "numbers", expect="[{metric: {name: nan, min: 0}}]"), hardware=[BOARD])
    assert record["steps"][0]["metrics"] == {"nan": None, "inf": None, "one": 1}
    assert record["steps"][0]["message"] == "expected 0 <= nan; got nan = nan"
    assert record["facts"] == {"where": "/x", "nan": None, "set": [1]}
    assert record["hardware"][0]["facts"] == {"temperature": None, "path": "/dev/x"}
    assert record["labels"] == ["emulated"]


def test_initial_labels_of_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LESSON_LABELS", " pretended  n150,,emulated,pretended n150 ")
    record = run(tmp_path, step("one", "numbers"), step("two"), step("three", "skip"))
    assert record["labels"] == ["emulated", "pretended n150"]
    one, two, _ = record["steps"]
    assert one["labels"] == ["emulated", "pretended n150"]
    assert two["labels"] == ["pretended n150", "emulated"]


def test_this_hardware_cannot_run_it(tmp_path: Path) -> None:
    record = run(tmp_path, step("one", "hardware"), step("two"))
    assert (record["status"], record["exit_code"]) == ("failed", 4)
    assert [(item["status"], item["message"]) for item in record["steps"]] == [
        ("failed", "no board (insert one)"),
        ("not-reached", "the run ended before this step"),
    ]


def test_an_optional_step_fails_alone(tmp_path: Path) -> None:
    optional = {"optional": "true"}
    record = run(tmp_path, step("a", "fail", **optional), step("b", "hardware", **optional), step("c"))
    assert (record["status"], record["exit_code"]) == ("passed", 0)
    assert statuses(record) == {"a": "failed", "b": "failed", "c": "passed"}


def test_interrupted(tmp_path: Path) -> None:
    record = run(tmp_path, step("a"), step("b", "interrupt"), step("c", needs="[b]"), step("d"))
    assert (record["status"], record["exit_code"]) == ("interrupted", 130)
    assert [(item["id"], item["status"], item["message"]) for item in record["steps"]] == [
        ("a", "passed", ""),
        ("b", "error", "interrupted"),
        ("c", "not-reached", "the run ended before this step"),
        ("d", "not-reached", "the run ended before this step"),
    ]
    assert record["steps"][1]["attempts"] == 1
    assert record["steps"][1]["started"]


def test_a_step_is_retried(tmp_path: Path) -> None:
    record = run(tmp_path, step("a", "second-time", retries="3"), step("b", "fail", retries="1"))
    assert [(item["status"], item["attempts"]) for item in record["steps"]] == [("passed", 2), ("failed", 2)]
    assert set(record["steps"][0]["artifacts"]) == {"evidence/a/output.txt"}


def test_a_timeout_is_named(tmp_path: Path) -> None:
    record = run(tmp_path, step("a", "loop", timeout="0.1s"))
    assert record["steps"][0]["message"] == "step 'a' took longer than its timeout of 0.1 s"


def test_a_step_for_a_board(tmp_path: Path) -> None:
    body = step("a", requires="[board]") + step("b")
    record = run(tmp_path, body)
    assert statuses(record) == {"a": "skipped", "b": "passed"}
    assert record["steps"][0]["message"] == "it needs a board, and there is none in this machine"
    assert record["exit_code"] == 0
    assert statuses(run(tmp_path, body, hardware=[BOARD])) == {"a": "passed", "b": "passed"}


def test_steps_that_need_a_skipped_step_are_skipped(tmp_path: Path) -> None:
    """Nothing went wrong, so nothing fails; a step that also needs a failed step is not reached."""
    body = step("a", requires="[board]") + step("b", needs="[a]") + step("c", needs="[b]")
    record = run(tmp_path, body)
    assert statuses(record) == {"a": "skipped", "b": "skipped", "c": "skipped"}
    assert record["steps"][2]["message"] == "it needs 'b', which was skipped"
    assert (record["status"], record["exit_code"]) == ("nothing-ran", 4)

    mixed = run(tmp_path, step("a", requires="[board]") + step("b", "fail") + step("c", needs="[a, b]"))
    assert statuses(mixed) == {"a": "skipped", "b": "failed", "c": "not-reached"}
    assert mixed["steps"][2]["message"] == "it needs 'b', which failed"


def test_a_step_that_skips_itself(tmp_path: Path) -> None:
    assert statuses(run(tmp_path, step("a", "skip", expect="[{contains: never}]"))) == {"a": "skipped"}


def test_a_manual_step_without_a_user(tmp_path: Path) -> None:
    record = run(tmp_path, "<!-- manual\nid: look\ninstruction: Is the light on?\n-->\n\n", step("a"))
    assert statuses(record) == {"look": "skipped", "a": "passed"}
    assert record["steps"][0]["message"] == "there is nobody to confirm: Is the light on?"


SELECTIONS: list[tuple[dict[str, Any], str]] = [
    ({}, "a b.1 b.2 c"),
    ({"start": "b"}, "b.1 b.2 c"),
    ({"start": "b.2"}, "b.2 c"),
    ({"until": "b"}, "a b.1 b.2"),
    ({"until": "b.1"}, "a b.1"),
    ({"start": "b", "until": "b"}, "b.1 b.2"),
    ({"only": ["b"]}, "b.1 b.2"),
    ({"only": ["c", "b.2"]}, "b.2 c"),
    ({"start": "b.2", "only": ["c", "a"]}, "c"),
]


@pytest.mark.parametrize(("selection", "expected"), SELECTIONS)
def test_some_steps_only(tmp_path: Path, selection: dict[str, Any], expected: str) -> None:
    """Steps that the selection leaves out passed in the run before, so steps that need them run."""
    run(tmp_path, step("a"), step("b", "x y", needs="[a]"), step("c", needs="[b]"))
    record = run(tmp_path, step("a"), step("b", "x y", needs="[a]"), step("c", needs="[b]"), **selection)
    assert " ".join(name for name, status in statuses(record).items() if status == "passed") == expected
    assert record["exit_code"] == 0
    left_out = {item["message"].split("--")[0] for item in record["steps"] if item["status"] == "skipped"}
    assert left_out <= {"left out by "}


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ({"start": "x"}, "--from x: there is no such step"),
        ({"until": "x"}, "--until x: there is no such step"),
        ({"only": ["a", "x"]}, "--only x: there is no such step"),
        ({"start": "c", "until": "a"}, "--from c comes after --until a: nothing would run"),
        ({"start": "b.2", "until": "b.1"}, "--from b.2 comes after --until b.1: nothing would run"),
        ({"until": "b", "only": ["c"]}, "--only c is outside --from and --until: nothing would run"),
    ],
)
def test_an_invalid_selection(tmp_path: Path, selection: dict[str, Any], message: str) -> None:
    with pytest.raises(LessonError) as caught:
        run(tmp_path, step("a"), step("b", "x y"), step("c"), **selection)
    assert message in str(caught.value)


def test_two_runs_in_the_same_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime(2026, 1, 2, 3, 4, 5)

    monkeypatch.setattr(runner, "datetime", Stopped)
    names = [run(tmp_path, step("a"))["run_id"] for _ in range(3)]
    assert names == [f"20260102-030405-sample{end}" for end in ("", "-2", "-3")]


@pytest.mark.parametrize("block", ["", "runs"])
def test_a_workspace_that_cannot_be_written(tmp_path: Path, block: str) -> None:
    """A file takes the place of a folder: unlike permissions, this stops root too."""
    in_the_way = tmp_path / ".lesson" / block
    in_the_way.parent.mkdir(exist_ok=True)
    in_the_way.write_text("")
    with pytest.raises(LessonError, match="cannot be created") as caught:
        run(tmp_path, step("a"))
    assert caught.value.fix == "choose a writable folder with --workspace"


def test_a_step_that_cannot_be_judged(tmp_path: Path) -> None:
    deep = 'printf "[%.0s" $(seq 100000)'
    body = f"<!-- step\nid: a\nexpect: [{{json: {{}}}}]\n-->\n```bash\n{deep}\n```\n"
    record = run(tmp_path, body, step("b"))
    assert statuses(record) == {"a": "error", "b": "passed"}
    assert record["steps"][0]["message"].startswith("the step cannot be judged: ")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    record = run(tmp_path, step("a", expect='[{file: {path: "a\\0b"}}]'), step("b"))
    assert statuses(record) == {"a": "failed", "b": "passed"}
    assert "the file cannot be read: " in record["steps"][0]["message"]


def test_a_shell_run_says_what_failed(tmp_path: Path) -> None:
    body = "<!-- step\nid: a\nexpect: [{contains: yes}]\n-->\n```bash\necho no\n```\n"
    body = body.replace("yes", "'yes'")
    record = run(tmp_path, body)
    assert record["steps"][0]["message"] == "expected output with 'yes'; got no"
    assert [verdict["passed"] for verdict in record["steps"][0]["verdicts"]] == [True, False]


def test_listeners_get_all_progress_and_the_file_some(tmp_path: Path) -> None:
    heard: list[Event] = []
    text = lesson_text(step("a", "a b c"))
    record = run_lesson(text, tmp_path, plugins=[acting], listeners=[heard.append])
    rows = (tmp_path / ".lesson" / "runs" / record["run_id"] / "events.jsonl").read_text().splitlines()
    assert sum(event.kind == "progress" for event in heard) == 3
    assert sum(json.loads(row)["event"] == "progress" for row in rows) <= 2


Lesson = Callable[..., Any]


def test_unfinished_runs_are_listed_too(tmp_path: Path, lesson: Lesson) -> None:
    done = run(tmp_path, step("a"))["run_id"]
    runs = tmp_path / ".lesson" / "runs"
    for name, content in {"0-none": None, "1-half": '{"record_', "2-other": "[]", "3-old": "{}"}.items():
        (runs / name).mkdir()
        (runs / name / "events.jsonl").touch()
        if content is not None:
            (runs / name / "record.json").write_text(content)
    (runs / "notes").mkdir()  # not a run
    said = {item["run_id"]: item["status"] for item in lesson("runs", "--json").json}
    assert said == {"0-none": "unfinished", "1-half": "unfinished", done: "passed"} | {
        "2-other": "unfinished",
        "3-old": "unfinished",
    }
    assert done in lesson("runs").out
