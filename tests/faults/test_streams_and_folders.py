"""Standard streams that the caller has closed, and a current folder that is gone: never our bug."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.faults.running import Ran, events_of, only_run, record_of, shell, told
from tests.reliability import fault

from lesson_runner.testing import lesson_text

Command = Callable[..., Ran]
AREA = "surroundings"
TWO = [pytest.param(closed, marks=pytest.mark.slow) for closed in ("<&- >&-", "<&- 2>&-", ">&- 2>&-")]
CLOSED = ["<&-", ">&-", "2>&-", *TWO, "<&- >&- 2>&-"]


@pytest.mark.slow
@fault(
    AREA,
    "standard input, output or error is closed",
    how="`<&-`, `>&-`, `2>&-`, and any combination of them",
    seen="everything that goes to the other streams; the run's exit code does not change",
    survives="the run, its record and events: no other output ends up in them",
)
@pytest.mark.parametrize("closed", CLOSED)
def test_closed_streams(command: Command, tmp_path: Path, closed: str) -> None:
    (tmp_path / "a.md").write_text(
        lesson_text(shell("one", "echo said; echo noise >&2; cat; ls /nowhere || :"))
    )
    before = ["sh", "-c", f'exec "$@" {closed}', "sh"]
    assert command("run", "a.md", "--allow", "shell", before=before).code == 0
    folder = only_run(tmp_path / ".lesson")
    assert told(record_of(folder)) == {"one": "passed"}
    assert events_of(folder)[-1]["event"] == "run-finished"
    assert command("plan", "a.md", before=before).code == 0


IN_NOWHERE = [
    ["validate"],
    ["validate", "{}/a.md"],
    ["run", "{}/a.md", "--allow", "shell"],
    ["plan", "{}/a.md"],
    ["resume"],
    ["runs"],
    ["report"],
    ["matrix"],
    ["cert", "status"],
    ["certify", "{}/a.md"],
    ["new", "lesson", "x"],
    ["doctor"],
    ["list"],
    ["--help"],
]


@pytest.mark.slow
@fault(
    AREA,
    "the current folder was removed",
    how="`rmdir` of the current folder, then each command",
    seen="a message that it was removed and that you should cd to another, exit code 2; or the"
    " normal output, if the command does not need the folder",
    survives="everything: nothing is started",
)
@pytest.mark.parametrize("arguments", IN_NOWHERE, ids=" ".join)
def test_a_current_folder_that_is_gone(command: Command, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "a.md").write_text(lesson_text(shell("one", "true")))
    before = ["sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', "sh"]
    said = command(*(word.format(tmp_path) for word in arguments), before=before)
    assert said.code in (0, 1, 2)
    if said.code == 2:
        assert said.err.startswith("error: ")
        assert "\nfix: " in said.err
    if arguments[0] in ("run", "resume", "validate"):
        assert (
            said.err
            == "error: the current folder was removed or cannot be entered\nfix: cd to another folder\n"
        )
