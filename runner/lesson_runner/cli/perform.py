"""Running a plan for a person or a program: heading, what happens, closing table, record."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesson_runner.cli.common import ask, make_console, stdout_for_json
from lesson_runner.cli.guard import Guard
from lesson_runner.cli.heading import profile_lines, recognition_line, without_repetition

if TYPE_CHECKING:
    from rich.console import Console

    from lesson_runner.context import Listener, RunContext, Workspace
    from lesson_runner.model import Hardware, Plan
    from lesson_runner.plugins import Plugins
    from lesson_runner.run.params import Param
    from lesson_runner.run.resume import Carried
    from lesson_runner.run.selection import Selection


@dataclass(frozen=True, slots=True)
class Way:
    """How a plan is run."""

    backend: str
    hardware: tuple[Hardware, ...]
    place: Workspace
    fresh: bool = False
    interactive: bool = False
    """A person is at the terminal and can answer."""
    json: bool = False
    """Nothing is shown."""
    pause: bool = False
    """Wait for Enter after every step."""
    guard: Guard = field(default_factory=Guard)


def perform(
    plan: Plan,
    plugins: Plugins,
    way: Way,
    selection: Selection,
    params: Sequence[Param],
    folder: Path | None = None,
    carried: Carried | None = None,
) -> tuple[dict[str, Any], Path]:
    """
    Run a plan, show it, and return the record and the run's folder.

    Args:
        folder: that of a run to go on with; a new one if left out.
        carried: what that run has done.

    Raises:
        LessonError: the workspace cannot be written, or another run uses it.
    """
    from lesson_runner.cli.pause import Pause
    from lesson_runner.context import DEFAULT_WORKSPACE, RunContext, Workspace
    from lesson_runner.execute.environment import redactor_for
    from lesson_runner.report.live import LiveReporter
    from lesson_runner.report.summary import print_summary
    from lesson_runner.run.runner import new_run_folder, run_plan
    from lesson_runner.run.selection import selected
    from lesson_runner.run.stored import without_secrets

    steps = selected(plan, selection)
    folder = folder or new_run_folder(way.place.runs, plan.lesson.id)
    context = RunContext(
        plan.lesson,
        plan.profile,
        way.backend,
        Workspace(folder) if way.fresh else way.place,
        folder,
        way.hardware,
        way.fresh,
        way.interactive,
        ask=ask if way.interactive else None,
        resumed=carried is not None,
        passed=way.guard.passed,
        sandbox=way.guard.sandbox,
        redactor=redactor_for(passed=way.guard.passed),
        granted=way.guard.granted,
    )
    _end_with_a_record()
    if way.json:
        with stdout_for_json():
            record = run_plan(plan, context, plugins, selection=selection, params=params, carried=carried)
        return record, folder
    console = make_console()
    _print_heading(console, plan, plugins, context)
    if carried is not None:
        done = f"{len(carried.results)} of {len(plan.steps)} steps had passed"
        console.print(context.redactor.text(f"Going on with {folder.name}: {done}"))
    reporter = LiveReporter(console, without_repetition(plan), context.redactor)
    listeners: list[Listener] = [reporter, Pause(steps[-1].id)] if way.pause else [reporter]
    try:
        record = run_plan(
            plan,
            context,
            plugins,
            listeners=listeners,
            selection=selection,
            params=params,
            carried=carried,
        )
    finally:
        reporter.close()
    shown = context.redactor.text
    sections = without_secrets(plugins.report_sections(record, folder), context.redactor)
    print_summary(console, record, sections)
    console.print(shown(f"Record: {folder / 'record.json'}"))
    console.print(shown(f"Texts, loss curves and output of every step: {folder / 'evidence'}"))
    if record["status"] != "passed":
        usual = way.place.root == DEFAULT_WORKSPACE.resolve()
        console.print(shown(f"To go on with it: lesson resume {folder.name if usual else folder}"))
    return record, folder


def _end_with_a_record() -> None:
    """Let what ends a process from outside, and closing the terminal, end a run as Ctrl-C does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup has it ignored
            signal.signal(number, signal.default_int_handler)


def _print_heading(console: Console, plan: Plan, plugins: Plugins, context: RunContext) -> None:
    from rich.text import Text

    from lesson_runner.report.text import line

    shown = context.redactor.text
    console.print(Text(line(shown(plan.lesson.title)), "bold"))
    profiles = plan.lesson.runner.get("profiles", {})
    summary = profiles.get(plan.profile, {}).get("summary", "")
    console.print(shown(f"Profile {plan.profile}{': ' if summary else ''}{summary}"))
    for said in [*profile_lines(plan, plugins.actions()), recognition_line(plan)]:
        if said:
            console.print(shown(said))
    place = context.folder.parent.parent
    console.print(shown(f"Steps: {len(plan.steps)}; everything is written below {place}"))
    for problem in plan.diagnostics:
        console.print(Text(line(problem), "yellow"))
    if plan.not_run:
        lines = [str(item.block.location.line) for item in plan.not_run]
        blocks = "the block at line" if len(lines) == 1 else "the blocks at lines"
        what = "Not covered" if plan.recognised else "Not run"
        text = f"{what}: {blocks} {', '.join(lines)}; 'lesson plan' says why"
        console.print(Text(text, "dim"))
