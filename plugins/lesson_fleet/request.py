"""What was asked for: boards and lessons, each read, planned and allowed before anything is started."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from lesson_fleet.cells import CellOptions, Document
from lesson_fleet.certificate import Wish
from lesson_runner.certify.keys import KeyStore
from lesson_runner.certify.policy import load_policy
from lesson_runner.cli.common import ask, is_interactive, note, open_valid_lesson
from lesson_runner.cli.permissions import allowed_permissions
from lesson_runner.document.schema.validator import load_schema
from lesson_runner.execute.inputs import Inputs
from lesson_runner.model import Hardware
from lesson_runner.model.errors import CertificateError, LessonError
from lesson_runner.model.hints import meant_or_all
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run.options import RunOptions, check_backend
from lesson_runner.run.params import parse_param
from lesson_runner.run.permissions import asked_by
from lesson_runner.run.prepare import plan_run, prepare_run


def known_hardware() -> list[str]:
    """Return every kind that a lesson can be for."""
    return list(load_schema("lesson")["$defs"]["hardware"]["enum"])


def kinds_of(text: str) -> list[str]:
    """
    Return the kinds of boards that ``--hardware`` names.

    Raises:
        LessonError: it names none, or one that no lesson can ask for.
    """
    known = known_hardware()
    kinds = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in kinds:
        if name not in known:
            raise LessonError(f"--hardware {name}: there is no such hardware", fix=meant_or_all(name, known))
    if not kinds:
        raise LessonError("--hardware names no hardware", fix=f"some of: {', '.join(known)}")
    return kinds


def checked_backend(name: str, *, pretend: bool) -> str:
    """
    Return the name of a backend.

    Raises:
        LessonError: there is none of that name, or it cannot be had on a pretended board.
    """
    if check_backend(name) == "ttml" and pretend:
        raise LessonError(
            "--pretend and --backend ttml exclude each other: on a pretended board lessons are emulated",
            fix="leave one of them out",
        )
    return name


def wish_for(policy: str | None, key: str | None, options: CellOptions, *, certify: bool) -> Wish | None:
    """
    Return what is wanted of certificates, or ``None``; what cannot be had is refused before hours of running.

    Raises:
        LessonError: there is no such policy or key, or the policy wants more passes.
        CertificateError: the policy wants boards, and these are pretended.
    """
    if not certify:
        if policy or key:
            option = "--policy" if policy else "--key"
            raise LessonError(f"{option} is for certificates, and none is asked for", fix="add --certify")
        return None
    asked = load_policy(policy or "board")
    if asked.passes > options.passes:
        raise LessonError(
            f"--passes {options.passes}: the policy '{asked.name}' wants {asked.passes}",
            fix=f"--passes {asked.passes}",
        )
    if options.pretended and set(asked.classes) == {"silicon"}:
        raise CertificateError(
            f"the policy '{asked.name}' wants a board, and these are pretended",
            fix="for what it is: --policy emulated",
        )
    KeyStore().own(key)
    return Wish(policy, key)


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
    Return the lessons, each planned once here, so that what is wrong shows before anything is started.

    Raises:
        LessonError: one is not found, not valid, not allowed, or there are two of one id; or none is for any
            of the hardware.
    """
    # The profile is chosen where it runs; here, as if the first kind of board were found.
    wanted = RunOptions(
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
        document = _document(name, plugins, wanted)
        other = found.setdefault(document.id, document)
        if other.path != document.path:
            raise LessonError(
                f"two lessons have the id '{document.id}': {other.path} and {document.path}",
                fix="run them one after the other",
            )
    if not any(kind in document.supported for document in found.values() for kind in kinds):
        lines = "; ".join(f"{item.id} is for {', '.join(item.supported)}" for item in found.values())
        raise LessonError(f"--hardware {','.join(kinds)}: no lesson supports any of it: {lines}")
    return list(found.values())


def _document(name: str, plugins: Plugins, options: RunOptions) -> Document:
    lesson, problems, installed = open_valid_lesson(name, plugins)
    plan = plan_run(lesson, problems, plugins, options)
    prepare_run(plan, plugins, options, installed=installed)
    text = lesson.path.read_bytes()
    if hashlib.sha256(text).hexdigest() != lesson.digest:
        raise LessonError(f"{lesson.path}: was changed while it was read", fix="run this again")
    # Whoever may run it here may run it there, where it is no installed lesson but a text that was sent.
    actions = plugins.actions()
    wanted = {
        name for step in plan.steps for name in asked_by(step, actions[step.action], Inputs(lesson.path))
    }
    supported = tuple(map(str, lesson.frontmatter["supportedHardware"]))
    allow = tuple(sorted(wanted | options.allowed))
    return Document(
        lesson.id, lesson.title, str(lesson.path.resolve()), text, lesson.digest, supported, allow
    )
