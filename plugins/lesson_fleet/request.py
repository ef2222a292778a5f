"""Check a fleet run's request: each lesson is read, planned and allowed before anything starts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from lesson_fleet.cells import CellOptions, Document
from lesson_fleet.certificate import CertificateRequest
from lesson_runner.certify.keys import KeyStore
from lesson_runner.certify.policy import load_policy
from lesson_runner.cli.common import ask, is_interactive, note, open_valid_lesson, plan_to_run
from lesson_runner.cli.permissions import allowed_permissions
from lesson_runner.document.schema.validator import load_schema
from lesson_runner.execute.inputs import Inputs
from lesson_runner.model import Hardware
from lesson_runner.model.errors import CertificateError, LessonError
from lesson_runner.model.hints import suggest_names
from lesson_runner.model.lesson_ids import is_lesson_id
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run.options import RunOptions, check_backend
from lesson_runner.run.params import parse_param
from lesson_runner.run.permissions import permissions_needed
from lesson_runner.run.prepare import prepare_run


def known_hardware() -> list[str]:
    """Return every kind of hardware that a lesson can support."""
    return list(load_schema("lesson")["$defs"]["hardware"]["enum"])


def kinds_of(text: str) -> list[str]:
    """
    Return the kinds of boards that ``--hardware`` names.

    Raises:
        LessonError: it names no kind, or an unknown one.
    """
    known = known_hardware()
    kinds = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in kinds:
        if name not in known:
            raise LessonError(f"--hardware {name}: there is no such hardware", fix=suggest_names(name, known))
    if not kinds:
        raise LessonError("--hardware is empty", fix=f"name some of {', '.join(known)}")
    return kinds


def checked_backend(name: str, *, pretend: bool) -> str:
    """
    Return the name of a backend after checking it.

    Raises:
        LessonError: there is no such backend, or it does not work on a pretended board.
    """
    if check_backend(name) == "ttml" and pretend:
        raise LessonError(
            "--pretend and --backend ttml exclude each other: on a pretended board lessons are emulated",
            fix="leave one of them out",
        )
    return name


def certificate_request(
    policy: str | None, key: str | None, options: CellOptions, *, certify: bool
) -> CertificateRequest | None:
    """
    Return the request for certificates, or ``None``; impossible requests are refused before hours of running.

    Raises:
        LessonError: there is no such policy or key, or the policy requires more passes.
        CertificateError: the policy requires boards, but these are pretended.
    """
    if not certify:
        if policy or key:
            option = "--policy" if policy else "--key"
            raise LessonError(f"{option} is for certificates, but none was requested", fix="add --certify")
        return None
    chosen = load_policy(policy or "board")
    if chosen.passes > options.passes:
        raise LessonError(
            f"--passes {options.passes}: the policy '{chosen.name}' requires {chosen.passes}",
            fix=f"--passes {chosen.passes}",
        )
    if options.pretended and set(chosen.classes) == {"silicon"}:
        raise CertificateError(
            f"the policy '{chosen.name}' requires a board, but these are pretended",
            fix="use the policy for emulated runs: --policy emulated",
        )
    KeyStore().own(key)
    return CertificateRequest(policy, key)


def read_documents(
    names: Sequence[str],
    kinds: Sequence[str],
    options: CellOptions,
    allow: list[str] | None,
    plugins: Plugins,
    *,
    json: bool,
) -> list[Document]:
    """
    Return the lessons, after planning each of them here to find errors before anything starts.

    Raises:
        LessonError: a lesson is not found, not valid or not allowed, two lessons have the same id, or no
            lesson supports any of the hardware.
    """
    # The worker chooses the profile; plan as if the first kind of board had been found.
    run_options = RunOptions(
        hardware=() if options.pretended else (Hardware(kinds[0], "--hardware", 1),),
        profile=options.profile,
        backend="emulated" if options.pretended else options.backend,
        params=tuple(map(parse_param, options.params)),
        fresh=True,
        allowed=allowed_permissions(allow),
        ask=ask if is_interactive(json=json) else None,
        note=note,
    )
    found: dict[str, Document] = {}
    for name in names:
        document = _document(name, plugins, run_options)
        other = found.setdefault(document.id, document)
        if other.path != document.path:
            raise LessonError(
                f"two lessons have the id '{document.id}': {other.path} and {document.path}",
                fix="run them one after the other",
            )
    if not any(kind in document.supported for document in found.values() for kind in kinds):
        lines = "; ".join(f"{item.id} is for {', '.join(item.supported)}" for item in found.values())
        raise LessonError(f"--hardware {','.join(kinds)}: no lesson supports any of these: {lines}")
    return list(found.values())


def _document(name: str, plugins: Plugins, options: RunOptions) -> Document:
    lesson, problems, installed = open_valid_lesson(name, plugins)
    plan = plan_to_run(lesson, problems, plugins, options)
    prepare_run(plan, plugins, options, installed=installed)
    named = lesson.frontmatter.get("supportedHardware")
    if not isinstance(named, list) or not is_lesson_id(lesson.frontmatter.get("id")):
        message = f"{lesson.path}: a fleet needs a lesson whose frontmatter has 'id' and 'supportedHardware'"
        raise LessonError(message, fix="add them; 'lesson annotate' writes frontmatter")
    if lesson.sidecar:
        message = f"{lesson.path}: a fleet sends the lesson alone, without its sidecar {lesson.sidecar.path}"
        raise LessonError(message, fix="write the directives into the lesson")
    text = lesson.path.read_bytes()
    if hashlib.sha256(text).hexdigest() != lesson.digest:
        raise LessonError(f"{lesson.path}: changed while it was being read", fix="run this again")
    # A lesson that is allowed here is allowed on workers, where even an installed lesson is only a text.
    actions = plugins.actions()
    wanted = {
        name
        for step in plan.steps
        for name in permissions_needed(step, actions[step.action], Inputs(lesson.path))
    }
    supported = tuple(map(str, named))
    allow = tuple(sorted(wanted | options.allowed))
    return Document(
        lesson.id, lesson.title, str(lesson.path.resolve()), text, lesson.digest, supported, allow
    )
