"""Check a certificate's subjects: lesson, plan and evidence are the signed ones and belong together."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from lesson_runner import __version__
from lesson_runner.certify.evidence import first_difference
from lesson_runner.certify.statement import Certificate
from lesson_runner.certify.store import StoredCertificate
from lesson_runner.certify.trust import RefusedError
from lesson_runner.document.lessons import MAX_LESSON_BYTES, load_lesson
from lesson_runner.files.canonical import parse_strict_json
from lesson_runner.files.plain import MAX_JSON_BYTES, read_plain
from lesson_runner.model import Lesson, Plan, first_error
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run.digests import content_digest
from lesson_runner.run.params import params_of
from lesson_runner.run.plan import make_plan

NOT_REEVALUABLE = "not re-evaluable"
"""The check that refuses a certificate which may be valid, but cannot be judged with the plugins here."""
INSTALL = (
    "install the plugins that the lesson uses, in the versions it was run with; "
    "'lesson plugins' lists those installed here"
)


def check_files(certificate: Certificate, stored: StoredCertificate) -> tuple[Lesson, list[dict[str, Any]]]:
    """
    Return the signed lesson and the steps of the signed plan, after checking them and the evidence.

    Raises:
        RefusedError: a file was changed, added or removed.
    """
    if not stored.evidence.is_dir():
        fix = "name its folder: --evidence DIR"
        raise RefusedError("evidence", f"there is no evidence: {stored.evidence} is not a folder", fix)
    ran = _lesson(certificate, stored)
    plan = _read_signed_json(
        stored.plan, certificate.digests.plan, "plan", "the plan was changed after it was certified"
    )
    what = "the evidence manifest was changed after it was signed"
    listed = _read_signed_json(stored.manifest, certificate.digests.evidence, "evidence", what)
    try:
        problem = first_difference(listed, stored.evidence)
    except OSError as error:
        raise RefusedError("evidence", f"the evidence cannot be read: {error}") from None
    except (AttributeError, KeyError, TypeError):
        raise RefusedError(
            "evidence", f"what was signed is not an evidence manifest: {stored.manifest}"
        ) from None
    if problem is not None:
        name, what = problem
        raise RefusedError("evidence", f"the evidence {what} after it was signed: {stored.evidence / name}")
    return ran, plan


def _read_signed_json(path: Path, digest: str, check: str, changed: str) -> Any:
    """Return the data of a JSON file whose digest was signed."""
    try:
        data = read_plain(path, MAX_JSON_BYTES)
    except OSError as error:
        raise RefusedError(check, f"{path}: cannot be read: {error.strerror or error}") from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise RefusedError(check, f"{changed}: {path}")
    try:
        return parse_strict_json(data)
    except ValueError as error:
        raise RefusedError(check, f"what was signed is not JSON: {path}: {error}") from None


def _lesson(certificate: Certificate, stored: StoredCertificate) -> Lesson:
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
        raise RefusedError("lesson", f"the signed lesson does not validate: {wrong}")
    return ran


def check_plan(certificate: Certificate, ran: Lesson, steps: list[dict[str, Any]], plugins: Plugins) -> Plan:
    """
    Return the lesson's plan if it is the signed plan.

    Planning the lesson here means that no step is judged by expectations that only the signer knows. Other
    versions of the runner or of plugins may plan the same lesson differently: the certificate may then be
    genuine, but cannot be verified here.

    Raises:
        RefusedError: the plan is not the lesson's, or this cannot be decided here.
    """
    signed_plan = certificate.predicate["plan"]
    try:
        missing = sorted({step["action"] for step in steps} - set(plugins.actions()))
    except (KeyError, TypeError):
        raise RefusedError("plan", "what was signed is not a plan") from None
    if missing:
        raise RefusedError(NOT_REEVALUABLE, f"no installed plugin has the action '{missing[0]}'", INSTALL)
    differ = versions_that_differ(certificate, plugins)
    try:
        plan = make_plan(ran, (), plugins, signed_plan["profile"], params_of(signed_plan))
        if plan.digest == certificate.digests.plan:
            return plan
        why = "the lesson is planned differently here"
    except LessonError as error:
        why = f"the lesson cannot be planned here: {error}"
    if differ:
        raise RefusedError(NOT_REEVALUABLE, f"{why}; versions that differ: {differ}", INSTALL)
    raise RefusedError("plan", "the signed plan is not the lesson's plan")


def versions_that_differ(certificate: Certificate, plugins: Plugins) -> str:
    """Return, in words, which versions here differ from those that the lesson was run with."""
    toolchain = certificate.predicate["toolchain"]
    now = {"lesson-runner": __version__, **{name: info.version for name, info in plugins.infos.items()}}
    then = {"lesson-runner": toolchain["versions"].get("lesson-runner"), **toolchain["plugins"]}
    names = sorted(name for name in now.keys() | then.keys() if now.get(name) != then.get(name))
    return ", ".join(f"{name} (then {then.get(name)}, here {now.get(name)})" for name in names)
