"""Whatever strangers write: each word stays on its line, and no build service takes commands from it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from tests.fake_plugin import fake_plugin

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
from lesson_runner.report.text import block, inert, line, safe
from lesson_runner.testing import lesson_text

Lesson = Callable[..., Any]
BREAKS = ("\n", "\r", "\r\n", "\n\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029")
PIECES = (
    *BREAKS,
    *(
        "::set-output name=a::b",
        "  ::add-mask::x",
        "\u2003::warning::x",
        "##[add-path]/x",
        "##vso[task.set]x",
    ),
    *(
        "::",
        "##",
        "[",
        "##teamcity[x]",
        "FORGED",
        "✓ passed",
        "error: no",
        "\x1b[2J",
        "\x1b]0;t\x07",
        "\x9b1A",
    ),
    *(
        "\u202e",
        "\u200b",
        "\u200d",
        "\ufeff",
        "\U000e0041",
        "\x08",
        "\x00",
        "\t",
        " ",
        "|",
        "`",
        "<b>",
        "](x)",
    ),
    *("a" * 120, "é", "👩‍💻", "'", '"', "{", "%0A", "\\n"),
)
SEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)
COMMAND = re.compile(r"(?m)^[^\S\n]*::|##\w*\[")
words = st.builds(
    lambda brk, rest: f"a{brk}FORGED{''.join(rest)}",
    st.sampled_from(BREAKS),
    st.lists(
        st.one_of(st.sampled_from(PIECES), st.text(st.characters(exclude_categories=["Cs"]), max_size=3)),
        max_size=8,
    ),
)
FEW = settings(
    deadline=None,
    max_examples=2,
    phases=[Phase.explicit, Phase.generate],  # to shrink is slow where an example is thirty commands
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
WORST = "a\nFORGED\n::set-output name=a::b\r##[add-mask]c\u2028FORGED \x1b[31m##vso[x]\x85FORGED"


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5))).map("".join))
def test_any_text(text: str) -> None:
    shown, several = line(text), block(text)
    assert len(shown.splitlines()) <= 1
    assert all(row.startswith("   │ ") for row in several.split("\n"))
    for harmless in (shown, several, safe(text).replace("\n", "")):
        assert not SEEN.search(harmless)
    for harmless in (shown, several, inert(text)):
        assert not COMMAND.search(harmless.replace("\r", "\n"))
    # Nothing is deleted that could keep the pieces of a secret apart.
    assert len(safe(text)) >= len(
        re.sub(r"\x1b.[^a-zA-Z\x07]*.?", "", text.replace("\r\n", "\n"))
    ) - text.count("\x07")


def speaker(word: str) -> ModuleType:
    """Return a plugin all of whose words are the same."""
    broken: Any = word

    def shout(params: Any, context: StepContext) -> Outcome:
        context.say(word)
        if params.get("raise"):
            raise RuntimeError(word)
        return Outcome(message=word, labels=(word,), facts={word: word}, metrics={word: 1.0})

    def look(machine: Machine) -> Finding:
        return Finding("failed", word, word, word)

    return fake_plugin(
        "speaker",
        actions=[Action("shout", word, shout, self_judging=True)],
        checks=[Check("look", word, word, look)],
        detect_hardware=[Hardware(word, word, 1, facts={word: word})],
        diagnose=[Diagnosis("x", word, word, word, word)],
        report_sections=[
            Table(word, (word, "n"), ((word, 1), ("x", 2)), word, word),
            Texts(word, (Passage(word, word, row=word),), word, word),
            Series(word, (Line(word, ((1, 1), (2, 3))),), word, word, ((1, word),), word, word),
            Table(word, broken, (), word, word),
            Series(word, (Line(word, broken),), word, word, (), word, word),
        ],
    )


STEP = """
<!-- step
id: {id}
title: {word}
uses: shout
with: {params}
optional: true
expect: [{{contains: {word}}}, {{not_contains: {word}}}]
claims: [{{metric: {{name: {word}, min: 2}}, source: {word}}}]
-->
```text
x
```

