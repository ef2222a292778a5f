"""A run with everything in it that a report must tell, and texts of any kind, for the tests of reports."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hypothesis import strategies as st

from lesson_runner.plugin import Action, Json, Outcome, Section, StepContext, hookimpl
from lesson_runner.report.runs import Report, gather
from lesson_runner.testing import lesson_text, run_lesson

SCRIPT = "<script>alert(1)</script>"
TOKEN = "ghp_" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1cD3"
STEPS = 20_000
SPIKE = 12_345
"""The step at which the long curve has its one high value."""
TEXT = st.text(st.characters(), max_size=60)
"""Any text at all, halves of surrogate pairs included."""


def speak(params: Json, context: StepContext) -> Outcome:
    context.say(params.get("text", "said"))
    if params.get("raise"):
        raise RuntimeError(f"{SCRIPT} went wrong")
    return Outcome(metrics=params.get("metrics", {}), labels=tuple(params.get("labels", ())))


def flood(params: Json, context: StepContext) -> Outcome:
    """Print a mebibyte, with what a terminal or XML could not bear in it."""
    context.say(f"first \x1b[31mred\x1b[0m \x00\x08\ufffe]]> {TOKEN}")
    context.say("\n".join("x" * 63 for _ in range(16 * 1024)))
    context.say("last & <b>end</b>")
    return Outcome()


def losses(length: int) -> list[list[float]]:
    """Return a falling curve of ``length`` steps, with one spike in it if it is long enough."""
    return [[step, 9.0 if step == SPIKE else 1 + 3 / (1 + step / 200)] for step in range(1, length + 1)]


SECTIONS = [
    Section(
        "What each stage writes",
        "texts",
        {
            "items": [
                {
                    "title": f"Stage {SCRIPT}",
                    "text": "ROMEO: wherf art thou",
                    "marks": [
                        {"start": 0, "end": 6, "kind": "prompt"},
                        {"start": 7, "end": 12, "kind": "invented"},
                        {"start": 13, "end": 21, "kind": "copied"},
                    ],
                },
                {"title": "plain", "text": "no marks\n\nhere"},
            ]
        },
        "All from ROMEO.",
    ),
    Section(
        "What was learned",
        "series",
        {
            "x": "stage",
            "y": "share",
            "items": [
                {"name": "Real words", "points": [[1, 0.25], [2, 0.75]]},
                {"name": "Form", "points": [[2, 0.5]]},
            ],
            "stages": [{"x": 1, "name": "Stage 1: short"}, {"x": 2, "name": "Stage 2: long"}],
        },
        conclusion="Learned: words by stage 2 <b>.",
    ),
    Section(
        "The stages in numbers",
        "table",
        {
            "columns": ["Stage", "Loss", "Names"],
            "rows": [["Stage 1: short", 2.5, None], ["Stage 2: long", 1.25, 4]],
        },
    ),
    Section(
        "Loss curves",
        "series",
        {
            "x": "step",
            "y": "training loss",
            "items": [
                {"name": "Stage 1", "points": losses(500)},
                {"name": "Stage 2", "points": losses(STEPS)},
                {"name": "published", "points": [[1, 4.2], [20_000, 1.1]], "dashed": True},
            ],
            "stages": [{"x": 500, "name": "Stage 1"}, {"x": 20_000, "name": "Stage 2"}],
        },
        "Each point is a step.",
    ),
    Section(
        "Experiments",
        "texts",
        {
            "items": [
                {"title": "cold", "text": "the the", "row": "Temperatures"},
                {"title": "hot", "text": "zorp", "row": "Temperatures"},
                {"title": "JULIET:", "text": "but soft", "row": "Speakers"},
            ]
        },
    ),
    Section("Words only", "table", {"columns": ["a", "b"], "rows": [["x|y", "`z`"], ["*", None]]}),
    Section("Broken", "table", {"columns": ["a"], "rows": [["x", "y"]]}),
    Section("Odd", "map", {}),  # type: ignore[arg-type]  # what a plugin of a later version may give
]


class teller:  # noqa: N801  # stands for a plugin's module
    @staticmethod
    @hookimpl
    def lesson_actions() -> list[Action]:
        return [
            Action("speak", "Speak", speak, self_judging=True),
            Action("flood", "Flood", flood, self_judging=True),
        ]

    @staticmethod
    @hookimpl
    def lesson_report_sections() -> list[Section]:
        return SECTIONS


STORY = lesson_text(
    f"""
    <!-- step
    id: good
    title: "A `good` | *step*"
    uses: speak
    with: {{metrics: {{loss: 1.5, words: 12}}, labels: [emulated]}}
    expect: [{{metric: {{name: loss, max: 2}}}}]
    claims:
      - {{metric: {{name: loss, min: 1, max: 2}}, source: the paper}}
      - {{metric: {{name: words, min: 20}}, source: the paper}}
      - {{metric: {{name: gone, min: 20}}, source: "{SCRIPT}"}}
    -->
    ```text
    x
    ```

    <!-- step
    id: bad
    title: Bad
    uses: speak
    with: {{text: "not | this <i>"}}
    expect: [{{contains: "that | `one`"}}, {{not_contains: this}}]
    -->
    ```text
    x
    ```

    <!-- step
    id: may-fail
    optional: true
    uses: speak
    expect: [{{contains: never}}]
    -->
    ```text
    x
    ```

    <!-- step
    id: broken
    uses: speak
    with: {{raise: true}}
    -->
    ```text
    x
    ```

    <!-- step
    id: blocked
    uses: speak
    needs: [bad]
    -->
    ```text
    x
    ```

    <!-- step
    id: board
    uses: speak
    requires: [board]
    -->
    ```text
    x
    ```

    <!-- step
    id: flood
    uses: flood
    -->
    ```text
    x
    ```

    <!-- skip
    reason: it changes your machine
    -->
    ```bash
    rm x
    ```
    """,
    title=SCRIPT,
)


@cache
def run() -> tuple[dict[str, Any], Path]:
    """Return the record of a run of :data:`STORY`, and its folder; the same one every time."""
    folder = Path(mkdtemp(prefix="lesson-report-"))
    record = run_lesson(STORY, folder, plugins=[teller], hardware=())
    return record, folder / ".lesson" / "runs" / record["run_id"]


def story(sections: list[Section] | None = None) -> Report:
    record, folder = run()
    return gather(record, folder, SECTIONS if sections is None else sections)


def retold(texts: Mapping[str, str]) -> Report:
    """Return a report on the same run, had it been about other texts."""
    record, folder = run()
    other = copy.deepcopy(record)
    other["lesson"]["title"] = texts["title"]
    other["labels"] = [texts["label"]]
    other["facts"] = {texts["name"]: texts["value"]}
    other["params"] = {texts["name"]: texts["value"]}
    step = other["steps"][1]
    step["title"], step["message"], step["command"] = texts["title"], texts["value"], texts["output"]
    keys = ("id", "title", "explanation", "section", "command")
    step["diagnoses"] = [dict(zip(keys, texts.values(), strict=True))]
    step["verdicts"][0].update(expected=texts["value"], actual=texts["output"])
    text = texts["output"]
    sections = [
        Section(
            texts["title"],
            "texts",
            {
                "items": [
                    {
                        "title": texts["name"],
                        "text": text,
                        "marks": [{"start": 1, "end": 3, "kind": "copied"}],
                    }
                ]
            },
            texts["value"],
        ),
        Section(
            texts["name"],
            "table",
            {"columns": [texts["name"], "n"], "rows": [[text, 1], [texts["value"], 2]]},
        ),
        Section(
            texts["value"],
            "series",
            {"x": texts["name"], "y": texts["label"], "items": [{"name": text, "points": [[0, 1], [1, 2]]}]},
        ),
    ]
    return gather(other, folder, sections)


TEXTS = st.fixed_dictionaries(dict.fromkeys(("title", "label", "name", "value", "output"), TEXT))
