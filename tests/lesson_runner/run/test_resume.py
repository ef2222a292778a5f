"""``lesson resume``, and one run at a time in a workspace."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import last_files
from tests.fake_plugin import fake_plugin
from tests.reliability import fault

from lesson_runner.plugins import Action, Json, Outcome, StepContext
from lesson_runner.run.lock import locked
from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]

STEP = """
<!-- step
id: {id}
uses: shell
{more}
-->
```bash
{script}
```
"""


def shell(*steps: tuple[str, str], more: str = "") -> str:
    """Return a lesson of shell steps, each given as id and script."""
    return lesson_text("".join(STEP.format(id=name, script=script, more=more) for name, script in steps))


THREE = shell(
    ("one", "export WHO=Romeo; echo first >> one.txt; echo did one"),
    ("two", "test -e go; cat one.txt; echo did two"),
    ("three", 'echo "did three for $WHO"'),
)


answered: list[Json] = []


def answer(params: Json, context: StepContext) -> Outcome:
    answered.append(params)
    context.say("six times nine")
    return Outcome(metrics={"answer": 42, "nothing": float("nan")}, labels=("emulated",), facts={"base": 13})


answering = fake_plugin("answering", actions=[Action("answer", "Answer", answer, {"type": "object"})])


def count(params: Json, context: StepContext) -> Outcome:
    """Fail the first time, and keep values in the run's store."""
    before = context.store.load("counting.saved")
    kept = context.store.setdefault("counting.kept", [])
    kept.append(1)
    calls = before["calls"][0] if before else 0
    context.store.save("counting.saved", {"calls": (calls + 1,)})
    context.say(json.dumps({"before": before, "kept": kept, "now": context.store["counting.saved"]}))
    return Outcome("failed" if before is None else "passed")


counting = fake_plugin("counting", actions=[Action("counting.count", "Count", count, self_judging=True)])


@pytest.fixture
def failed(lesson: Lesson, tmp_path: Path) -> Path:
    """A run whose second step failed; the step passes once the file ``go`` exists."""
    (tmp_path / "three.md").write_text(THREE)
    said = lesson("run", "three.md", "--allow", "shell")
    assert said.code == 1, said
    (folder,) = (tmp_path / ".lesson" / "runs").iterdir()
    assert said.out.splitlines()[-1] == f"To resume the run: lesson resume {folder.name}"
    return folder


def record_of(folder: Path) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((folder / "record.json").read_text())
    return data


def statuses(folder: Path) -> dict[str, str]:
    return {step["id"]: step["status"] for step in record_of(folder)["steps"]}


@fault(
    "interruption",
    "a step fails in the middle of a lesson",
    how="a step needs a missing file; the file is created; `lesson resume`",
    seen="exit 1, and which step failed; then exit 0",
    survives="steps that passed are not run again; variables of the lesson's terminal",
)
def test_passed_steps_are_not_run_again(lesson: Lesson, failed: Path, tmp_path: Path) -> None:
    before = record_of(failed)
    assert statuses(failed) == {"one": "passed", "two": "failed", "three": "passed"}
    (last_files(tmp_path / ".lesson") / "go").touch()

    said = lesson("resume", "--allow", "shell")

    assert said.code == 0, said
    assert f"Resuming {failed.name}: 2 of 3 steps passed before" in said.out
    after = record_of(failed)
    assert statuses(failed) == dict.fromkeys(("one", "two", "three"), "passed")
    assert after["steps"][0] == before["steps"][0]
    assert (last_files(tmp_path / ".lesson") / "one.txt").read_text() == "first\n"
    assert (after["started"], after["run_id"]) == (before["started"], before["run_id"])
    assert [item["carried"] for item in after["resumed"]] == [2]
    assert after["seconds"] >= sum(step["seconds"] for step in after["steps"])
    assert lesson("report", "latest", "--format", "markdown").code == 0


