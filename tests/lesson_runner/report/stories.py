"""A run with everything that a report must show, and arbitrary texts, for the tests of reports."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hypothesis import strategies as st
from tests.fake_plugin import fake_plugin

from lesson_runner.model import checked_section
from lesson_runner.model.sections import Line, Passage, Section, Series, Table, Texts
from lesson_runner.plugins import Action, Json, Outcome, StepContext
from lesson_runner.report.runs import Report, read_report
from lesson_runner.testing import lesson_text, run_lesson

SCRIPT = "<script>alert(1)</script>"
TOKEN = "ghp_" + "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1cD3"
STEPS = 20_000
SPIKE = 12_345
"""The step at which the long curve has its only high value."""
TEXT = st.text(st.characters(), max_size=60)
"""Arbitrary text, including halves of surrogate pairs."""


def speak(params: Json, context: StepContext) -> Outcome:
    context.say(params.get("text", "said"))
    if params.get("raise"):
        raise RuntimeError(f"{SCRIPT} went wrong")
    return Outcome(metrics=params.get("metrics", {}), labels=tuple(params.get("labels", ())))


def flood(params: Json, context: StepContext) -> Outcome:
    """Print a mebibyte, with characters that terminals obey or XML cannot contain."""
    context.say(f"first \x1b[31mred\x1b[0m \x00\x08\ufffe]]> {TOKEN}")
    context.say("\n".join("x" * 63 for _ in range(16 * 1024)))
    context.say("last & <b>end</b>")
    return Outcome()


def losses(length: int) -> tuple[tuple[float, float], ...]:
    """Return a falling curve of ``length`` steps, with one spike if it is long enough."""
    return tuple((step, 9.0 if step == SPIKE else 1 + 3 / (1 + step / 200)) for step in range(1, length + 1))


UNREADABLE: Any = "map"
"""Values that an untyped plugin may put into a field."""
SECTIONS: list[Section] = [
    Texts(
        "What each stage writes",
        (
            Passage(
                f"Stage {SCRIPT}",
                "ROMEO: wherf art thou",
                ((0, 6, "prompt"), (7, 12, "invented"), (13, 21, "copied")),
            ),
            Passage("plain", "no marks\n\nhere"),
        ),
        "All from ROMEO.",
    ),
    Series(
        "What was learned",
        (Line("Real words", ((1, 0.25), (2, 0.75))), Line("Form", ((2, 0.5),))),
        "stage",
        "share",
        ((1, "Stage 1: short"), (2, "Stage 2: long")),
        conclusion="Learned: words by stage 2 <b>.",
    ),
    Table(
        "The stages in numbers",
        ("Stage", "Loss", "Names"),
        (("Stage 1: short", 2.5, None), ("Stage 2: long", 1.25, 4)),
    ),
    Series(
        "Loss curves",
        (
            Line("Stage 1", losses(500)),
            Line("Stage 2", losses(STEPS)),
            Line("published", ((1, 4.2), (20_000, 1.1)), dashed=True),
        ),
        "step",
        "training loss",
        ((500, "Stage 1"), (20_000, "Stage 2")),
        "Each point is a step.",
    ),
    Texts(
        "Experiments",
        (
            Passage("cold", "the the", row="Temperatures"),
            Passage("hot", "zorp", row="Temperatures"),
            Passage("JULIET:", "but soft", row="Speakers"),
        ),
    ),
    Table("Words only", ("a", "b"), (("x|y", "`z`"), ("*", None))),
    Table("Broken", ("a",), (("x", "y"),)),
    Series("Odd", UNREADABLE),
]


teller = fake_plugin(
    "teller",
    actions=[
        Action("speak", "Speak", speak, self_judging=True),
        Action("flood", "Flood", flood, self_judging=True),
    ],
    report_sections=SECTIONS,
)


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
    """Return the record of a run of :data:`STORY`, and its folder; the same run every time."""
    folder = Path(mkdtemp(prefix="lesson-report-"))
    record = run_lesson(STORY, folder, plugins=[teller], hardware=())
    return record, folder / ".lesson" / "runs" / record["run_id"]


def story(sections: Sequence[Section] | None = None) -> Report:
    """Return a report with a plugin's sections."""
    record, folder = run()
    return read_report(record, folder, map(checked_section, SECTIONS if sections is None else sections))


def retold(texts: Mapping[str, str]) -> Report:
    """Return a report on the same run with other texts."""
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
    sections: list[Section] = [
        Texts(texts["title"], (Passage(texts["name"], text, ((1, 3, "copied"),)),), texts["value"]),
        Table(texts["name"], (texts["name"], "n"), ((text, 1), (texts["value"], 2))),
        Series(texts["value"], (Line(text, ((0, 1), (1, 2))),), texts["name"], texts["label"]),
    ]
    return read_report(other, folder, sections)


TEXTS = st.fixed_dictionaries(dict.fromkeys(("title", "label", "name", "value", "output"), TEXT))
