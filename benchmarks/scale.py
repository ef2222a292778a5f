"""
Scaling: thousands of lessons, a million training steps, a workspace full of runs.

::

    python -m benchmarks.scale                           # everything, in a temporary folder: ten minutes
    python -m benchmarks.scale steps --folder big        # keeps what it makes there, and reuses it
    python -m benchmarks.scale lessons --count 1000,3000

Each command runs in a separate process, and the system reports its peak memory, including its children's. The
data is as realistic as possible: a million steps go through the runner, its events, its checks and its
record; only the training is simulated.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from benchmarks.lessons import write_lessons
from benchmarks.turns import Timing
from lesson_runner.plugins import Json, Outcome, StepContext
from lesson_runner.plugins.manager import Plugins
from lesson_runner.testing import lesson_text, run_lesson

LESSON_BYTES = 22_000
STAGES = (0.1, 0.2, 0.3, 0.4)
"""Each stage's share of the steps."""
STAGE = """
<!-- step
id: stage-{number}
expect: [metric: {{name: final_loss, max: 5}}]
claims: [{{metric: {{name: final_loss, max: 2}}, source: the benchmark}}]
-->
```bash
lesson ct4 train --data_path data/text.txt --model_save_path stage{number} --max_steps {steps}
```
"""


@dataclass(frozen=True, slots=True)
class Used:
    """The resources that a command used."""

    what: str
    seconds: float
    megabytes: float
    """The peak memory of its process, or of one of its children."""
    printed: int
    """Bytes on standard output."""


