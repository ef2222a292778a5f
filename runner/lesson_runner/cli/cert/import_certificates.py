"""``lesson cert import``: verify certificates, and copy the valid ones into the workspace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import WorkspaceOption, stdout_to_stderr, workspace_folder
from lesson_runner.cli.output import say
from lesson_runner.model.errors import ExitCode, LessonError

if TYPE_CHECKING:
    from lesson_runner.certify.statement import Certificate
    from lesson_runner.certify.store import StoredCertificate


def import_certificates(
    context: typer.Context,
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR", help="Folders with certificates in them or below.")
    ],
    workspace: WorkspaceOption = None,
) -> int:
    """Verify certificates, and copy the valid ones into the workspace."""
    from lesson_runner.certify.keys import KeyStore
    from lesson_runner.certify.store import find_certificates, stored_at
    from lesson_runner.certify.trust import RefusedError
    from lesson_runner.certify.verify import verify
    from lesson_runner.plugins.context import Workspace

    target = Workspace(workspace_folder(workspace)).inside(workspace_folder(workspace) / "certificates")
    for folder in folders:
        if not folder.is_dir():
            raise LessonError(f"{folder}: no such folder", fix="name a folder of certificates")
    bundles = [bundle for folder in folders for bundle in find_certificates(folder)]
    if not bundles:
        raise LessonError(
            f"{', '.join(map(str, folders))}: no certificate (*.intoto.jsonl) found",
            fix="name a folder with certificates in it or below",
        )
    trusted, refused = KeyStore().trusted(), 0
    for bundle in bundles:
        stored = stored_at(bundle)
        try:
            with stdout_to_stderr():
                certificate = verify(stored, trusted, context.obj).signed.certificate
            kept = _keep(stored, certificate, target)
        except RefusedError as error:
            refused += 1
            fix = f" ({error.fix})" if error.fix else ""
            say(f"✗ {bundle}: {error} [{error.check}]{fix}")
        else:
            say(f"✓ {kept}: {certificate.lesson_id} on {certificate.target}")
    return ExitCode.CERTIFICATE if refused else ExitCode.GOOD


def _keep(stored: StoredCertificate, certificate: Certificate, target: Path) -> Path:
    """Copy a verified certificate, completely or not at all; importing it twice is a no-op."""
    from lesson_runner.certify.store import copy_certificate, publish, staging_folder
    from lesson_runner.certify.subjects import check_files

    try:
        with staging_folder(target) as staging:
            # Check the copy: the files may have changed since they were verified.
            check_files(certificate, copy_certificate(stored, staging))
            return publish(staging, target, certificate.name)
    except OSError as error:
        fix = "use --workspace to name a folder that you can write"
        raise LessonError(f"{target}: cannot be written: {error.strerror or error}", fix=fix) from None
