"""Apply ``ignore`` comments: hide diagnostics of the rules they name, and check the comments themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from lesson_runner.model import Diagnostic, Ignore, Lesson, Rule
from lesson_runner.model.hints import did_you_mean

RULES = (
    Rule("unknown-rule", "error", "An 'ignore' comment for a rule that does not exist."),
    Rule("unused-ignore", "warning", "An 'ignore' comment that hides nothing."),
)
NEVER_IGNORED = frozenset(rule.id for rule in RULES)


def apply(
    lesson: Lesson, found: Iterable[Diagnostic], known: Collection[str], applied: Collection[str]
) -> list[Diagnostic]:
    """
    Return the diagnostics that no ``ignore`` comment hides, and those about the comments.

    Errors that keep the lesson from being run can be hidden as well; ``lesson run`` still reports them.

    Args:
        known: the ids of all rules.
        applied: the rules that this validation applies; a comment for other rules does not count as unused.
    """
    kept: list[Diagnostic] = []
    used: set[tuple[Ignore, str]] = set()
    for item in found:
        here = item.location.path == lesson.path  # and not in its sidecar
        hiding = [comment for comment in lesson.ignores if here and _hides(comment, item)]
        used.update((comment, item.rule) for comment in hiding)
        if not hiding:
            kept.append(item)
    for comment in lesson.ignores:
        for rule in comment.rules:
            if rule not in known:
                message = f"there is no rule '{rule}' to ignore"
                fix = did_you_mean(rule, sorted(known)) or "see 'lesson explain' for all rules"
                kept.append(Diagnostic("unknown-rule", "error", message, comment.location, fix))
            elif rule in applied and (comment, rule) not in used:
                message = f"nothing here breaks the rule '{rule}'"
                fix = "remove it from the comment"
                kept.append(Diagnostic("unused-ignore", "warning", message, comment.location, fix))
    return kept


def _hides(comment: Ignore, item: Diagnostic) -> bool:
    return (
        item.rule in comment.rules
        and item.rule not in NEVER_IGNORED
        and comment.first <= item.location.line <= comment.last
    )
