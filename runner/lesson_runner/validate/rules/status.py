"""What a lesson says about itself: its status, where it was validated, and its id."""

from __future__ import annotations

from collections.abc import Iterable

from lesson_runner.document.schema.validator import place_of
from lesson_runner.files.plain import real
from lesson_runner.model import Diagnostic, Lesson, Rule, Scope


def check_validated(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield what a lesson that calls itself validated does not say."""
    if lesson.frontmatter.get("status") != "validated":
        return
    missing = [key for key in ("validatedOn", "validationDate") if not lesson.frontmatter.get(key)]
    if missing:
        names = " and ".join(f"'{key}'" for key in missing)
        message = f"the lesson calls itself validated, without {names}"
        fix = "say on which hardware it was seen to work, and when; or make it 'status: draft'"
        place = place_of(lesson.positions, ("status",))
        yield Diagnostic("validated-without-evidence", "warning", message, place, fix)


def check_hardware(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001
    """Yield hardware that a lesson was validated on and does not support."""
    validated, supported = (lesson.frontmatter.get(key) for key in ("validatedOn", "supportedHardware"))
    if not isinstance(validated, list) or not isinstance(supported, list):
        return
    # A name spelt N150 in one of the two lists is one mistake, reported by the schema.
    listed = {item.lower() for item in supported if isinstance(item, str)}
    for index, name in enumerate(validated):
        if isinstance(name, str) and name.lower() not in listed:
            message = f"validated on '{name}', which 'supportedHardware' does not list"
            fix = f"add '{name}' to 'supportedHardware', or take it out here"
            place = place_of(lesson.positions, ("validatedOn", index))
            yield Diagnostic("validated-elsewhere", "error", message, place, fix)


def check_certified(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:
    """Yield hardware that a lesson was validated on without a certificate, where those are asked for."""
    names = lesson.frontmatter.get("validatedOn")
    if scope.uncertified is None or not isinstance(names, list):
        return
    for index, name in enumerate(names):
        if isinstance(name, str) and (why := scope.uncertified(lesson, name)):
            message = f"validated on '{name}', and there is no valid certificate of that: {why}"
            fix = f"certify it on {name} (lesson certify), or take '{name}' out here"
            place = place_of(lesson.positions, ("validatedOn", index))
            yield Diagnostic("validated-without-certificate", "error", message, place, fix)


def check_blocked(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001
    """Yield a lesson that is blocked and does not say why."""
    if lesson.frontmatter.get("status") == "blocked" and not lesson.frontmatter.get("blockReason"):
        message = "the lesson is blocked and does not say why"
        place = place_of(lesson.positions, ("status",))
        yield Diagnostic("blocked-without-reason", "warning", message, place, "give the 'blockReason'")


def check_id(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:
    """Yield an id that another lesson has too; one that is installed may be an older copy of this one."""
    name = lesson.frontmatter.get("id")
    same = [path for path in scope.lessons.get(str(name), ()) if path in scope.together]
    others = [path for path in same if real(path) != real(lesson.path)]
    if isinstance(name, str) and others:
        message = f"the id '{name}' is also that of {', '.join(map(str, sorted(others)))}"
        place = place_of(lesson.positions, ("id",))
        yield Diagnostic("duplicate-lesson", "error", message, place, "give one of them another id")


RULES = (
    Rule("duplicate-lesson", "error", "Two lessons with one id.", check=check_id),
    Rule(
        "validated-without-evidence",
        "warning",
        "A lesson that calls itself validated, without saying where or when.",
        check=check_validated,
    ),
    Rule(
        "validated-without-certificate",
        "error",
        "A lesson validated on hardware without a certificate, where certificates are asked for (--certs).",
        check=check_certified,
    ),
    Rule(
        "validated-elsewhere",
        "error",
        "A lesson validated on hardware that it does not support.",
        check=check_hardware,
    ),
    Rule(
        "blocked-without-reason",
        "warning",
        "A lesson that is blocked, without saying why.",
        check=check_blocked,
    ),
)
