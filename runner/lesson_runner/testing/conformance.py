"""Check that a plugin follows the rules that lesson-runner and every other plugin rely on."""

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
from lesson_runner.plugins.manager import Plugins
from lesson_runner.roles import roles_of
from lesson_runner.run.plan import make_plan
from lesson_runner.run.resolve_blocks import known_profiles
from lesson_runner.testing.actions import check_action
from lesson_runner.testing.loading import HEAVY, ModuleEntryPoint, import_in_subprocess


def assert_conforms(
    module: str,
    *,
    name: str = "",
    params: Mapping[str, Json] | None = None,
    other_plugins: Sequence[object] = (),
    heavy: Sequence[str] = HEAVY,
) -> None:
    """
    Import a plugin and assert that :func:`check_plugin` finds no problems.

    Args:
        module: the name of the plugin's module, such as ``my_lessons.plugin``.
        name: as for :func:`check_plugin`.
        params: as for :func:`check_plugin`.
        other_plugins: as for :func:`check_plugin`.
        heavy: as for :func:`check_plugin`.
    """
    plugin = importlib.import_module(module)
    problems = check_plugin(plugin, name=name, params=params, other_plugins=other_plugins, heavy=heavy)
    if problems:
        raise AssertionError("\n".join([f"{module} does not conform to the rules for plugins:", *problems]))


def check_plugin(
    module: ModuleType,
    *,
    name: str = "",
    params: Mapping[str, Json] | None = None,
    other_plugins: Sequence[object] = (),
    heavy: Sequence[str] = HEAVY,
) -> list[str]:
    """
    Return the problems of a plugin, in plain words.

    - The plugin loads. Importing it loads no heavy module and prints nothing.
    - Its actions pass :func:`~lesson_runner.testing.check_action`.
    - Its checks have ids that are easy to type, and say why they matter.
    - Its rules are named after the plugin, and explained.
    - Its rules about blocks hold for their examples, and not for their counterexamples.
    - The folders of its lessons exist, and the lessons are valid.
    - Its hooks do not raise or print, and return the same when called twice.

    Args:
        module: the plugin's module.
        name: the plugin's name. Default: the name of its entry point or its module.
        params: for each action, values for required parameters without a default or an example.
        other_plugins: modules of other plugins, if the lessons use their actions.
        heavy: modules that may be loaded only when they are needed.
    """
    point = ModuleEntryPoint(module, name)
    plugins = _PluginUnderTest(point, other_plugins)
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
        *_block_rules(plugins),
        *_lessons(plugins),
    ]


class _PluginUnderTest:
    """A plugin, loaded twice with others, and the errors of its hooks."""

    def __init__(self, point: ModuleEntryPoint, other_plugins: Sequence[object]) -> None:
        self.point = point
        points = [point, *map(ModuleEntryPoint, other_plugins)]
        self.first = Plugins(points=points)
        self.second = Plugins(points=points)
        self._failed: set[str] = set()

    def own(self, hook: str) -> list[Any]:
        """Call the plugin's own implementation of a hook without arguments, unless it failed before."""
        function = getattr(self.point.module, hook, None)
        return list(function()) if function is not None and hook not in self._failed else []

    def take_error(self) -> str | None:
        """Return the error of the plugin since the last call, and reset it."""
        error = None
        for plugins in (self.first, self.second):
            info = plugins.infos[self.point.name]
            error = error or info.error
            plugins.infos[self.point.name] = dataclasses.replace(info, error=None)
            plugins.errors.clear()
        return error

    def call(self, what: str, ask: Callable[[Plugins], object]) -> Iterator[str]:
        """Yield the problems of calling a hook twice."""
        printed = io.StringIO()
        with redirect_stdout(printed):
            first = _plain(ask(self.first))
        with redirect_stdout(io.StringIO()):
            second = _plain(ask(self.second))
        if error := self.take_error():
            self._failed.add(what)
            yield error.removeprefix("in ")
            return
        if first != second:
            yield f"{what}: returns another result when called again"
        if printed.getvalue():
            yield f"{what}: prints {printed.getvalue().strip()[:60]!r}; return it instead"


def _plain(value: object) -> object:
    """Return a value to compare; all functions count as equal, because a hook may create them per call."""
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
        yield f"importing it in a new interpreter fails: {found.error}"
    if found.heavy:
        yield f"importing it loads {', '.join(found.heavy)}; import them inside functions"
    if found.printed:
        yield f"importing it prints {found.printed.strip()[:60]!r}"


