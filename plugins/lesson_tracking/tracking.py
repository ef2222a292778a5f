"""One run on its way to the sinks."""

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
"""Without a handler, which is the rule, Python writes its warnings to standard error."""
OPENERS: Mapping[str, Callable[[Path, RunContext], Sink]] = {
    "tensorboard": lambda folder, context: TensorBoardSink(folder),  # noqa: ARG005  # all are called alike
    "wandb": lambda folder, context: WandbSink(folder, context.folder.name, context.lesson.id),
}
"""What opens each sink; the names are those of the extras that install what it needs."""
NOT_DRAWN = {"done", "total", "seconds_left"}
"""What progress reports for people who wait, not for a curve."""
MAX_READ = 32 * 1024 * 1024
"""Bytes of an output that are read; a step keeps fewer."""
LONGEST_OUTPUT = 4000
"""How many characters of a step's output are written; the last ones."""


class Tracking:
    """
    The sinks of one run. Nothing that goes wrong in them is raised: each is switched off with a warning.

    Args:
        names: of the sinks, with commas between them.
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
        self._tell(lambda sink: sink.text("run/lesson", context.redactor.text(context.lesson.title)))

    def _open(self, name: str, context: RunContext) -> None:
        if name not in OPENERS:
            known = " and ".join(f'{item} (pip install "lesson-runner[{item}]")' for item in OPENERS)
            LOG.warning("tracking: LESSON_TRACK names '%s', which is not known; known are %s", name, known)
            return
        try:
            self._sinks[name] = OPENERS[name](context.folder / "tracking" / name, context)
        except ImportError as error:
            LOG.warning(
                'tracking: %s is off: %s; to install it: pip install "lesson-runner[%s]"', name, error, name
            )
        except Exception as error:
            self._warn(name, error)

    def hear(self, event: Event) -> None:
        """Pass an event on to every sink."""
        if event.kind == "progress":
            self._progress(event.step or "", event.data)
        elif event.kind == "step-finished" and event.data["attempts"]:
            self._step_finished(event.step or "", event.data)
        elif event.kind == "run-finished":
            self._close(event.data["status"])

    def _progress(self, step: str, data: Json) -> None:
        values = {name: value for name, value in _numbers(data).items() if name not in NOT_DRAWN}
        if values:
            self._at[step] = data["done"]
            self._tell(lambda sink: sink.numbers(step, data["done"], values))

    def _step_finished(self, step: str, data: Json) -> None:
        self._labels.update(data["labels"])
        if step in self._at:
            self._settings.update({f"{step}/{name}": _plain(value) for name, value in data["params"].items()})
        metrics = {f"metrics/{name}": value for name, value in _numbers(data["metrics"]).items()}
        if metrics:
            self._tell(lambda sink: sink.numbers(step, self._at.get(step, 0), metrics))
        labels = f" [{', '.join(data['labels'])}]" if data["labels"] else ""
        message = f": {data['message']}" if data["message"] else ""
        status = mask(f"{data['status']} in {data['seconds']:.1f} s{labels}{message}")
        self._tell(lambda sink: sink.text(f"{step}/status", status))
        if output := self._output(step):
            self._tell(lambda sink: sink.text(f"{step}/output", output))

    def _output(self, step: str) -> str:
        """Return the end of what a step printed, such as the texts that a model wrote."""
        try:
            text = read_below(self._run, f"{EVIDENCE}/{step}/{OUTPUT}", MAX_READ).decode("utf-8", "replace")
        except OSError:  # it was interrupted
            return ""
        text = mask(text)  # whole: half a secret is not recognised
        if len(text) > LONGEST_OUTPUT:
            return f"… the last {LONGEST_OUTPUT:,} characters of {len(text):,}:\n{text[-LONGEST_OUTPUT:]}"
        return text

    def _close(self, status: str) -> None:
        labels = tuple(sorted(self._labels))
        self._tell(lambda sink: sink.close(status, labels, self._settings))
        self._sinks.clear()

    def _tell(self, call: Callable[[Sink], None]) -> None:
        """Call every sink, and switch off those that raise."""
        for name, sink in list(self._sinks.items()):
            try:
                call(sink)
            except Exception as error:
                self._warn(name, error)
                del self._sinks[name]
                with suppress(Exception):  # what it has may still reach the disk
                    sink.close("failed", tuple(sorted(self._labels)), self._settings)

    def _warn(self, name: str, error: Exception) -> None:
        LOG.warning("tracking: %s is off for the rest of this run: %s: %s", name, type(error).__name__, error)


def _numbers(data: Json) -> dict[str, float]:
    """Return what is a number in some data."""
    return {
        name: value
        for name, value in data.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def _plain(value: object) -> Value:
    """Return a value as a sink can show it."""
    return value if isinstance(value, bool | int | float) else mask(str(value))
