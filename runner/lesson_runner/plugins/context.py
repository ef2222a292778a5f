"""The workspace of a run, and the contexts that actions get while they run."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lesson_runner.execute.environment import redactor_for
from lesson_runner.execute.inputs import Inputs
from lesson_runner.execute.lines import PIECE, PROGRESS_EVERY, BoundedLines, split_long_line
from lesson_runner.execute.redaction.redactor import LineRedactor, Redactor
from lesson_runner.files.evidence import EVIDENCE, SHARED
from lesson_runner.files.plain import real, write_atomically
from lesson_runner.files.untrusted import make_below, read_json
from lesson_runner.model import Event, Hardware, Json, Lesson, PlannedStep
from lesson_runner.model.errors import LessonError, TimedOutError

if TYPE_CHECKING:
    from lesson_runner.execute.sandbox import Sandbox


FILES = "files"
"""The folder of a run, or of a workspace, in which files are made."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder that everything is written in: ``.lesson``, or that of ``--workspace``."""

    root: Path
    """The workspace folder itself."""
    work: Path | None = None
    """The folder that a run works in; ``None`` for commands typed by hand, which work in ``root/files``."""

    @property
    def runs(self) -> Path:
        """The folder that contains the run folders."""
        return self.root / "runs"

    @property
    def files(self) -> Path:
        """The folder for files that later steps use, such as data sets; where the terminal starts."""
        return self.root / FILES if self.work is None else self.work

    def resolve(self, *parts: str) -> Path:
        """
        Return the path of a file below :attr:`files`.

        Raises:
            LessonError: the path leaves the workspace, by itself or through a link.
        """
        base = self.inside(self.files)
        try:
            path = real(base.joinpath(*parts))
        except ValueError:  # a NUL
            raise LessonError(
                f"{'/'.join(parts)!r} is not a valid file name", fix="give the name of a file"
            ) from None
        if not path.is_relative_to(base):
            raise LessonError(
                f"{'/'.join(parts)!r} is outside the workspace {base}",
                fix="name a file inside the workspace",
            )
        return path

    def inside(self, folder: Path) -> Path:
        """
        Return the real path of a folder in the workspace.

        The workspace itself may be a link, because the user named it. Links inside it are refused, because
        they may have come with a lesson.

        Raises:
            LessonError: the folder, or one that contains it, is a link.
        """
        for part in (folder, *folder.parents):
            if part == self.root or not part.is_relative_to(self.root):
                break
            if part.is_symlink():
                found = real(part)
                raise LessonError(
                    f"{part} is a link to {found}; links in a workspace are not allowed",
                    fix=f"remove the link; to use another place for everything: --workspace {found.parent}",
                )
        return real(folder)

    def check_links(self) -> None:
        """
        Check that nothing at the top of the workspace leads out of it.

        Raises:
            LessonError: something there is a link.
        """
        with contextlib.suppress(OSError):  # if the folder is broken, writing there reports it
            for path in self.root.iterdir():
                self.inside(path)


DEFAULT_WORKSPACE = Path(".lesson")


def default_workspace() -> Path:
    """
    Return the workspace that is used without ``--workspace``.

    Raises:
        LessonError: it is a link or belongs to another user, so it may have come with a lesson's folder.
    """
    place = DEFAULT_WORKSPACE
    with contextlib.suppress(OSError):
        facts = place.lstat()
        if stat.S_ISLNK(facts.st_mode):
            raise LessonError(
                f"{place} is a link to {real(place)}, which may have come with a lesson's folder",
                fix=f"if it is yours: --workspace {place}; otherwise remove it",
            )
        if facts.st_uid not in (os.geteuid(), 0):
            raise LessonError(
                f"{place.absolute()} belongs to another user",
                fix=f"name your own folder with --workspace; or, if you trust this one: --workspace {place}",
            )
    return place


MEMORY = "memory"
"""The folder in a run folder for values that plugins need when the run is resumed."""
MAX_SHOWN = 1_000_000
"""Characters of a step's output that are all shown, and written to ``events.jsonl``."""
LABELS = "LESSON_LABELS"
"""Environment variable: labels for all results of a run, separated by commas."""


def labels_from_environment() -> tuple[str, ...]:
    """Return the labels in :data:`LABELS`, such as that a board was only simulated."""
    names = (" ".join(name.split()) for name in os.environ.get(LABELS, "").split(","))
    return tuple(dict.fromkeys(name for name in names if name))


