"""Environment checks as data: a check is a function from a :class:`Machine` to a :class:`Finding`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lesson_tenstorrent.devices import DEVICES, count_devices, describe_devices

FindingStatus = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found."""

    status: FindingStatus
    found: str
    expected: str = ""
    fix: str = ""
    """What to type or do; empty where nothing is wrong."""


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
    home: Path = field(default_factory=Path.home)
    devices: Path = DEVICES
    python: str = sys.executable
    python_version: tuple[int, int, int] = sys.version_info[:3]
    backend: str = "auto"
    """``auto``, ``ttml`` or ``emulated``: what the user asked for."""
    workspace: Path = Path(".lesson")
    disk_gb: float | None = None
    """Free space wanted, in units of 10^9 bytes; ``None`` leaves it to the check."""

    @property
    def wants_board(self) -> bool:
        """True if what will run is the real thing: a board is there, or the user insists."""
        return self.backend == "ttml" or (self.backend == "auto" and count_devices(self.devices) > 0)

    @property
    def why_no_board(self) -> str:
        """Why checks that only a board needs are skipped."""
        if self.backend == "emulated":
            return "not needed: --backend emulated"
        return f"no board ({describe_devices(self.devices)})"

    def run(self, command: Sequence[str], timeout: float = 10) -> Completed:
        """Run a program, and never raise for what it does; ``timeout`` is in seconds."""
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                check=False,
                encoding="utf-8",
                env=dict(self.environ),
                errors="replace",
                stdin=subprocess.DEVNULL,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            return Completed(124, "", f"no answer within {timeout:g} s")
        except OSError as error:
            return Completed(127, "", str(error))
        return Completed(done.returncode, done.stdout, done.stderr)


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
    """

    id: str
    title: str
    why: str
    run: Callable[[Machine], Finding]
    board_only: bool = False


def run_checks(checks: Iterable[Check], machine: Machine) -> list[tuple[Check, Finding]]:
    """Run the checks in order; one that raises is a failed finding, not the end of the others."""
    results = []
    for check in checks:
        if check.board_only and not machine.wants_board:
            finding = Finding("skipped", machine.why_no_board)
        else:
            try:
                finding = check.run(machine)
            except Exception as error:
                finding = Finding("failed", f"the check itself failed: {error!r}", fix="report this")
        results.append((check, finding))
    return results


def table(results: Iterable[tuple[Check, Finding]]) -> str:
    """Return the results as text: one line each, and below what is wrong its reason and its fix."""
    rows = list(results)
    width = max((len(check.title) for check, _ in rows), default=0)
    lines = []
    for check, finding in rows:
        status = finding.status.upper() if finding.status == "failed" else finding.status
        lines.append(f"{status:<8} {check.title:<{width}}  {finding.found}".rstrip())
        if finding.status in ("failed", "warning"):
            notes = {"expected": finding.expected, "why": check.why, "fix": finding.fix}
            lines += [f"{'':9}{name + ':':<9} {text}" for name, text in notes.items() if text]
    return "\n".join(lines)
