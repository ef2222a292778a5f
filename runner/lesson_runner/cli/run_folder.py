"""``lesson run DIR``: run all lessons of a folder, one after another."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesson_runner.cli.common import make_console, note, plan_to_run, print_json, stdout_to_stderr
from lesson_runner.cli.output import say
from lesson_runner.model.errors import ExitCode, InvalidLessonError, LessonError

if TYPE_CHECKING:
    from lesson_runner.model import Lesson, Plan
    from lesson_runner.plugins.manager import Plugins
    from lesson_runner.run.consent import Consent
    from lesson_runner.run.options import RunOptions

NO_STEPS, NOT_REACHED, ERROR = "no-steps", "not-reached", "error"
"""The status of a lesson without steps, of one after an interruption, and of one that cannot run."""


@dataclass(slots=True)
class _Entry:
    """One lesson of the folder, and how its run ended."""

    path: Path
    lesson: Lesson | None = None
    plan: Plan | None = None
    installed: bool = False
    error: LessonError | None = None
    consent: Consent | None = None
    record: Mapping[str, Any] | None = None
    folder: Path | None = None
    status: str = NOT_REACHED
    steps: Mapping[str, int] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.lesson.id if self.lesson else self.path.stem

    def fail(self, error: LessonError) -> None:
        self.error, self.status = error, ERROR

    def end(self, record: Mapping[str, Any], folder: Path) -> None:
        self.record, self.folder, self.status = record, folder, record["status"]
        self.steps = Counter(step["status"] for step in record["steps"])


def lesson_folder(name: str, plugins: Plugins) -> Path | None:
    """Return the path if a name is that of a folder, and not the id of a lesson; else ``None``."""
    import os

    from lesson_runner.plugins.catalog import lessons

    is_folder = os.path.isdir(name)  # noqa: PTH112  # Path.is_dir() raises for a name that is too long
    return Path(name) if is_folder and all(entry.id != name for entry in lessons(plugins)) else None


def refuse_for_folder(folder: Path, options: Mapping[str, object]) -> None:
    """
    Refuse options that belong to one lesson.

    Raises:
        LessonError: one of them was given.
    """
    for name, value in options.items():
        if value:
            raise LessonError(
                f"{name} is for one lesson, and {folder} is a folder",
                fix=f"leave out {name}, or name one of the files in it; 'lesson survey' lists them",
            )


def run_folder(
    name: str, plugins: Plugins, options: RunOptions, overlay: Path | None = None, *, json: bool = False
) -> int:
    """
    Run the lessons of a folder, show a summary, and return the exit code.

    Each lesson has a run of its own. A lesson that fails, or that has errors, does not keep the others from
    running; Ctrl-C does.

    Args:
        overlay: the folder of the lessons' sidecars; ``None``: their own folders.
        json: print only the summary, as JSON.

    Raises:
        LessonError: there is no lesson in the folder, or a permission was not granted.
    """
    with stdout_to_stderr():  # what a plugin prints is not part of the output
        entries = _ordered(_planned(name, plugins, options, overlay))
    _get_consent(entries, plugins, options)
    for entry in entries:
        if entry.error is not None:
            _report(entry)
    runnable = [entry for entry in entries if entry.consent is not None]
    try:
        for number, entry in enumerate(runnable, 1):
            if not json:
                say("", f"Lesson {number} of {len(runnable)}: {entry.path}")
            _run(entry, plugins, options, json=json)
            if entry.status == "interrupted":
                break
    except KeyboardInterrupt:  # between two steps, or while a record was being written
        next(entry for entry in runnable if entry.status == NOT_REACHED).status = "interrupted"
    if json:
        print_json(list(map(_described, entries)))
    else:
        _print_summary(entries)
    return _exit_code(entry.status for entry in entries)


def _planned(name: str, plugins: Plugins, options: RunOptions, overlay: Path | None) -> Iterator[_Entry]:
    """Yield the lessons of a folder, each with its plan or the error that prevents one."""
    from lesson_runner.document.lessons import load_lesson
    from lesson_runner.files.plain import real
    from lesson_runner.plugins.catalog import lessons
    from lesson_runner.validate.check import all_rules
    from lesson_runner.validate.paths import documents
    from lesson_runner.validate.settings import find_settings

    installed = {real(item.path) for item in lessons(plugins)}
    for path in documents([name], plugins, find_settings(None, all_rules(plugins))):
        entry = _Entry(path, installed=overlay is None and real(path) in installed)
        try:
            entry.lesson, problems = load_lesson(path, overlay)
            entry.plan = plan_to_run(entry.lesson, problems, plugins, options)
        except LessonError as error:
            entry.fail(error)
        yield entry


def _ordered(found: Iterable[_Entry]) -> list[_Entry]:
    """Return the lessons in the order of their links; those that cannot be read come last."""
    from lesson_runner.document.lesson_order import order_by_links

    entries = list(found)
    known = {id(entry.lesson): entry for entry in entries if entry.lesson is not None}
    order = order_by_links([entry.lesson for entry in entries if entry.lesson is not None])
    for said in order.ignored:
        note(
            f"note: {said.place}: '{said.first}' before '{said.then}' is ignored: the lessons' links go round"
            " in a circle"
        )
    return [*(known[id(lesson)] for lesson in order.lessons), *(item for item in entries if not item.lesson)]


def _get_consent(entries: Sequence[_Entry], plugins: Plugins, options: RunOptions) -> None:
    """
    Ask one question for the permissions of all lessons with steps.

    Raises:
        LessonError: a permission was not granted.
    """
    from lesson_runner.run.consent import ask_once
    from lesson_runner.run.prepare import consent_to

    for entry in entries:
        if entry.plan is None:
            continue
        if not entry.plan.steps:
            entry.status = NO_STEPS
            continue
        try:
            entry.consent = consent_to(entry.plan, plugins, options, installed=entry.installed)
        except LessonError as error:
            entry.fail(error)
    if missing := [entry.consent for entry in entries if entry.consent and entry.consent.missing]:
        ask_once(missing, options)


def _run(entry: _Entry, plugins: Plugins, options: RunOptions, *, json: bool) -> None:
    from lesson_runner.cli.run_session import run_session
    from lesson_runner.run.prepare import prepare_run

    assert entry.plan is not None
    assert entry.consent is not None
    allowed = options.allowed.union(entry.consent.missing)
    own = dataclasses.replace(options, allowed=allowed)
    try:
        entry.end(*run_session(prepare_run(entry.plan, plugins, own, installed=entry.installed), json=json))
    except LessonError as error:
        entry.fail(error)
        _report(entry)


def _report(entry: _Entry) -> None:
    """Print why a lesson cannot run."""
    from lesson_runner.cli.failures import report_error

    assert entry.error is not None
    note(f"{entry.path} cannot run:")
    report_error(entry.error)


def _exit_code(statuses: Iterable[str]) -> int:
    found = set(statuses)
    if "interrupted" in found:
        return ExitCode.INTERRUPTED
    if found & {"failed", ERROR}:
        return ExitCode.FAILED
    return ExitCode.GOOD if "passed" in found else ExitCode.HARDWARE


def _described(entry: _Entry) -> dict[str, Any]:
    """Return how the run of a lesson ended, as data."""
    from lesson_runner.execute.environment import redactor_for

    record, folder = entry.record, entry.folder
    return {
        "lesson": entry.id,
        "path": str(entry.path),
        "status": entry.status,
        "steps": dict(entry.steps),
        "seconds": record["seconds"] if record else None,
        "run_id": record["run_id"] if record else None,
        "record": str(folder / "record.json") if folder else None,
        "error": redactor_for().text(_first_line(entry.error)) if entry.error else None,
    }


def _first_line(error: LessonError) -> str:
    from lesson_runner.model import first_error

    if isinstance(error, InvalidLessonError) and (first := first_error(error.diagnostics)):
        return str(first)
    return str(error)


def _print_summary(entries: Sequence[_Entry]) -> None:
    from rich.text import Text

    from lesson_runner.report.live import SIGNS
    from lesson_runner.report.tables import PlainTable
    from lesson_runner.report.text import duration, line

    console = make_console()
    numbers = ("passed", "failed", "skipped", "time")
    table = PlainTable("lesson", "status", *numbers, "run", right=numbers)
    for entry in entries:
        sign, style = SIGNS.get(entry.status, ("-", "yellow"))
        failed = entry.steps.get("failed", 0) + entry.steps.get("error", 0)
        counts = (entry.steps.get("passed", 0), failed, entry.steps.get("skipped", 0))
        table.add(
            line(entry.id),
            Text(f"{sign} {entry.status}", style),
            *(str(count) if entry.record else "" for count in counts),
            duration(entry.record["seconds"]) if entry.record else "",
            entry.record["run_id"] if entry.record else "",
        )
    console.print()
    console.print(table)
    counted = Counter(entry.status for entry in entries)
    console.print(Text(", ".join(f"{count} {status}" for status, count in counted.items()), "bold"))
    if folder := next((entry.folder for entry in entries if entry.folder), None):
        console.print(line(f"Records: {folder.parent}; a page on one: lesson report RUN -o report.html"))
