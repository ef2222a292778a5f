"""
The plugins, with a typed method for each hook.

The types that hooks return are imported where they are checked, because ``lesson --help`` needs none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesson_runner.plugins.hook_caller import MAX_ITEMS, HookCaller
from lesson_runner.plugins.plugin_errors import FIX, PluginError

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
        Location,
        Need,
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
    from lesson_runner.roles.rule import BlockRule
    from lesson_runner.roles.view import BlockView


PLUGIN_FAILED = "plugin-failed"
"""The rule of diagnostics about plugins that went wrong."""


@dataclass(frozen=True, slots=True)
class Interpretation:
    """How a plugin interprets a block."""

    plugin: str
    calls: tuple[ActionCall, ...]
    """One for each command of the block; empty if no plugin knows the block."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """One for each plugin that went wrong before, so that this may not be what the block means."""


@dataclass(slots=True)
class Plugins(HookCaller):
    """The loaded plugins, with a typed method for each hook; see :class:`HookCaller` for the arguments."""

    _actions: dict[str, Action] | None = None
    _owners: dict[str, str] = field(default_factory=dict)
    """The plugin of each action, by the action's name."""
    _made: dict[Hashable, Any] = field(default_factory=dict)
    """What was made for one lesson, because ``validate`` plans a lesson once for each profile."""
    _of_lesson: tuple[Path, str] | None = None
    """The path and digest of that lesson."""

    def add_commands(self, app: typer.Typer) -> None:
        """Let every plugin add its commands."""
        for _ in self.each("lesson_add_commands", app=app):
            pass

    def directories(self) -> list[tuple[str, Path]]:
        """Return the files and folders of lessons, each with the name of its plugin."""
        return [(source.plugin_name, path) for source, path in self.collect("lesson_directories", Path)]

    def actions(self) -> Mapping[str, Action]:
        """Return all actions by name; of two with one name, that of the plugin loaded first."""
        from lesson_runner.plugins.action import Action
        from lesson_runner.plugins.action_errors import wrap_action

        if self._actions is None:
            found: dict[str, Action] = {}
            order = list(self.infos)
            pairs = sorted(
                self.collect("lesson_actions", Action), key=lambda pair: order.index(pair[0].plugin_name)
            )
            for source, action in pairs:
                plugin = source.plugin_name
                if action.name in found:
                    other = f"plugin '{self._owners[action.name]}' has an action '{action.name}' already"
                    self.blame(source, "lesson_actions", ValueError(other))
                else:
                    found[action.name], self._owners[action.name] = wrap_action(action, plugin), plugin
            self._actions = found
        return self._actions

    def checks(self) -> Mapping[str, Check]:
        """Return the plugins' checks by id, in their order; a second check with the same id is an error."""
        from lesson_runner.plugins.checks import Check

        found: dict[str, Check] = {}
        for source, check in self.collect("lesson_checks", Check):
            if check.id in found:
                self.blame(source, "lesson_checks", ValueError(f"there is a check '{check.id}' already"))
            else:
                found[check.id] = check
        return found

    def rules(self) -> Mapping[str, Rule]:
        """Return the plugins' rules by id; an id that does not begin with the plugin's name is an error."""
        from lesson_runner.model import Rule

        found: dict[str, Rule] = {}
        for source, rule in self.collect("lesson_rules", Rule):
            if rule.id.startswith(f"{source.plugin_name}."):
                found[rule.id] = rule
            else:
                problem = f"'{rule.id}' does not begin with '{source.plugin_name}.'"
                self.blame(source, "lesson_rules", ValueError(problem))
        return found

    def check_rule(self, rule: Rule, lesson: Lesson, scope: Scope) -> list[Diagnostic]:
        """Return the diagnostics of a plugin's rule; if it goes wrong, the last one says so."""
        from lesson_runner.model import Diagnostic, Location, check_fields

        found: list[Diagnostic] = []
        try:
            for item in islice(rule.check(lesson, scope) if rule.check else (), MAX_ITEMS):
                if not isinstance(item, Diagnostic):
                    raise TypeError(f"returned {item!r}, not diagnostics")
                if problem := check_fields(item):
                    raise TypeError(problem)
                found.append(item)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            name, what = rule.id.partition(".")[0], f"rule {rule.id}"
            broken = self.record_error(name, what, error, rule.check)
            found.append(_failed(broken, Location(lesson.path, 1)))
        return found

    def block_rules(self) -> tuple[BlockRule, ...]:
        """Return the plugins' rules about blocks; one that goes wrong is named, and knows no block."""
        from lesson_runner.roles.rule import BlockRule

        found: dict[str, BlockRule] = {}
        for source, rule in self.collect("lesson_block_rules", BlockRule):
            if rule.name.startswith(f"{source.plugin_name}."):
                found[rule.name] = replace(rule, judge=partial(self._judge_block, source.plugin_name, rule))
            else:
                problem = f"'{rule.name}' does not begin with '{source.plugin_name}.'"
                self.blame(source, "lesson_block_rules", ValueError(problem))
        return tuple(found.values())

    def _judge_block(self, plugin: str, rule: BlockRule, view: BlockView) -> str | None:
        try:
            reason = rule.judge(view)
            if reason is not None and not isinstance(reason, str):
                raise TypeError(f"returned {reason!r}, not a reason in words")
            return reason
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self.record_error(plugin, f"block rule {rule.name}", error, rule.judge)
            return None

    def detect_hardware(self, *, thorough: bool = False) -> tuple[Hardware, ...]:
        """Return the hardware that plugins detect; ``thorough`` asks for all details."""
        from lesson_runner.model import Hardware

        found = self.collect("lesson_detect_hardware", Hardware, thorough=thorough)
        return tuple(item for _, item in found)

    def interpret_block(self, block: Block, lesson: Lesson) -> Interpretation:
        """Return the first plugin's interpretation of a block; results are cached."""
        found: Interpretation = self.once(lesson, block, lambda: self._interpret(block, lesson))
        return found

    def once(self, lesson: Lesson, key: Hashable, make: Callable[[], Any]) -> Any:
        """Return what ``make`` returns; it is called once for a key, as long as the lesson is the same."""
        if self._of_lesson != (lesson.path, lesson.digest):
            self._of_lesson = lesson.path, lesson.digest
            self._made.clear()
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def block_needs(self, block: Block, lesson: Lesson) -> tuple[Need, ...]:
        """Return what plugins know that a block needs from the machine."""
        from lesson_runner.model import Need

        found = self.collect("lesson_needs", Need, block=block, lesson=lesson)
        return tuple(need for _, need in found)

    def _interpret(self, block: Block, lesson: Lesson) -> Interpretation:
        from lesson_runner.model import ActionCall, check_fields

        hook = "lesson_interpret_block"
        failed: list[PluginError] = []
        chosen: Interpretation | None = None
        for source, result in self.each(hook, failed, block=block, lesson=lesson):
            if result is None:
                continue
            problem = f"returned {result!r}, not a list of ActionCall"
            if isinstance(result, list) and all(isinstance(item, ActionCall) for item in result):
                problem = next(filter(None, map(check_fields, result)), "")
            if not problem:
                chosen = Interpretation(source.plugin_name, tuple(result))
                break
            failed.append(self.blame(source, hook, TypeError(problem)))
        diagnostics = tuple(_failed(error, block.location) for error in failed)
        return replace(chosen or Interpretation("", ()), diagnostics=diagnostics)

    def run_step(self, step: PlannedStep, context: StepContext) -> Outcome:
        """
        Run a step's action.

        Raises:
            Exception: any exception of the action; the runner records it as the step's error.
        """
        from lesson_runner.plugins.action_errors import load

        action = self.actions()[step.action]
        outcome = _outcome(load(action.run)(step.params, context), f"action '{step.action}'")
        if problem := undeclared(action, outcome.metrics):
            raise ValueError(problem)
        return outcome

    def metrics_of(self, action: Action) -> tuple[str, ...] | None:
        """
        Return the names, or patterns with ``*``, of all metrics that an action's steps can have.

        Metrics of ``capture`` are not included. ``None`` if the action does not declare them, or if another
        plugin may measure any step.
        """
        measuring = {item.plugin_name for item in self._manager.hook.lesson_measure.get_hookimpls()}
        return action.metrics if all(map(self._declares_metrics, measuring)) else None

    def _declares_metrics(self, plugin: str) -> bool:
        """Return whether a plugin has actions, all of which declare their metrics."""
        own = [action for name, action in self.actions().items() if self._owners[name] == plugin]
        return bool(own) and all(action.metrics is not None for action in own)

    def measure(self, step: PlannedStep, evidence: Evidence) -> tuple[dict[str, float], list[PluginError]]:
        """
        Measure a step's stored files with all plugins.

        Returns:
            the numbers by name, and what went wrong: with an error, any metric may be missing or wrong,
            because a measured number replaces one that the action or ``capture`` gave.
        """
        numbers: dict[str, float] = {}
        failed: list[PluginError] = []
        for source, result in self.each("lesson_measure", failed, step=step, evidence=evidence):
            try:
                found = {str(key): float(value) for key, value in (result or {}).items()}
                if found and (problem := self._not_to_be_measured(source.plugin_name, step, found)):
                    raise ValueError(problem)
                numbers.update(found)
            except (AttributeError, TypeError, ValueError) as error:
                failed.append(self.blame(source, "lesson_measure", error))
        return numbers, failed

    def _not_to_be_measured(self, plugin: str, step: PlannedStep, found: Iterable[str]) -> str | None:
        """Return which of a plugin's metrics contradict what its actions declare, if any do."""
        if not self._declares_metrics(plugin):
            return None
        if self._owners.get(step.action) != plugin:
            return (
                f"measured a step of '{step.action}', although the plugin's actions declare all its metrics"
            )
        return undeclared(self.actions()[step.action], found)

    def diagnose(self, result: StepResult, evidence: Evidence) -> tuple[Diagnosis, ...]:
        """Return all plugins' explanations of a step's result."""
        from lesson_runner.model import Diagnosis

        found = self.collect("lesson_diagnose", Diagnosis, result=result, evidence=evidence)
        return tuple(diagnosis for _, diagnosis in found)

    def step_event(self, event: Event, context: RunContext) -> None:
        """Pass an event to every plugin."""
        for _ in self.each("lesson_step_event", event=event, context=context):
            pass

    def report_sections(self, record: Json, folder: Path) -> list[Section]:
        """Return the sections that plugins add to a report; those that cannot be shown say why."""
        from lesson_runner.model import Section, Table, checked_section

        hook = "lesson_report_sections"
        found = self.collect(hook, Section, fields=False, record=record, folder=folder)
        sections: list[Section] = [checked_section(section) for _, section in found]
        rows = tuple((name, error.what) for (name, place), error in self.errors.items() if place == hook)
        return [*sections, Table("Sections that are missing", ("Plugin", "Why"), rows)] if rows else sections


def undeclared(action: Action, names: Iterable[str]) -> str | None:
    """Return which metric an action does not declare, if it declares any."""
    for name in names:
        if action.metrics is not None and not any(fnmatchcase(name, item) for item in action.metrics):
            declared = ", ".join(action.metrics) or "none"
            return f"the metric '{name}' is not among the 'metrics' of action '{action.name}' ({declared})"
    return None


def _outcome(value: object, source: str) -> Outcome:
    """Check that an action returned a valid outcome, and return it with its metrics as floats."""
    from lesson_runner.model import Outcome, check_fields

    if not isinstance(value, Outcome):
        raise TypeError(f"{source} returned {value!r}, not an Outcome")
    if problem := check_fields(value):
        raise TypeError(f"{source} returned an Outcome with a wrong field: {problem}")
    return replace(value, metrics={str(key): float(number) for key, number in value.metrics.items()})


def _failed(error: PluginError, location: Location) -> Diagnostic:
    """Return the diagnostic of a plugin that went wrong while a document was checked."""
    from lesson_runner.model import Diagnostic

    return Diagnostic(PLUGIN_FAILED, "error", str(error), location, FIX)
