"""Rules about the status of a lesson, the hardware it was validated on, and its id."""

from __future__ import annotations

from collections.abc import Iterable

from lesson_runner.document.schema.validator import place_of
from lesson_runner.files.plain import real
from lesson_runner.model import Diagnostic, Lesson, Rule, Scope


def check_validated(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield a diagnostic if a lesson is 'validated' without hardware or date."""
    if lesson.frontmatter.get("status") != "validated":
        return
    missing = [key for key in ("validatedOn", "validationDate") if not lesson.frontmatter.get(key)]
    if missing:
        names = " and ".join(f"'{key}'" for key in missing)
        message = f"the lesson has 'status: validated', but no {names}"
        fix = "add the hardware it worked on and the date; or write 'status: draft'"
        place = place_of(lesson.positions, ("status",))
        yield Diagnostic("validated-without-evidence", "warning", message, place, fix)


def check_hardware(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001
    """Yield hardware that a lesson was validated on but does not support."""
    validated, supported = (lesson.frontmatter.get(key) for key in ("validatedOn", "supportedHardware"))
    if not isinstance(validated, list) or not isinstance(supported, list):
        return
    # The schema reports a name spelt N150 in one of the lists, so case is ignored here.
    listed = {item.lower() for item in supported if isinstance(item, str)}
    for index, name in enumerate(validated):
        if isinstance(name, str) and name.lower() not in listed:
            message = f"validated on '{name}', which is not in 'supportedHardware'"
            fix = f"add '{name}' to 'supportedHardware', or remove it here"
            place = place_of(lesson.positions, ("validatedOn", index))
            yield Diagnostic("validated-elsewhere", "error", message, place, fix)


def check_certified(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:
    """Yield hardware that a lesson was validated on without a certificate, if certificates are required."""
    names = lesson.frontmatter.get("validatedOn")
    if scope.uncertified is None or not isinstance(names, list):
        return
    for index, name in enumerate(names):
        if isinstance(name, str) and (why := scope.uncertified(lesson, name)):
            message = f"validated on '{name}' without a valid certificate: {why}"
            fix = f"certify it on {name} (lesson certify), or remove '{name}' here"
            place = place_of(lesson.positions, ("validatedOn", index))
            yield Diagnostic("validated-without-certificate", "error", message, place, fix)


def check_blocked(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001
    """Yield a diagnostic if a lesson is blocked and does not say why."""
    if lesson.frontmatter.get("status") == "blocked" and not lesson.frontmatter.get("blockReason"):
        message = "the lesson is blocked and does not say why"
        place = place_of(lesson.positions, ("status",))
        yield Diagnostic("blocked-without-reason", "warning", message, place, "add 'blockReason'")


def check_id(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:
    """Yield an id that another validated lesson has too; installed ones may be older copies of this one."""
    name = lesson.frontmatter.get("id")
    same = [path for path in scope.lessons.get(str(name), ()) if path in scope.together]
    others = [path for path in same if real(path) != real(lesson.path)]
    if isinstance(name, str) and others:
        message = f"the id '{name}' is also that of {', '.join(map(str, sorted(others)))}"
        place = place_of(lesson.positions, ("id",))
        yield Diagnostic("duplicate-lesson", "error", message, place, "give one of them another id")


RULES = (
    Rule("duplicate-lesson", "error", "Two lessons with the same id.", check=check_id),
    Rule(
        "validated-without-evidence",
        "warning",
        "A lesson with 'status: validated', but without hardware or date.",
        check=check_validated,
    ),
    Rule(
        "validated-without-certificate",
        "error",
        "A lesson validated on hardware without a certificate (only with --certs).",
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
        "A lesson that is blocked without a reason.",
        check=check_blocked,
    ),
)
