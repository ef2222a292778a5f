"""Find the run whose files and terminal a run continues, and where the files of a run are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from lesson_runner.model import LEFT_OUT, Plan, PlannedStep
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.action import Action
from lesson_runner.plugins.context import FILES
from lesson_runner.run import record
from lesson_runner.run.events import read_events
from lesson_runner.run.find import find_run, run_folders
from lesson_runner.run.options import RunOptions
from lesson_runner.run.selection import Selection, left_out, selected


def home_of(run: Path, stored: Mapping[str, Any]) -> Path:
    """
    Return the run folder with the files and the terminal of a run: its own, or that of the run it continued.

    Args:
        stored: the run's record, which may come from a stranger.
    """
    name = stored.get("continues")
    return run.with_name(name) if isinstance(name, str) and name == Path(name).name else run


def run_to_continue(plan: Plan, options: RunOptions, actions: Mapping[str, Action]) -> Path | None:
    """
    Return the run folder whose files and terminal a run of the plan continues; ``None`` for a new run.

    A run continues the one that ``--continue`` names. If it begins after the first step of the lesson, it
    continues the lesson's last run, in which the steps before were run.

    Args:
        actions: by name. If there is no earlier run, steps that use neither the terminal nor what the steps
            before make can run in a new one.

    Raises:
        LessonError: there is no such run, it has another profile, or its files are not there any more.
    """
    if options.continues is not None:
        return _named(options.continues, plan, options)
    if not _begins_later(plan, options.selection):
        return None
    for run, stored in _runs_of(plan.lesson.id, options.workspace.runs):
        home = home_of(run, stored)
        if place_of(stored) == options.place and has_files(home, options.place):
            _check_profile(run, stored, plan)
            return home
    if _stand_alone(selected(plan, options.selection), actions):
        return None
    choice = f"--from {options.selection.start}" if options.selection.start else "--only"
    where = f" in {options.place}" if options.place else ""
    raise LessonError(
        f"{choice} continues the last run of '{plan.lesson.id}'{where}, "
        f"and {options.workspace.runs} has none whose files are there",
        fix=f"run the lesson from its first step: lesson run {plan.lesson.path}",
    )


def runs_in(home: Path, lesson: str) -> list[Path]:
    """Return the runs of a lesson that worked in the files of a run folder, newest first."""
    return [run for run, stored in _runs_of(lesson, home.parent) if home_of(run, stored) == home]


def last_results(runs: Iterable[Path]) -> dict[str, str]:
    """
    Return how each step ended when it last ran in one of several runs: its status, by the step's id.

    A step that a selection left out did not run, and one that was killed ended with ``error``.
    """
    found: dict[str, tuple[str, str]] = {}
    for run in runs:
        with suppress(LessonError):
            for event in read_events(run):
                kind, status = event.get("event"), str(event.get("status"))
                if kind == "step-started":
                    status = "error"
                elif kind != "step-finished" or str(event.get("message")).startswith(LEFT_OUT):
                    continue
                name, result = str(event.get("step")), (str(event.get("time")), status)
                found[name] = max(found.get(name, result), result, key=lambda item: item[0])
    return {name: status for name, (_, status) in found.items()}


def _begins_later(plan: Plan, selection: Selection) -> bool:
    """Return whether a selection leaves out the first step that would run."""
    without = left_out(plan.steps, selection)
    first = next((step for step in plan.steps if not step.skip), None)
    return first is not None and first.id in without


def _stand_alone(steps: Sequence[PlannedStep], actions: Mapping[str, Action]) -> bool:
    """Return whether steps use neither the terminal nor anything that others make."""
    own = {step.id for step in steps}
    permissions = [actions[step.action].permissions for step in steps]
    typed = all(callable(needed) or "shell" not in needed for needed in permissions)
    return typed and all(own.issuperset(step.needs) for step in steps)


def _runs_of(lesson: str, runs: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield folder and record of the runs of a lesson, newest first; damaged ones are left out."""
    for run in reversed(run_folders(runs)):
        if lesson not in run.name:  # reading thousands of records would take long
            continue
        try:
            stored = record.read_any(run)
            if stored["lesson"]["id"] == lesson and isinstance(stored["options"], dict):
                yield run, stored
        except (LessonError, KeyError, TypeError):
            continue


def _named(name: str, plan: Plan, options: RunOptions) -> Path:
    """Return the home of the run that ``--continue`` names."""
    run = find_run(name, options.workspace.runs)
    if run.parent.resolve() != options.workspace.runs.resolve():
        raise LessonError(
            f"--continue {name}: the run is not in the workspace {options.workspace.root}",
            fix=f"name its workspace: --workspace {run.parent.parent}",
        )
    stored = record.read_any(run)
    about, place = stored.get("lesson"), place_of(stored)
    other = about.get("id") if isinstance(about, dict) else None
    if other != plan.lesson.id:
        raise LessonError(
            f"--continue {name}: {run.name} is a run of '{other}', not of '{plan.lesson.id}'",
            fix=f"name a run of '{plan.lesson.id}'; 'lesson runs' lists the runs",
        )
    if place != options.place:
        fix = f"add --in {place}" if place else "leave out --in"
        raise LessonError(f"--continue {name}: {run.name} worked in {place or 'its own folder'}", fix=fix)
    _check_profile(run, stored, plan)
    home = home_of(run, stored)
    if not has_files(home, options.place):
        raise LessonError(
            f"--continue {name}: the files of {home.name} are not there any more ({home / FILES})",
            fix=f"run the lesson from its first step: lesson run {plan.lesson.path}",
        )
    return home


def _check_profile(run: Path, stored: Mapping[str, Any], plan: Plan) -> None:
    """
    Check that a run has the profile of the plan: the record of a run names one profile for all its steps.

    Raises:
        LessonError: it has another one.
    """
    if (profile := stored.get("profile")) != plan.profile:
        raise LessonError(
            f"{run.name} ran with profile {profile}, and cannot be continued with profile {plan.profile}",
            fix=f"add --profile {profile}, or name another run with --continue RUN",
        )


def place_of(stored: Mapping[str, Any]) -> Path | None:
    """Return the folder of the user's that a run worked in, from its record."""
    options = stored.get("options")
    place = options.get("in") if isinstance(options, dict) else None
    return Path(place) if isinstance(place, str) else None


def has_files(home: Path, place: Path | None) -> bool:
    """
    Return whether a run's folder of files is there; a run received from elsewhere has none.

    Args:
        place: the folder of the user's that the run worked in, if it did.
    """
    if place is not None:
        return home.is_dir()
    return (home / FILES).is_dir() and not (home / FILES).is_symlink()
