"""``lesson cert import``: certificates from elsewhere, checked and then kept in this workspace."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import WORKSPACE, WorkspaceOption, expand, stdout_for_json
from lesson_runner.errors import ExitCode, LessonError

if TYPE_CHECKING:
    from lesson_runner.certify.store import Stored


def bring(
    context: typer.Context,
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR…", help="Folders with certificates in or below them.")
    ],
    workspace: WorkspaceOption = WORKSPACE,
) -> int:
    """Check certificates down to their evidence, and keep those that hold in this workspace."""
    from lesson_runner.certify.keys import KeyStore
    from lesson_runner.certify.store import find_certificates, stored_at
    from lesson_runner.certify.trust import RefusedError
    from lesson_runner.certify.verify import verify
    from lesson_runner.report.text import safe

    target = expand(workspace) / "certificates"
    for folder in folders:
        if not folder.is_dir():
            raise LessonError(f"{folder}: no such folder", fix="name a folder of certificates")
    bundles = [bundle for folder in folders for bundle in find_certificates(folder)]
    if not bundles:
        raise LessonError(f"{', '.join(map(str, folders))}: there is no certificate (*.intoto.jsonl)")
    trusted, refused = KeyStore().trusted(), 0
    for bundle in bundles:
        stored = stored_at(bundle)
        try:
            with stdout_for_json():
                verified = verify(stored, trusted, context.obj)
        except RefusedError as error:
            refused += 1
            fix = f" ({error.fix})" if error.fix else ""
            typer.echo(safe(f"✗ {bundle}: {error} [{error.check}]{fix}"))
            continue
        certificate = verified.signed.certificate
        what = f"{certificate.lesson_id} on {certificate.target}"
        typer.echo(safe(f"✓ {_keep(stored, target, bundle.parent.name)}: {what}"))
    return ExitCode.CERTIFICATE if refused else ExitCode.GOOD


def _keep(stored: Stored, target: Path, name: str) -> Path:
    """Copy a certificate and its evidence, whole or not at all; the same one twice is one."""
    from lesson_runner.certify.store import BUNDLE, EVIDENCE

    folder = target / name
    if folder.exists():
        if (folder / BUNDLE).is_file() and (folder / BUNDLE).read_bytes() == stored.bundle.read_bytes():
            return folder
        raise LessonError(
            f"{folder}: there is another certificate of that name", fix="rename one of the folders"
        )
    try:
        target.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".certificate-", dir=target))
        try:
            shutil.copyfile(stored.bundle, staging / BUNDLE)
            shutil.copytree(stored.evidence, staging / EVIDENCE, symlinks=True)
            staging.chmod(0o755)
            return staging.rename(folder)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except (OSError, shutil.Error) as error:
        raise LessonError(f"{folder}: cannot be written: {error}") from None
