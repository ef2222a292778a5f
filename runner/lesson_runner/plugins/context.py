"""Where a run happens: its workspace, and what an action can see and say while it runs."""

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
from lesson_runner.execute.lines import PROGRESS_EVERY, Kept, pieces
from lesson_runner.execute.redaction.redactor import LineRedactor, Redactor
from lesson_runner.files.evidence import EVIDENCE, SHARED
from lesson_runner.files.plain import real, write_aside
from lesson_runner.files.untrusted import make_below, read_json
from lesson_runner.model import Event, Hardware, Json, Lesson, PlannedStep
from lesson_runner.model.errors import LessonError, TimedOutError

if TYPE_CHECKING:
    from lesson_runner.execute.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Workspace:
    """The one folder a lesson's typed actions write in; ``.lesson`` unless the user says otherwise."""

    root: Path

    @property
    def runs(self) -> Path:
        """One folder a run."""
        return self.root / "runs"

    @property
    def files(self) -> Path:
        """What steps leave for later steps: data sets, checkpoints, and the shell's working folder."""
        return self.root / "files"

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
            raise LessonError(f"{'/'.join(parts)!r} is no name of a file", fix="name a file") from None
        if not path.is_relative_to(base):
            raise LessonError(
                f"{'/'.join(parts)!r} lies outside the workspace {base}",
                fix="name a file inside the workspace",
            )
        return path

    def inside(self, folder: Path) -> Path:
        """
        Return where a folder of the workspace really is.

        The workspace may be a link that the user named. What is in it may have come with a lesson.

        Raises:
            LessonError: it is a link, or in a folder that is one.
        """
        for part in (folder, *folder.parents):
            if part == self.root or not part.is_relative_to(self.root):
                break
            if part.is_symlink():
                found = real(part)
                raise LessonError(
                    f"{part} is a link to {found}, and nothing in a workspace may be one",
                    fix=f"remove the link; to keep everything elsewhere: --workspace {found.parent}",
                )
        return real(folder)

    def check_links(self) -> None:
        """
        Make sure that what is written or deleted in the workspace is in it.

        Raises:
            LessonError: something in it is a link.
        """
        with contextlib.suppress(OSError):  # whoever writes there says what is wrong
            for path in self.root.iterdir():
                self.inside(path)


DEFAULT_WORKSPACE = Path(".lesson")


def default_workspace() -> Path:
    """
    Return the workspace of whoever names none.

    Raises:
        LessonError: it is a link, or another user's: it may have come with a lesson's folder.
    """
    place = DEFAULT_WORKSPACE
    with contextlib.suppress(OSError):
        facts = place.lstat()
        if stat.S_ISLNK(facts.st_mode):
            raise LessonError(
                f"{place} is a link to {real(place)}, which a lesson's folder may have brought along",
                fix=f"if it is yours: --workspace {place}; or else remove it",
            )
        if facts.st_uid not in (os.geteuid(), 0):
            raise LessonError(
                f"{place.absolute()} belongs to another user",
                fix=f"name a folder of yours with --workspace; or, if you trust it: --workspace {place}",
            )
    return place


MEMORY = "memory"
"""The folder of a run with what plugins must know when it is resumed."""
MOST_SHOWN = 1_000_000
"""Characters of a step's output that are shown, and written to ``events.jsonl``, as they come."""
LABELS = "LESSON_LABELS"
"""Environment variable: labels of everything that a run shows, with commas between them."""


def labels_from_environment() -> tuple[str, ...]:
    """Return what whoever starts a run says of its results, such as that a board was only pretended."""
    names = (" ".join(name.split()) for name in os.environ.get(LABELS, "").split(","))
    return tuple(dict.fromkeys(name for name in names if name))


