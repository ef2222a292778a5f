"""Whether a plugin keeps the promises that lesson-runner, and every other plugin, relies on."""

from __future__ import annotations

import dataclasses
import importlib
import io
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from lesson_runner.document.lessons import load_lesson
from lesson_runner.files.evidence import Evidence
from lesson_runner.model import Diagnostic, Json, Lesson, PlannedStep
from lesson_runner.model.errors import InvalidLessonError, LessonError
from lesson_runner.plugins import hookspecs
from lesson_runner.plugins.manager import PROJECT, Plugins
from lesson_runner.run.plan import make_plan
from lesson_runner.run.resolve_blocks import known_profiles
from lesson_runner.testing.actions import check_action
from lesson_runner.testing.loading import HEAVY, ModuleEntryPoint, import_in_subprocess

SEVERITIES = ("error", "warning", "info")


def assert_conforms(
    module: str,
    *,
    name: str = "",
    params: Mapping[str, Json] | None = None,
    beside: Sequence[object] = (),
    heavy: Sequence[str] = HEAVY,
) -> None:
    """
    Import a plugin and assert that :func:`check_plugin` has nothing to say about it.

    Args:
        module: the name of the plugin's module, such as ``my_lessons.plugin``.
        name: as for :func:`check_plugin`.
        params: as for :func:`check_plugin`.
        beside: as for :func:`check_plugin`.
        heavy: as for :func:`check_plugin`.
    """
    plugin = importlib.import_module(module)
    problems = check_plugin(plugin, name=name, params=params, beside=beside, heavy=heavy)
    if problems:
        raise AssertionError("\n".join([f"{module} does not keep a plugin's promises:", *problems]))


def check_plugin(
    module: ModuleType,
    *,
    name: str = "",
    params: Mapping[str, Json] | None = None,
    beside: Sequence[object] = (),
    heavy: Sequence[str] = HEAVY,
) -> list[str]:
    """
    Return what is wrong with a plugin, in plain words.

    It must load; importing it must load nothing heavy and print nothing. Its actions must pass
    :func:`~lesson_runner.testing.check_action`. Its checks must have ids that can be typed, and say why they
    matter. Its rules must be named after it, and explained. The folders of its lessons must be there, and the
    lessons valid. Its hooks must not raise, must return the same when called twice, and must not print.

    Args:
        module: the plugin's module.
        name: the plugin's name; that of its entry point, or of its module, if left out.
        params: values for required parameters that have no default and no example, by action.
        beside: modules of other plugins whose actions the lessons use.
        heavy: modules that are to be loaded only when they are needed.
    """
    point = ModuleEntryPoint(module, name)
    plugins = _Watched(point, beside)
    if error := plugins.take_error():
        return [f"it cannot be loaded: {error}"]
    return [
        *_importing(module, heavy),
        *_hooks(plugins),
        *(
            problem
            for action in plugins.own("lesson_actions")
            for problem in check_action(action, (params or {}).get(action.name))
        ),
        *_checks(plugins),
        *_rules(plugins),
        *_lessons(plugins),
    ]


class _Watched:
    """A plugin beside others, and what its hooks do when they are called."""

    def __init__(self, point: ModuleEntryPoint, beside: Sequence[object]) -> None:
        self.point = point
        points = [point, *map(ModuleEntryPoint, beside)]
        self.all = Plugins(points=points)
        self.again = Plugins(points=points)
        self._failed: set[str] = set()

    def own(self, hook: str) -> list[Any]:
        """Return what the plugin's own implementation of a hook that takes nothing returns, if it can."""
        function = getattr(self.point.module, hook, None)
        return list(function()) if function is not None and hook not in self._failed else []

    def take_error(self) -> str | None:
        """Return what the plugin did wrong since the last time, according to those that called it."""
        error = None
        for plugins in (self.all, self.again):
            info = plugins.infos[self.point.name]
            error = error or info.error
            plugins.infos[self.point.name] = dataclasses.replace(info, error=None)
        return error

    def call(self, what: str, ask: Callable[[Plugins], object]) -> Iterator[str]:
        """Yield what is wrong when a hook is called, and called again."""
        printed = io.StringIO()
        with redirect_stdout(printed):
            first = _plain(ask(self.all))
        with redirect_stdout(io.StringIO()):
            second = _plain(ask(self.again))
        if error := self.take_error():
            self._failed.add(what)
            yield error.removeprefix("in ")
            return
        if first != second:
            yield f"{what}: another result when called again"
        if printed.getvalue():
            yield f"{what}: prints {printed.getvalue().strip()[:60]!r}; return it, or say it in a step"


