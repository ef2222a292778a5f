"""``lesson doctor``: checks of plugins and of a lesson, their fixes, and the JSON output."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tests.fake_plugin import fake_plugin

from lesson_runner.plugins import Action, Hardware, Outcome
from lesson_runner.plugins.checks import Check, Finding, Machine
from lesson_runner.testing import lesson_text

Command = Callable[..., Any]
LATER = "profiles: {default: {skip: not today}}\n"


def doctored(*checks: Check, alone: Sequence[Check] = (), hardware: Sequence[Hardware] = ()) -> ModuleType:
    """Return a plugin with checks, an action that runs those a step names (also ``alone``), and hardware."""
    look = Action(
        "doctored.look",
        "Look",
        lambda params, context: Outcome(),
        schema={"type": "object", "properties": {"ids": {"type": "array"}}},
        self_judging=True,
        checks=lambda params: [item for item in (*checks, *alone) if item.id in params["ids"]],
    )
    return fake_plugin("doctored", actions=[look], checks=checks, detect_hardware=hardware)


def finding(*arguments: Any) -> Check:
    """Return a check that always finds the same; its id is its status."""
    return Check(arguments[0], f"is {arguments[0]}", "it matters", lambda machine: Finding(*arguments))


OK, WARNING = finding("ok", "there"), finding("warning", "odd", "even", "make it even")
FAILED = finding("failed", "gone", "there", "bring it back")
BOARD = Check("board", "a board", "it matters", lambda machine: Finding("ok", ""), board_only=True)


def step(name: str, *ids: str, more: str = "") -> str:
    """Return a step that names checks."""
    head = f"id: {name}\nuses: doctored.look\nwith: {{ids: [{', '.join(ids)}]}}\n{more}"
    return f"<!-- step\n{head}-->\n```text\nx\n```\n\n"


# --- checks -----------------------------------------------------------------------------------


def test_the_table_and_the_summary(lesson: Command) -> None:
    said = lesson("doctor", plugins=[doctored(OK, WARNING, FAILED, BOARD)])

    assert said.code == 1
    assert said.out.split("\n") == [
        "ok       is ok       there",
        "warning  is warning  odd",
        "         expected: even",
        "         why:      it matters",
        "         fix:      make it even",
        "FAILED   is failed   gone",
        "         expected: there",
        "         why:      it matters",
        "         fix:      bring it back",
        "skipped  a board     no board (no plugin looks for one)",
        "",
        "4 checks: 1 ok, 1 warning, 1 failed, 1 skipped",
        "Not ready. Fix what failed, starting at the top: one fault can cause the next",
        "",
    ]


@pytest.mark.parametrize(("checks", "code"), [([], 0), ([OK], 0), ([OK, WARNING], 0), ([FAILED, OK], 1)])
def test_exit_codes(lesson: Command, checks: list[Check], code: int) -> None:
    assert lesson("doctor", plugins=[doctored(*checks)]).code == code


def test_json_for_programs(lesson: Command) -> None:
    board = Hardware("n150", "a test", 1, facts={"architecture": {"value": "wormhole_b0", "found_by": "it"}})

    said = lesson("doctor", "--json", plugins=[doctored(FAILED, BOARD, hardware=[board])])

    assert said.code == 1
    assert said.json == {
        "checks": [
            {
                "id": "failed",
                "title": "is failed",
                "why": "it matters",
                "status": "failed",
                "found": "gone",
                "expected": "there",
                "fix": "bring it back",
                "command": [],
            },
            {
                "id": "board",
                "title": "a board",
                "why": "it matters",
                "status": "ok",
                "found": "",
                "expected": "",
                "fix": "",
                "command": [],
            },
        ],
        "hardware": [
            {
                "name": "n150",
                "detected_by": "a test",
                "devices": 1,
                "kind": "silicon",
                "facts": {"architecture": {"value": "wormhole_b0", "found_by": "it"}},
            }
        ],
        "ready": False,
        "runs_on": "board",
    }


def test_a_check_that_prints_or_raises_does_not_break_the_output(lesson: Command) -> None:
    def loud(machine: Machine) -> Finding:
        print("noise")
        raise KeyError("a bug")

    said = lesson("doctor", "--json", plugins=[doctored(Check("loud", "loud", "", loud), OK)])

    assert [item["status"] for item in said.json["checks"]] == ["failed", "ok"]
    assert "KeyError('a bug')" in said.json["checks"][0]["found"]
    assert "noise" in said.err


def test_terminal_escapes_in_a_finding_are_removed(lesson: Command) -> None:
    assert "\x1b" not in lesson("doctor", plugins=[doctored(finding("ok", "\x1b[2Jgone"))]).out


@pytest.mark.parametrize(
    ("backend", "status"), [("auto", "skipped"), ("ttml", "ok"), ("emulated", "skipped")]
)
def test_the_backend_decides_whether_a_board_is_wanted(lesson: Command, backend: str, status: str) -> None:
    said = lesson("doctor", "--backend", backend, "--json", plugins=[doctored(BOARD)])

    assert said.json["checks"][0]["status"] == status


def test_the_machine_that_checks_get(lesson: Command, tmp_path: Path) -> None:
    seen: list[Machine] = []

    def note(machine: Machine) -> Finding:
        seen.append(machine)
        return Finding("ok", "")

    lesson("doctor", "--workspace", tmp_path / "space", plugins=[doctored(Check("note", "note", "", note))])

    assert (seen[0].workspace, seen[0].backend, dict(seen[0].lesson)) == (tmp_path / "space", "auto", {})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no-such-lesson"], "no-such-lesson"),
        (["--backend", "gpu"], "expected auto, ttml or emulated"),
        (["--yes"], "--yes has no effect without --fix"),
        (["--fix"], "there is no terminal"),
        (["--fix", "--json"], "add --yes"),
        (["a", "b"], "unexpected extra argument"),
    ],
)
def test_usage(lesson: Command, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())

    said = lesson("doctor", *arguments, plugins=[doctored(FAILED)])

    assert said.code == 2
    assert message in said.err
    assert said.out == ""


def test_no_terminal_at_all(lesson: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input was closed, as ``<&-`` does."""
    monkeypatch.setattr(sys, "stdin", None)
    assert lesson("doctor", "--fix", plugins=[doctored(FAILED)]).code == 2


