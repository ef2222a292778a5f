"""``lesson cert apply``: write the results of valid certificates into a lesson's frontmatter."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.certification_status import CertsOption, PoliciesOption, collect_statuses
from lesson_runner.cli.common import WorkspaceOption, confirm, stdout_to_stderr, workspace_folder
from lesson_runner.cli.output import say
from lesson_runner.model.errors import CertificateError, LessonError

if TYPE_CHECKING:
    from lesson_runner.certify.certificate_status import CertificateStatus
    from lesson_runner.plugins.manager import Plugins


def apply(
    context: typer.Context,
    lesson: Annotated[Path, typer.Argument(metavar="FILE", help="The lesson's .md file.")],
    certs: CertsOption = None,
    policy: PoliciesOption = None,
    workspace: WorkspaceOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not prompt.")] = False,
) -> None:
    """
    Update validatedOn, validationDate and status in a lesson.

    Only valid certificates of boards count. The change is shown first, and written after you agree.
    """
    from lesson_runner.certify.apply import change_for
    from lesson_runner.certify.certificate_status import VALID_STATES, hardware_names

    if not lesson.is_file():
        raise LessonError(f"{lesson}: no such file", fix="name the lesson's .md file")
    found = collect_statuses(
        context.obj, [str(lesson)], (), certs or (), policy or (), workspace_folder(workspace)
    )
    if not found.lessons:
        raise LessonError(f"{lesson}: cannot be read as a lesson", fix=f"lesson validate {lesson}")
    # Only boards are written: not a simulator, the emulation or the host.
    on_boards = [
        item for item in found.all() if item.target in hardware_names() and item.target != "simulator"
    ]
    valid, refused = _verified([item for item in on_boards if item.state in VALID_STATES], context.obj)
    if not valid:
        others = [f"{item.target}: {item.state}, {item.reason}" for item in on_boards if item.reason]
        others += [f"{item.target}: {why}" for item, why in refused]
        message = f"{lesson}: no valid certificate of a board{': ' if others else ''}{'; '.join(others)}"
        raise CertificateError(message, fix=f"certify it on a board: lesson certify {lesson}")
    for item, why in refused:
        say(f"warning: {item.target}: the certificate does not count: {why}", err=True)
    change = change_for(found.lessons[0].lesson, valid)
    difference = change.diff()
    if not difference:
        say(f"{lesson}: already up to date")
        return
    say(*difference)
    if not yes and not confirm(f"Write this into {lesson}?"):
        raise LessonError("nothing was written", fix="answer yes at the prompt, or add --yes")
    change.write()
    say(f"{lesson}: updated")


def _verified(
    statuses: Iterable[CertificateStatus], plugins: Plugins
) -> tuple[list[CertificateStatus], list[tuple[CertificateStatus, str]]]:
    """Return the statuses with valid certificates, and the others with the reason."""
    from lesson_runner.certify.keys import KeyStore
    from lesson_runner.certify.store import stored_at
    from lesson_runner.certify.trust import RefusedError
    from lesson_runner.certify.verify import verify

    trusted = KeyStore().trusted()
    valid, refused = [], []
    for item in statuses:
        if item.bundle is None:
            continue
        try:
            with stdout_to_stderr():
                verify(stored_at(item.bundle), trusted, plugins)
        except RefusedError as error:
            refused.append((item, f"{error} [{error.check}]"))
        else:
            valid.append(item)
    return valid, refused
