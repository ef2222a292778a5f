"""Much of everything: output without end, hundreds of steps, a workspace full of runs, a huge file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fake_plugin import fake_plugin
from tests.reliability import fault

from lesson_runner.execute.lines import MOST_KEPT
from lesson_runner.model import Outcome
from lesson_runner.plugins import StepContext
from lesson_runner.plugins.action import Action
from lesson_runner.plugins.checks import MAX_PRINTED, Machine
from lesson_runner.plugins.context import MAX_SHOWN
from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]
MEGABYTE = 1_000_000
ROW = "a line of an output that does not end: " + "0123456789" * 50


def printing(size: int) -> str:
    """Return a lesson that prints so many bytes, and then where it ends."""
    script = f"set +o pipefail\nyes '{ROW}' | head -c {size}\necho\necho the end"
    return lesson_text(f"<!-- step\nid: one\nexpect: [{{contains: the end}}]\n-->\n```bash\n{script}\n```\n")


def run_in_a_process(folder: Path, text: str) -> tuple[int, float]:
    """Run a lesson; return the exit code and the most memory, in MB, that the process had at once."""
    (folder / "a.md").write_text(text)
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "lesson_runner", "run", "a.md", "--allow", "shell"],
            cwd=folder,
            stdout=said,
            stderr=said,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, used.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


LOUD = fault(
    "load",
    "a step that prints 1 GB",
    how="`yes` into the step's output",
    seen="the beginning, then one line a second; a note says what is left out",
    survives="memory and disk: 2 MB of output are kept, from its beginning and its end",
)


@pytest.mark.parametrize(
    "size",
    [10 * MEGABYTE, pytest.param(1_000 * MEGABYTE, marks=(pytest.mark.slow, LOUD))],
    ids=lambda size: f"{size // MEGABYTE}-MB",
)
def test_output_without_end(tmp_path: Path, size: int) -> None:
    (tmp_path / "little").mkdir()
    assert (little := run_in_a_process(tmp_path / "little", printing(100)))[0] == 0
    code, memory = run_in_a_process(tmp_path, printing(size))
    assert code == 0, (tmp_path / "said").read_text()[-2000:]
    assert memory < little[1] + 40, "MB"
    (run,) = (tmp_path / ".lesson" / "runs").iterdir()
    output = (run / "evidence" / "one" / "output.txt").read_text()
    assert len(output) < MOST_KEPT + 1_000
    assert output.startswith(ROW)
    assert output.endswith("the end")
    gap = json.loads((run / "evidence" / "one" / "gaps.json").read_text())["output"]
    # head may cut the last row before the end
    assert size - len(ROW) < (output.count("\n") + gap["lines"]) * (len(ROW) + 1) < size + 2 * len(ROW)
    assert "left out" not in output
    assert sum(path.stat().st_size for path in run.rglob("*") if path.is_file()) < 8 * MEGABYTE
    said = (tmp_path / "said").read_text()
    assert len(said) < 3 * MAX_SHOWN
    assert f"more than {MAX_SHOWN:,} characters: from here on, one line a second is shown" in said


def shout(params: Any, context: StepContext) -> Outcome:
    for _ in range(60):
        context.say("x" * 100_000)
    return Outcome(output="y" * 9 * MEGABYTE if params.get("returned") else "")


shouter = fake_plugin("shouter", actions=[Action("shout", "Shout", shout, self_judging=True)])


@pytest.mark.slow
@pytest.mark.parametrize("returned", [False, True])
def test_an_action_that_says_too_much(lesson: Lesson, tmp_path: Path, returned: bool) -> None:
    params = json.dumps({"returned": returned})
    step = f"<!-- step\nid: one\nuses: shout\nwith: {params}\n-->\n```text\nx\n```\n"
    (tmp_path / "a.md").write_text(lesson_text(step))
    assert lesson("run", "a.md", plugins=[shouter]).code == 0
    (run,) = (tmp_path / ".lesson" / "runs").iterdir()
    output = (run / "evidence" / "one" / "output.txt").read_text()
    assert len(output) < MOST_KEPT + 1_000
    gap = json.loads((run / "evidence" / "one" / "gaps.json").read_text())["output"]
    assert output.split("\n")[: gap["after"]]
    assert gap["lines"] > 0
    assert (run / "events.jsonl").stat().st_size < 2 * MAX_SHOWN


@fault(
    "load",
    "a program that a check of the machine runs prints without end",
    how="a child of the doctor that prints 50 MB",
    seen="a result from the beginning and the end of the output",
    survives="memory: 1 MB of it is kept",
)
def test_a_probed_program_that_prints_without_end() -> None:
    script = (
        f"import sys; sys.stdout.write('a' * {50 * MEGABYTE} + 'end'); sys.stderr.write('b' * {MEGABYTE * 3})"
    )
    done = Machine().run([sys.executable, "-c", script], timeout=60)
    assert done.exit_code == 0
    assert len(done.output) == len(done.errors) == MAX_PRINTED
    assert (done.output[0], done.output[-3:]) == ("a", "end")


def test_a_probed_program_whose_child_continues() -> None:
    done = Machine().run(["sh", "-c", "sleep 60 & echo started"], timeout=1)
    assert (done.exit_code, done.errors) == (124, "no answer within 1 s")


@pytest.mark.slow
def test_two_hundred_steps(lesson: Lesson, tmp_path: Path) -> None:
    step = "<!-- step\nid: s{n}\nuses: shout.not\n-->\n```text\nx\n```\n\n"

    quiet = Action("shout.not", "Say little", lambda _, context: Outcome(), self_judging=True)
    many = fake_plugin("many", actions=[quiet])

    (tmp_path / "a.md").write_text(lesson_text("".join(step.format(n=n) for n in range(200))))
    said = lesson("run", "a.md", "--json", plugins=[many])
    assert said.code == 0
    assert [item["status"] for item in said.json["steps"]] == ["passed"] * 200
    page = tmp_path / "report.html"
    assert lesson("report", "-o", page, plugins=[many]).code == 0
    assert page.read_text().count('<details class="step') == 200


@pytest.mark.parametrize("count", [100, pytest.param(10_000, marks=pytest.mark.slow)])
def test_a_workspace_full_of_runs(lesson: Lesson, tmp_path: Path, count: int) -> None:
    (tmp_path / "a.md").write_text(printing(10))
    assert lesson("run", "a.md", "--allow", "shell").code == 0
    runs = tmp_path / ".lesson" / "runs"
    (first,) = runs.iterdir()
    record = json.loads((first / "record.json").read_text())
    for number in range(count):
        folder = runs / f"20200101-000000-{number:05}"
        folder.mkdir()
        (folder / "record.json").write_text(json.dumps({**record, "run_id": folder.name}))
    assert len(lesson("runs", "--json").json) == count + 1
    assert lesson("runs").out.count("passed") == count + 1
    assert first.name in lesson("report").out.replace("\\-", "-"), "the latest"
    assert lesson("run", "a.md", "--allow", "shell").code == 0
    assert len(list(runs.iterdir())) == count + 2


@fault(
    "load",
    "a file of a terabyte in place of a lesson",
    how="a sparse file of 1 TB",
    seen="the maximum size of a lesson; exit 1 or 2",
    survives="memory and time: it is not read",
)
@pytest.mark.parametrize("command", ["validate", "plan", "run", "show", "annotate", "matrix", "certify"])
def test_a_file_that_is_far_too_large_for_a_lesson(lesson: Lesson, tmp_path: Path, command: str) -> None:
    path = tmp_path / "a.md"
    with path.open("wb") as file:
        file.write(lesson_text("").encode())
        file.truncate(1 << 40)
    shown: tuple[str, ...] = ("--policy", "emulated") if command == "certify" else ()
    said = lesson(command, "a.md", *shown)
    assert said.code == {"validate": 1, "matrix": 0}.get(command, 2), said
    assert "a lesson has at most 2000000" in said.out + said.err or command == "matrix"


@pytest.mark.slow
def test_a_large_lesson_is_run(lesson: Lesson, tmp_path: Path) -> None:
    """Just below the limit: nearly all of it text, and a step behind."""
    step = "<!-- step\nid: one\nexpect: [{contains: hello}]\n-->\n```bash\necho hello\n```\n"
    (tmp_path / "a.md").write_text(
        lesson_text("words " * 300 + "\n") + ("words " * 16 + "\n\n") * 19_000 + step
    )
    assert 1_800_000 < (tmp_path / "a.md").stat().st_size < 2_000_000
    assert lesson("run", "a.md", "--allow", "shell").code == 0
