"""A lesson that trains briefly, and a replacement for a tracking library."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fake_plugin import fake_plugin

from lesson_runner.plugins import Action, Json, Outcome, StepContext
from lesson_runner.testing import lesson_text

LOSSES = (4.5, 2.25, 1.125)
LABELS = ("emulated", "synthetic dataset")
TOKEN = "ghp_" + "Zk3Qp8Xw2LrT" * 3
LESSON = lesson_text(
    """
<!-- step
id: stage-1
uses: toy.train
with: {rate: 0.5}
expect: [{contains: final}]
-->
```text
train
```

<!-- step
id: text
uses: toy.write
expect: [{contains: ROMEO}]
-->
```text
write
```
""",
    id="toy",
    title="A toy",
)


def train(params: Json, context: StepContext) -> Outcome:
    for done, loss in enumerate(LOSSES, 1):
        context.progress(
            done,
            len(LOSSES),
            loss=loss,
            learning_rate=params["rate"],
            tokens_per_second=1000.0 * done,
            seconds_left=1.0,
            unit="steps",
        )
    context.say("final")
    return Outcome(metrics={"final_loss": LOSSES[-1]}, labels=LABELS)


def write(params: Json, context: StepContext) -> Outcome:
    if params["stop"]:
        raise KeyboardInterrupt
    context.progress(1, 1)
    context.say("x" * 5000 + f" {TOKEN}\nROMEO: But soft")
    return Outcome(message="well written", metrics={"words": 3})


def toy() -> object:
    """Return a plugin with the lesson's two actions."""
    rate = {"type": "object", "properties": {"rate": {"type": "number"}}}
    stop = {"type": "object", "properties": {"stop": {"type": "boolean"}}}

    return fake_plugin(
        "toy",
        actions=[
            Action("toy.train", "Train", train, schema=rate, defaults={"rate": 0.1}),
            Action("toy.write", "Write", write, schema=stop, defaults={"stop": False}),
        ],
    )


Tracked = Callable[..., tuple[dict[str, Any], Path]]
"""The type of the fixture ``tracked``."""


class Written:
    """A replacement for tensorboardX that keeps everything it is given."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.scalars: dict[str, list[tuple[int, float]]] = {}
        self.texts: dict[str, str] = {}
        self.hparams: dict[str, Any] = {}
        self.summaries: list[object] = []
        self.closed = 0
        self.file_writer = types.SimpleNamespace(add_summary=self.summaries.append)
        module = types.ModuleType("tensorboardX")
        module.SummaryWriter = lambda folder, flush_secs: self  # type: ignore[attr-defined]  # as above
        summary = types.ModuleType("tensorboardX.summary")
        summary.hparams = self._hparams  # type: ignore[attr-defined]  # as above
        monkeypatch.setitem(sys.modules, "tensorboardX", module)
        monkeypatch.setitem(sys.modules, "tensorboardX.summary", summary)

    def add_scalar(self, tag: str, value: float, at: int) -> None:
        self.scalars.setdefault(tag, []).append((at, value))

    def add_text(self, tag: str, text: str, at: int) -> None:
        self.texts[tag] = text

    def close(self) -> None:
        self.closed += 1

    def _hparams(self, values: dict[str, Any], metrics: dict[str, float]) -> tuple[str, str, str]:
        self.hparams = values
        return "experiment", "start", "end"
