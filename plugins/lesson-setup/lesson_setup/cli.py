"""``lesson setup hardware``, ``check`` and ``report``: what the lesson's steps do, typed by hand."""

from __future__ import annotations

import dataclasses
import difflib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lesson_runner.commands import say, say_json
from lesson_runner.errors import ExitCode, LessonError

if TYPE_CHECKING:
    from lesson_runner.plugin import Check, Finding, Machine

BACKENDS = ("auto", "ttml", "emulated")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program, and nothing else.")]
Backend = Annotated[str, typer.Option(help="What lessons would run on: auto, ttml or emulated.")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Checks to run; all if left out.")]
Gigabytes = Annotated[float | None, typer.Option(min=0, help="How much is wanted, in GB.")]
Metal = Annotated[str | None, typer.Option(help="The oldest tt-metal that will do, such as v0.67.0.")]


setup = typer.Typer(help="Look at this machine: its hardware, and whether it is ready.", no_args_is_help=True)


@setup.command("hardware")
def hardware(as_json: AsJson = False) -> None:
    """Show the boards of this machine, and how they were found."""
    from lesson_setup import machine
    from lesson_setup.hardware import take_inventory
    from lesson_tenstorrent.hardware.detect import detect

    inventory = take_inventory(machine.PLACES, [detect(machine.PLACES)])
    _print(inventory.data, inventory.lines, as_json)


@setup.command("check")
def check(
    ids: Ids = None,
    backend: Backend = "auto",
    disk_gb: Gigabytes = None,
    memory_gb: Gigabytes = None,
    metal: Metal = None,
    as_json: AsJson = False,
) -> None:
    """Check Python, packages, disk, memory, and on a board the driver, tt-metal and ttnn."""
    from lesson_runner.checks import checks_table, finding_data

    _, results = _look(backend, metal, ids or (), disk_gb, memory_gb)
    data = [finding_data(check, found) for check, found in results]
    _print(data, checks_table(results).split("\n"), as_json)
    if any(finding.status == "failed" for _, finding in results):
        raise typer.Exit(ExitCode.FAILED)


@setup.command("report")
def report(backend: Backend = "auto", metal: Metal = None, as_json: AsJson = False) -> None:
    """Say in plain words what this machine can do."""
    from lesson_setup.summary import summarise

    here, results = _look(backend, metal)
    summary = summarise(here, here.hardware, results, [])
    _print(dataclasses.asdict(summary), summary.lines, as_json)
    if not summary.ready:
        raise typer.Exit(ExitCode.FAILED)


def _look(
    backend: str,
    metal: str | None,
    ids: Sequence[str] = (),
    disk_gb: float | None = None,
    memory_gb: float | None = None,
) -> tuple[Machine, list[tuple[Check, Finding]]]:
    from lesson_runner.checks import run_checks
    from lesson_setup import machine
    from lesson_setup.checks.system import MEMORY_GB
    from lesson_setup.checks.table import IDS, all_checks
    from lesson_tenstorrent.hardware.detect import detect
    from lesson_tenstorrent.metal import parse_version

    for name in ids:
        if name not in IDS:
            near = difflib.get_close_matches(name, IDS, n=1)
            raise LessonError(f"{name}: there is no such check", fix=f"one of: {', '.join(near or IDS)}")
    if backend not in BACKENDS:
        raise LessonError(f"--backend {backend}: expected auto, ttml or emulated")
    if metal and parse_version(metal) is None:
        raise LessonError(f"--metal {metal}: not a version", fix="write it as tt-metal's tags do: v0.67.0")
    workspace = Path(os.environ.get("LESSON_WORKSPACE") or ".lesson")
    here = machine.this_machine(backend, workspace, [detect(machine.PLACES)], metal)
    checks = all_checks(machine.PLACES, memory_gb or MEMORY_GB, disk_gb)
    return here, run_checks([item for item in checks if not ids or item.id in ids], here)


def _print(data: Any, lines: Sequence[str], as_json: bool) -> None:
    if as_json:
        say_json(data)
    else:
        say(*lines)
