"""The certificate status of lessons, for ``cert status``, ``cert apply``, ``matrix`` and ``validate``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lesson_runner.model.errors import LessonError

if TYPE_CHECKING:
    from lesson_runner.certify.certificate_index import CertificateIndex
    from lesson_runner.certify.certificate_status import CertificateStatus, CertificateStatuses, LoadedLesson
    from lesson_runner.model import Lesson
    from lesson_runner.plugins.manager import Plugins

LessonsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[LESSON]…", help="Lessons by id or file; without it, all that are known."),
]
LessonsOption = Annotated[
    list[Path] | None, typer.Option("--lessons", metavar="DIR", help="Lessons in this folder, and no others.")
]
CertsOption = Annotated[
    list[Path] | None,
    typer.Option("--certs", metavar="DIR", help="Certificates below this folder; else the workspace's."),
]
PoliciesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--policy", metavar="POLICY", help="What certificates must be signed under; for its classes."
    ),
]


@dataclass(frozen=True, slots=True)
class Survey:
    """Lessons and what certificates say of them."""

    lessons: Sequence[LoadedLesson]
    targets: Sequence[str]
    statuses: CertificateStatuses
    index: CertificateIndex
    unread: Sequence[Path] = ()
    """Documents that mean to be lessons, and cannot be read as such."""

    def warnings(self) -> list[str]:
        """Return, for people, what is left out and why."""
        refused = [f"{path}: not counted: {why}" for path, why in sorted(self.index.refused.items())]
        unread = [f"{path}: left out, it cannot be read: lesson validate {path}" for path in self.unread]
        return [*refused, *unread]

    def all(self) -> list[CertificateStatus]:
        """Return the status of each lesson on each hardware, lesson by lesson."""
        return [self.statuses.of(known, target) for known in self.lessons for target in self.targets]


def survey(
    plugins: Plugins,
    names: Iterable[str],
    folders: Sequence[Path],
    certs: Sequence[Path],
    policies: Iterable[str],
    workspace: Path,
) -> Survey:
    """
    Look at lessons, certificates and runs.

    Raises:
        LessonError: a lesson, a folder or a policy that was named does not exist.
    """
    from lesson_runner.certify.certificate_index import index_certificates
    from lesson_runner.certify.certificate_status import CertificateStatuses, hardware_names, supported
    from lesson_runner.certify.keys import KeyStore
    from lesson_runner.certify.policy import required_policies
    from lesson_runner.certify.store import remove_abandoned

    _check_folders("--certs", certs)
    remove_abandoned(workspace / "certificates")
    lessons, unread = _lessons(plugins, list(names), folders)
    index = index_certificates(certs or [workspace / "certificates"], KeyStore().trusted())
    statuses = CertificateStatuses(index, required_policies(policies), plugins, _records(workspace / "runs"))
    written_for = {name for known in lessons for name in supported(known.lesson)}
    seen = statuses.targets({known.lesson.id for known in lessons}, written_for)
    boards = [name for name in hardware_names() if name in written_for or name in seen]
    targets = [*boards, *(name for name in seen if name not in boards)]
    return Survey(lessons, targets, statuses, index, unread)


def _lessons(
    plugins: Plugins, names: Sequence[str], folders: Sequence[Path]
) -> tuple[list[LoadedLesson], list[Path]]:
    """Return the lessons, and the documents with frontmatter that are none: one with none is no lesson."""
    from lesson_runner.certify.certificate_status import LoadedLesson
    from lesson_runner.document.frontmatter import split
    from lesson_runner.document.lessons import load_lesson
    from lesson_runner.validate.paths import documents
    from lesson_runner.validate.settings import Settings

    _check_folders("--lessons", folders)
    found, unread = [], []
    for path in documents([*names, *map(str, folders)], plugins, Settings()):
        try:
            lesson, problems = load_lesson(path)
        except LessonError:
            unread.append(path)
            continue
        if isinstance(lesson.frontmatter.get("id"), str):
            found.append(LoadedLesson(lesson, tuple(problems)))
        elif split(lesson.text, path).yaml is not None:
            unread.append(path)
    return found, unread


def uncertified_in(
    certs: Sequence[Path], policies: Iterable[str], plugins: Plugins, workspace: Path
) -> Callable[[Lesson, str], str]:
    """
    Return what says why a lesson has no valid certificate for a hardware; empty where it has.

    Raises:
        LessonError: a folder or a policy does not exist.
    """
    from lesson_runner.certify.certificate_index import index_certificates
    from lesson_runner.certify.certificate_status import VALID_STATES, CertificateStatuses, LoadedLesson
    from lesson_runner.certify.keys import KeyStore
    from lesson_runner.certify.policy import required_policies

    _check_folders("--certs", certs)
    index = index_certificates(certs, KeyStore().trusted())
    statuses = CertificateStatuses(index, required_policies(policies), plugins, _records(workspace / "runs"))

    def why(lesson: Lesson, target: str) -> str:
        found = statuses.of(LoadedLesson(lesson), target)
        if found.state in VALID_STATES:
            return ""
        return f"{found.state}{', ' if found.reason else ''}{found.reason}"

    return why


def _check_folders(option: str, folders: Iterable[Path]) -> None:
    for folder in folders:
        if not folder.is_dir():
            raise LessonError(f"{option} {folder}: no such folder")


def _records(runs: Path) -> Iterable[dict[str, Any]]:
    from lesson_runner.run.find import run_folders
    from lesson_runner.run.stored import read_run

    for folder in run_folders(runs):
        try:
            yield read_run(folder)
        except LessonError:  # it did not finish
            continue


def as_json(item: CertificateStatus) -> dict[str, Any]:
    """Return a certificate status as JSON data."""
    return {
        "lesson": item.lesson,
        "hardware": item.target,
        "state": item.state,
        "reason": item.reason,
        "since": item.since,
        "certificate": str(item.bundle) if item.bundle else None,
    }
