"""
Plugins: finding them, loading them safely, and calling their hooks.

This is the one module that talks to pluggy. It guards against what plugins do in practice: raise when
imported, raise in a hook, return a generator that raises when it is read, misspell a hook's name. A
plugin that does so is listed with its error, and everything else works.

What a hook returns is imported where it is looked at: ``lesson --help`` looks at none of it.
"""

from __future__ import annotations

import importlib
import os
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from importlib.metadata import Distribution, entry_points
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, get_args

import pluggy

from lesson_runner.plugins import hookspecs

if TYPE_CHECKING:
    import typer

    from lesson_runner.files.evidence import Evidence
    from lesson_runner.model import (
        ActionCall,
        Block,
        Diagnosis,
        Diagnostic,
        Event,
        Hardware,
        Json,
        Lesson,
        Outcome,
        PlannedStep,
        Rule,
        Scope,
        Section,
        StepResult,
    )
    from lesson_runner.plugins.action import Action
    from lesson_runner.plugins.checks import Check
    from lesson_runner.plugins.context import RunContext, StepContext

PROJECT = "lesson_runner"
BUILT_IN = ("lesson_runner.plugins.builtin",)
"""Modules of this package that are plugins like any other, and are asked last."""
MOST_ITEMS = 100_000
"""No hook returns more: what seems to is a generator without an end."""
RESTRICT = "LESSON_PLUGINS"
"""Environment variable: load only these entry points, comma-separated; empty loads none."""


class Point(Protocol):
    """What is used of an :class:`importlib.metadata.EntryPoint`."""

    @property
    def name(self) -> str:
        """The plugin's name."""

    @property
    def value(self) -> str:
        """The plugin's module."""

    @property
    def dist(self) -> Distribution | None:
        """The distribution it came with."""

    def load(self) -> Any:
        """Import and return the plugin."""


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """A plugin, loaded or not."""

    name: str
    origin: str
    """The module, and the distribution it came with."""
    version: str | None
    error: str | None = None
    """Why it was not loaded, or what went wrong in it later."""


@dataclass(frozen=True, slots=True)
class Interpretation:
    """A block that a plugin knows."""

    plugin: str
    calls: tuple[ActionCall, ...]
    """What the block stands for, one a command."""