class Store(dict[str, Any]):
    """
    What plugins keep during a run: values by key, in memory until the run ends.

    A key is the plugin's name, or begins with that and a dot. :meth:`save` also writes a value to the run's
    folder; in a run that is resumed, :meth:`load` reads it from there.
    """

    def __init__(self, folder: Path, *, resumed: bool = False) -> None:
        super().__init__()
        self._folder = folder
        self._resumed = resumed

    def save(self, key: str, value: Any) -> None:
        """Keep a value that is needed to resume the run, even if it is killed right now; it must fit JSON."""
        text = json.dumps(value)
        write_aside(make_below(self._folder, MEMORY) / f"{key}.json", text)
        self[key] = json.loads(text)  # as it is after a resume: a tuple is a list

    def load(self, key: str) -> Any:
        """Return a saved value, also after a resume; ``None`` if there is none, or it cannot be read."""
        if key not in self and self._resumed:
            with contextlib.suppress(OSError, ValueError):
                self[key] = read_json(self._folder, f"{MEMORY}/{key}.json")
        return self.get(key)


@dataclass(slots=True)
class RunContext:
    """One run of one lesson."""

    lesson: Lesson
    profile: str
    backend: str
    """``auto``, ``ttml`` or ``emulated``: what the user asked for."""
    workspace: Workspace
    folder: Path
    """``runs/<run-id>``."""
    hardware: tuple[Hardware, ...] = ()
    fresh: bool = False
    """Reuse nothing from an earlier run."""
    interactive: bool = False
    """A person is at the terminal and can answer."""
    ask: Callable[[str], bool] | None = None
    """Asks the person a yes-or-no question; ``None`` where nobody can answer."""
    labels: tuple[str, ...] = field(default_factory=labels_from_environment)
    """What every result of the run must say of itself, beside what its steps say."""
    passed: frozenset[str] = frozenset()
    """Variables that commands get although they look like credentials."""
    sandbox: Sandbox | None = None
    """What commands run in; ``None``: as this user, with all that they may do."""
    redactor: Redactor = field(default_factory=redactor_for)
    """Keeps secrets out of output, events, evidence and record."""

    resumed: bool = False
    """The run goes on after it had ended early."""
    granted: frozenset[str] = frozenset()
    """The permissions of its steps."""
    store: Store = field(init=False)
    """What plugins keep between steps."""

    def __post_init__(self) -> None:
        self.store = Store(self.folder, resumed=self.resumed)

    @property
    def inputs(self) -> Inputs:
        """Which files of this machine its actions may read."""
        own = (self.workspace.files, self.folder)
        return Inputs(self.lesson.path, own, self.sandbox, given=not self.resumed)

    @property
    def shared_evidence(self) -> Path:
        """The folder for evidence that several steps use."""
        return self.folder / EVIDENCE / SHARED