def use(what: str, folder: Path, *arguments: str, code: int = 0) -> Used:
    """Run ``lesson`` with these arguments in a folder, and return the resources it used."""
    env = {**os.environ, "LESSON_WORKSPACE": ".lesson"}
    began = time.perf_counter()
    with tempfile.TemporaryFile() as output:
        command = [sys.executable, "-m", "lesson_runner", *arguments]
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        printed = os.fstat(output.fileno()).st_size
    if process.returncode != code:
        raise SystemExit(f"lesson {' '.join(arguments)}: exit code {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Used(what, time.perf_counter() - began, usage.ru_maxrss * unit / 1e6, printed)


# --- many lessons ---


def use_lessons(folder: Path, count: int) -> Iterator[Used]:
    """Validate this many generated lessons of 22 kB, in one process and in the default number."""
    lessons = folder / f"lessons-{count}"
    if not lessons.exists():
        lessons.mkdir(parents=True)
        write_lessons(lessons, count, LESSON_BYTES)
    for jobs in ("--jobs 1", ""):
        yield use(
            f"validate {count:,} lessons {jobs}".strip(), folder, "validate", lessons.name, *jobs.split()
        )


# --- a long run ---


def made_up(params: Json, context: StepContext) -> Outcome:
    """Train nothing, but leave what a training leaves, and report each step."""
    steps, source = int(params["max_steps"]), random.Random(context.step.id)
    with (context.evidence / "loss.csv").open("w") as file:
        file.write("step,loss,learning_rate,seconds\n")
        for number in range(1, steps + 1):
            loss = 1.2 + 3.3 * math.exp(-number / (steps / 8)) + source.gauss(0, 0.06)
            file.write(f"{number},{loss},0.0005,{0.12 + source.random() / 100:.6f}\n")
            context.progress(number, steps, loss=loss, learning_rate=0.0005, tokens_per_second=8000.0)
    summary: Json = {"steps": steps, "seconds": steps / 8, "tokens_per_second": 8192.0}
    (context.evidence / "training.json").write_text(json.dumps({**summary, "validation_loss": 1.6}))
    context.say(f"{steps} steps")
    return Outcome(labels=("made up",))


def write_run(folder: Path, steps: int) -> Path:
    """Run a lesson whose stages have this many steps together, and return the run folder."""
    body = "".join(
        STAGE.format(number=number, steps=max(1, round(part * steps)))
        for number, part in enumerate(STAGES, 1)
    )
    text = lesson_text(body, runner={"profiles": {"unchanged": {"summary": "no other numbers"}}})
    folder.mkdir(parents=True, exist_ok=True)
    with mock.patch("lesson_ct4.actions.train.run", made_up):
        record = run_lesson(text, folder, plugins=Plugins(), hardware=())
    if record["status"] != "passed":
        raise SystemExit(f"the simulated run ended as {record['status']}")
    return folder / ".lesson" / "runs" / str(record["run_id"])


def use_steps(folder: Path, count: int) -> Iterator[Used]:
    """Record this many training steps, twice, and use the record in every way."""
    place = folder / f"steps-{count}"
    runs = place / ".lesson" / "runs"
    for _ in range(2 - len(list(runs.glob("*")))):
        began = time.perf_counter()
        made = write_run(place, count)
        sizes = {path.name: path.stat().st_size for path in made.glob("*.json*")}
        sizes["loss.csv"] = sum(path.stat().st_size for path in made.rglob("loss.csv"))
        shown = ", ".join(f"{name} {size / 1e6:.1f} MB" for name, size in sizes.items())
        yield Used(f"run {count:,} steps: {shown}", time.perf_counter() - began, 0, 0)
    one, other = sorted(path.name for path in runs.iterdir())[:2]
    for form in ("html", "markdown", "json", "junit"):
        yield use(f"report --format {form}", place, "report", one, "--format", form)
    yield use("compare", place, "compare", one, other)
    yield use("runs", place, "runs")


# --- many runs ---


def use_runs(folder: Path, count: int) -> Iterator[Used]:
    """List this many runs of four stages, and report the last one."""
    place = folder / f"runs-{count}"
    runs = place / ".lesson" / "runs"
    if not runs.exists():
        made = write_run(place, 400)
        record = (made / "record.json").read_text("utf-8")
        for number in range(count - 1):
            name = f"20260101-{number:06}-sample"
            (runs / name).mkdir()
            (runs / name / "record.json").write_text(record.replace(made.name, name), "utf-8")
            (runs / name / "events.jsonl").touch()
    yield use(f"runs, of {count:,}", place, "runs")
    yield use(f"runs --json, of {count:,}", place, "runs", "--json")
    yield use(f"report latest, of {count:,}", place, "report", "latest")


CASES: Mapping[str, tuple[Callable[[Path, int], Iterator[Used]], tuple[int, ...]]] = {
    "lessons": (use_lessons, (1_000, 3_000, 10_000)),
    "steps": (use_steps, (1_000_000,)),
    "runs": (use_runs, (100, 1_000)),
}
"""The functions that measure, each with its default sizes."""


def run(folder: Path | None, turns: int) -> tuple[str, list[Timing]]:
    """
    Measure everything at a hundredth of its size, to see whether it still works and how it grows.

    Args:
        folder: where the data stays; a temporary one if ``None``.
        turns: how many times.
    """
    times: dict[str, list[Used]] = {}
    with tempfile.TemporaryDirectory() as made:
        for _ in range(turns):
            for measure, counts in CASES.values():
                for used in measure(folder or Path(made), max(10, counts[-1] // 100)):
                    times.setdefault(used.what, []).append(used)
    most = max(used.megabytes for items in times.values() for used in items)
    timings = [Timing(what, tuple(used.seconds for used in items)) for what, items in times.items()]
    return f"a hundredth of full scale; peak memory: {most:.0f} MB", timings


def main() -> None:
    """Read the arguments, measure, and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.scale", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("case", nargs="*", help=f"one of {', '.join(CASES)}; default: all of them")
    parser.add_argument("--count", help="the sizes, separated by commas; default: each case's own")
    parser.add_argument("--folder", type=Path, help="where the data stays; default: a temporary folder")
    arguments = parser.parse_args()
    if unknown := set(arguments.case) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; one of {', '.join(CASES)}")
    with tempfile.TemporaryDirectory() as made:
        folder = (arguments.folder or Path(made)).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        for name in arguments.case or CASES:
            measure, counts = CASES[name]
            for count in map(int, arguments.count.split(",")) if arguments.count else counts:
                for used in measure(folder, count):
                    sys.stdout.write(
                        f"{used.what:<60} {used.seconds:8.1f} s {used.megabytes:7.0f} MB"
                        f" {used.printed / 1e6:8.2f} MB printed\n"
                    )
                    sys.stdout.flush()


if __name__ == "__main__":
    main()
