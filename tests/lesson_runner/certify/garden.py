"""A plugin with a pretended board, a lesson with a measured metric, and a bench for the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lesson_runner.files.evidence import Evidence
from lesson_runner.model import Hardware, Outcome, PlannedStep
from lesson_runner.plugins import StepContext, hookimpl
from lesson_runner.plugins.action import Action
from lesson_runner.testing import lesson_text

LESSON = """
# Growing

<!-- step
id: grow
uses: garden.grow
with: {beans: 5}
expect:
  - metric: {name: beans, min: 3}
  - contains: beans
  - file: {path: beans.txt, min_bytes: 1}
-->
```text
grow beans
```

<!-- step
id: tell
needs: [grow]
expect: [{regex: "^beans: \\\\d+$"}]
-->
```bash
echo beans: 5
```
"""


def grow(params: Any, context: StepContext) -> Outcome:
    (context.evidence / "beans.json").write_text(json.dumps(params["beans"]))
    (context.workspace.resolve("beans.txt")).write_text("b" * params["beans"])
    context.say(f"{params['beans']} beans")
    return Outcome(metrics={"reported": 1.0}, facts=garden.facts, labels=garden.labels)


class garden:  # noqa: N801  # stands for a module
    """A plugin with an action whose metric is read from a file, and the board that a test sets."""

    hardware = Hardware("n150", "a test says so", 1)
    facts: Mapping[str, Any] = {}
    labels: tuple[str, ...] = ()

    @staticmethod
    @hookimpl
    def lesson_actions() -> list[Action]:
        schema = {
            "type": "object",
            "properties": {"beans": {"type": "integer"}, "dataset": {"type": "string"}},
        }
        return [
            Action("garden.grow", "Grow", grow, schema={**schema, "additionalProperties": False}),
            Action("ct4.train", "Train", grow, schema=schema, defaults={"beans": 5}),
            Action("ct4.fetch-dataset", "Fetch", grow, schema=schema, defaults={"beans": 5}),
        ]

    @staticmethod
    @hookimpl
    def lesson_detect_hardware() -> list[Hardware]:
        return [garden.hardware]

    @staticmethod
    @hookimpl
    def lesson_measure(step: PlannedStep, evidence: Evidence) -> dict[str, float]:
        path = evidence.folder / "beans.json"
        return {"beans": json.loads(path.read_text())} if path.is_file() else {}


@dataclass
class Bench:
    """A folder with a lesson, a key, and the command line."""

    folder: Path
    run: Callable[..., Any]
    plugins: list[object] = field(default_factory=lambda: [garden])

    def lesson(self, *arguments: object) -> Any:
        return self.run(*arguments, plugins=self.plugins)

    def write(self, text: str = LESSON, name: str = "growing.md", **frontmatter: Any) -> Path:
        front = {"id": Path(name).stem, "supportedHardware": ["n150", "n300"], **frontmatter}
        path = self.folder / name
        path.write_text(lesson_text(text, **front))
        return path

    def certify(self, *more: object, name: str = "growing.md") -> Any:
        return self.lesson("certify", name, "--allow", "shell", "--json", *more)

    @property
    def certificate(self) -> Path:
        (found,) = (self.folder / ".lesson" / "certificates").iterdir()
        return found

    def verify(self, *more: object) -> dict[str, Any]:
        said = self.lesson("cert", "verify", self.certificate, "--json", *more)
        answer: dict[str, Any] = said.json
        assert said.code == (0 if answer["holds"] else 5), said
        return answer
