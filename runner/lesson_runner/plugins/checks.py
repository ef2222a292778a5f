"""
Checks of a machine as data: a check is a function from a :class:`Machine` to a :class:`Finding`.

Plugins return theirs from ``lesson_checks``; ``lesson doctor`` and the steps of lessons run them.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from lesson_runner.model import Hardware, Json, check_fields

FindingStatus = Literal["ok", "warning", "failed", "skipped"]
MOST_PRINTED = 1_000_000


def find_user_home() -> Path:
    """Return the user's home; the root folder for one that has none, such as a number in a container."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found."""

    status: FindingStatus
    found: str
    expected: str = ""
    fix: str = ""
    """What to type or do; empty where nothing is wrong."""
    command: tuple[str, ...] = ()
    """The words of a command that does what ``fix`` says, for ``lesson doctor --fix``. Only one that loses
    nothing of the user's, and that needs no shell; empty where a person has to do it."""
    facts: Json = field(default_factory=dict)
    """What a run is to remember of it, such as ``{"metal": {"version": "v0.73.0", "found_by": "…"}}``."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A process that ended, or did not."""

    exit_code: int
    """Negative: the signal that killed it. 124: it ran past its time. 127: there is no such program."""
    output: str
    errors: str


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine as checks see it; tests replace its parts."""

    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    home: Path = field(default_factory=find_user_home)
    hardware: tuple[Hardware, ...] = ()
    """What the plugins found in it."""
    lesson: Json = field(default_factory=dict)
    """The frontmatter of the lesson that is to run; empty where it is about no lesson."""
    python: str = sys.executable
    python_version: tuple[int, int, int] = sys.version_info[:3]
    backend: str = "auto"
    """``auto``, ``ttml`` or ``emulated``: what the user asked for."""
    workspace: Path = Path(".lesson")

    @property
    def has_board(self) -> bool:
        """True if there is hardware that a run can use."""
        return any(item.usable for item in self.hardware)

    @property
    def wants_board(self) -> bool:
        """True if a run would use a board: there is one, or the user asks for the library that needs one."""
        return self.backend != "emulated" and (self.backend != "auto" or self.has_board)

    @property
    def why_no_board(self) -> str:
        """Why checks that only a board needs are skipped."""
        if self.backend == "emulated":
            return "not needed: --backend emulated"
        looked = ", ".join(item.detected_by for item in self.hardware)
        return f"no board ({looked or 'no plugin looks for one'})"

    def run(self, command: Sequence[str], timeout: float = 10) -> Completed:
        """
        Run a program, and never raise for what it does; ``timeout`` is in seconds.

        Of what it prints, :data:`MOST_PRINTED` bytes are kept, the beginning and the end.
        """
        from lesson_runner.execute.child import capture  # here: every command imports this module

        try:
            done = capture(command, env=dict(self.environ), seconds=timeout, most=MOST_PRINTED)
        except OSError as error:
            return Completed(127, "", str(error))
        if done.exit_code is None:
            return Completed(124, "", f"no answer within {timeout:g} s")
        return Completed(done.exit_code, done.output, done.errors)


@dataclass(frozen=True, slots=True)
class Check:
    """
    One thing to look at.

    Attributes:
        id: short and stable, such as ``tt-metal-version``.
        title: what a table calls it.
        why: what goes wrong for the learner if it fails.
        run: looks, and changes nothing.
        board_only: skipped where no board will be used.
        asked_by: a key of a lesson's frontmatter; ``lesson doctor LESSON`` makes the check for every lesson
            that has it, whatever its steps run.
    """

    id: str
    title: str
    why: str
    run: Callable[[Machine], Finding]
    board_only: bool = False
    asked_by: str = ""


def run_check(check: Check, machine: Machine) -> Finding:
    """Return what a check finds; one that raises has failed, and is not the end of the others."""
    if check.board_only and not machine.wants_board:
        return Finding("skipped", machine.why_no_board)
    try:
        finding = check.run(machine)
        if not isinstance(finding, Finding) or finding.status not in get_args(FindingStatus):
            raise TypeError(f"{finding!r} is not a Finding")
        if problem := check_fields(finding):
            raise TypeError(problem)
        return finding
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # it may even call sys.exit()
        return Finding("failed", f"the check itself failed: {error!r}", fix="report this")


def run_checks(checks: Iterable[Check], machine: Machine) -> list[tuple[Check, Finding]]:
    """Run the checks in order."""
    return [(check, run_check(check, machine)) for check in checks]


def finding_data(check: Check, finding: Finding) -> Json:
    """Return a check and what it found as plain data, for programs and as evidence."""
    about = {"id": check.id, "title": check.title, "why": check.why}
    data = {**about, **dataclasses.asdict(finding), "command": list(finding.command)}
    return data if finding.facts else {name: value for name, value in data.items() if name != "facts"}


def checks_table(results: Iterable[tuple[Check, Finding]]) -> str:
    """Return the results as text: one line each, and below what is wrong its reason and its fix."""
    rows = list(results)
    width = max((len(check.title) for check, _ in rows), default=0)
    return "\n".join(line for check, finding in rows for line in finding_lines(check, finding, width))


def finding_lines(check: Check, finding: Finding, width: int = 0) -> Iterator[str]:
    """Yield the lines of a table for one check, whose title takes ``width`` columns."""
    status = finding.status.upper() if finding.status == "failed" else finding.status
    yield f"{status:<8} {check.title:<{width}}  {finding.found}".rstrip()
    if finding.status in ("failed", "warning"):
        notes = {"expected": finding.expected, "why": check.why, "fix": finding.fix}
        yield from (f"{'':9}{name + ':':<9} {text}" for name, text in notes.items() if text)
