"""``lesson hw``, ``--hardware``, and runs with boards, simulators and mocks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from tests.conftest import Said
from tests.fake_plugin import fake_plugin

from lesson_runner.plugins import Action, Hardware, Outcome
from lesson_runner.testing import lesson_text, plan_lesson, run_lesson

Command = Callable[..., Said]

BOARD = Hardware("n150", "the driver", 1, facts={"chips": {"value": 1, "found_by": "counting"}})
SIMULATOR = Hardware("simulator", "a variable", 1, "simulator")
MOCK = Hardware("n150", "a description", 0, "mock")
MOCK_WITH_CHIPS = Hardware("n150", "a description", 4, "mock")
NONE = Hardware("none", "no file", kind="none")

LESSON = """
<!-- step
id: any
expect: [{metric: {name: loss, max: 2}}]
claims: [{metric: {name: loss, max: 2}, source: us, hardware: [n150, simulator]}]
-->
```act
any
```

<!-- step
id: on-board
requires: [board]
-->
```act
on-board
```
"""


def having(*hardware: Hardware) -> ModuleType:
    """Return a plugin that finds this hardware, and runs the steps of :data:`LESSON`."""
    act = Action("act", "Act", lambda params, context: Outcome(metrics={"loss": 1}), self_judging=True)
    return fake_plugin("having", detect_hardware=list(hardware), actions=[act])


TEXT = lesson_text(LESSON.replace("-->", "uses: act\n-->"))


def test_the_command_shows_the_hardware_and_how_it_was_detected(lesson: Command) -> None:
    said = lesson("hw", plugins=[having(BOARD, SIMULATOR)])
    assert said.code == 0
    assert said.out.splitlines() == [
        "n150  (silicon, 1 chip)",
        "  found by: the driver",
        "  chips  1  (counting)",
        "simulator  (simulator: a program that simulates 1 chip)",
        "  found by: a variable",
    ]
    said = lesson("hw", plugins=[having(MOCK)])
    assert said.out == (
        "n150  (mock: only a description, nothing can run on it)\n  found by: a description\n"
    )


def test_a_machine_without_hardware(lesson: Command) -> None:
    assert lesson("hw", plugins=[having(NONE)]).out == "none\n  found by: no file\n"
    said = lesson("hw")
    assert (said.code, said.out.split(":")[0]) == (0, "none")
    assert "no plugin looks for hardware" in said.out
    assert lesson("hw", "--json").json == {"hardware": []}


def test_as_json(lesson: Command) -> None:
    assert lesson("hw", "--json", plugins=[having(BOARD)]).json == {
        "hardware": [
            {
                "name": "n150",
                "detected_by": "the driver",
                "devices": 1,
                "kind": "silicon",
                "facts": {"chips": {"value": 1, "found_by": "counting"}},
            }
        ]
    }


def test_malformed_facts_of_a_plugin_are_shown_without_escapes(lesson: Command) -> None:
    facts = {"bare": 5, "list": {"value": ["a", "b"]}, "odd": {"found_by": "guessing \x1b[2J"}}
    said = lesson("hw", plugins=[having(Hardware("x", "y", 1, facts=facts))])
    assert said.out.splitlines()[2:] == ["  bare  5", "  list  a, b", "  odd   None  (guessing �)"]


def test_detection_is_thorough_and_prints_of_a_plugin_are_not_output(lesson: Command) -> None:
    def look(thorough: bool) -> list[Hardware]:
        print("looking")
        return [Hardware("thorough" if thorough else "quick", "a test", 1)]

    asked = fake_plugin("asked", detect_hardware=look)
    assert lesson("hw", "--json", plugins=[asked]).json["hardware"][0]["name"] == "thorough"


@pytest.mark.parametrize("command", ["run", "plan"])
class TestExpectedHardware:
    def start(self, lesson: Command, tmp_path: Path, command: str, name: str, *found: Hardware) -> Said:
        (tmp_path / "a.md").write_text(TEXT)
        return lesson(command, "a.md", "--hardware", name, plugins=[having(*found)])

    @pytest.mark.parametrize(("name", "found"), [("n150", BOARD), ("simulator", SIMULATOR)])
    def test_the_expected_hardware_is_found(
        self, lesson: Command, tmp_path: Path, command: str, name: str, found: Hardware
    ) -> None:
        assert self.start(lesson, tmp_path, command, name, NONE, found).code == 0

    @pytest.mark.parametrize(
        ("name", "found", "words"),
        [
            ("n300", BOARD, "expected n300, found n150 (the driver)"),
            ("n150", NONE, "expected n150, found none (no file)"),
            ("n150", MOCK, "expected n150, found n150 as a mock (a description)"),
            ("n150", MOCK_WITH_CHIPS, "expected n150, found n150 as a mock (a description)"),
            ("n150", SIMULATOR, "expected n150, found simulator as a simulator (a variable)"),
            ("n150", Hardware("n150", "x"), "expected n150, found n150 without a usable chip (x)"),
        ],
    )
    def test_anything_else_ends_the_run_before_a_step(
        self, lesson: Command, tmp_path: Path, command: str, name: str, found: Hardware, words: str
    ) -> None:
        said = self.start(lesson, tmp_path, command, name, found)
        assert said.code == 4
        assert words in said.err
        assert "lesson hw" in said.err
        assert not (tmp_path / ".lesson").exists()

    def test_no_plugin_looks(self, lesson: Command, tmp_path: Path, command: str) -> None:
        said = self.start(lesson, tmp_path, command, "n150")
        assert said.code == 4
        assert "found nothing: no plugin looks for hardware" in said.err

    @pytest.mark.parametrize(("name", "meant"), [("N150", "n150"), ("p30", "p300"), ("tk3", "t3k")])
    def test_no_such_hardware(
        self, lesson: Command, tmp_path: Path, command: str, name: str, meant: str
    ) -> None:
        said = self.start(lesson, tmp_path, command, name, BOARD)
        assert said.code == 2
        assert f"--hardware {name}: there is no such hardware" in said.err
        assert f"did you mean '{meant}'?" in said.err


@pytest.mark.parametrize(
    ("found", "backend", "reason"),
    [
        (BOARD, "auto", ""),
        (SIMULATOR, "auto", ""),
        (BOARD, "ttml", ""),
        (NONE, "auto", "there is none in this machine"),
        (MOCK, "auto", "a mock device does not count (a description)"),
        (MOCK_WITH_CHIPS, "auto", "a mock device does not count (a description)"),
        (BOARD, "emulated", "--backend emulated uses none"),
        (NONE, "emulated", "--backend emulated uses none"),
    ],
)
def test_where_steps_that_need_a_board_run(
    tmp_path: Path, found: Hardware, backend: str, reason: str
) -> None:
    record = run_lesson(TEXT, tmp_path, plugins=[having(found)], backend=backend)
    step = record["steps"][1]
    assert step["status"] == ("skipped" if reason else "passed")
    assert reason in step["message"]


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (BOARD, "reproduced"),
        (SIMULATOR, "not evaluated"),
        (MOCK_WITH_CHIPS, "not evaluated"),
        (NONE, "not evaluated"),
    ],
)
def test_claims_are_about_silicon(tmp_path: Path, found: Hardware, verdict: str) -> None:
    record = run_lesson(TEXT, tmp_path, plugins=[having(found)])
    (claim,) = record["steps"][0]["claims"]
    assert claim["result"] == verdict
    assert record["hardware"][0]["kind"] == found.kind


def test_the_profile_of_a_board_is_for_boards(tmp_path: Path) -> None:
    profiles = {
        "runner": {
            "defaultProfile": {"board": "full", "none": "quick"},
            "profiles": {"full": {"summary": "All."}, "quick": {"summary": "Little."}},
        }
    }
    text = lesson_text(LESSON.replace("-->", "uses: act\n-->"), **profiles)
    for found, backend, profile in [
        (BOARD, "auto", "full"),
        (SIMULATOR, "auto", "quick"),
        (SIMULATOR, "ttml", "quick"),
        (MOCK_WITH_CHIPS, "auto", "quick"),
        (BOARD, "emulated", "quick"),
    ]:
        plan = plan_lesson(text, tmp_path, plugins=[having(found)], backend=backend)
        assert plan.profile == profile, found
