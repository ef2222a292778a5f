"""Pass the events of one run to the sinks."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from lesson_runner.execute.redaction.secrets import mask
from lesson_runner.files.evidence import EVIDENCE, OUTPUT
from lesson_runner.files.untrusted import read_below
from lesson_runner.plugins import Event, Json, RunContext
from lesson_tracking.sinks import Sink, Value
from lesson_tracking.tensorboard import TensorBoardSink
from lesson_tracking.weights_and_biases import WandbSink

LOG = logging.getLogger("lesson_tracking")
"""Usually it has no handler, so that Python writes its warnings to standard error."""
OPENERS: Mapping[str, Callable[[Path, RunContext], Sink]] = {
    "tensorboard": lambda folder, context: TensorBoardSink(folder),  # noqa: ARG005  # all have the same signature
    "wandb": lambda folder, context: WandbSink(folder, context.folder.name, context.lesson.id),
}
"""The function that opens each sink; each name is also the extra that installs what the sink needs."""
NOT_PLOTTED = {"done", "total", "seconds_left"}
"""Values of progress events that are for the waiting user, not for a curve."""
MOST_READ = 32 * 1024 * 1024
"""Upper limit for the output that is read, in bytes; a step stores less."""
LONGEST_OUTPUT = 4000
"""Characters of a step's output that are written, from its end."""


class Tracking:
    """
    The sinks of one run; a sink that fails is switched off with a warning, and never raises.

    Args:
        names: the names of the sinks, separated by commas.
        context: the run, which is about to start.
    """

    def __init__(self, names: str, context: RunContext) -> None:
        self._run = context.folder
        self._labels: set[str] = set()
        self._at: dict[str, int] = {}
        settings = {
            "lesson": context.lesson.id,
            "profile": context.profile,
            "backend": context.backend,
            "hardware": ", ".join(f"{item.name} ({item.kind})" for item in context.hardware),
        }
        self._settings: dict[str, Value] = {
            name: context.redactor.text(text) for name, text in settings.items()
        }
        self._sinks: dict[str, Sink] = {}
        for name in dict.fromkeys(item.strip() for item in names.split(",")):
            if name:
                self._open(name, context)
        self._call_sinks(lambda sink: sink.text("run/lesson", context.redactor.text(context.lesson.title)))

    def _open(self, name: str, context: RunContext) -> None:
        if name not in OPENERS:
            known = " or ".join(f'{item} (pip install "lesson-runner[{item}]")' for item in OPENERS)
            LOG.warning("tracking: LESSON_TRACK names the unknown sink '%s'; expected %s", name, known)
            return
        try:
            self._sinks[name] = OPENERS[name](context.folder / "tracking" / name, context)
        except ImportError as error:
            LOG.warning(
                'tracking: %s is off: %s; to install it: pip install "lesson-runner[%s]"', name, error, name
            )
        except Exception as error:
            self._warn(name, error)

    def handle(self, event: Event) -> None:
        """Pass an event on to every sink."""
        if event.kind == "progress":
            self._progress(event.step or "", event.data)
        elif event.kind == "step-finished" and event.data["attempts"]:
            self._step_finished(event.step or "", event.data)
        elif event.kind == "run-finished":
            self._close(event.data["status"])

    def _progress(self, step: str, data: Json) -> None:
        values = {name: value for name, value in _numbers(data).items() if name not in NOT_PLOTTED}
        if values:
            self._at[step] = data["done"]
            self._call_sinks(lambda sink: sink.numbers(step, data["done"], values))

    def _step_finished(self, step: str, data: Json) -> None:
        self._labels.update(data["labels"])
        if step in self._at:
            self._settings.update(
                {f"{step}/{name}": _as_value(value) for name, value in data["params"].items()}
            )
        metrics = {f"metrics/{name}": value for name, value in _numbers(data["metrics"]).items()}
        if metrics:
            self._call_sinks(lambda sink: sink.numbers(step, self._at.get(step, 0), metrics))
        labels = f" [{', '.join(data['labels'])}]" if data["labels"] else ""
        message = f": {data['message']}" if data["message"] else ""
        status = mask(f"{data['status']} in {data['seconds']:.1f} s{labels}{message}")
        self._call_sinks(lambda sink: sink.text(f"{step}/status", status))
        if output := self._output(step):
            self._call_sinks(lambda sink: sink.text(f"{step}/output", output))

    def _output(self, step: str) -> str:
        """Return the end of a step's output, such as the texts that a model generated."""
        try:
            text = read_below(self._run, f"{EVIDENCE}/{step}/{OUTPUT}", MOST_READ).decode("utf-8", "replace")
        except OSError:  # the step was interrupted
            return ""
        text = mask(text)  # before cutting: half a secret is not recognised
        if len(text) > LONGEST_OUTPUT:
            return f"… the last {LONGEST_OUTPUT:,} characters of {len(text):,}:\n{text[-LONGEST_OUTPUT:]}"
        return text

    def _close(self, status: str) -> None:
        labels = tuple(sorted(self._labels))
        self._call_sinks(lambda sink: sink.close(status, labels, self._settings))
        self._sinks.clear()

    def _call_sinks(self, call: Callable[[Sink], None]) -> None:
        """Call a function with every sink, and switch off those that raise."""
        for name, sink in list(self._sinks.items()):
            try:
                call(sink)
            except Exception as error:
                self._warn(name, error)
                del self._sinks[name]
                with suppress(Exception):  # its data may still reach the disk
                    sink.close("failed", tuple(sorted(self._labels)), self._settings)

    def _warn(self, name: str, error: Exception) -> None:
        LOG.warning("tracking: %s is off for the rest of this run: %s: %s", name, type(error).__name__, error)


def _numbers(data: Json) -> dict[str, float]:
    """Return the numbers in some data."""
    return {
        name: value
        for name, value in data.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _as_value(value: object) -> Value:
    """Return a value that sinks can show, without secrets."""
    return value if isinstance(value, bool | int | float) else mask(str(value))