@pytest.mark.parametrize("damage", [None, "{", "gone"])
def test_stored_values_of_a_plugin_survive_a_resume(
    lesson: Lesson, tmp_path: Path, damage: str | None
) -> None:
    body = "<!-- step\nid: one\nuses: counting.count\n-->\n```text\nx\n```\n"
    (tmp_path / "count.md").write_text(lesson_text(body))
    assert lesson("run", "count.md", plugins=[counting]).code == 1
    (folder,) = (tmp_path / ".lesson" / "runs").iterdir()
    saved = folder / "memory" / "counting.saved.json"
    if damage == "gone":
        saved.unlink()
    elif damage:
        saved.write_text(damage)

    said = lesson("resume", plugins=[counting])

    assert said.code == (1 if damage else 0), said
    output = json.loads((folder / "evidence" / "one" / "output.txt").read_text())
    before = None if damage else {"calls": [1]}
    assert output == {"before": before, "kept": [1], "now": {"calls": [1 if damage else 2]}}


def test_resume_can_start_at_an_earlier_step(lesson: Lesson, failed: Path, tmp_path: Path) -> None:
    files = last_files(tmp_path / ".lesson")
    (files / "go").touch()
    (files / "one.txt").write_text("somebody's\n")

    refused = lesson("resume", "--allow", "shell")
    assert refused.code == 2
    assert "one.txt, a file of step 'one', has changed" in refused.err
    assert "--from STEP" in refused.err
    assert lesson("resume", "--allow", "shell", "--from", "one").code == 0
    assert (files / "one.txt").read_text() == "somebody's\nfirst\n"
    assert record_of(failed)["resumed"][-1]["carried"] == 0


def test_files_changed_by_a_failed_step_do_not_block_resuming(lesson: Lesson, tmp_path: Path) -> None:
    steps = shell(("one", "echo one > log.txt"), ("two", "echo two >> log.txt; test -e go"))
    (tmp_path / "log.md").write_text(steps)
    assert lesson("run", "log.md", "--allow", "shell").code == 1
    (last_files(tmp_path / ".lesson") / "go").touch()
    assert lesson("resume", "--allow", "shell").code == 0
    assert (last_files(tmp_path / ".lesson") / "log.txt").read_text() == "one\ntwo\ntwo\n"


def test_initial_labels_of_a_run_are_kept_on_resume(
    lesson: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "three.md").write_text(THREE)
    monkeypatch.setenv("LESSON_LABELS", "pretended n300")
    assert lesson("run", "three.md", "--allow", "shell").code == 1
    monkeypatch.delenv("LESSON_LABELS")
    (last_files(tmp_path / ".lesson") / "go").touch()
    said = lesson("resume", "--allow", "shell", "--json")
    assert [step["labels"] for step in said.json["steps"]] == [["pretended n300"]] * 3


def test_a_step_that_does_not_exist(lesson: Lesson, failed: Path) -> None:
    said = lesson("resume", "--allow", "shell", "--from", "four")
    assert (said.code, "--from four: there is no such step" in said.err) == (2, True)


def change_lesson(folder: Path) -> None:
    path = folder.parents[2] / "three.md"
    path.write_text(path.read_text().replace("did three", "did 3"))