<!-- skip
reason: {word}
-->
```bash
echo
```
"""
TEXT: tuple[tuple[str, ...], ...] = (
    *(("validate", "."), ("plan", "a.md"), ("show", "a.md"), ("run", "a.md"), ("list",), ("plugins",)),
    *(("doctor",), ("hw",), ("runs",), ("compare", "first", "latest"), ("explain",), ("annotate", "a.md")),
    *(("matrix", "--lessons", "."), ("cert", "status", "--lessons", "."), ("resume", "first")),
    *(("survey", "."), ("run", ".")),
)
FILES: tuple[tuple[str, ...], ...] = (
    *(("report", "latest", "--format", form) for form in REPORTS.names),
    *(("plan", "a.md", "--json"), ("show", "a.md", "--json"), ("run", "a.md", "--json"), ("hw", "--json")),
    *(("validate", ".", "--format", form) for form in DIAGNOSTICS.names if form not in ("text", "github")),
    *(("matrix", "--lessons", ".", "--format", form) for form in MATRICES.names if form != "text"),
    *(("survey", ".", "--format", form) for form in SURVEYS.names if form != "text"),
)


def harmless(said: Any, command: tuple[str, ...], *, text: bool) -> None:
    for shown in (said.out, said.err):
        if "markdown" in command:  # a joiner of our own stands behind each @ and #
            shown = shown.replace("\u2060", "")
        assert not (found := SEEN.search(shown)), (command, found, shown)
        assert not (found := COMMAND.search(shown)), (command, found, shown)
        assert not text or not re.search("(?m)^ ?FORGED", shown), (command, shown)
    assert said.code in (0, 1, 2, 5), (command, said)


@pytest.mark.slow
@given(words)
@example(WORST)
@FEW
def test_every_command(lesson: Lesson, tmp_path: Path, word: str) -> None:
    for path in tmp_path.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    quoted = "".join(['"', *(f"\\U{ord(character):08x}" for character in word), '"'])
    steps = [
        STEP.format(word=quoted, id=name, params=json.dumps({"raise": name == "two"}))
        for name in ("one", "two")
    ]
    plain = re.sub("[\U00010000-\U0010ffff]", "?", word)  # JSON's escapes of these are none in YAML
    front = dict.fromkeys(("title", "description", "category", "note", "validationNotes"), plain)
    (tmp_path / "a.md").write_text(lesson_text("".join(steps), id="a", tags=[plain], **front))
    (tmp_path / "b.md").write_text(lesson_text(f"{word}\n", id=word, title=word), "utf-8", "replace")
    plugin = speaker(word)
    harmless(lesson("run", "a.md", plugins=[plugin]), ("run",), text=True)
    (first,) = (tmp_path / ".lesson" / "runs").iterdir()
    first.rename(tmp_path / "first")
    for command in TEXT:
        harmless(lesson(*command, plugins=[plugin]), command, text=True)
    for command in FILES:
        harmless(lesson(*command, plugins=[plugin]), command, text=False)


@pytest.mark.slow
@given(words)
@example(WORST)
@FEW
def test_a_record_from_elsewhere(lesson: Lesson, tmp_path: Path, word: str) -> None:
    """Every text in it that its schema leaves open."""
    shutil.rmtree(tmp_path / ".lesson", ignore_errors=True)
    (tmp_path / "a.md").write_text(lesson_text(STEP.format(word="x", id="one", params="{}"), id="a"))
    lesson("run", "a.md", plugins=[speaker("x")])
    (path,) = (tmp_path / ".lesson" / "runs").glob("*/record.json")
    record = json.loads(path.read_text())

    def spoiled(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: spoiled(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [spoiled(item, key) for item in value]
        fixed = ("status", "result", "kind", "run_id", "started", "finished", "path", "sandbox")
        return (
            value
            if not isinstance(value, str) or key in fixed or "sha256" in key or "digest" in key
            else word
        )

    path.write_text(json.dumps(spoiled(record)))
    commands: tuple[tuple[str, ...], ...] = (("runs",), ("resume",), ("matrix",), ("cert", "status"))
    for command in commands:
        harmless(lesson(*command, plugins=[speaker("x")]), command, text=True)
    for form in ("html", "markdown", "junit", "ctrf", "json"):
        harmless(lesson("report", "--format", form, plugins=[speaker("x")]), (form,), text=False)


def test_github_annotations_stay_commands(lesson: Lesson, tmp_path: Path) -> None:
    step = "<!-- step\nid: one\n-->\n```bash\nls\n```\n"
    (tmp_path / "a.md").write_text(lesson_text(step, id=WORST, title=WORST))
    said = lesson("validate", "a.md", "--format", "github")
    commands, totals = said.out.splitlines()[:-1], said.out.splitlines()[-1]
    assert commands
    assert all(command.startswith(("::error ", "::notice ")) for command in commands), said
    assert totals.startswith("1 lesson, ")


def test_a_line_that_is_wrapped_or_joined(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    """What is written in pieces is looked at as a whole."""
    from lesson_runner.cli.output import filter_workflow_commands

    with filter_workflow_commands():
        for piece in ("x\n :", ":set-output::a\n#", "#", "vso", "[task]\r", "::a::b"):
            print(piece, end="")
    assert capsys.readouterr().out == "x\n : :set-output::a\n##vso [task]\r: :a::b"
