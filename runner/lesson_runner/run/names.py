"""Check the profiles and actions that a lesson names: settings of a misspelt one would be ignored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from lesson_runner.document.schema.validator import KeyPath, place_of
from lesson_runner.model import Diagnostic, Lesson
from lesson_runner.model.hints import suggest_names
from lesson_runner.plugins.action import Action
from lesson_runner.plugins.manager import Plugins

DEFAULT_PROFILE = "default"


def profiles_of(lesson: Lesson, actions: Mapping[str, Action]) -> list[str]:
    """Return the profiles a lesson declares; if it declares none, those of the actions."""
    if declared := lesson.runner.get("profiles"):
        return list(declared)
    return [DEFAULT_PROFILE, *sorted({name for action in actions.values() for name in action.profiles})]


def usual_profile(lesson: Lesson, known: Sequence[str], *, board: bool) -> str:
    """Return the default profile: the lesson's first, or the actions' profile that fits the machine."""
    fitting = "full" if board else "quick"
    return fitting if not lesson.runner.get("profiles") and fitting in known else known[0]


def unknown_names(lesson: Lesson, plugins: Plugins) -> Iterable[Diagnostic]:
    """Yield a diagnostic for each profile or action that a lesson names and that does not exist."""
    actions = plugins.actions()
    profiles = profiles_of(lesson, actions)

    def hint(name: str, known: Iterable[str]) -> str:
        return plugins.hint(suggest_names(name, known), "lesson_actions")

    for machine, name in lesson.runner.get("defaultProfile", {}).items():
        if isinstance(name, str) and name not in profiles:
            place = place_of(lesson.positions, ("runner", "defaultProfile", machine))
            message = f"there is no profile '{name}'"
            yield Diagnostic("unknown-profile", "error", message, place, hint(name, profiles))
    for step in lesson.steps:
        for name in step.profiles:
            if name not in profiles:
                place = place_of(step.positions, ("profiles", name))
                message = f"step '{step.id}': there is no profile '{name}'"
                yield Diagnostic("unknown-profile", "error", message, place, hint(name, profiles))
    for path, name in _actions_named(lesson):
        if name not in actions:
            place, message = place_of(lesson.positions, path), f"no plugin has an action '{name}'"
            yield Diagnostic("unknown-action", "error", message, place, hint(name, actions))


def _actions_named(lesson: Lesson) -> Iterable[tuple[KeyPath, str]]:
    for name in lesson.runner.get("with", {}):
        yield ("runner", "with", name), name
    for profile, content in lesson.runner.get("profiles", {}).items():
        for name in content.get("with", {}):
            yield ("runner", "profiles", profile, "with", name), name