def _hooks(plugins: _PluginUnderTest) -> Iterator[str]:
    import typer

    yield from plugins.call("lesson_add_commands", lambda loaded: loaded.add_commands(typer.Typer()))
    yield from plugins.call("lesson_directories", Plugins.directories)
    yield from plugins.call("lesson_actions", Plugins.actions)
    yield from plugins.call("lesson_checks", Plugins.checks)
    yield from plugins.call("lesson_rules", Plugins.rules)
    yield from plugins.call("lesson_block_rules", Plugins.block_rules)
    yield from plugins.call("lesson_detect_hardware", Plugins.detect_hardware)


def _checks(plugins: _PluginUnderTest) -> Iterator[str]:
    for check in plugins.own("lesson_checks"):
        if not check.title.strip() or not check.why.strip():
            yield f"check '{check.id}': the title or the text 'why' is empty"
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", check.id):
            yield f"check '{check.id}': the id is not lower-case letters and digits, joined by '-'"


def _rules(plugins: _PluginUnderTest) -> Iterator[str]:
    for rule in plugins.own("lesson_rules"):
        if not rule.summary.strip() or "\n" in rule.summary:
            yield f"rule '{rule.id}': the summary is not one line of text"
        if not rule.page.strip():
            yield f"rule '{rule.id}': there is no page that says why it matters and how to fix it"


def _block_rules(plugins: _PluginUnderTest) -> Iterator[str]:
    for rule in plugins.own("lesson_block_rules"):
        what = f"block rule '{rule.name}'"
        if not rule.about.strip() or "\n" in rule.about:
            yield f"{what}: 'about' is not one line of text"
        if not rule.example.strip() or not rule.counterexample.strip():
            yield f"{what}: there is no example or no counterexample"
            continue
        raised = list(plugins.call(what, partial(_judge, text=rule.example, name=rule.name)))
        yield from raised
        if raised:
            continue
        if not _judge(plugins.first, rule.example, rule.name):
            yield f"{what}: it does not hold for the last block of its example"
        if _judge(plugins.first, rule.counterexample, rule.name):
            yield f"{what}: it holds for the last block of its counterexample"


def _judge(loaded: Plugins, text: str, name: str) -> bool:
    """Return whether a rule speaks about the last block or link of a document."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "example.md"
        path.write_text(text, "utf-8")
        roles = roles_of(load_lesson(path)[0], loaded.block_rules())
    return any(opinion.rule == name for opinion in roles[-1].opinions) if roles else False


def _lessons(plugins: _PluginUnderTest) -> Iterator[str]:
    from lesson_runner.validate.check import all_rules, validate
    from lesson_runner.validate.settings import Settings

    def diagnostics(loaded: Plugins) -> tuple[Diagnostic, ...]:
        checked = validate(paths, loaded, Settings(folder), all_rules(loaded))
        return tuple(item for document in checked for item in document.diagnostics)

    for folder in plugins.own("lesson_directories"):
        paths = sorted(folder.glob("*.md")) if folder.is_dir() else [folder]
        if not paths or not folder.exists():
            problem = "the folder has no lesson" if folder.exists() else "no such file or folder"
            yield f"lesson_directories: {folder}: {problem}"
            continue
        yield from plugins.call("validating its lessons", diagnostics)
        yield from (
            f"a lesson does not validate: {item}"
            for item in diagnostics(plugins.first)
            if item.severity == "error"
        )
        for path in paths:
            yield from _check_lesson(path, plugins)


def _check_lesson(path: Path, plugins: _PluginUnderTest) -> Iterator[str]:
    """Yield the problems of the hooks that interpret a lesson's blocks and measure its steps."""
    try:
        lesson, problems = load_lesson(path)
        for block in lesson.blocks:
            what = f"lesson_interpret_block, {block.location}"
            yield from plugins.call(what, partial(Plugins.interpret_block, block=block, lesson=lesson))
        for profile in known_profiles(lesson, plugins.first):
            for step in make_plan(lesson, problems, plugins.first, profile).steps:
                yield from _check_measure(step, lesson, plugins)
    except (InvalidLessonError, LessonError):  # already reported as a lesson that does not validate
        return


def _check_measure(step: PlannedStep, lesson: Lesson, plugins: _PluginUnderTest) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        evidence = Evidence(Path(folder), Path(folder))  # as of a step that left no files
        what = f"lesson_measure, step '{step.id}' of {lesson.path.name}"
        yield from plugins.call(what, partial(Plugins.measure, step=step, evidence=evidence))
