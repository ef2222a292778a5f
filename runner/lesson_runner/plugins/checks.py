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
MAX_PRINTED = 1_000_000


def find_user_home() -> Path:
    """Return the user's home; ``/`` for a user without one, such as a bare user id in a container."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/")


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check."""

    status: FindingStatus
    """``ok``, ``warning``, ``failed``, or ``skipped`` if the check does not apply to this machine."""
    found: str
    """What was found, in one line; for ``skipped``, why."""
    expected: str = ""
    """What was expected instead; empty if nothing is wrong."""
    fix: str = ""
    """What the user should type or do; empty if nothing is wrong."""
    command: tuple[str, ...] = ()
    """The words of a command that does what ``fix`` says; ``lesson doctor --fix`` offers to run it. It must
    not delete anything of the user's, and must work without a shell. Empty if the user has to act."""
    facts: Json = field(default_factory=dict)
    """Facts for the record of a run, such as ``{"metal": {"version": "v0.73.0", "found_by": "…"}}``."""


@dataclass(frozen=True, slots=True)
class Completed:
    """The result of a program that a check ran."""

    exit_code: int
    """Negative: the signal that killed it. 124: it exceeded its time. 127: there is no such program."""
    output: str
    """What it wrote to standard output."""
    errors: str
    """What it wrote to standard error; if it did not end or start by itself, why."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine as checks see it; tests pass their own values."""

    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    """Environment variables; :meth:`run` passes them to programs."""
    home: Path = field(default_factory=find_user_home)
    """The user's home folder; ``/`` for a user without one."""
    hardware: tuple[Hardware, ...] = ()
    """What plugins detected."""
    lesson: Json = field(default_factory=dict)
    """The frontmatter of the lesson that will run; empty if no lesson was named."""
    python: str = sys.executable
    """The path of the Python interpreter."""
    python_version: tuple[int, int, int] = sys.version_info[:3]
    """Its major, minor and micro version."""
    backend: str = "auto"
    """The value of ``--backend``: ``auto``, ``ttml`` or ``emulated``."""
    workspace: Path = Path(".lesson")
    """The root of the workspace, which may not exist yet."""

    @property
    def has_board(self) -> bool:
        """True if there is hardware that a run can use."""
        return any(item.usable for item in self.hardware)

    @property
    def wants_board(self) -> bool:
        """True if a run would use a board: there is one, or ``--backend ttml`` was given."""
        return self.backend != "emulated" and (self.backend != "auto" or self.has_board)

    @property
    def why_no_board(self) -> str:
        """Why checks with ``board_only`` are skipped."""
        if self.backend == "emulated":
            return "not needed: --backend emulated"
        looked = ", ".join(item.detected_by for item in self.hardware)
        return f"no board ({looked or 'no plugin looks for one'})"

    def run(self, command: Sequence[str], timeout: float = 10) -> Completed:
        """
        Run a program for at most ``timeout`` seconds; never raises if it fails or does not exist.

        Of what it prints, the beginning and the end are kept, 1,000,000 bytes in all.
        """
        from lesson_runner.execute.child import capture  # here: every command imports this module

        try:
            done = capture(command, env=dict(self.environ), seconds=timeout, most=MAX_PRINTED)
        except OSError as error:
            return Completed(127, "", str(error))
        if done.exit_code is None:
            return Completed(124, "", f"no answer within {timeout:g} s")
        return Completed(done.exit_code, done.output, done.errors)


@dataclass(frozen=True, slots=True)
class Check:
    """
    A check of the machine, for ``lesson doctor`` and for actions.

    Attributes:
        id: a short, stable name, such as ``tt-metal-version``; unique among all plugins.
        title: its name in the table of results.
        why: what goes wrong for the learner if it fails.
        run: a function that returns the finding and changes nothing. If it raises, the check has failed.
        board_only: true if the check is skipped when no board will be used.
        asked_by: a key of the frontmatter: ``lesson doctor LESSON`` runs the check for each lesson with this
            key, whatever its steps do. Empty if there is no such key.
    """

    id: str
    title: str
    why: str
    run: Callable[[Machine], Finding]
    board_only: bool = False
    asked_by: str = ""


def run_check(check: Check, machine: Machine) -> Finding:
    """Run a check and return its finding; a check that raises has failed, and the others still run."""
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
    """Run the checks in order, and return each with its finding."""
    return [(check, run_check(check, machine)) for check in checks]


def finding_data(check: Check, finding: Finding) -> Json:
    """Return a check and its finding as plain data, for ``--json`` and evidence."""
    about = {"id": check.id, "title": check.title, "why": check.why}
    data = {**about, **dataclasses.asdict(finding), "command": list(finding.command)}
    return data if finding.facts else {name: value for name, value in data.items() if name != "facts"}


def checks_table(results: Iterable[tuple[Check, Finding]]) -> str:
    """Return the results as text: one line each, followed by reason and fix if something is wrong."""
    rows = list(results)
    width = max((len(check.title) for check, _ in rows), default=0)
    return "\n".join(line for check, finding in rows for line in finding_lines(check, finding, width))


def finding_lines(check: Check, finding: Finding, width: int = 0) -> Iterator[str]:
    """Yield the table's lines for one check; ``width`` is the width of the titles' column."""
    status = finding.status.upper() if finding.status == "failed" else finding.status
    yield f"{status:<8} {check.title:<{width}}  {finding.found}".rstrip()
    if finding.status in ("failed", "warning"):
        notes = {"expected": finding.expected, "why": check.why, "fix": finding.fix}
        yield from (f"{'':9}{name + ':':<9} {text}" for name, text in notes.items() if text)
