"""Decide from all findings whether this machine can run lessons, on its board or emulated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from lesson_runner.plugins import Check, Event, Finding, Hardware, Machine, RunContext
from lesson_tenstorrent.system import check_packages

STATE = "setup"
"""The key of ``RunContext.store`` for what a run has found."""


@dataclass(slots=True)
class RunState:
    """What a run has found so far."""

    findings: dict[str, tuple[Check, Finding]]
    """By the check's id."""
    failures: list[str]
    """Failed steps of the lesson other than this plugin's."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What this machine can do."""

    ready: bool
    runs_on: str
    """``board`` or ``emulation``: what a run would use here."""
    lines: tuple[str, ...]


def state_of(context: RunContext) -> RunState:
    """Return what this run has found so far."""
    found = context.store.setdefault(STATE, RunState({}, []))
    assert isinstance(found, RunState)
    return found


def remember_failure(event: Event, context: RunContext) -> None:
    """Remember a failed step; the findings of this plugin's own steps are kept in more detail."""
    data = event.data
    if not str(data["action"]).startswith("setup.") and not data["optional"]:
        state_of(context).failures.append(f"{data['title']}: {data['message']}")


def summarise(
    machine: Machine,
    hardware: Sequence[Hardware],
    results: Iterable[tuple[Check, Finding]],
    failures: Sequence[str],
) -> Summary:
    """Return what a machine can do; ``failures`` are those of the lesson's other steps."""
    pairs = list(results)
    count = sum(item.devices for item in hardware)
    board = count > 0 and machine.backend != "emulated"
    wrong = [(check, finding) for check, finding in pairs if finding.status == "failed"]
    doubtful = [(check, finding) for check, finding in pairs if finding.status == "warning"]
    ready = not wrong and not failures
    devices = f"{count} device{'s' if count != 1 else ''}"
    if ready and board:
        lines = [f"Ready: this machine runs lessons on its board ({devices})."]
    elif ready:
        reason = "as --backend emulated asks" if count else "it has no board"
        lines = [f"Ready: this machine runs lessons emulated ({reason}). Every result will say so."]
    else:
        problems = len(wrong) + len(failures)
        lines = [f"Not ready: {problems} problem{'s' if problems != 1 else ''} to fix."]
    lines += [_line(check, finding) for check, finding in wrong]
    lines += [f"  - {failure}" for failure in failures]
    if doubtful:
        lines += ["Worth knowing:", *(_line(check, finding) for check, finding in doubtful)]
    if board and not ready and _can_emulate(machine):
        lines.append("Until then, --backend emulated runs lessons without the board.")
    return Summary(ready, "board" if board else "emulation", tuple(lines))


def _line(check: Check, finding: Finding) -> str:
    return f"  - {check.title}: {finding.found}" + (f"  ->  {finding.fix}" if finding.fix else "")


def _can_emulate(machine: Machine) -> bool:
    """Return whether the packages of the emulation are installed, although a board does not need them."""
    return check_packages(replace(machine, backend="emulated")).status != "failed"
