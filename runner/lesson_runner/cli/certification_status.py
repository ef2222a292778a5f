"""Certificate status of lessons, for ``cert status``, ``cert apply``, ``matrix`` and ``validate --certs``."""

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
    typer.Argument(metavar="LESSON", help="Ids or files. Default: all known lessons."),
]
LessonsOption = Annotated[
    list[Path] | None, typer.Option("--lessons", metavar="DIR", help="Only the lessons in this folder.")
]
CertsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--certs",
        metavar="DIR",
        help="Certificates in this folder and below. Default: those in the workspace.",
    ),
]
PoliciesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--policy", metavar="POLICY", help="Policy to require for the hardware classes that it covers."
    ),
]


@dataclass(frozen=True, slots=True)
class StatusOverview:
    """Lessons and their certificate status on each target."""

    lessons: Sequence[LoadedLesson]
    targets: Sequence[str]
    statuses: CertificateStatuses
    index: CertificateIndex
    unread: Sequence[Path] = ()
    """Documents with frontmatter that cannot be read as lessons."""

    def warnings(self) -> list[str]:
        """Return one line for each certificate or document that is left out, with the reason."""
        refused = [f"{path}: does not count: {why}" for path, why in sorted(self.index.refused.items())]
        unread = [
            f"{path}: left out because it cannot be read; see: lesson validate {path}" for path in self.unread
        ]
        return [*refused, *unread]

    def all(self) -> list[CertificateStatus]:
        """Return the status of each lesson on each target, lesson by lesson."""
        return [self.statuses.of(known, target) for known in self.lessons for target in self.targets]


def collect_statuses(
    plugins: Plugins,
    names: Iterable[str],
    folders: Sequence[Path],
    certs: Sequence[Path],
    policies: Iterable[str],
    workspace: Path,
) -> StatusOverview:
    """
    Read lessons, certificates and runs, and return the status of each lesson.

    Raises:
        LessonError: a named lesson, folder or policy does not exist.
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
    return StatusOverview(lessons, targets, statuses, index, unread)


def _lessons(
    plugins: Plugins, names: Sequence[str], folders: Sequence[Path]
) -> tuple[list[LoadedLesson], list[Path]]:
    """Return the lessons, and the documents with frontmatter that are not lessons."""
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


def certificate_check(
    certs: Sequence[Path], policies: Iterable[str], plugins: Plugins, workspace: Path
) -> Callable[[Lesson, str], str]:
    """
    Return a function that says why a lesson has no valid certificate for a target; empty if it has one.

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
            raise LessonError(f"{option} {folder}: no such folder", fix="name an existing folder")


def _records(runs: Path) -> Iterable[dict[str, Any]]:
    from lesson_runner.run.find import run_folders
    from lesson_runner.run.stored import read_run

    for folder in run_folders(runs):
        try:
            yield read_run(folder)
        except LessonError:  # an unfinished run
            continue


def as_json(item: CertificateStatus) -> dict[str, Any]:
    """Return a status as data for JSON."""
    return {
        "lesson": item.lesson,
        "hardware": item.target,
        "state": item.state,
        "reason": item.reason,
        "since": item.since,
        "certificate": str(item.bundle) if item.bundle else None,
    }
