"""Find out about a set of lessons what ``lesson survey`` shows; nothing of them runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from lesson_runner.model.errors import InvalidLessonError, LessonError

if TYPE_CHECKING:
    from lesson_runner.certify.certificate_status import CertificateStatuses, LoadedLesson
    from lesson_runner.model import Diagnostic, Hardware
    from lesson_runner.plugins.manager import Plugins
    from lesson_runner.report.survey import CertificateState, LastRun, Survey, SurveyedLesson
    from lesson_runner.run.outlook import StepNeeds


def survey_lessons(
    names: Iterable[str],
    plugins: Plugins,
    workspace: Path,
    overlay: Path | None = None,
    jobs: int | None = None,
) -> tuple[Survey, list[str]]:
    """
    Return the survey of lessons, and warnings about certificates that do not count.

    Args:
        names: ids, files and folders; none for all lessons of plugins.
        workspace: where earlier runs and certificates are.
        overlay: the folder of the lessons' sidecars; ``None``: their own folders.
        jobs: how many processes to use; ``None``: as many as save time.

    Raises:
        LessonError: there is no such lesson, or a folder contains none; or a key is damaged.
        InvalidLessonError: the settings have errors.
    """
    from lesson_runner.report.survey import Survey
    from lesson_runner.run.outlook import met_here, outlook
    from lesson_runner.validate.check import all_rules
    from lesson_runner.validate.parallel import useful_jobs, work_on
    from lesson_runner.validate.paths import documents
    from lesson_runner.validate.settings import find_settings

    paths = documents(names, plugins, find_settings(None, all_rules(plugins)))
    hardware = plugins.detect_hardware()
    certificates = _Certificates(plugins, workspace)
    jobs = jobs or useful_jobs(paths)
    if jobs < 2 or len(paths) < 2 or certificates.exist:
        drafts = [_draft(path, overlay, plugins, hardware, certificates) for path in paths]
    else:
        drafts = list(work_on(paths, jobs, partial(_drafter, overlay, hardware, workspace), _crashed))
    met = met_here((need for draft in drafts for step in draft.steps for need in step.needs), hardware)
    runs = _last_runs({draft.lesson.id for draft in drafts}, workspace / "runs")
    lessons = [
        replace(
            draft.lesson,
            outlook=None if draft.lesson.error else outlook(draft.steps, met),
            last_run=runs.get(draft.lesson.id),
        )
        for draft in drafts
    ]
    return Survey(lessons, [item.found for item in hardware]), certificates.warnings()


@dataclass(frozen=True, slots=True)
class _Draft:
    """A lesson that was read and planned, without its text: ten thousand need little memory."""

    lesson: SurveyedLesson
    steps: tuple[StepNeeds, ...] = ()


def _drafter(overlay: Path | None, hardware: Sequence[Hardware], workspace: Path) -> Callable[[Path], _Draft]:
    """Return the function that reads and plans one lesson; each process calls this once."""
    from lesson_runner.plugins.manager import Plugins

    plugins = Plugins()
    certificates = _Certificates(plugins, workspace)
    return lambda path: _draft(path, overlay, plugins, hardware, certificates)


def _crashed(path: Path, how: str) -> _Draft:
    from lesson_runner.model import Diagnostic, Location
    from lesson_runner.report.survey import SurveyedLesson

    message = f"planning this lesson crashed the process ({how})"
    error = Diagnostic("unreadable", "error", message, Location(path, 1), "see: lesson validate")
    return _Draft(_with_errors(SurveyedLesson(path.stem, path.stem, path, {}), [error]))


def _draft(
    path: Path,
    overlay: Path | None,
    plugins: Plugins,
    hardware: Sequence[Hardware],
    certificates: _Certificates,
) -> _Draft:
    from lesson_runner.certify.certificate_status import LoadedLesson
    from lesson_runner.document.lessons import load_lesson
    from lesson_runner.model import Diagnostic, Location
    from lesson_runner.report.survey import SurveyedLesson
    from lesson_runner.run.options import RunOptions
    from lesson_runner.run.outlook import needs_of
    from lesson_runner.run.prepare import plan_run
    from lesson_runner.validate.check import errors_before_run

    found = SurveyedLesson(path.stem, path.stem, path, {})
    try:
        lesson, problems = load_lesson(path, overlay)
        found = replace(found, id=lesson.id, title=lesson.title)
        loaded = LoadedLesson(lesson, tuple(problems))
        found = replace(found, certificates=certificates.of(loaded))
        plan = plan_run(lesson, problems, plugins, RunOptions(hardware=tuple(hardware)))
        if not plan.recognised and (errors := errors_before_run(plan, plugins)):
            raise InvalidLessonError(errors)
    except InvalidLessonError as error:
        return _Draft(_with_errors(found, [item for item in error.diagnostics if item.severity == "error"]))
    except LessonError as error:
        unreadable = Diagnostic("unreadable", "error", str(error), Location(path, 1), error.fix)
        return _Draft(_with_errors(found, [unreadable]))
    roles = Counter[str](item.role for item in plan.blocks)
    return _Draft(replace(found, roles=dict(roles.most_common())), needs_of(plan))


def _with_errors(lesson: SurveyedLesson, errors: Sequence[Diagnostic]) -> SurveyedLesson:
    return replace(lesson, error=errors[0], errors=len(errors))


class _Certificates:
    """The certificates of a workspace; nothing is read if there is none."""

    def __init__(self, plugins: Plugins, workspace: Path) -> None:
        self._statuses: CertificateStatuses | None = None
        self._refused: Mapping[Path, str] = {}
        folder = workspace / "certificates"
        if not folder.is_dir():
            return
        from lesson_runner.certify.certificate_index import index_certificates
        from lesson_runner.certify.certificate_status import CertificateStatuses
        from lesson_runner.certify.keys import KeyStore
        from lesson_runner.certify.policy import required_policies

        index = index_certificates([folder], KeyStore().trusted())
        self._statuses = CertificateStatuses(index, required_policies(()), plugins)
        self._refused = index.refused

    @property
    def exist(self) -> bool:
        """Whether there are any; they are kept in this process, which has read them."""
        return self._statuses is not None

    def of(self, loaded: LoadedLesson) -> tuple[CertificateState, ...]:
        """Return the state of each certificate of a lesson, by hardware."""
        from lesson_runner.report.survey import CertificateState

        if self._statuses is None:
            return ()
        found = [
            self._statuses.of(loaded, target) for target in self._statuses.targets({loaded.lesson.id}, ())
        ]
        return tuple(
            CertificateState(item.target, item.state, item.reason, item.since)
            for item in found
            if item.state in ("certified", "text changed", "stale")
        )

    def warnings(self) -> list[str]:
        """Return one line for each certificate that does not count."""
        return [f"{path}: does not count: {why}" for path, why in sorted(self._refused.items())]


def _last_runs(ids: Set[str], runs: Path) -> dict[str, LastRun]:
    """Return the last run of each lesson that was run."""
    found: dict[str, LastRun] = {}
    for run in _newest_first(ids, runs):
        found.setdefault(*run)
    return found


def _newest_first(ids: Set[str], runs: Path) -> Iterator[tuple[str, LastRun]]:
    from lesson_runner.report.survey import LastRun
    from lesson_runner.run.find import run_folders
    from lesson_runner.run.stored import read_overview

    done: set[str] = set()
    for folder in reversed(run_folders(runs)):
        named = folder.name[_TIME:]
        wanted = {named, named.rpartition("-")[0]} & ids
        if not wanted or wanted <= done:
            continue
        try:
            data = read_overview(folder)
        except LessonError:
            lesson, run = max(wanted, key=len), LastRun(folder.name, "unfinished")
        else:
            hardware = tuple(name for name in data["hardware"] if name != "none")
            lesson = data["lesson"]
            run = LastRun(folder.name, data["status"], data["started"], hardware, tuple(data["labels"]))
        done.add(lesson)
        yield lesson, run


_TIME = len("20261201-120000-")
"""How many characters of a run's name say when it began; the lesson's id follows, perhaps with a number."""
