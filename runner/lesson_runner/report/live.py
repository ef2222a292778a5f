"""The run as the learner sees it: each step's title, purpose, command, output and result."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from rich.console import Console, ConsoleOptions
from rich.padding import Padding
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.segment import Segment
from rich.text import Text

from lesson_runner.execute.redaction.redactor import Redactor
from lesson_runner.model import Event, Plan, PlannedStep
from lesson_runner.report.text import INDENT, block, command_rows, duration, line, number
from lesson_runner.run.judge import describe_expected

SIGNS = {
    "passed": ("✓", "green"),
    "failed": ("✗", "bold red"),
    "error": ("✗", "bold red"),
    "skipped": ("-", "yellow"),
    "not-reached": ("·", "dim"),
    "planned": ("·", "dim"),
}
"""A sign and a style for each status; the word always follows the sign."""
_INDENT = 3
_BLOCKS = "▁▂▃▄▅▆▇█"


class LiveReporter:
    """
    Prints the events of a run.

    On a terminal the running step has a progress bar; in a pipe there are only lines.

    Args:
        redactor: removes secrets from texts of the plan; events have none.
    """

    def __init__(self, console: Console, plan: Plan, redactor: Redactor | None = None) -> None:
        self._console = console
        self._redactor = redactor or Redactor()
        self._steps = {step.id: (number, step) for number, step in enumerate(plan.steps, 1)}
        self._progress: Progress | None = None
        self._task: TaskID | None = None
        self._curve: list[float] = []
        """The values of the step's curve."""
        self._curve_name = ""
        self._prose: dict[str, str] = {}
        """The introduction of the step before."""

    def __call__(self, event: Event) -> None:
        """Print one event."""
        handlers: Mapping[str, Callable[[Event], None]] = {
            "step-started": self._started,
            "output": self._output,
            "progress": self._advanced,
            "step-finished": self._finished,
            "run-finished": lambda _: self.close(),
        }
        handler = handlers.get(event.kind)
        if handler is not None:
            handler(event)

    def close(self) -> None:
        """Remove the progress bar; safe to call twice."""
        if self._progress is not None:
            self._progress.stop()
        self._progress = self._task = None

    def _started(self, event: Event) -> None:
        count, step = self._steps[event.step or ""]
        self._curve, self._curve_name = [], ""
        self._console.print()
        title = Text.assemble((f"{count}/{len(self._steps)} ", "dim"), (self._shown(step.title), "bold"))
        self._console.print(title.append(f"  ({step.id})", "dim"))
        prose = {"Why": step.why, "Look for": step.look_for}
        for label, text in prose.items():
            if text and prose != self._prose:  # the commands of one block share it: print it once
                self._indented(Text.assemble((f"{label}: ", "italic"), self._shown(text)))
        self._prose = prose
        self._command(step)
        if self._console.is_terminal:
            columns = (TextColumn("  "), BarColumn(30), _Numbers())
            self._progress = Progress(*columns, console=self._console, transient=True)
            self._progress.start()

    def _command(self, step: PlannedStep) -> None:
        for row in command_rows(step.command or step.source, step.action):
            self._indented(Text(self._shown(row), "cyan"))
        for layer in step.layers:
            if layer.name.startswith(("profile", "--param")):
                values = ", ".join(f"{key} {value}" for key, value in layer.params.items())
                self._indented(Text(self._shown(f"{layer.name} sets {values}"), "dim"))

    def _shown(self, text: str) -> str:
        """Return a text of the plan as one harmless line without secrets."""
        return line(self._redactor.text(text))

    def _indented(self, text: Text) -> None:
        if self._console.is_terminal:
            self._console.print(Padding(text, (0, 0, 0, _INDENT)))
        else:
            self._console.print(Text(" " * _INDENT).append_text(text))

    def _output(self, event: Event) -> None:
        rows = block(event.data.get("text", "")).split("\n")
        self._console.print(_Output(rows), soft_wrap=True)

    def _advanced(self, event: Event) -> None:
        name = str(event.data.get("curve", ""))
        if name and isinstance(value := event.data.get(name), int | float):
            self._curve_name = name
            self._curve.append(float(value))
        if self._progress is None:
            return
        total, done = event.data["total"], event.data["done"]
        if self._task is None:
            self._task = self._progress.add_task("", total=total)
        rest = {key: value for key, value in event.data.items() if key not in ("done", "total", "curve")}
        curve = sparkline(self._curve) if self._curve else ""
        self._progress.update(self._task, completed=done, total=total, values=rest, curve=curve)

    def _finished(self, event: Event) -> None:
        self.close()
        data = event.data
        sign, style = SIGNS[data["status"]]
        if len(self._curve) > 1:
            first, last = number(self._curve[0]), number(self._curve[-1])
            drawn = (sparkline(self._curve), "cyan")
            self._indented(Text.assemble(f"{line(self._curve_name)} {first} ", drawn, f" {last}"))
        if not data["attempts"]:  # it did not run; the table at the end says why
            return
        result = Text(f"{sign} {data['status']}", style)
        result.append(f" in {duration(data['seconds'])}", "none")
        if data["labels"]:
            result.append(f"  [{line(', '.join(data['labels']))}]", "yellow")
        if data["message"]:
            result.append(f": {line(data['message'])}", "none")
        self._indented(result)
        self._more_verdicts(data)
        if data["status"] in ("failed", "error") and data.get("hint"):
            self._indented(Text(line(f"Hint: {data['hint']}"), "bold"))
        for diagnosis in data.get("diagnoses", ()):
            self._diagnosis(diagnosis)
        for claim in data["claims"]:
            if claim["result"] != "not evaluated":
                text = f"claim {claim['claim']} ({claim['source']}): {claim['result']}, {claim['actual']}"
                self._indented(Text(line(text), "dim"))

        for shown in data.get("shown", ()):
            if not shown["passed"]:
                text = f"the lesson shows other output: {shown['actual']}"
                self._indented(Text(line(text), "dim"))

    def _diagnosis(self, diagnosis: Mapping[str, str]) -> None:
        """Print a plugin's diagnosis, where the lesson explains it, and what to try."""
        self._indented(
            Text.assemble((f"{line(diagnosis['title'])}: ", "bold"), line(diagnosis["explanation"]))
        )
        if diagnosis["section"]:
            where = f": {line(diagnosis['link'])}" if diagnosis["link"] else ""
            self._indented(Text(f"the lesson explains it under '{line(diagnosis['section'])}'{where}", "dim"))
        if diagnosis["command"]:
            self._indented(Text(f"try: {line(diagnosis['command'])}", "cyan"))

    def _more_verdicts(self, data: Mapping[str, Any]) -> None:
        """Print the other expectations that were not met; the message names the first."""
        unmet = [verdict for verdict in data["verdicts"] if not verdict["passed"]]
        if data["message"].startswith("expected "):
            for verdict in unmet[1:]:
                expected = describe_expected(verdict["matcher"], verdict["expected"])
                self._indented(Text(line(f"also expected {expected}; got {verdict['actual']}")))