@dataclass(slots=True)
class Plugins:
    """
    The loaded plugins, with one typed method a hook.

    Args:
        built_in: names of modules to load as built-in plugins.
        points: entry points to load; those installed, unless a test says otherwise.
    """

    built_in: Sequence[str] = BUILT_IN
    points: Sequence[Point] | None = None
    infos: dict[str, PluginInfo] = field(default_factory=dict)
    _manager: pluggy.PluginManager = field(default_factory=lambda: pluggy.PluginManager(PROJECT))
    _actions: dict[str, Action] | None = None
    _claims: dict[Block, Interpretation | None] = field(default_factory=dict)
    """What plugins said of the blocks of one lesson, which is planned once a profile."""
    _claims_of: tuple[Path, str] | None = None

    def __post_init__(self) -> None:
        self._manager.add_hookspecs(hookspecs)
        for module in self.built_in:
            info = PluginInfo(module.rsplit(".", 1)[-1], module, None)
            self._load(info, partial(importlib.import_module, module))
        for point in installed_points() if self.points is None else self.points:
            dist, version = _distribution(point.dist)
            origin = f"{point.value} ({dist})" if dist else point.value
            self._load(PluginInfo(point.name, origin, version), point.load)

    # --- loading ---

    def _load(self, info: PluginInfo, load: Callable[[], object]) -> None:
        name = info.name
        if name in self.infos:
            other = self.infos[name].origin
            self.infos[f"{name} ({info.origin})"] = replace(
                info, error=f"another plugin has the name '{name}' already: {other}"
            )
            return
        self.infos[name] = info
        try:
            module = load()
            self._manager.register(module, name=name)
            # Without this, a hook whose name is misspelt is registered and never called.
            self._manager.check_pending()
            self._refuse_wrappers(module)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        # A plugin may even call sys.exit() when imported; no plugin may end the program.
        except BaseException as error:
            # register() leaves a plugin half registered when it raises.
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            self.infos[name] = replace(info, error=_describe(error))

    def _refuse_wrappers(self, module: object) -> None:
        for caller in self._manager.get_hookcallers(module) or ():
            found = [item for item in caller.get_hookimpls() if item.plugin is module]
            if any(item.wrapper or item.hookwrapper for item in found):
                raise TypeError(f"{caller.name} is a hook wrapper; lesson hooks are plain functions")

    def _blame(self, name: str, hook: str, error: BaseException) -> None:
        """Note that an implementation went wrong; it keeps its other hooks."""
        info = self.infos.get(name, PluginInfo(name, "?", None))
        self.infos[name] = replace(info, error=f"in {hook}: {_describe(error)}")

    # --- calling ---

    def _each(self, hook: str, **arguments: object) -> Iterator[tuple[str, Any]]:
        """
        Call a hook's implementations one by one and yield each plugin's name and result.

        One call for all would lose every result when one raises. A generator is read to its end here,
        inside the ``try``; one that has no end is stopped.
        """
        for implementation in reversed(getattr(self._manager.hook, hook).get_hookimpls()):
            try:
                given = {name: arguments[name] for name in implementation.argnames}
                result = implementation.function(*given.values())
                if isinstance(result, Iterable) and not isinstance(result, str | Mapping):
                    result = list(islice(result, MOST_ITEMS + 1))
                    if len(result) > MOST_ITEMS:
                        raise ValueError(f"returned more than {MOST_ITEMS:,} items")
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # not all that libraries raise are exceptions: asyncio cancels so
                self._blame(implementation.plugin_name, hook, error)
                continue
            yield implementation.plugin_name, result

    def _collect(
        self, hook: str, kind: Any, *, fields: bool = True, **arguments: object
    ) -> Iterator[tuple[str, Any]]:
        """
        Yield every item of the lists that a hook's implementations return, checked for its type.

        Args:
            kind: a class, or a union of classes.
            fields: False leaves it to the caller to check the fields of the items.
        """
        from lesson_runner.model import check_fields

        for name, result in self._each(hook, **arguments):
            # A plugin that returns one thing where a list is wanted is told so, and not searched for items.
            for item in [] if result is None else result if isinstance(result, list) else [result]:
                if not isinstance(item, kind) or not isinstance(result, list):
                    self._blame(name, hook, TypeError(f"returned {item!r}, not a list of {_name(kind)}"))
                elif fields and (problem := check_fields(item)):
                    self._blame(name, hook, TypeError(problem))
                else:
                    yield name, item

    def add_commands(self, app: typer.Typer) -> None:
        """Let every plugin add its commands."""
        for _ in self._each("lesson_add_commands", app=app):
            pass

    def directories(self) -> list[tuple[str, Path]]:
        """Return the folders of lessons, each with the name of the plugin that brings it."""
        return list(self._collect("lesson_directories", Path))

    def actions(self) -> Mapping[str, Action]:
        """Return every action by name; of two with one name, that of the plugin that was loaded first."""
        from lesson_runner.plugins.action import Action
        from lesson_runner.plugins.action_errors import guarded

        if self._actions is None:
            found: dict[str, Action] = {}
            owners: dict[str, str] = {}
            order = list(self.infos)
            pairs = sorted(self._collect("lesson_actions", Action), key=lambda pair: order.index(pair[0]))
            for plugin, action in pairs:
                if action.name in found:
                    other = f"plugin '{owners[action.name]}' has an action '{action.name}' already"
                    self._blame(plugin, "lesson_actions", ValueError(other))
                else:
                    found[action.name], owners[action.name] = guarded(action, plugin), plugin
            self._actions = found
        return self._actions

    def checks(self) -> Mapping[str, Check]:
        """Return the plugins' checks by id, in their order; an id that is taken is the second one's error."""
        from lesson_runner.plugins.checks import Check

        found: dict[str, Check] = {}
        for plugin, check in self._collect("lesson_checks", Check):
            if check.id in found:
                self._blame(plugin, "lesson_checks", ValueError(f"there is a check '{check.id}' already"))
            else:
                found[check.id] = check
        return found

    def rules(self) -> Mapping[str, Rule]:
        """Return the plugins' rules by id; an id that does not begin with the plugin's name is its error."""
        from lesson_runner.model import Rule

        found: dict[str, Rule] = {}
        for plugin, rule in self._collect("lesson_rules", Rule):
            if rule.id.startswith(f"{plugin}."):
                found[rule.id] = rule
            else:
                self._blame(
                    plugin, "lesson_rules", ValueError(f"'{rule.id}' does not begin with '{plugin}.'")
                )
        return found

    def check_rule(self, rule: Rule, lesson: Lesson, scope: Scope) -> list[Diagnostic]:
        """Return what a plugin's rule finds in a lesson; one that raises is reported and finds nothing."""
        try:
            return list(islice(rule.check(lesson, scope), MOST_ITEMS)) if rule.check else []
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self._blame(rule.id.partition(".")[0], f"rule {rule.id}", error)
            return []

    def detect_hardware(self, *, thorough: bool = False) -> tuple[Hardware, ...]:
        """Return what the plugins found in this machine; ``thorough`` asks for all that can be found out."""
        from lesson_runner.model import Hardware

        found = self._collect("lesson_detect_hardware", Hardware, thorough=thorough)
        return tuple(item for _, item in found)

    def interpret_block(self, block: Block, lesson: Lesson) -> Interpretation | None:
        """Return the first plugin's interpretation of a block, and which plugin it is; each is asked once."""
        if self._claims_of != (lesson.path, lesson.digest):
            self._claims_of = lesson.path, lesson.digest
            self._claims.clear()
        if block not in self._claims:
            self._claims[block] = self._interpret(block, lesson)
        return self._claims[block]

    def _interpret(self, block: Block, lesson: Lesson) -> Interpretation | None:
        from lesson_runner.model import ActionCall, check_fields

        for name, result in self._each("lesson_interpret_block", block=block, lesson=lesson):
            if result is None:
                continue
            problem = f"returned {result!r}, not a list of ActionCall"
            if isinstance(result, list) and all(isinstance(item, ActionCall) for item in result):
                problem = next(filter(None, map(check_fields, result)), "")
            if not problem:
                return Interpretation(name, tuple(result))
            self._blame(name, "lesson_interpret_block", TypeError(problem))
        return None

    def run_step(self, step: PlannedStep, context: StepContext) -> Outcome:
        """
        Run a step's action.

        Raises:
            Exception: whatever the action raises; the runner records it as the step's error.
        """
        from lesson_runner.plugins.action_errors import load

        outcome = load(self.actions()[step.action].run)(step.params, context)
        return _outcome(outcome, f"action '{step.action}'")

    def measure(self, step: PlannedStep, evidence: Evidence) -> dict[str, float]:
        """Return what all plugins measure on a step's stored files."""
        numbers: dict[str, float] = {}
        for name, result in self._each("lesson_measure", step=step, evidence=evidence):
            try:
                numbers.update({str(key): float(value) for key, value in (result or {}).items()})
            except (AttributeError, TypeError, ValueError) as error:
                self._blame(name, "lesson_measure", error)
        return numbers

    def diagnose(self, result: StepResult, evidence: Evidence) -> tuple[Diagnosis, ...]:
        """Return what all plugins make of a step's result."""
        from lesson_runner.model import Diagnosis

        found = self._collect("lesson_diagnose", Diagnosis, result=result, evidence=evidence)
        return tuple(diagnosis for _, diagnosis in found)

    def step_event(self, event: Event, context: RunContext) -> None:
        """Tell every plugin what happened."""
        for _ in self._each("lesson_step_event", event=event, context=context):
            pass

    def report_sections(self, record: Json, folder: Path) -> list[Section]:
        """Return the sections that the plugins add to a report; one that cannot be shown says why."""
        from lesson_runner.model import Section, checked_section

        found = self._collect("lesson_report_sections", Section, fields=False, record=record, folder=folder)
        return [checked_section(section) for _, section in found]