def test_without_checks_it_does_not_report_success(lesson: Command) -> None:
    assert "nothing was checked" in lesson("doctor", plugins=[doctored()]).out


# --- for a lesson ------------------------------------------------------------------------------


def test_a_lesson_selects_the_checks_which_get_its_frontmatter(lesson: Command, tmp_path: Path) -> None:
    def version(machine: Machine) -> Finding:
        return Finding("ok", str(machine.lesson.get("minTTMetalVersion")))

    asked = Check("version", "version", "", version)
    plugin = doctored(WARNING, asked, FAILED, OK)
    text = lesson_text(
        step("one", "ok", "version")
        + step("two", "version", "warning")
        + step("three", "failed", more=LATER),
        minTTMetalVersion="v0.68.0",
    )
    (tmp_path / "a.md").write_text(text)

    said = lesson("doctor", "a.md", "--json", plugins=[plugin])

    assert said.code == 0
    found = [(item["id"], item["found"]) for item in said.json["checks"]]
    assert found == [("warning", "odd"), ("version", "v0.68.0"), ("ok", "there")]


def test_a_lessons_frontmatter_can_ask_for_a_check(lesson: Command, tmp_path: Path) -> None:
    plugin = doctored(replace(FAILED, asked_by="minTTMetalVersion"), WARNING, replace(OK, asked_by="tags"))
    found = []
    for name, minimum in {"with": {"minTTMetalVersion": "v0.67.0"}, "without": {}}.items():
        (tmp_path / f"{name}.md").write_text(lesson_text(step("one", "warning"), **minimum))
        said = lesson("doctor", f"{name}.md", "--json", plugins=[plugin])
        found.append([item["id"] for item in said.json["checks"]])

    assert found == [["failed", "warning", "ok"], ["warning", "ok"]]


def test_a_check_that_only_a_step_has(lesson: Command, tmp_path: Path) -> None:
    """An action may have a check that no plugin lists, such as one for a package that a step names."""
    (tmp_path / "a.md").write_text(lesson_text(step("one", "failed", "ok")))

    said = lesson("doctor", "a.md", "--json", plugins=[doctored(OK, alone=[FAILED])])

    assert [item["id"] for item in said.json["checks"]] == ["ok", "failed"]


def test_a_lesson_whose_steps_check_nothing(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text("<!-- step\nid: one\n-->\n```bash\necho\n```\n"))

    said = lesson("doctor", "a.md", plugins=[doctored(FAILED)])

    assert (said.code, said.out) == (0, "no step of a.md runs a check; `lesson doctor` runs all checks\n")


def test_a_lesson_that_is_not_valid(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(step("one", "ok"), id="A b"))

    assert lesson("doctor", "a.md", plugins=[doctored(OK)]).code == 2


