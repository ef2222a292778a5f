"""
Validating in several processes, where there is enough to validate for that to pay.

Each process is given one document after the other, so that one that ends a process is known by name, and the
diagnostics come out in the order of the documents whoever was faster.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from lesson_runner.model import Checked, Diagnostic, Location, Rule, Scope
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.manager import Plugins
from lesson_runner.validate.check import Checker, all_rules, scope_of, validate
from lesson_runner.validate.rules.anchors import anchors_of
from lesson_runner.validate.settings import Settings

BYTES = 1_000_000
"""Of documents for each process: with less, starting it takes longer than it saves."""
AHEAD = 2
"""Documents that a process is given at once: it need not wait while somebody reads what it found."""
WINDOW = 256
"""How far the documents in work may be apart: what is found waits for those before it."""


def jobs_that_pay(paths: Sequence[Path]) -> int:
    """Return how many processes to validate in: this one alone unless others save more than they take."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, len(paths), sum(map(_size, paths)) // BYTES))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def validate_with(
    jobs: int, paths: Sequence[Path], plugins: Plugins, settings: Settings, rules: Mapping[str, Rule]
) -> Iterator[Checked]:
    """
    Yield what is found in each of ``paths``, in their order.

    Args:
        jobs: in how many processes; those beside this one load the installed plugins themselves.

    Raises:
        LessonError: the processes cannot be started.
    """
    if jobs < 2 or len(paths) < 2:
        yield from validate(paths, plugins, settings, rules)
        return
    crew = _Crew(settings, scope_of(paths, plugins))
    try:
        yield from crew.check(paths, min(jobs, len(paths)))
    finally:
        crew.dismiss()


class _Worker:
    """A process that validates, the documents it has been given, and how to talk to it."""

    def __init__(self, settings: Settings, scope: Scope) -> None:
        context = multiprocessing.get_context("spawn")  # a fork of a process with threads can hang
        self.connection, theirs = context.Pipe()
        self.given: deque[int] = deque()
        self.process = context.Process(
            target=_work, args=(theirs, settings, scope.lessons, scope.together, Path.cwd()), daemon=True
        )
        self.ready = False
        try:
            # Ctrl-C is for us; it must not end them with a traceback each.
            with _outside(), _without_interrupts():
                self.process.start()
        except OSError as error:
            raise LessonError(f"cannot start another process: {error}", fix="add --jobs 1") from None
        theirs.close()  # or the end of that process would go unnoticed

    def give(self, number: int, path: Path) -> None:
        """Let it check a document, sooner or later."""
        self.given.append(number)
        self.connection.send(path)


class _Crew:
    """Processes that validate."""

    def __init__(self, settings: Settings, scope: Scope) -> None:
        self._settings, self._scope = settings, scope
        self._workers: dict[Connection, _Worker] = {}

    def check(self, paths: Sequence[Path], jobs: int) -> Iterator[Checked]:
        """Yield what is found, in order."""
        for _ in range(jobs):
            self._hire()
        todo = deque(range(len(paths)))
        found: dict[int, Checked] = {}
        for number in range(len(paths)):
            while number not in found:
                self._hand_out(todo, paths, number + WINDOW)
                for connection in wait(list(self._workers)):
                    assert isinstance(connection, Connection)
                    self._take(self._workers[connection], paths, todo, found)
            yield found.pop(number)

    def dismiss(self) -> None:
        """End all processes, whatever they are doing."""
        for worker in self._workers.values():
            worker.process.kill()
            worker.process.join()
            worker.connection.close()
        self._workers.clear()

    def _hire(self) -> None:
        worker = _Worker(self._settings, self._scope)
        self._workers[worker.connection] = worker

    def _hand_out(self, todo: deque[int], paths: Sequence[Path], before: int) -> None:
        for worker in self._workers.values():
            while todo and todo[0] < before and len(worker.given) < AHEAD:
                number = todo.popleft()
                worker.give(number, paths[number])

    def _take(
        self, worker: _Worker, paths: Sequence[Path], todo: deque[int], found: dict[int, Checked]
    ) -> None:
        """Take what a process has found, or replace one that has ended."""
        try:
            result = worker.connection.recv()
        except (EOFError, OSError):
            del self._workers[worker.connection]
            worker.connection.close()
            worker.process.join()
            if not worker.ready:
                ended = f"a process that validates ended before it began ({_how(worker.process.exitcode)})"
                raise LessonError(ended, fix="add --jobs 1") from None
            number = worker.given.popleft()
            found[number] = _fatal(paths[number], worker.process.exitcode)
            todo.extendleft(reversed(worker.given))
            self._hire()
            return
        if result is None:
            worker.ready = True
        elif isinstance(result, str):
            raise RuntimeError(f"{paths[worker.given[0]]}: {result}")  # a bug, with the trace from there
        else:
            found[worker.given.popleft()] = result


def _how(code: int | None) -> str:
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"


def _fatal(path: Path, code: int | None) -> Checked:
    """Return the diagnostic about a document that ended the process which looked at it."""
    message = f"looking at it ended the process that did ({_how(code)})"
    fix = "find out which part of it does that, and report it with that part"
    return Checked(path, (Diagnostic("unreadable", "error", message, Location(path, 1), fix),))


@contextmanager
def _outside() -> Iterator[None]:
    """Start processes elsewhere: Python would import its own modules from the current folder first."""
    here = os.open(".", os.O_RDONLY)
    os.chdir("/")
    try:
        yield
    finally:
        os.fchdir(here)
        os.close(here)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Keep Ctrl-C from what is started meanwhile, for as long as that lives."""
    resource_tracker.ensure_running()  # or else starting the first process does, and lets Ctrl-C in again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(
    connection: Any,
    settings: Settings,
    lessons: Mapping[str, tuple[Path, ...]],
    together: frozenset[Path],
    folder: Path,
) -> None:
    """Check documents until there are no more; the other end says which, and hears what was found."""
    os.chdir(folder)
    plugins = Plugins()
    checker = Checker(plugins, settings, all_rules(plugins), Scope(lessons, together, anchors_of))
    connection.send(None)  # ready
    while True:
        try:
            path = connection.recv()
        except EOFError:  # whoever wanted to know has gone
            return
        try:
            result: Checked | str = checker.check(path)
        except Exception:
            result = traceback.format_exc()
        connection.send(result)