def _name(kind: Any) -> str:
    """Return the name of a class, or the names of the classes of a union."""
    return " or ".join(item.__name__ for item in get_args(kind) or (kind,))


def _outcome(value: object, who: str) -> Outcome:
    """Return what a step's code returned, if that is an outcome with numbers for metrics."""
    from lesson_runner.model import Outcome, check_fields

    if not isinstance(value, Outcome):
        raise TypeError(f"{who} returned {value!r}, not an Outcome")
    if problem := check_fields(value):
        raise TypeError(f"{who} returned an Outcome with something else in it: {problem}")
    return replace(value, metrics={str(key): float(number) for key, number in value.metrics.items()})


def installed_points() -> list[Point]:
    """
    Return the entry points of installed plugins, this project's own first.

    The environment variable ``LESSON_PLUGINS`` restricts them to the names it lists.
    """
    wanted = os.environ.get(RESTRICT)
    points: list[Point] = sorted(
        entry_points(group=PROJECT),
        key=lambda point: (_distribution(point.dist)[0] != "lesson-runner", point.name),
    )
    if wanted is None:
        return points
    names = {name.strip() for name in wanted.split(",")}
    return [point for point in points if point.name in names]


@cache
def _distribution(dist: Distribution | None) -> tuple[str | None, str | None]:
    """Return a distribution's name and version, which are parsed from a file with all of its README."""
    return (dist.name, dist.version) if dist else (None, None)


def _describe(error: BaseException) -> str:
    """Return an error with the line of the plugin it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = str(Path(__file__).parents[1])
    theirs = [frame for frame in frames if not frame.filename.startswith((ours, "<frozen"))]
    theirs = [frame for frame in theirs if "importlib" not in frame.filename]
    where = f" ({theirs[-1].filename}:{theirs[-1].lineno})" if theirs else ""
    return f"{type(error).__name__}: {' '.join(str(error).split())}{where}"