# --- fixes -------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """Standard input from a person at a terminal."""

    def isatty(self) -> bool:
        """Return that it is a terminal."""
        return True


def fixable(path: Path, name: str = "file", status: str = "failed") -> Check:
    """Return a check for a file, with a fix: a real command that creates it and prints that."""
    program = (
        f"open({str(path)!r}, 'a').write('x'); print('made'); raise SystemExit({int('bad' in path.name)})"
    )
    command = (sys.executable, "-c", program)

    def run(machine: Machine) -> Finding:
        if path.exists():
            return Finding("ok", "there")
        return Finding(status, "missing", "a file", "make it", command)  # type: ignore[arg-type]  # of a test

    return Check(name, f"the {name}", "it matters", run)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    return lambda text: monkeypatch.setattr(sys, "stdin", Terminal(text))


def test_fixes_that_can_be_run_are_listed(lesson: Command, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(step("one", "file")))
    plugins = [doctored(fixable(tmp_path / "f"))]

    assert "`lesson doctor --fix` can run:\n  make it\n" in lesson("doctor", plugins=plugins).out
    assert "`lesson doctor a.md --fix` can run" in lesson("doctor", "a.md", plugins=plugins).out
    assert not (tmp_path / "f").exists()


def test_nothing_runs_without_a_yes(lesson: Command, tmp_path: Path, answers: Callable[[str], None]) -> None:
    answers("n\n")

    said = lesson("doctor", "--fix", plugins=[doctored(fixable(tmp_path / "f"))])

    assert said.code == 1
    assert f"the file: missing\n$ {sys.executable} -c " in said.out
    assert "checked again" not in said.out
    assert not (tmp_path / "f").exists()


def test_no_answer_is_not_a_yes(lesson: Command, tmp_path: Path, answers: Callable[[str], None]) -> None:
    answers("")

    assert lesson("doctor", "--fix", plugins=[doctored(fixable(tmp_path / "f"))]).code == 130
    assert not (tmp_path / "f").exists()


def test_each_fix_has_a_prompt_and_changes_are_shown(
    lesson: Command, tmp_path: Path, answers: Callable[[str], None]
) -> None:
    answers("y\nn\n")
    checks = [fixable(tmp_path / "one", "one"), OK, fixable(tmp_path / "two", "two", "warning")]

    said = lesson("doctor", "--fix", plugins=[doctored(*checks)])

    assert said.code == 0
    assert "exit code 0\n" in said.out
    assert "checked again:\n  the one: failed -> ok (there)\n\n3 checks: 2 ok, 1 warning" in said.out
    assert (tmp_path / "one").exists()
    assert not (tmp_path / "two").exists()


def test_yes_runs_all_fixes_and_each_command_once(lesson: Command, tmp_path: Path) -> None:
    bad = Check("bad", "a bad one", "", lambda machine: Finding("failed", "", "", "", ("no-such-program",)))
    plugins = [
        doctored(
            fixable(tmp_path / "f", "a"), fixable(tmp_path / "f", "b"), fixable(tmp_path / "bad", "c"), bad
        )
    ]

    said = lesson("doctor", "--fix", "--yes", "--json", plugins=plugins)

    assert said.code == 1
    assert [(item["id"], item["exit_code"]) for item in said.json["fixes"]] == [
        ("a", 0),
        ("c", 1),
        ("bad", 127),
    ]
    assert [item["status"] for item in said.json["checks"]] == ["ok", "ok", "ok", "failed"]
    assert (tmp_path / "f").read_text() == "x"


def test_a_fix_that_changes_nothing_says_so(lesson: Command, tmp_path: Path) -> None:
    idle = Finding("failed", "gone", "there", "try", (sys.executable, "-c", ""))

    said = lesson("doctor", "--fix", "--yes", plugins=[doctored(Check("a", "a", "", lambda machine: idle))])

    assert said.code == 1
    assert "checked again:\n  nothing changed\n" in said.out


def test_a_fix_runs_in_the_machines_environment(
    lesson: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MARK", "seen by the fix")
    program = f"import os; open({str(tmp_path / 'mark')!r}, 'w').write(os.environ['MARK'])"
    check = Check(
        "a", "a", "", lambda machine: Finding("warning", "", "", "", (sys.executable, "-c", program))
    )

    lesson("doctor", "--fix", "--yes", plugins=[doctored(check)])

    assert (tmp_path / "mark").read_text() == "seen by the fix"
