"""What a certificate is about: lesson, plan and evidence are those that were signed, and belong together."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from lesson_runner import __version__
from lesson_runner.certify.evidence import difference
from lesson_runner.certify.statement import Certificate
from lesson_runner.certify.store import Stored
from lesson_runner.certify.trust import RefusedError
from lesson_runner.document.lessons import MAX_LESSON_BYTES, load_lesson
from lesson_runner.files.canonical import parse_json
from lesson_runner.files.plain import MAX_JSON_BYTES, read_plain
from lesson_runner.model import Lesson, Plan, first_error
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run.digests import content_digest
from lesson_runner.run.params import params_of
from lesson_runner.run.plan import make_plan

NOT_HERE = "not re-evaluable"
"""The check that refuses what may be right, and cannot be judged with what is installed here."""
INSTALL = (
    "install the plugins that the lesson uses, in the versions of then; 'lesson plugins' lists those here"
)


def check_files(certificate: Certificate, stored: Stored) -> tuple[Lesson, list[dict[str, Any]]]:
    """
    Return the lesson and the plan's steps, if they and the evidence are what was signed.

    Raises:
        RefusedError: something was changed, added or taken away.
    """
    if not stored.evidence.is_dir():
        fix = "name the folder it is in: --evidence DIR"
        raise RefusedError("evidence", f"the evidence is not here: {stored.evidence}", fix)
    ran = _lesson(certificate, stored)
    plan = _signed(
        stored.plan, certificate.digests.plan, "plan", "the plan was changed after it was certified"
    )
    what = "the list of the evidence was changed after it was signed"
    listed = _signed(stored.manifest, certificate.digests.evidence, "evidence", what)
    try:
        problem = difference(listed, stored.evidence)
    except OSError as error:
        raise RefusedError("evidence", f"the evidence cannot be read: {error}") from None
    except (AttributeError, KeyError, TypeError):
        raise RefusedError("evidence", f"what was signed is no list of evidence: {stored.manifest}") from None
    if problem is not None:
        name, what = problem
        raise RefusedError("evidence", f"the evidence {what} after it was signed: {stored.evidence / name}")
    return ran, plan


def _signed(path: Path, digest: str, check: str, changed: str) -> Any:
    """Return what is in a JSON file whose digest was signed."""
    try:
        data = read_plain(path, MAX_JSON_BYTES)
    except OSError as error:
        raise RefusedError(check, f"{path}: cannot be read: {error.strerror or error}") from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise RefusedError(check, f"{changed}: {path}")
    try:
        return parse_json(data)
    except ValueError as error:
        raise RefusedError(check, f"what was signed is not JSON: {path}: {error}") from None


def _lesson(certificate: Certificate, stored: Stored) -> Lesson:
    try:
        read_plain(stored.lesson, MAX_LESSON_BYTES)
        ran, problems = load_lesson(stored.lesson)
    except (LessonError, OSError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise RefusedError("lesson", f"{stored.lesson}: the lesson cannot be read: {why}") from None
    if content_digest(ran) != certificate.digests.lesson:
        raise RefusedError("lesson", f"the lesson was changed after it was certified: {stored.lesson}")
    wrong = first_error(problems)
    if wrong is not None:
        raise RefusedError("lesson", f"the lesson that was signed does not validate: {wrong}")
    return ran


def check_plan(certificate: Certificate, ran: Lesson, steps: list[dict[str, Any]], plugins: Plugins) -> Plan:
    """
    Return the lesson's plan if it is the one that was signed.

    So nothing is judged by what only the signer says.

    Other versions of the runner or of plugins may plan the same lesson in another way. That is no forgery,
    but then it cannot be found out here.

    Raises:
        RefusedError: it is not the lesson's, or that cannot be found out.
    """
    said = certificate.predicate["plan"]
    try:
        missing = sorted({step["action"] for step in steps} - set(plugins.actions()))
    except (KeyError, TypeError):
        raise RefusedError("plan", "what was signed is no plan") from None
    if missing:
        raise RefusedError(NOT_HERE, f"no plugin here has the action '{missing[0]}'", INSTALL)
    differ = versions_that_differ(certificate, plugins)
    try:
        plan = make_plan(ran, (), plugins, said["profile"], params_of(said))
        if plan.digest == certificate.digests.plan:
            return plan
        why = "the lesson is planned differently here"
    except LessonError as error:
        why = f"the lesson cannot be planned here: {error}"
    if differ:
        raise RefusedError(NOT_HERE, f"{why}; versions that differ: {differ}", INSTALL)
    raise RefusedError("plan", "the plan that was signed does not follow from the lesson")


def versions_that_differ(certificate: Certificate, plugins: Plugins) -> str:
    """Return, for people, of what the version here is another than where the lesson was run."""
    said = certificate.predicate["toolchain"]
    now = {"lesson-runner": __version__, **{name: info.version for name, info in plugins.infos.items()}}
    then = {"lesson-runner": said["versions"].get("lesson-runner"), **said["plugins"]}
    names = sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))
    return ", ".join(f"{name} (then {then.get(name)}, here {now.get(name)})" for name in names)
