"""
A certificate's folder: the bundle and its evidence.

::

    <lesson>.<target>.<time>/
      certificate.intoto.jsonl
      evidence/
        lesson.md       as it was run
        lesson.steps.yaml  its sidecar, if it has one
        plan.json       the plan's steps, as canonical JSON; its sha256 is a subject
        manifest.json   size and sha256 of every file of the runs; its own sha256 is a subject
        <run>/record.json, <run>/evidence/…
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from lesson_runner.certify.envelope import MAX_BUNDLE_BYTES
from lesson_runner.certify.evidence import LESSON, MANIFEST, PLAN
from lesson_runner.files.evidence import EVIDENCE
from lesson_runner.files.plain import read_plain, real, write_atomically
from lesson_runner.files.untrusted import files_below, open_sized
from lesson_runner.model.errors import LessonError
from lesson_runner.model.hints import fix_for
from lesson_runner.run.record import RECORD

BUNDLE = "certificate.intoto.jsonl"
STAGING = ".certificate-"
"""Prefix of the temporary folders in which certificates are built."""
MOST_BYTES = 2 * 1024**3
"""Limit for the evidence that is copied; a sparse file counts with its apparent size."""


@dataclass(frozen=True, slots=True)
class StoredCertificate:
    """A certificate's files."""

    bundle: Path
    evidence: Path

    @property
    def lesson(self) -> Path:
        """The lesson as it was run."""
        return self.evidence / LESSON

    @property
    def plan(self) -> Path:
        """The plan's steps, as canonical JSON."""
        return self.evidence / PLAN

    @property
    def manifest(self) -> Path:
        """Size and digest of every file of the runs."""
        return self.evidence / MANIFEST

    def run(self, name: str) -> Path:
        """Return the folder of a run in the evidence."""
        return self.evidence / name


def stored_at(path: Path, evidence: Path | None = None) -> StoredCertificate:
    """
    Return the files of a certificate.

    Args:
        path: its folder, or its bundle.
        evidence: the folder of the evidence, if it is not next to the bundle.

    Raises:
        LessonError: no bundle is there.
    """
    bundle = path / BUNDLE if path.is_dir() else path
    if not bundle.is_file():
        what = f"{path}: no such file" if bundle == path else f"{path}: this folder contains no {BUNDLE}"
        raise LessonError(
            what, fix="name a certificate's folder or its bundle; 'lesson cert status' lists them"
        )
    return StoredCertificate(bundle, evidence or bundle.parent / EVIDENCE)


def find_certificates(folder: Path) -> list[Path]:
    """Return the bundles below a folder, in order, without unfinished ones."""
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        # Evidence contains no bundles, but may contain many files.
        folders[:] = sorted(name for name in folders if name[0] != "." and name != EVIDENCE)
        found += [Path(place, name) for name in sorted(files) if name.endswith(".intoto.jsonl")]
    return found


def copy_run(run: Path, into: Path) -> None:
    """
    Copy the record and the evidence of a run, which is what can be rejudged.

    Raises:
        LessonError: a file cannot be copied, or the evidence has more than :data:`MOST_BYTES`.
    """
    try:
        into.mkdir(parents=True)
        _copy(run, RECORD, into / RECORD)
        _copy_tree(run, EVIDENCE, into / EVIDENCE)
    except OSError as error:
        where, why = error.filename or run, error.strerror or error
        raise LessonError(f"{where}: cannot be copied: {why}", fix=fix_for(error)) from None


def _copy_tree(base: Path, inside: str, into: Path) -> None:
    """Copy the plain files of a folder below ``base``, without links, which may lead anywhere, and pipes."""
    size = 0
    (base / inside).stat()  # raises if it is missing
    into.mkdir()
    for name, facts in files_below(base / inside):
        if stat.S_ISREG(facts.st_mode):
            size += facts.st_size
            if size > MOST_BYTES:
                raise OSError(errno.E2BIG, f"it has more than {MOST_BYTES:,} bytes", str(base / inside))
            _copy(base, str(PurePosixPath(inside, name)), into / name)


def _copy(base: Path, name: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with open_sized(base, name, MOST_BYTES) as file, target.open("xb") as copy:
        shutil.copyfileobj(file, copy)


def copy_certificate(stored: StoredCertificate, into: Path) -> StoredCertificate:
    """
    Copy a certificate and its evidence into an empty folder.

    Raises:
        OSError: a file cannot be read or written, or the evidence has more than :data:`MOST_BYTES`.
    """
    write_atomically(into / BUNDLE, read_plain(real(stored.bundle), MAX_BUNDLE_BYTES))
    copied = StoredCertificate(into / BUNDLE, into / EVIDENCE)
    _copy_tree(stored.evidence, ".", copied.evidence)
    return copied


@contextlib.contextmanager
def staging_folder(certificates: Path) -> Iterator[Path]:
    """
    Yield a temporary folder in which to build a certificate; at the end, it is removed if it still exists.

    Folders that killed processes left are removed first; a live process holds a lock on its folder.

    Raises:
        OSError: the folder ``certificates`` cannot be written.
    """
    certificates.mkdir(parents=True, exist_ok=True)
    with _locked(certificates, fcntl.LOCK_EX):
        _remove_abandoned(certificates)
        staging = Path(tempfile.mkdtemp(prefix=STAGING, dir=certificates))
        own = _open_folder(staging)
        with contextlib.suppress(OSError):
            fcntl.flock(own, fcntl.LOCK_EX)
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)
        os.close(own)


def remove_abandoned(certificates: Path) -> None:
    """Remove the temporary folders that killed processes left, as far as possible."""
    with contextlib.suppress(OSError), _locked(certificates, fcntl.LOCK_EX | fcntl.LOCK_NB):
        _remove_abandoned(certificates)


def _remove_abandoned(certificates: Path) -> None:
    for path in certificates.glob(f"{STAGING}*"):
        with contextlib.suppress(OSError), _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB) as locked:
            if locked:
                shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path, how: int) -> Iterator[bool]:
    """
    Hold the lock of a folder; yield ``False`` where the file system has no locks.

    Raises:
        BlockingIOError: another process holds it, and ``how`` says not to wait.
        OSError: it is not a folder, or cannot be opened.
    """
    handle = _open_folder(folder)
    try:
        try:
            fcntl.flock(handle, how)
        except BlockingIOError:
            raise
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def _open_folder(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def publish(staging: Path, certificates: Path, name: str) -> Path:
    """
    Rename a finished certificate's folder to its final name, and return it; publishing twice is a no-op.

    Raises:
        LessonError: a hundred certificates have that name.
        OSError: the folder cannot be written.
    """
    staging.chmod(0o755)
    bundle = read_plain(staging / BUNDLE, MAX_BUNDLE_BYTES)
    for suffix in ("", *(f"-{number}" for number in range(2, 100))):
        folder = certificates / f"{name}{suffix}"
        try:
            return staging.rename(folder)
        except OSError:  # another process may just have created it
            if not folder.is_dir():
                raise
        with suppress(OSError):
            if read_plain(folder / BUNDLE, MAX_BUNDLE_BYTES) == bundle:
                return folder
    raise LessonError(f"{certificates}: a hundred certificates are called {name}")