def edit_record(folder: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    data = record_of(folder)
    edit(data)
    (folder / "record.json").write_text(json.dumps(data))


def change_plugin(folder: Path) -> None:
    edit_record(folder, lambda data: data["plugins"].append({"name": "tea", "version": "1", "error": None}))


def change_torch(folder: Path) -> None:
    edit_record(folder, lambda data: data["versions"].update(torch="1.0"))


def change_board(folder: Path) -> None:
    board = {"name": "n300", "detected_by": "lspci", "devices": 2, "kind": "silicon"}
    edit_record(folder, lambda data: data["hardware"].append(board))


def change_evidence(folder: Path) -> None:
    (folder / "evidence" / "one" / "output.txt").write_text("did something else")


def remove_what_was_left(folder: Path) -> None:
    (folder / "files" / "one.txt").unlink()


@fault(
    "interruption",
    "something changed before a run is resumed",
    how="the lesson, the version of a plugin or of PyTorch, the board, evidence, or a file "
    "that a step left changes",
    seen="exit 2, and every difference by name",
    survives="the run, unchanged",
)
@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (change_lesson, "three.md has changed"),
        (change_plugin, "plugin tea was 1, is absent"),
        (change_torch, "torch was 1.0, is "),
        (change_board, "hardware n300 was 2 devices, is absent"),
        (change_evidence, "evidence/one/output.txt, evidence of step 'one', has changed"),
        (remove_what_was_left, "one.txt, a file of step 'one', is missing"),
    ],
)
def test_resume_is_refused_if_something_changed(
    lesson: Lesson, failed: Path, change: Callable[[Path], None], difference: str
) -> None:
    change(failed)
    before = {path: path.read_bytes() for path in sorted(failed.rglob("*")) if path.is_file()}

    said = lesson("resume", "--allow", "shell")

    assert said.code == 2
    assert f"{failed.name} cannot be resumed: " in said.err
    assert difference in said.err
    assert {path: path.read_bytes() for path in sorted(failed.rglob("*")) if path.is_file()} == before


def test_a_run_that_passed(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "one.md").write_text(shell(("one", "echo done")))
    lesson("run", "one.md", "--allow", "shell")
    said = lesson("resume")
    assert (said.code, "has passed: there is nothing to resume" in said.err) == (2, True)


def test_an_empty_workspace(lesson: Lesson) -> None:
    said = lesson("resume")
    assert (said.code, "there are no runs" in said.err) == (2, True)


@fault(
    "records",
    "events cut off in the middle of a line, or with lines that are not events",
    how="bytes are removed from the end of events.jsonl, and garbage is inserted between its lines",
    seen="`lesson resume` exits with 0",
    survives="the steps whose results are complete; the others are run again",
)
def test_damaged_events(lesson: Lesson, failed: Path, tmp_path: Path) -> None:
    (last_files(tmp_path / ".lesson") / "go").touch()
    path = failed / "events.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    whole = [n for n, line in enumerate(lines) if '"event": "step-finished"' in line]
    path.write_text("".join([*lines[: whole[0] + 1], "{{{\n", "[1, 2]\n", "\0\n", lines[whole[0] + 1][:20]]))

    said = lesson("resume", "--allow", "shell")

    assert said.code == 0, said
    assert record_of(failed)["resumed"] == [{"at": record_of(failed)["resumed"][0]["at"], "carried": 1}]
    assert lines[whole[0] + 1][:20] + "\n" not in path.read_text().splitlines(keepends=True)


@pytest.mark.parametrize(("start", "carried"), [({"carried": 5, "time": "x"}, 2), ({"carried": ["one"]}, 1)])
def test_a_damaged_start(lesson: Lesson, failed: Path, start: Json, carried: int) -> None:
    with (failed / "events.jsonl").open("a") as file:
        file.write(json.dumps({"event": "run-started", **start}) + "\n")
    (failed / "files" / "go").touch()
    said = lesson("resume", "--allow", "shell")
    assert said.code == 0, said
    assert record_of(failed)["resumed"][-1]["carried"] == carried


