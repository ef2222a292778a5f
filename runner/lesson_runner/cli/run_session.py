"""Run a prepared plan, and show a heading, the progress, a summary and the path of the record."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesson_runner.cli.common import make_console, stdout_to_stderr
from lesson_runner.cli.plan_summary import profile_lines, recognition_line, without_repetition

if TYPE_CHECKING:
    from rich.console import Console

    from lesson_runner.model import Plan
    from lesson_runner.plugins.context import Listener, RunContext
    from lesson_runner.plugins.manager import Plugins
    from lesson_runner.run.prepare import PreparedRun


def run_session(
    prepared: PreparedRun, *, json: bool = False, pause: bool = False
) -> tuple[dict[str, Any], Path]:
    """
    Run a prepared plan, show it, and return the record and the run folder.

    Args:
        json: show nothing.
        pause: wait for Enter after every step.

    Raises:
        LessonError: the workspace cannot be written, or another run uses the same files.
    """
    from lesson_runner.cli.pause import Pause
    from lesson_runner.plugins.context import DEFAULT_WORKSPACE
    from lesson_runner.report.live import LiveReporter
    from lesson_runner.report.summary import print_summary
    from lesson_runner.run.stored import without_secrets

    plan, plugins, carried = prepared.plan, prepared.plugins, prepared.carried
    context = prepared.open()
    folder = context.folder
    _interrupt_on_signals()
    if json:
        with stdout_to_stderr():
            return prepared.run(context), folder
    console = make_console()
    _print_heading(console, plan, plugins, context)
    if carried is not None:
        done = f"{len(carried.results)} of {len(plan.steps)} steps passed before"
        console.print(context.redactor.text(f"Resuming {folder.name}: {done}"))
    elif context.continues is not None:
        what = "the terminal" if prepared.options.place else "the files and the terminal"
        console.print(context.redactor.text(f"Continuing {what} of {context.continues.name}"))
    reporter = LiveReporter(console, without_repetition(plan), context.redactor)
    listeners: list[Listener] = [reporter, Pause(prepared.steps[-1].id)] if pause else [reporter]
    try:
        record = prepared.run(context, listeners)
    finally:
        reporter.close()
    shown = context.redactor.text
    sections = without_secrets(plugins.report_sections(record, folder), context.redactor)
    print_summary(console, record, sections)
    console.print(shown(f"Record: {folder / 'record.json'}"))
    console.print(shown(f"Texts, loss curves and output of every step: {folder / 'evidence'}"))
    if record["status"] != "passed":
        usual = prepared.options.workspace.root == DEFAULT_WORKSPACE.resolve()
        console.print(shown(f"To resume the run: lesson resume {folder.name if usual else folder}"))
    return record, folder


def _interrupt_on_signals() -> None:
    """Let SIGTERM, and closing the terminal, interrupt a run as Ctrl-C does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, signal.default_int_handler)


def _print_heading(console: Console, plan: Plan, plugins: Plugins, context: RunContext) -> None:
    from rich.text import Text

    from lesson_runner.report.text import line

    shown = context.redactor.text
    console.print(Text(line(shown(plan.lesson.title)), "bold"))
    profiles = plan.lesson.runner.get("profiles", {})
    summary = profiles.get(plan.profile, {}).get("summary", "")
    console.print(shown(f"Profile {plan.profile}{': ' if summary else ''}{summary}"))
    for text in [*profile_lines(plan, plugins.actions()), recognition_line(plan)]:
        if text:
            console.print(shown(text))
    console.print(shown(f"Steps: {len(plan.steps)}; they work in {context.workspace.files}"))
    for problem in plan.diagnostics:
        console.print(Text(line(problem), "yellow"))
    if plan.not_run:
        lines = [str(item.block.location.line) for item in plan.not_run]
        blocks = "the block at line" if len(lines) == 1 else "the blocks at lines"
        what = "Not covered" if plan.recognised else "Not run"
        text = f"{what}: {blocks} {', '.join(lines)}; 'lesson plan' says why"
        console.print(Text(text, "dim"))
