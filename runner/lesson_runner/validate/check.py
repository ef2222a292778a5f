"""Looking at a set of documents: each one read, planned in every profile, and held against every rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lesson_runner.document.lessons import load_lesson
from lesson_runner.execute.redaction.secrets import mask
from lesson_runner.files.plain import real
from lesson_runner.model import Checked, Diagnostic, Lesson, Location, Rule, Scope, first_error
from lesson_runner.model.errors import InvalidLessonError, LessonError
from lesson_runner.plugins.catalog import lessons as known_lessons
from lesson_runner.plugins.catalog import read_head
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run.plan import make_plan
from lesson_runner.run.recognise import has_directives
from lesson_runner.run.resolve_blocks import known_profiles, recognise_steps
from lesson_runner.validate.coverage import judged_by_exit_alone, uncovered
from lesson_runner.validate.fix import Source
from lesson_runner.validate.rules import ignores, planning, table
from lesson_runner.validate.rules.anchors import anchors_of
from lesson_runner.validate.settings import Settings


def all_rules(plugins: Plugins) -> Mapping[str, Rule]:
    """Return every rule by id: the core's, then the plugins'."""
    return {**{rule.id: rule for rule in table.RULES}, **plugins.rules()}


def scope_of(paths: Sequence[Path], plugins: Plugins) -> Scope:
    """Return what the rules may know of the documents beside the one they look at."""
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
    """What documents are held against."""

    plugins: Plugins
    settings: Settings
    rules: Mapping[str, Rule]
    scope: Scope

    def check(self, path: Path) -> Checked:
        """Return what is found in a document; never raises for what stands in it."""
        document = _read(path)
        found = list(_found(document, self.plugins, self.rules, self.scope, self.settings))
        kept = _kept(document, found, self.rules, self.settings)
        # What is shown goes into logs of CI and code scanning, where no secret must be.
        shown = [replace(item, message=mask(item.message), fix=item.fix and mask(item.fix)) for item in kept]
        if document.lesson is None:
            return Checked(path, tuple(shown))
        return Checked(path, tuple(shown), _lines(document.lesson, shown), document.lesson.digest)


def validate(
    paths: Sequence[Path],
    plugins: Plugins,
    settings: Settings,
    rules: Mapping[str, Rule],
    uncertified: Callable[[Lesson, str], str] | None = None,
) -> Iterator[Checked]:
    """
    Yield what is found in each of ``paths``, in their order; only one is held in memory.

    Args:
        uncertified: why a lesson has no valid certificate for a hardware; ``None`` asks for none.
    """
    scope = replace(scope_of(paths, plugins), uncertified=uncertified)
    checker = Checker(plugins, settings, rules, scope)
    return map(checker.check, paths)


@dataclass(frozen=True, slots=True)
class _Read:
    """A document that was looked at; ``lesson`` is ``None`` where there is no text to look at."""

    path: Path
    lesson: Lesson | None
    problems: tuple[Diagnostic, ...]


def _read(path: Path) -> _Read:
    try:
        lesson, problems = load_lesson(path)
    except InvalidLessonError as error:  # one file that is not text must not hide what is wrong with the rest
        return _Read(path, None, tuple(error.diagnostics))
    except LessonError as error:
        problem = Diagnostic("unreadable", "error", str(error), Location(path, 1), error.fix)
        return _Read(path, None, (problem,))
    return _Read(path, lesson, tuple(problems))


def _lines(lesson: Lesson, found: Iterable[Diagnostic]) -> dict[int, str]:
    """Return the lines that diagnostics speak of; a secret is masked in all of the text, it may be longer."""
    wanted = {item.location.line for item in found if item.location.path == lesson.path}
    if not wanted:
        return {}
    lines = mask(lesson.text, keep_places=True).split("\n")
    return {number: lines[number - 1] for number in sorted(wanted) if 0 < number <= len(lines)}


def _found(
    document: _Read, plugins: Plugins, rules: Mapping[str, Rule], scope: Scope, settings: Settings
) -> Iterable[Diagnostic]:
    """Yield everything that is wrong with a document, once, whatever was ignored."""
    found = dict.fromkeys(document.problems)
    lesson = document.lesson
    if lesson is not None:
        if not first_error(document.problems):
            found.update(dict.fromkeys(_planned(lesson, document.problems, plugins)))
        for rule in rules.values():
            if rule.check is not None and settings.wants(rule.id, document.path):
                check = _guarded(rule, plugins)
                found.update(dict.fromkeys(check(lesson, scope)))
    return found


def _guarded(rule: Rule, plugins: Plugins) -> Callable[[Lesson, Scope], Iterable[Diagnostic]]:
    """Return a rule's check; a plugin's may raise, and is then reported by ``lesson plugins``."""
    if "." in rule.id:
        return lambda lesson, scope: plugins.check_rule(rule, lesson, scope)
    assert rule.check is not None
    return rule.check


def _planned(lesson: Lesson, problems: Iterable[Diagnostic], plugins: Plugins) -> Iterable[Diagnostic]:
    """Yield what is found when the lesson is planned in each of its profiles."""
    problems = list(problems)
    if not has_directives(lesson):  # recognised once, and not again in each profile
        recognition = recognise_steps(lesson, plugins)
        problems += recognition.problems
        lesson = recognition.lesson
    for profile in known_profiles(lesson, plugins):
        try:
            plan = make_plan(lesson, problems, plugins, profile)
        except InvalidLessonError as error:
            yield from error.diagnostics
        else:
            yield from plan.diagnostics
            yield from uncovered(plan)
            yield from judged_by_exit_alone(plan)


def _kept(
    document: _Read, found: Iterable[Diagnostic], rules: Mapping[str, Rule], settings: Settings
) -> list[Diagnostic]:
    """Return the diagnostics that the author or the settings do not hide, with the settings' severities."""
    wanted = {rule for rule in rules if settings.wants(rule, document.path)}
    if first_error(document.problems):  # it was not planned, so nobody looked for these
        wanted -= {rule.id for rule in planning.RULES}
    if document.lesson is not None:
        found = ignores.apply(document.lesson, found, rules, wanted)
    kept = [item for item in found if settings.wants(item.rule, document.path)]
    # A plugin's rule and one of the core may find the same thing; who planned the lesson knows more about it.
    once: dict[tuple[Location, str], Diagnostic] = {}
    for item in kept:
        once.setdefault((item.location, item.message), item)
    kept = _with_edits_that_apply(list(once.values()), document)
    kept = [_with_own_severity(item, rules, settings) for item in kept]
    return sorted(kept, key=lambda item: (item.location.line, item.location.column, item.rule))


def _with_edits_that_apply(found: list[Diagnostic], document: _Read) -> list[Diagnostic]:
    """Return the diagnostics without edits whose text is not what they replace (a value in quotes, say)."""
    if document.lesson is None or not any(item.edits for item in found):
        return found
    source = Source(document.lesson.text)
    return [item if source.allows(item.edits) else replace(item, edits=()) for item in found]


def _with_own_severity(item: Diagnostic, rules: Mapping[str, Rule], settings: Settings) -> Diagnostic:
    if item.rule == "no-steps":  # to `lesson run` an error; an author may just not be there yet
        item = replace(item, severity=rules[item.rule].severity)
    return replace(item, severity=settings.severity.get(item.rule, item.severity))