@dataclass(slots=True)
class StepContext:
    """
    One attempt at one step: what the action may use.

    An action prints through :meth:`say`, reports with :meth:`progress`, and writes what it wants kept
    into :attr:`evidence`.
    """

    run: RunContext
    step: PlannedStep
    evidence: Path
    """An empty folder for the step's files."""
    emit: Callable[[Event], None]
    deadline: float | None = None
    """When to stop, on the clock of :func:`time.monotonic`."""
    attempt: int = 1
    _kept: Kept = field(default_factory=Kept)
    _shown: int = 0
    """Characters that were shown."""
    _shown_at: float | None = None
    """When a line was last shown of what is too much to show all of it."""
    _unseen: int = 0
    """Lines since then."""
    _said: LineRedactor | None = None
    """Holds back a line whose end may be the beginning of a secret."""

    @property
    def lines(self) -> list[str]:
        """What was said, without the middle if that was very much."""
        return self._kept.lines()

    @property
    def workspace(self) -> Workspace:
        """The run's workspace."""
        return self.run.workspace

    @property
    def store(self) -> Store:
        """The run's store, which its steps share."""
        return self.run.store

    def say(self, text: str = "") -> None:
        """Show ``text`` to the learner and keep it as the step's output."""
        rows = [piece for line in text.split("\n") for piece in pieces(line)]
        self._kept.extend(rows)
        if self._said is None:
            self._said = LineRedactor(self.run.redactor)
        if ready := self._said.feed(rows):
            self.show("\n".join(ready))

    def finish(self) -> None:
        """Show what was said and may have been the beginning of a secret."""
        if self._said is not None and (rest := self._said.flush()):
            self.show("\n".join(rest))

    def show(self, text: str) -> None:
        """
        Show ``text`` to the learner without keeping it: what is judged is kept elsewhere, if at all.

        Of a step that says more than :data:`MOST_SHOWN`, a line a second is shown from then on, with the
        number of lines that were left out before it.
        """
        room = MOST_SHOWN - self._shown
        if len(text) <= room:
            self._shown += len(text) + 1
            self._output(text)
            return
        if self._shown_at is None:
            end = text.rfind("\n", 0, max(room, 0))
            if end >= 0:
                self._output(text[:end])
            text = text[end + 1 :]
            self._output(f"[more than {MOST_SHOWN:,} characters: a line a second is shown from here on]")
            self._shown = MOST_SHOWN + 1
        self._unseen += text.count("\n") + 1
        now = time.monotonic()
        if self._shown_at is None or now - self._shown_at >= PROGRESS_EVERY:
            left_out = f"[{self._unseen - 1:,} lines are left out here]\n" if self._unseen > 1 else ""
            self._output(left_out + pieces(text[text.rfind("\n") + 1 :])[-1])
            self._shown_at, self._unseen = now, 0

    def _output(self, text: str) -> None:
        self.emit(Event("output", self.step.id, {"text": text}))

    def progress(self, done: int, total: int, *, curve: str = "", **values: float | str) -> None:
        """
        Report that ``done`` of ``total`` is finished.

        Args:
            curve: the name of the value to draw as a curve over the step.
            values: what to show with it, by name, such as ``loss=1.5``. A name such as ``tokens_per_second``
                is shown as ``tokens/s``, and ``seconds_left`` as the time left.
        """
        drawn = {"curve": curve} if curve else {}
        self.emit(Event("progress", self.step.id, {"done": done, "total": total, **drawn, **values}))

    def read_input(self, param: str, most: int) -> bytes:
        """
        Return what is in the file that a parameter names, which the lesson may have chosen.

        Args:
            param: the parameter's name. Its value is relative to the lesson's folder, or, where a person gave
                it with ``--param``, to the current one.
            most: bytes.

        Raises:
            LessonError: the lesson may not read it, it cannot be read, or it is larger.
        """
        name, run = str(self.step.params[param]), self.run
        given = any(layer.name.startswith("--param") and param in layer.params for layer in self.step.layers)
        with run.inputs.open(name, run.granted, param=given) as file:
            size = os.fstat(file.fileno()).st_size
            if size > most:
                raise LessonError(f"{file.name} is larger than {most:,} bytes", fix="use a part of it")
            try:
                return file.read(size)  # what has no size, such as a file of /proc, has no content either
            except OSError as error:
                raise LessonError(f"{file.name} cannot be read: {error.strerror}") from None

    def remaining(self) -> float | None:
        """Return the seconds left, or ``None`` if the step may take as long as it likes."""
        return None if self.deadline is None else self.deadline - time.monotonic()

    def check_time(self) -> None:
        """
        Stop here if the step's time is over; long loops call this once an iteration.

        Raises:
            TimedOutError: the deadline has passed.
        """
        remaining = self.remaining()
        if remaining is not None and remaining <= 0:
            raise TimedOutError(
                f"step '{self.step.id}' took longer than its timeout of {self.step.timeout:g} s"
            )


def merge(*layers: Json) -> dict[str, Any]:
    """Return one mapping in which later layers win."""
    merged: dict[str, Any] = {}
    for layer in layers:
        merged.update(layer)
    return merged


Listener = Callable[[Event], None]
Facts = Mapping[str, Any]