@pytest.mark.parametrize(
    "edit",
    [
        lambda event: event.pop("metrics"),
        lambda event: event.update(verdicts=[{"tea": 1}]),
        lambda event: event.update(artifacts=3),
        lambda event: event.update(left=[1]),
        lambda event: event.update(facts=7),
        lambda event: event.update(message=None),
        lambda event: event.update(seconds="long"),
        lambda event: event.update(labels=[5]),
        lambda event: event.update(metrics={"answer": "x"}),
    ],
)
def test_a_malformed_result(lesson: Lesson, failed: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    path = failed / "events.jsonl"
    events = [json.loads(line) for line in path.read_text().splitlines()]
    edit(next(event for event in events if event["event"] == "step-finished"))
    path.write_text("".join(json.dumps(event) + "\n" for event in events))

    said = lesson("resume", "--allow", "shell")

    assert said.code == 2, said
    assert "events.jsonl: the file is damaged" in said.err


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda data: data.update(options={"only": 3}), "options.only"),
        (lambda data: data.update(options={"only": ["four"]}), "--only four: there is no such step"),
        (lambda data: data.update(options={}, lesson={**data["lesson"], "path": "\0"}), "error: "),
        (lambda data: data.update(profile="none"), "--profile none: the lesson has no such"),
        (lambda data: data.update(params={"two.x": "1"}), "--param two.x=1"),
        (lambda data: data.update(hardware=[3]), "hardware"),
        (lambda data: data.update(backend="tea"), "--backend tea: expected"),
    ],
)
def test_a_record_of_somebody_else(
    lesson: Lesson, failed: Path, edit: Callable[[dict[str, Any]], None], message: str
) -> None:
    edit_record(failed, edit)
    said = lesson("resume", "--allow", "shell")
    assert said.code == 2, said
    assert message in said.err


def test_numbers_and_facts_are_taken_over(lesson: Lesson, tmp_path: Path) -> None:
    expect = "[{metric: {name: answer, min: 1}}]"
    step = f"<!-- step\nid: answer\nuses: answer\nexpect: {expect}\n-->\n```text\nx\n```\n"
    (tmp_path / "a.md").write_text(THREE.replace("<!-- step\nid: one", f"{step}\n<!-- step\nid: one"))
    assert lesson("run", "a.md", "--allow", "shell", plugins=[answering]).code == 1
    (folder,) = (tmp_path / ".lesson" / "runs").iterdir()
    before = record_of(folder)
    answered.clear()
    (last_files(tmp_path / ".lesson") / "go").touch()

    said = lesson("resume", "--allow", "shell", "--json", plugins=[answering])

    assert (said.code, answered) == (0, [])
    assert said.json["steps"][0] == before["steps"][0]
    assert said.json["facts"] == before["facts"] == {"base": 13}
    assert said.json["labels"] == ["emulated"]
    assert said.json["steps"][0]["metrics"] == {"answer": 42, "nothing": None}


def test_a_resumed_run_does_not_count_as_fresh(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "three.md").write_text(THREE)
    assert lesson("run", "three.md", "--allow", "shell", "--fresh").code == 1
    (folder,) = (tmp_path / ".lesson" / "runs").iterdir()
    (folder / "files" / "go").touch()
    assert lesson("resume", "--allow", "shell").code == 0
    lesson("cert", "keys", "new", "mine")

    said = lesson("certify", "three.md", "--from-run", folder.name, "--policy", "emulated", "--json")

    assert said.code == 5
    assert f"{folder.name} was resumed" in said.out