class Store(dict[str, Any]):
    """
    Values that plugins keep during a run, by key, in memory.

    A key is the plugin's name, or begins with the name and a dot. :meth:`save` also writes a value to the run
    folder; if the run is resumed, :meth:`load` reads it from there.
    """

    def __init__(self, folder: Path, *, resumed: bool = False) -> None:
        super().__init__()
        self._folder = folder
        self._resumed = resumed

    def save(self, key: str, value: Any) -> None:
        """Keep a value, which must be JSON, and write it to disk for the case that the run is resumed."""
        text = json.dumps(value)
        write_atomically(make_below(self._folder, MEMORY) / f"{key}.json", text)
        self[key] = json.loads(text)  # as it is after a resume: a tuple is a list

    def load(self, key: str) -> Any:
        """Return a saved value, also in a resumed run; ``None`` if there is none, or it cannot be read."""
        if key not in self and self._resumed:
            with contextlib.suppress(OSError, ValueError):
                self[key] = read_json(self._folder, f"{MEMORY}/{key}.json")
        return self.get(key)


@dataclass(slots=True)
class RunContext:
    """One run of one lesson."""

    lesson: Lesson
    """The lesson."""
    profile: str
    """The profile of the run, such as ``quick``."""
    backend: str
    """The value of ``--backend``: ``auto``, ``ttml`` or ``emulated``."""
    workspace: Workspace
    """The workspace; its ``files`` is the folder that this run works in."""
    folder: Path
    """The run folder, ``runs/<run-id>`` in the workspace."""
    hardware: tuple[Hardware, ...] = ()
    """What plugins detected when the run started."""
    fresh: bool = False
    """True with ``--fresh``: no cached download or training is reused."""
    continues: Path | None = None
    """The folder of the earlier run whose files and terminal it continues, if it does."""
    interactive: bool = False
    """True if the user is at a terminal and can answer questions."""
    ask: Callable[[str], bool] | None = None
    """Asks the user a yes-or-no question; ``None`` if nobody can answer."""
    labels: tuple[str, ...] = field(default_factory=labels_from_environment)
    """Labels for all results of the run, in addition to those of its steps."""
    passed: frozenset[str] = frozenset()
    """Environment variables that commands get although they look like credentials (``--env``)."""
    sandbox: Sandbox | None = None
    """The sandbox that commands run in; ``None`` without ``--sandbox``."""
    redactor: Redactor = field(default_factory=redactor_for)
    """Removes secrets from output, events, evidence and the record."""
    own_home: bool = False
    """True if its commands have a home folder and Python packages of their own, and not the user's."""

    resumed: bool = False
    """True if the run was interrupted before and is resumed now."""
    granted: frozenset[str] = frozenset()
    """The permissions that were allowed for its steps."""
    steps: tuple[str, ...] = ()
    """The ids of the plan's steps, in order."""
    store: Store = field(init=False)
    """Values that plugins keep between steps."""

    def __post_init__(self) -> None:
        self.store = Store(self.folder, resumed=self.resumed)

    @property
    def home(self) -> Path:
        """The run folder with the files and the terminal: that of the run it continues, or its own."""
        return self.continues or self.folder

    @property
    def cache(self) -> Path:
        """The folder for what is expensive to make, kept by digest; with ``--fresh``, only for this run."""
        return self.folder if self.fresh else self.workspace.root

    @property
    def inputs(self) -> Inputs:
        """The files of this machine that its actions may read."""
        own = (self.home, self.folder)  # with --in, the files are the user's, and not its own
        return Inputs(self.lesson.path, own, self.sandbox, fresh_params=not self.resumed)

    @property
    def shared_evidence(self) -> Path:
        """The folder for evidence that several steps share."""
        return self.folder / EVIDENCE / SHARED


