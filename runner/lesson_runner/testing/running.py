"""Run, plan or check a lesson in a test."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

from lesson_runner.document.lessons import load_lesson
from lesson_runner.model import Diagnostic, Hardware, Lesson, Plan
from lesson_runner.plugins.context import Workspace
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run.events import Listener
from lesson_runner.run.options import RunOptions, check_place
from lesson_runner.run.params import parse_param
from lesson_runner.run.prepare import plan_run, prepare_run
from lesson_runner.run.selection import Selection
from lesson_runner.testing.loading import load_plugins


def lesson_text(body: str, **frontmatter: Any) -> str:
    """Return a complete lesson: ``body`` below a valid frontmatter, with the given keys changed."""
    front = {
        "id": "sample",
        "title": "Sample",
        "description": "A lesson for a test.",
        "category": "tests",
        "tags": ["test"],
        "supportedHardware": ["simulator"],
        **frontmatter,
    }
    # JSON is YAML, so any value can be written this way.
    rows = "".join(f"{key}: {json.dumps(value)}\n" for key, value in front.items())
    return f"---\n{rows}---\n\n{dedent(body).strip()}\n"


def check_lesson(lesson: Path | str, folder: Path) -> tuple[Lesson, list[Diagnostic]]:
    """Return a lesson and the diagnostics of the document itself; :func:`plan_lesson` checks its steps."""
    return load_lesson(_path(lesson, folder))


def plan_lesson(
    lesson: Path | str,
    folder: Path,
    *,
    plugins: Iterable[object] | Plugins = (),
    profile: str | None = None,
    params: Iterable[str] = (),
    backend: str = "auto",
    hardware: Sequence[Hardware] | None = None,
) -> Plan:
    """
    Return what a run of ``lesson`` would do.

    Args:
        lesson: a lesson's path, or its text.
        folder: the folder in which a lesson given as text is saved.
        plugins: modules of plugins, or the result of :func:`~lesson_runner.testing.load_plugins`.
        profile: a profile of the lesson. Default: the lesson's own default.
        params: as for ``--param``: ``NAME=VALUE`` or ``STEP.NAME=VALUE``.
        backend: as for ``--backend``.
        hardware: the machine's hardware. Default: what the plugins find.

    Raises:
        InvalidLessonError: the lesson has errors.
        LessonError: there is no such profile or parameter.
    """
    loaded = _loaded(plugins)
    document, problems = check_lesson(lesson, folder)
    options = RunOptions(
        hardware=_hardware(hardware, loaded),
        profile=profile,
        backend=backend,
        params=tuple(map(parse_param, params)),
    )
    return plan_run(document, problems, loaded, options)


def run_lesson(
    lesson: Path | str,
    folder: Path,
    *,
    plugins: Iterable[object] | Plugins = (),
    profile: str | None = None,
    params: Sequence[str] = (),
    backend: str = "auto",
    start: str | None = None,
    until: str | None = None,
    only: Sequence[str] = (),
    hardware: Sequence[Hardware] | None = None,
    listeners: Sequence[Listener] = (),
    place: Path | None = None,
    fresh: bool = False,
) -> dict[str, Any]:
    """
    Run ``lesson`` in the workspace ``folder/.lesson`` and return its record.

    Args:
        lesson: a lesson's path, or its text.
        folder: the folder in which everything is written.
        plugins: modules of plugins, or the result of :func:`~lesson_runner.testing.load_plugins`.
        profile: a profile of the lesson. Default: the lesson's own default.
        params: as for ``--param``: ``NAME=VALUE`` or ``STEP.NAME=VALUE``.
        backend: as for ``--backend``.
        start: as for ``--from``.
        until: as for ``--until``.
        only: as for ``--only``.
        hardware: the machine's hardware. Default: what the plugins find.
        listeners: called with every event.
        place: as for ``--in``.
        fresh: as for ``--fresh``.

    Raises:
        InvalidLessonError: the lesson has errors.
        LessonError: there is no such profile, parameter or step.
    """
    loaded = _loaded(plugins)
    document, problems = check_lesson(lesson, folder)
    workspace = Workspace(folder.resolve() / ".lesson")
    options = RunOptions(
        hardware=_hardware(hardware, loaded),
        workspace=workspace,
        profile=profile,
        backend=backend,
        params=tuple(map(parse_param, params)),
        selection=Selection(start, until, tuple(only)),
        place=check_place(place, workspace, sandboxed=False),
        fresh=fresh,
    )
    plan = plan_run(document, problems, loaded, options)
    prepared = prepare_run(plan, loaded, options, installed=True)  # grants every permission
    return prepared.run(prepared.open(), listeners)


def _loaded(plugins: Iterable[object] | Plugins) -> Plugins:
    return plugins if isinstance(plugins, Plugins) else load_plugins(*plugins)


def _hardware(given: Sequence[Hardware] | None, plugins: Plugins) -> tuple[Hardware, ...]:
    return plugins.detect_hardware() if given is None else tuple(given)


def _path(lesson: Path | str, folder: Path) -> Path:
    """Return the path of a lesson, after saving one that is given as text."""
    if isinstance(lesson, Path):
        return lesson
    path = folder / "lesson.md"
    path.write_text(lesson, "utf-8")
    return path