def sparkline(values: Sequence[float], width: int = 24) -> str:
    """Return a curve as a row of block characters; each is the mean of an equal share of the values."""
    parts = min(width, len(values))
    cuts = [len(values) * n // parts for n in range(parts + 1)]
    means = [math.fsum(values[a:b]) / (b - a) for a, b in pairwise(cuts)]
    low, high = min(means), max(means)
    span = (high - low) or 1.0
    return "".join(_BLOCKS[min(int((mean - low) / span * len(_BLOCKS)), len(_BLOCKS) - 1)] for mean in means)


class _Output:
    """Lines from :func:`block`, printed as they are: letting rich lay out each line is slow."""

    def __init__(self, rows: Sequence[str]) -> None:
        self._rows = rows

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        if console.color_system is None:
            yield Segment("".join(f"{row}\n" for row in self._rows))
            return
        style = console.get_style("dim")
        for row in self._rows:
            yield Segment(row[: len(INDENT)], style)
            yield Segment(f"{row[len(INDENT) :]}\n")


class _Numbers(ProgressColumn):
    """How far a step is, and the values it reports with that."""

    def render(self, task: Task) -> Text:
        if task.total is None:
            return Text("")
        text = Text(f"{int(task.completed):,}/{int(task.total):,}")
        if task.fields.get("curve"):
            text.append(f"  {task.fields['curve']}", "cyan")
        for key, value in task.fields.get("values", {}).items():
            text.append(f"  {line(_named(key, value))}", "cyan")
        return text


def _named(key: str, value: Any) -> str:
    if key == "seconds_left":
        return f"{duration(value)} left"
    if key.endswith("_per_second"):
        return f"{number(value)} {key.removesuffix('_per_second')}/s"
    return f"{key} {number(value) if isinstance(value, int | float) else value}"
