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

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesson_runner.errors import LessonError
from lesson_runner.run.files import file_digest
from lesson_runner.run.record import RECORD

BUNDLE = "certificate.intoto.jsonl"
EVIDENCE, LESSON, PLAN, MANIFEST = "evidence", "lesson.md", "plan.json", "manifest.json"


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
        shutil.copytree(run / EVIDENCE, into / EVIDENCE, copy_function=shutil.copyfile, ignore=_links)
    except (OSError, shutil.Error) as error:
        raise LessonError(
            f"{run}: its evidence cannot be copied: {error}", fix="is there room on the disk?"
        ) from None


def _links(folder: str, names: list[str]) -> list[str]:
    """Return what is no evidence: links, which may lead anywhere."""
    return [name for name in names if Path(folder, name).is_symlink()]


def list_files(evidence: Path, runs: Sequence[str]) -> dict[str, dict[str, Any]]:
    """
    Return size and sha256 of every file of the runs, by its path in the evidence.

    Raises:
        OSError: one cannot be read.
    """
    return {
        path.relative_to(evidence).as_posix(): {"sha256": file_digest(path), "bytes": path.stat().st_size}
        for name in runs
        for path in _files(evidence / name)
    }


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_dir():
            yield path


def read_json(path: Path) -> Any:
    """
    Return what is in a JSON file.

    Raises:
        ValueError: it is not JSON, or is missing.
    """
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise ValueError(f"{path.name} is not there: {error.strerror or error}") from None
    except RecursionError:
        raise ValueError(f"{path.name} is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"{path.name} is not JSON: {error}") from None
