"""Validate a set of documents: read each one, plan it in every profile, and apply all rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lesson_runner.document.lessons import load_lesson
from lesson_runner.document.sidecar import SUFFIX, without_lesson
from lesson_runner.execute.redaction.secrets import mask
from lesson_runner.files.plain import real
from lesson_runner.model import Checked, Diagnostic, Lesson, Location, Plan, Rule, Scope, first_error
from lesson_runner.model.errors import InvalidLessonError, LessonError
from lesson_runner.plugins.catalog import lessons as known_lessons
from lesson_runner.plugins.catalog import read_head
from lesson_runner.plugins.manager import PLUGIN_FAILED, Plugins
from lesson_runner.plugins.plugin_errors import FIX
from lesson_runner.run.plan import make_plan
from lesson_runner.run.resolve_blocks import known_profiles, recognise_steps
from lesson_runner.validate.coverage import judged_by_exit_alone, uncovered
from lesson_runner.validate.fix import Source
from lesson_runner.validate.rules import ignores, planning, table
from lesson_runner.validate.rules.anchors import anchors_of
from lesson_runner.validate.settings import Settings, find_settings


def all_rules(plugins: Plugins) -> Mapping[str, Rule]:
    """Return all rules by id: those of the core, then those of plugins."""
    return {**{rule.id: rule for rule in table.RULES}, **plugins.rules()}


def scope_of(paths: Sequence[Path], plugins: Plugins) -> Scope:
    """Return what rules may know about other documents than the one they check."""
    together = frozenset(paths)
    found: dict[str, dict[Path, Path]] = {}
    for path in paths:
        data = read_head(path)
        if "id" in data:
            found.setdefault(str(data["id"]), {})[real(path)] = path
    for entry in known_lessons(plugins):
        found.setdefault(entry.id, {}).setdefault(real(entry.path), entry.path)
    return Scope({name: tuple(same.values()) for name, same in found.items()}, together, anchors_of)


@dataclass(frozen=True, slots=True)
class Checker:
    """Validates single documents."""

    plugins: Plugins
    settings: Settings
    rules: Mapping[str, Rule]
    scope: Scope

    def check(self, path: Path) -> Checked:
        """Return the diagnostics of a document; never raises for its content."""
        if path.name.endswith(SUFFIX):
            return Checked(path, (without_lesson(path),), is_lesson=False)
        document = _read(path, self.settings.overlay)
        found = list(_found(document, self.plugins, self.rules, self.scope, self.settings))
        kept = _kept(document, found, self.rules, self.settings)
        shown = list(map(_masked, kept))
        if document.lesson is None:
            return Checked(path, tuple(shown))
        lines = _lines(document.lesson, shown)
        return Checked(path, tuple(shown), lines, digest=document.lesson.digest)


def validate(
    paths: Sequence[Path],
    plugins: Plugins,
    settings: Settings,
    rules: Mapping[str, Rule],
    uncertified: Callable[[Lesson, str], str] | None = None,
) -> Iterator[Checked]:
    """
    Yield the diagnostics of each of ``paths``, in order; only one document is kept in memory.

    Args:
        uncertified: returns why a lesson has no valid certificate for a hardware; ``None`` does not check.
    """
    scope = replace(scope_of(paths, plugins), uncertified=uncertified)
    checker = Checker(plugins, settings, rules, scope)
    return map(checker.check, paths)


def broken_plugins(plugins: Plugins, settings: Settings) -> list[Checked]:
    """Return a document for each plugin whose rules, actions or lessons are missing from a validation."""
    plugins.actions()
    plugins.directories()
    found = []
    for error in plugins.errors.values():
        place = Location(error.path or Path(plugins.infos[error.plugin].origin), error.line)
        if error.hook not in _CATALOGS or not settings.wants(PLUGIN_FAILED, place.path):
            continue
        severity = settings.severity.get(PLUGIN_FAILED, "error")
        item = Diagnostic(PLUGIN_FAILED, severity, mask(error.message), place, FIX)
        found.append(Checked(place.path, (item,), is_lesson=False))
    return found


_CATALOGS = ("", "lesson_rules", "lesson_actions", "lesson_directories")
"""The hooks that a whole validation depends on; empty for a plugin that was not loaded."""


def errors_before_run(plan: Plan, plugins: Plugins) -> list[Diagnostic]:
    """
    Return the errors for which ``lesson validate`` would refuse a planned lesson, under the same settings.

    A lesson without directives was not written for this tool: only a plugin that goes wrong stops it.

    Raises:
        LessonError: the settings cannot be read.
        InvalidLessonError: the settings have errors.
    """
    lesson, rules = plan.lesson, all_rules(plugins)
    settings = find_settings(None, rules)
    scope = scope_of([lesson.path], plugins)
    found = dict.fromkeys([*plan.diagnostics, *uncovered(plan), *judged_by_exit_alone(plan)])
    found.update(dict.fromkeys(_by_rules(lesson, plugins, rules, scope, settings)))
    kept = _kept(_Read(lesson.path, lesson, ()), found, rules, settings)
    stopping = (item for item in kept if item.rule == PLUGIN_FAILED or not plan.recognised)
    return [_masked(item) for item in stopping if item.severity == "error"]


@dataclass(frozen=True, slots=True)
class _Read:
    """A document that was read; ``lesson`` is ``None`` if it is not text."""

    path: Path
    lesson: Lesson | None
    problems: tuple[Diagnostic, ...]


def _read(path: Path, overlay: Path | None) -> _Read:
    try:
        lesson, problems = load_lesson(path, overlay)
    except InvalidLessonError as error:  # a file that is not text must not keep the others from being checked
        return _Read(path, None, tuple(error.diagnostics))
    except LessonError as error:
        problem = Diagnostic("unreadable", "error", str(error), Location(path, 1), error.fix)
        return _Read(path, None, (problem,))
    return _Read(path, lesson, tuple(problems))


def _lines(lesson: Lesson, found: Iterable[Diagnostic]) -> dict[int, str]:
    """Return the lines that diagnostics are about; secrets are masked in the whole text, across lines."""
    wanted = {item.location.line for item in found if item.location.path == lesson.path}
    if not wanted:
        return {}
    lines = mask(lesson.text, keep_places=True).split("\n")
    return {number: lines[number - 1] for number in sorted(wanted) if 0 < number <= len(lines)}


def _found(
    document: _Read, plugins: Plugins, rules: Mapping[str, Rule], scope: Scope, settings: Settings
) -> Iterable[Diagnostic]:
    """Yield all diagnostics of a document, each once, including those that will be ignored."""
    found = dict.fromkeys(document.problems)
    lesson = document.lesson
    if lesson is not None:
        if not first_error(document.problems):
            found.update(dict.fromkeys(_planned(lesson, document.problems, plugins)))
        found.update(dict.fromkeys(_by_rules(lesson, plugins, rules, scope, settings)))
    return found


def _by_rules(
    lesson: Lesson, plugins: Plugins, rules: Mapping[str, Rule], scope: Scope, settings: Settings
) -> Iterator[Diagnostic]:
    for rule in rules.values():
        if rule.check is not None and settings.wants(rule.id, lesson.path):
            yield from _checker(rule, plugins)(lesson, scope)


def _masked(item: Diagnostic) -> Diagnostic:
    """Mask secrets: diagnostics are shown in CI logs and code scanning."""
    return replace(item, message=mask(item.message), fix=item.fix and mask(item.fix))


def _checker(rule: Rule, plugins: Plugins) -> Callable[[Lesson, Scope], Iterable[Diagnostic]]:
    """Return a rule's check; if a plugin's check raises, a diagnostic says so."""
    if "." in rule.id:
        return lambda lesson, scope: plugins.check_rule(rule, lesson, scope)
    assert rule.check is not None
    return rule.check


def _planned(lesson: Lesson, problems: Iterable[Diagnostic], plugins: Plugins) -> Iterable[Diagnostic]:
    """Yield the diagnostics of planning the lesson in each of its profiles."""
    problems = list(problems)
    # Recognise the steps once instead of in each profile.
    recognition = None if lesson.has_directives else recognise_steps(lesson, plugins)
    for profile in known_profiles(recognition.lesson if recognition else lesson, plugins):
        try:
            plan = make_plan(lesson, problems, plugins, profile, recognition=recognition)
        except InvalidLessonError as error:
            yield from error.diagnostics
        else:
            yield from plan.diagnostics
            yield from uncovered(plan)
            yield from judged_by_exit_alone(plan)


def _kept(
    document: _Read, found: Iterable[Diagnostic], rules: Mapping[str, Rule], settings: Settings
) -> list[Diagnostic]:
    """Return the diagnostics that neither the author nor the settings hide, with the settings' severities."""
    wanted = {rule for rule in rules if settings.wants(rule, document.path)}
    if first_error(document.problems):  # it was not planned, so these rules were not applied
        wanted -= {rule.id for rule in planning.RULES}
    if document.lesson is not None:
        found = ignores.apply(document.lesson, found, rules, wanted)
    kept = [item for item in found if settings.wants(item.rule, document.path)]
    # A plugin's rule and one of the core may report the same; the first, from planning, knows more.
    once: dict[tuple[Location, str], Diagnostic] = {}
    for item in kept:
        once.setdefault((item.location, item.message), item)
    kept = _with_edits_that_apply(list(once.values()), document)
    kept = [replace(item, severity=settings.severity.get(item.rule, item.severity)) for item in kept]
    return sorted(kept, key=lambda item: (item.location.line, item.location.column, item.rule))


def _with_edits_that_apply(found: list[Diagnostic], document: _Read) -> list[Diagnostic]:
    """Remove edits that do not match the document's text, for example because a value is in quotes."""
    if document.lesson is None or not any(item.edits for item in found):
        return found
    source = Source(document.lesson.text)
    return [item if source.allows(item.edits) else replace(item, edits=()) for item in found]
