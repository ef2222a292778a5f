"""What ``cert status``, ``cert apply``, ``matrix`` and ``validate --certs`` share: where lessons stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lesson_runner.model.errors import LessonError

if TYPE_CHECKING:
    from lesson_runner.certify.certificate_index import Holdings
    from lesson_runner.certify.certificate_status import Known, Standing, Standings
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
class CertificationStatus:
    """Lessons and what certificates say of them."""

    lessons: Sequence[Known]
    targets: Sequence[str]
    standings: Standings
    holdings: Holdings
    unread: Sequence[Path] = ()
    """Documents that mean to be lessons, and cannot be read as such."""

    def warnings(self) -> list[str]:
        """Return, for people, what is left out and why."""
        refused = [f"{path}: not counted: {why}" for path, why in sorted(self.holdings.refused.items())]
        unread = [f"{path}: left out, it cannot be read: lesson validate {path}" for path in self.unread]
        return [*refused, *unread]

    def all(self) -> list[Standing]:
        """Return the standing of each lesson on each hardware, lesson by lesson."""
        return [self.standings.of(known, target) for known in self.lessons for target in self.targets]


def collect_status(
    plugins: Plugins,
    names: Iterable[str],
    folders: Sequence[Path],
    certs: Sequence[Path],
    policies: Iterable[str],
    workspace: Path,
) -> CertificationStatus:
    """
    Look at lessons, certificates and runs.

    Raises:
        LessonError: a lesson, a folder or a policy that was named does not exist.
    """
    from lesson_runner.certify.certificate_index import collect
    from lesson_runner.certify.certificate_status import Standings, hardware_names, supported
    from lesson_runner.certify.keys import KeyStore
    from lesson_runner.certify.policy import asked_of
    from lesson_runner.certify.store import remove_abandoned

    _check_folders("--certs", certs)
    remove_abandoned(workspace / "certificates")
    lessons, unread = _lessons(plugins, list(names), folders)
    holdings = collect(certs or [workspace / "certificates"], KeyStore().trusted())
    standings = Standings(holdings, asked_of(policies), plugins, _records(workspace / "runs"))
    written_for = {name for known in lessons for name in supported(known.lesson)}
    seen = standings.targets({known.lesson.id for known in lessons}, written_for)
    boards = [name for name in hardware_names() if name in written_for or name in seen]
    targets = [*boards, *(name for name in seen if name not in boards)]
    return CertificationStatus(lessons, targets, standings, holdings, unread)


def _lessons(
    plugins: Plugins, names: Sequence[str], folders: Sequence[Path]
) -> tuple[list[Known], list[Path]]:
    """Return the lessons, and the documents with frontmatter that are none: one with none is no lesson."""
    from lesson_runner.certify.certificate_status import Known
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
            found.append(Known(lesson, tuple(problems)))
        elif split(lesson.text, path).yaml is not None:
            unread.append(path)
    return found, unread


def certificate_check(
    certs: Sequence[Path], policies: Iterable[str], plugins: Plugins, workspace: Path
) -> Callable[[Lesson, str], str]:
    """
    Return what says why a lesson has no valid certificate for a hardware; empty where it has.

    Raises:
        LessonError: a folder or a policy does not exist.
    """
    from lesson_runner.certify.certificate_index import collect
    from lesson_runner.certify.certificate_status import COUNTING, Known, Standings
    from lesson_runner.certify.keys import KeyStore
    from lesson_runner.certify.policy import asked_of

    _check_folders("--certs", certs)
    holdings = collect(certs, KeyStore().trusted())
    standings = Standings(holdings, asked_of(policies), plugins, _records(workspace / "runs"))

    def why(lesson: Lesson, target: str) -> str:
        found = standings.of(Known(lesson), target)
        if found.state in COUNTING:
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


def as_json(item: Standing) -> dict[str, Any]:
    """Return a standing, fit for JSON."""
    return {
        "lesson": item.lesson,
        "hardware": item.target,
        "state": item.state,
        "reason": item.reason,
        "since": item.since,
        "certificate": str(item.bundle) if item.bundle else None,
    }