@dataclass(slots=True)
class StepContext:
    """
    What an action can use during one attempt at a step.

    An action prints with :meth:`say`, reports with :meth:`progress`, and writes files to keep into
    :attr:`evidence`.
    """

    run: RunContext
    """The run."""
    step: PlannedStep
    """The step, with its resolved parameters."""
    evidence: Path
    """A folder for the step's evidence, empty at the start of each attempt."""
    emit: Callable[[Event], None]
    """Sends an event to listeners and the event log; :meth:`say` and :meth:`progress` use it."""
    deadline: float | None = None
    """When the timeout is over, in seconds on the clock of ``time.monotonic``; ``None`` without a timeout."""
    attempt: int = 1
    """The number of this attempt, counted from 1."""
    _kept: BoundedLines = field(default_factory=BoundedLines)
    _shown: int = 0
    """Characters that were shown."""
    _shown_at: float | None = None
    """When a line was last shown, once the output is too long to show all of it."""
    _unseen: int = 0
    """Lines that were not shown since then."""
    _said: LineRedactor | None = None
    """Holds back a line whose end may be the start of a secret."""

    @property
    def lines(self) -> list[str]:
        """The lines passed to :meth:`say`; without the middle if they are very long."""
        return self._kept.lines()

    @property
    def said(self) -> BoundedLines:
        """The same lines, and how many of them were not kept."""
        return self._kept

    @property
    def workspace(self) -> Workspace:
        """The run's workspace."""
        return self.run.workspace

    @property
    def store(self) -> Store:
        """The run's store, which its steps share."""
        return self.run.store

    def say(self, text: str = "") -> None:
        """Show ``text`` to the user and keep it as the step's output."""
        rows = [piece for row in text.split("\n") for piece in split_long_line(row)]
        self._kept.extend(rows)
        if self._said is None:
            self._said = LineRedactor(self.run.redactor)
        if ready := self._said.feed(rows):
            self.show("\n".join(ready))

    def finish(self) -> None:
        """Show the rest of the output, which was held back in case it was the start of a secret."""
        if self._said is not None and (rest := self._said.flush()):
            self.show("\n".join(rest))

    def show(self, text: str) -> None:
        """
        Show ``text`` to the user without keeping it as the step's output.

        After 1,000,000 characters of a step, one line a second is shown, with the number of lines that were
        left out before it.
        """
        room = MAX_SHOWN - self._shown
        if len(text) <= room:
            self._shown += len(text) + 1
            self._output(text)
            return
        if self._shown_at is None:
            end = text.rfind("\n", 0, max(room, 0))
            if end >= 0:
                self._output(text[:end])
            text = text[end + 1 :]
            self._output(f"[more than {MAX_SHOWN:,} characters: from here on, one line a second is shown]")
            self._shown = MAX_SHOWN + 1
        self._unseen += text.count("\n") + 1
        now = time.monotonic()
        if self._shown_at is None or now - self._shown_at >= PROGRESS_EVERY:
            left_out = f"[{self._unseen - 1:,} lines are left out here]\n" if self._unseen > 1 else ""
            self._output(left_out + text[text.rfind("\n") + 1 :][-PIECE:])
            self._shown_at, self._unseen = now, 0

    def _output(self, text: str) -> None:
        self.emit(Event("output", self.step.id, {"text": text}))

    def progress(self, done: int, total: int, *, curve: str = "", **values: float | str) -> None:
        """
        Report that ``done`` of ``total`` units are finished.

        Args:
            curve: the name of the value to draw as a curve over the step.
            values: values to show, by name, such as ``loss=1.5``. A name such as ``tokens_per_second`` is
                shown as ``tokens/s``, and ``seconds_left`` as the time left.
        """
        drawn = {"curve": curve} if curve else {}
        self.emit(Event("progress", self.step.id, {"done": done, "total": total, **drawn, **values}))

    def read_input(self, param: str, most: int) -> bytes:
        """
        Return the content of the file that a parameter names, if the lesson may read it.

        Args:
            param: the parameter's name. Its value is a path relative to the lesson's folder, or, if the user
                gave it with ``--param``, to the current folder.
            most: the size limit, in bytes.

        Raises:
            LessonError: the lesson may not read it, it cannot be read, or it is too large.
        """
        name, run = str(self.step.params[param]), self.run
        given = any(layer.name.startswith("--param") and param in layer.params for layer in self.step.layers)
        with run.inputs.open(name, run.granted, param=given) as file:
            size = os.fstat(file.fileno()).st_size
            if size > most:
                raise LessonError(f"{file.name} is larger than {most:,} bytes", fix="use a part of it")
            try:
                return file.read(size)  # files without a size, such as those of /proc, count as empty
            except OSError as error:
                raise LessonError(f"{file.name} cannot be read: {error.strerror}") from None

    def remaining(self) -> float | None:
        """Return the seconds until the timeout; ``None`` if the step has no timeout."""
        return None if self.deadline is None else self.deadline - time.monotonic()

    def check_time(self) -> None:
        """
        Stop the step if its timeout is over; long loops call this in each iteration.

        Raises:
            TimedOutError: the deadline has passed.
        """
        remaining = self.remaining()
        if remaining is not None and remaining <= 0:
            raise TimedOutError(
                f"step '{self.step.id}' took longer than its timeout of {self.step.timeout:g} s"
            )


def merge(*layers: Json) -> dict[str, Any]:
    """Return one mapping in which later layers override earlier ones."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged.update(layer)
    return merged


Listener = Callable[[Event], None]
Facts = Mapping[str, Any]