def _plain(value: object) -> object:
    """Return a value to compare: two functions count as one, as a hook may make them when it is called."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return "a function" if callable(value) else value


def _importing(module: ModuleType, heavy: Sequence[str]) -> Iterator[str]:
    found = import_in_subprocess(module.__name__, heavy)
    if found.error:
        yield f"importing it in a fresh interpreter fails: {found.error}"
    if found.heavy:
        yield f"importing it loads {', '.join(found.heavy)}; import them inside functions"
    if found.printed:
        yield f"importing it prints {found.printed.strip()[:60]!r}"


def _hooks(plugins: _Watched) -> Iterator[str]:
    import typer

    for name in sorted(name for name in vars(hookspecs) if name.startswith("lesson_")):
        function = getattr(plugins.point.module, name, None)
        if function is not None and not hasattr(function, f"{PROJECT}_impl"):
            yield f"{name}: is not marked with @hookimpl, so nothing calls it"
    yield from plugins.call("lesson_add_commands", lambda asked: asked.add_commands(typer.Typer()))
    yield from plugins.call("lesson_directories", Plugins.directories)
    yield from plugins.call("lesson_actions", Plugins.actions)
    yield from plugins.call("lesson_checks", Plugins.checks)
    yield from plugins.call("lesson_rules", Plugins.rules)
    yield from plugins.call("lesson_detect_hardware", Plugins.detect_hardware)


def _checks(plugins: _Watched) -> Iterator[str]:
    for check in plugins.own("lesson_checks"):
        if not check.title.strip() or not check.why.strip():
            yield f"check '{check.id}': it has no title, or does not say why it matters"
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", check.id):
            yield f"check '{check.id}': the id is not made of small letters and digits, joined by '-'"


def _rules(plugins: _Watched) -> Iterator[str]:
    for rule in plugins.own("lesson_rules"):
        if rule.severity not in SEVERITIES:
            expected = ", ".join(SEVERITIES)
            yield f"rule '{rule.id}': the severity is {rule.severity!r}; expected one of {expected}"
        if not rule.summary.strip() or "\n" in rule.summary:
            yield f"rule '{rule.id}': the summary is not one line of text"
        if not rule.page.strip():
            yield f"rule '{rule.id}': there is no page to say why it matters and how to mend it"


def _lessons(plugins: _Watched) -> Iterator[str]:
    from lesson_runner.validate.check import all_rules, validate
    from lesson_runner.validate.settings import Settings

    def diagnostics(asked: Plugins) -> tuple[Diagnostic, ...]:
        checked = validate(paths, asked, Settings(folder), all_rules(asked))
        return tuple(item for document in checked for item in document.diagnostics)

    for folder in plugins.own("lesson_directories"):
        paths = sorted(folder.glob("*.md")) if folder.is_dir() else [folder]
        if not paths or not folder.exists():
            problem = "there is no lesson in it" if folder.exists() else "there is no such file or folder"
            yield f"lesson_directories: {folder}: {problem}"
            continue
        yield from plugins.call("validating its lessons", diagnostics)
        yield from (
            f"a lesson does not validate: {item}"
            for item in diagnostics(plugins.all)
            if item.severity == "error"
        )
        for path in paths:
            yield from _reading(path, plugins)


def _reading(path: Path, plugins: _Watched) -> Iterator[str]:
    """Yield what is wrong with the hooks that look at a lesson's blocks and judge its steps."""
    try:
        lesson, problems = load_lesson(path)
        for block in lesson.blocks:
            what = f"lesson_interpret_block, {block.location}"
            yield from plugins.call(what, partial(Plugins.interpret_block, block=block, lesson=lesson))
        for profile in known_profiles(lesson, plugins.all):
            for step in make_plan(lesson, problems, plugins.all, profile).steps:
                yield from _measuring(step, lesson, plugins)
    except (InvalidLessonError, LessonError):  # that it does not validate has been said
        return


def _measuring(step: PlannedStep, lesson: Lesson, plugins: _Watched) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        evidence = Evidence(Path(folder), Path(folder))  # of a step that left nothing behind
        what = f"lesson_measure, step '{step.id}' of {lesson.path.name}"
        yield from plugins.call(what, partial(Plugins.measure, step=step, evidence=evidence))