@contextmanager
def started(folder: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Start ``lesson`` in a separate process."""
    command = [sys.executable, "-m", "lesson_runner", *words, "--allow", "shell"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LESSON_")}
    with subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.slow
@fault(
    "interruption",
    "a run is killed, and a process that it started keeps running",
    how="SIGKILL during a shell step that waits and keeps running by itself; `lesson resume`",
    seen="exit 0",
    survives="the steps that passed; processes that the killed run left are ended first",
)
@pytest.mark.skipif(sys.platform != "linux", reason="processes are recognised in /proc")
@pytest.mark.parametrize("again", [("resume",), ("run", "slow.md", "--from", "two")])
def test_processes_of_a_killed_run_are_ended_on_resume(
    lesson: Lesson, tmp_path: Path, again: tuple[str, ...]
) -> None:
    wait = "echo $$ > pid; test -e go || { sleep 300; echo late >> late.txt; }"
    (tmp_path / "slow.md").write_text(shell(("one", "echo one"), ("two", wait)))
    with started(tmp_path, "run", "slow.md") as process:
        until(lambda: list(tmp_path.glob(".lesson/runs/*/files/pid")))
        files = last_files(tmp_path / ".lesson")
        until(lambda: (files / "pid").is_file() and (files / "pid").read_text().strip())
        process.send_signal(signal.SIGKILL)
    pid = int((files / "pid").read_text())
    assert Path(f"/proc/{pid}").exists()
    assert [run["status"] for run in lesson("runs", "--json").json] == ["unfinished"]
    unfinished = lesson("report", "latest", "--format", "json")
    assert (unfinished.code, "lesson resume" in unfinished.err) == (2, True)
    (files / "go").touch()

    with started(tmp_path, *again) as process:
        assert process.wait(60) == 0

    until(lambda: not Path(f"/proc/{pid}").exists())
    assert not (files / "late.txt").exists()


@pytest.mark.slow
@fault(
    "two at once",
    "two runs in the same files",
    how="`lesson run --continue`, `lesson resume` and `lesson runs rm` while a run waits; then it is killed",
    seen="exit 2: which process uses the files and for how long; after the kill the lock is free",
    survives="the first run; the second leaves nothing behind",
)
def test_one_run_at_a_time_in_the_same_files(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "slow.md").write_text(shell(("one", "touch here; test -e go || sleep 300")))
    with started(tmp_path, "run", "slow.md") as process:
        until(lambda: list(tmp_path.glob(".lesson/runs/*/files/here")))
        runs = list((tmp_path / ".lesson" / "runs").iterdir())
        second = lesson("run", "slow.md", "--continue", runs[0].name, "--allow", "shell")
        resumed = lesson("resume", "--allow", "shell")
        removed = lesson("runs", "rm", "latest", "--yes")
        assert list((tmp_path / ".lesson" / "runs").iterdir()) == runs
        process.send_signal(signal.SIGKILL)
        process.wait()
    for said in (second, resumed, removed):
        assert said.code == 2, said
        assert f"in use by the run {runs[0].name} (process {process.pid}, for " in said.err
    (runs[0] / "files" / "go").touch()
    with started(tmp_path, "resume") as process:
        assert process.wait(60) == 0


@pytest.mark.slow
def test_a_run_next_to_another(lesson: Lesson, tmp_path: Path) -> None:
    """Each has its own files, so it needs nothing of the other."""
    (tmp_path / "slow.md").write_text(
        shell(("one", "if [ -e ../../other ]; then mkdir demo; sleep 300; fi; mkdir demo"))
    )
    (tmp_path / ".lesson" / "runs").mkdir(parents=True)
    (tmp_path / ".lesson" / "runs" / "other").touch()
    with started(tmp_path, "run", "slow.md") as process:
        until(lambda: list(tmp_path.glob(".lesson/runs/*/files/demo")))
        (tmp_path / ".lesson" / "runs" / "other").unlink()
        assert lesson("run", "slow.md", "--allow", "shell").code == 0
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 130


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"since": 3}', "\0"])
def test_a_lock_with_an_unreadable_owner(lesson: Lesson, tmp_path: Path, text: str) -> None:
    (tmp_path / "one.md").write_text(shell(("one", "echo done")))
    assert lesson("run", "one.md", "--allow", "shell").code == 0
    (folder,) = (tmp_path / ".lesson" / "runs").iterdir()
    with locked(folder, "another"):
        (folder / "lock").write_text(text)
        said = lesson("run", "one.md", "--continue", folder.name, "--allow", "shell")
    assert (said.code, "is in use by another run" in said.err) == (2, True)


@pytest.mark.parametrize(
    "text",
    ["[" * 4000, json.dumps({"host": platform.node(), "pid": "PID"}).replace('"PID"', "1e999")],
    ids=["nested", "infinite"],
)
@pytest.mark.parametrize("command", [("resume",), ("runs", "rm", "latest", "--yes")])
def test_a_lock_replacement_with_an_unreadable_owner(
    lesson: Lesson, failed: Path, text: str, command: tuple[str, ...]
) -> None:
    (failed / "lock.held").write_text(text)
    said = lesson(*command)
    assert said.code != 3, said
    assert "this is a bug" not in said.err
