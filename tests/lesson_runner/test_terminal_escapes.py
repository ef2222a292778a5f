"""No output contains text that a terminal would obey or that deceives readers, wherever it came from."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.fake_plugin import fake_plugin
from tests.reliability import fault

from lesson_runner.model import (
    Diagnosis,
    Hardware,
    Line,
    Outcome,
    Passage,
    Series,
    Table,
    Texts,
)
from lesson_runner.plugins import StepContext
from lesson_runner.plugins.action import Action
from lesson_runner.plugins.checks import Check, Finding, Machine
from lesson_runner.report.formats import DIAGNOSTICS, MATRICES, REPORTS, SURVEYS
from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]
HOSTILE = "a\x1b]0;title\x07b\x1b[2J\x1b[31mc\x9b2Jd\x08\x7fe\u202ef\u2066g\u2069\rh\x1b"
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
STYLES = re.compile(r"\x1b\[(?:[0-9;]*m|\?25[lh]|1A|2K)")
"""What rich itself writes for colours and a progress bar."""


def shout(params: Any, context: StepContext) -> Outcome:
    context.say(HOSTILE)
    context.progress(1, 2, note=HOSTILE)
    if params.get("raise"):
        raise RuntimeError(HOSTILE)
    return Outcome(message=HOSTILE, labels=(HOSTILE,), facts={HOSTILE: HOSTILE}, metrics={HOSTILE: 1.0})


def look(machine: Machine) -> Finding:
    return Finding("failed", HOSTILE, HOSTILE, HOSTILE, facts={HOSTILE: HOSTILE})


def fail(app: Any) -> None:
    raise RuntimeError(HOSTILE)


shouter = fake_plugin(
    "shouter",
    actions=[Action("shout", HOSTILE, shout, self_judging=True)],
    checks=[Check("look", HOSTILE, HOSTILE, look)],
    detect_hardware=[Hardware(HOSTILE, HOSTILE, 1)],
    diagnose=[Diagnosis("x", HOSTILE, HOSTILE, HOSTILE, HOSTILE)],
    report_sections=[
        Table(HOSTILE, (HOSTILE, "n"), ((HOSTILE, 1), ("x", 2)), HOSTILE, HOSTILE),
        Texts(HOSTILE, (Passage(HOSTILE, HOSTILE, row=HOSTILE),), HOSTILE, HOSTILE),
        Series(
            HOSTILE, (Line(HOSTILE, ((1, 1), (2, 3))),), HOSTILE, HOSTILE, ((1, HOSTILE),), HOSTILE, HOSTILE
        ),
    ],
    add_commands=fail,
)


STEP = """
# {title}

**Why:** {title}

<!-- step
id: {id}
title: {quoted}
uses: shout
with: {params}
optional: true
expect: [{{contains: {quoted}}}, {{not_contains: {quoted}}}]
claims: [{{metric: {{name: {quoted}, min: 2}}, source: {quoted}}}]
-->
```text
x
```

**Look for:** {title}

[{title}](nowhere{title}.md)

<!-- skip
reason: {quoted}
-->
```bash
echo {title}
```
"""


@pytest.fixture
def hostile(lesson: Lesson, tmp_path: Path) -> Lesson:
    """A lesson all of whose words are hostile; escapes in YAML are written as such, in prose as they are."""
    quoted, plain = json.dumps(HOSTILE), HOSTILE.replace("\r", "")
    steps = [
        STEP.format(title=plain, quoted=quoted, id=name, params=json.dumps({"raise": name == "two"}))
        for name in ("one", "two")
    ]
    front = dict.fromkeys(("title", "description", "category", "note", "validationNotes"), HOSTILE)
    text = lesson_text("".join(steps), id="a", tags=[HOSTILE], **front)
    (tmp_path / "a.md").write_text(text)
    (tmp_path / "b.md").write_text(lesson_text("", id=HOSTILE, title=HOSTILE))
    (tmp_path / "lesson.toml").write_text('[severity]\nunseen-character = "warning"\n')  # so that it runs
    return lambda *words: lesson(*words, plugins=[shouter])


COMMANDS: list[tuple[str, ...]] = [
    *(("validate", ".", "--format", form) for form in DIAGNOSTICS.names),
    *(("plan", "a.md"), ("plan", "a.md", "--json"), ("show", "a.md"), ("show", "a.md", "--json")),
    *(("annotate", "a.md"), ("list",), ("plugins",), ("plugins", "--json"), ("explain",)),
    *(("doctor",), ("doctor", "--json"), ("hw",), ("hw", "--json"), ("run", HOSTILE), ("explain", HOSTILE)),
    *(
        ("runs",),
        ("runs", "--json"),
        ("compare", "first", "latest"),
        ("compare", "first", "latest", "--json"),
    ),
    *(("report", "latest", "--format", form) for form in REPORTS.names),
    *(("matrix", "--lessons", ".", "--format", form) for form in MATRICES.names),
    *(("survey", ".", "--format", form) for form in SURVEYS.names),
    *(("cert", "status", "--lessons", "."), ("cert", "status", "--lessons", ".", "--json")),
    *(("cert", "verify", HOSTILE), ("report", HOSTILE), ("run", "a.md", "--param", f"{HOSTILE}=1")),
]


@pytest.mark.slow
@fault(
    "hostile lessons",
    "escapes and bidirectional characters in a lesson's text, a step's output or a plugin's texts",
    how="every command, with each of its formats, on a lesson and a plugin that consist of nothing else",
    seen="a replacement character; in JSON an escape with the same meaning",
    survives="the terminal",
)
@pytest.mark.parametrize("coloured", [False, True])
def test_nothing_is_obeyed(
    hostile: Lesson, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, coloured: bool
) -> None:
    if coloured:
        monkeypatch.setenv("FORCE_COLOR", "1")
    said: dict[tuple[str, ...], Any] = {("run", "a.md"): hostile("run", "a.md")}
    assert said["run", "a.md"].code == 0, "the steps are optional"
    next((tmp_path / ".lesson" / "runs").iterdir()).rename(tmp_path / "first")
    said[("run", "a.md", "--json")] = hostile("run", "a.md", "--json")
    for words in COMMANDS:
        said[words] = hostile(*words)
    found = {
        words: repr(text[max(match.start() - 60, 0) : match.end() + 20])
        for words, answer in said.items()
        for text in (answer.out, answer.err)
        for text in (STYLES.sub("", text.replace("\r", "")) if coloured else text,)
        if (match := UNSAFE.search(text))
    }
    assert found == {}
    assert {words: answer.code for words, answer in said.items() if answer.code not in (0, 1, 2)} == {}


def test_json_says_the_same(hostile: Lesson) -> None:
    """Programs lose nothing: an escape in JSON represents the character."""
    assert hostile("show", "a.md", "--json").json["frontmatter"]["title"] == HOSTILE
    assert hostile("run", "a.md", "--json").json["lesson"]["title"] == HOSTILE
