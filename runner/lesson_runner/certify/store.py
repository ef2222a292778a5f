"""
A certificate's folder: the bundle, and the evidence it speaks of.

::

    <lesson>.<target>.<time>/
      certificate.intoto.jsonl
      evidence/
        lesson.md       as it was run
        plan.json       what was run, canonical JSON; its sha256 is a subject
        manifest.json   size and sha256 of every file of the runs; its own sha256 is a subject
        <run>/record.json, <run>/evidence/…
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lesson_runner.certify.evidence import LESSON, MANIFEST, PLAN
from lesson_runner.errors import LessonError
from lesson_runner.run.record import RECORD

BUNDLE = "certificate.intoto.jsonl"
EVIDENCE = "evidence"
STAGING = ".certificate-"
"""How the names of folders begin in which a certificate is put together."""


@dataclass(frozen=True, slots=True)
class Stored:
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
        """Return the folder of a run's evidence."""
        return self.evidence / name


def stored_at(path: Path, evidence: Path | None = None) -> Stored:
    """
    Return the files of a certificate.

    Args:
        path: its folder, or its bundle.
        evidence: where the evidence is, if not beside the bundle.

    Raises:
        LessonError: there is no bundle.
    """
    bundle = path / BUNDLE if path.is_dir() else path
    if not bundle.is_file():
        what = f"{path}: no such file" if bundle == path else f"{path}: there is no {BUNDLE} in it"
        raise LessonError(
            what, fix="name a certificate's folder or its bundle; 'lesson cert status' lists them"
        )
    return Stored(bundle, evidence or bundle.parent / EVIDENCE)


def find_certificates(folder: Path) -> list[Path]:
    """Return the bundles below a folder, in order; those half written are passed over."""
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        # Evidence holds no bundles, and may hold many files.
        folders[:] = sorted(name for name in folders if name[0] != "." and name != EVIDENCE)
        found += [Path(place, name) for name in sorted(files) if name.endswith(".intoto.jsonl")]
    return found


def copy_run(run: Path, into: Path) -> None:
    """
    Copy what a run has left that can be judged again: its record and its evidence.

    Raises:
        LessonError: something cannot be copied.
    """
    try:
        into.mkdir(parents=True)
        shutil.copyfile(run / RECORD, into / RECORD)
        shutil.copytree(run / EVIDENCE, into / EVIDENCE, copy_function=shutil.copyfile, ignore=_no_evidence)
    except (OSError, shutil.Error) as error:
        raise LessonError(
            f"{run}: its evidence cannot be copied: {first_cause(error)}", fix="is there room on the disk?"
        ) from None


def first_cause(error: OSError) -> str:
    """Return why copying failed; shutil gathers a line for every file."""
    causes = error.args[0] if isinstance(error, shutil.Error) else None
    return str(causes[0][2]) if isinstance(causes, list) and causes else str(error.strerror or error)


def _no_evidence(folder: str, names: list[str]) -> list[str]:
    """Return what is neither a file nor a folder: links may lead anywhere, pipes hold nothing."""
    paths = [Path(folder, name) for name in names]
    return [path.name for path in paths if path.is_symlink() or not (path.is_file() or path.is_dir())]


def copy_certificate(stored: Stored, into: Path) -> Stored:
    """
    Copy a certificate and its evidence into an empty folder.

    Raises:
        OSError: something cannot be read or written; so does what raises shutil.Error.
    """
    copied = Stored(into / BUNDLE, into / EVIDENCE)
    shutil.copyfile(stored.bundle, copied.bundle)
    shutil.copytree(stored.evidence, copied.evidence, copy_function=shutil.copyfile, ignore=_no_evidence)
    return copied


@contextlib.contextmanager
def staging_folder(certificates: Path) -> Iterator[Path]:
    """
    Make a folder to put a certificate together in; what is left of it at the end is removed.

    Those that a killed process left are removed first: a live process holds a lock on its own.

    Raises:
        OSError: the folder of certificates cannot be written.
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
    """Remove what processes that were killed had begun to put together; what cannot be removed stays."""
    with contextlib.suppress(OSError), _locked(certificates, fcntl.LOCK_EX | fcntl.LOCK_NB):
        _remove_abandoned(certificates)


def _remove_abandoned(certificates: Path) -> None:
    for path in certificates.glob(f"{STAGING}*"):
        with contextlib.suppress(OSError), _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB) as sure:
            if sure:
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
    Give a whole certificate its folder, which only then is seen; the same one twice is one.

    Raises:
        LessonError: there are too many of that name.
        OSError: the folder cannot be written.
    """
    staging.chmod(0o755)
    bundle = (staging / BUNDLE).read_bytes()
    for suffix in ("", *(f"-{number}" for number in range(2, 100))):
        folder = certificates / f"{name}{suffix}"
        try:
            return staging.rename(folder)
        except OSError:  # it may be there, even if it was not a moment ago
            if not folder.is_dir():
                raise
        if (folder / BUNDLE).is_file() and (folder / BUNDLE).read_bytes() == bundle:
            return folder
    raise LessonError(f"{certificates}: there are a hundred certificates called {name}")
