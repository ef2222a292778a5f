"""
Work on documents in several processes, if there are enough for that to be faster: ``validate``, ``survey``.

Each process gets one document after the other, so that a document that crashes its process is known by name.
The results come in the order of the documents.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Generic, TypeVar

from lesson_runner.model import Checked, Diagnostic, Location, Rule, Scope
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.manager import Plugins
from lesson_runner.validate.check import Checker, all_rules, scope_of, validate
from lesson_runner.validate.rules.anchors import anchors_of
from lesson_runner.validate.settings import Settings

BYTES = 1_000_000
"""Bytes of documents for each process; with less, starting it takes longer than it saves."""
AHEAD = 2
"""Documents that a process has in its queue, so that it need not wait for the next one."""
WINDOW = 256
"""How far ahead of the next result documents are given out; results are kept until their turn."""


def useful_jobs(paths: Sequence[Path]) -> int:
    """Return how many processes to use; 1 if more would not be faster."""
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
    Yield the diagnostics of each of ``paths``, in order.

    Args:
        jobs: how many processes to use; with more than one, each loads the installed plugins itself.

    Raises:
        LessonError: the processes cannot be started.
    """
    if jobs < 2 or len(paths) < 2:
        yield from validate(paths, plugins, settings, rules)
        return
    scope = scope_of(paths, plugins)
    make = partial(_checker, settings, scope.lessons, scope.together)
    yield from work_on(paths, jobs, make, _fatal)


def _checker(
    settings: Settings, lessons: Mapping[str, tuple[Path, ...]], together: frozenset[Path]
) -> Callable[[Path], Checked]:
    """Return the function that validates one document; each process calls this once."""
    plugins = Plugins()
    return Checker(plugins, settings, all_rules(plugins), Scope(lessons, together, anchors_of)).check


_Result = TypeVar("_Result")


def work_on(
    paths: Sequence[Path],
    jobs: int,
    make: Callable[[], Callable[[Path], _Result]],
    crashed: Callable[[Path, str], _Result],
) -> Iterator[_Result]:
    """
    Yield the result of each of ``paths``, in order, from ``jobs`` processes.

    Args:
        make: returns the function of a path that does the work; called once in each process. It and the
            results can be pickled; no result is a text.
        crashed: the result of a document that crashed its process, and how.

    Raises:
        LessonError: the processes cannot be started.
    """
    pool = _Pool(make, crashed)
    try:
        yield from pool.results(paths, min(jobs, len(paths)))
    finally:
        pool.close()


class _Worker:
    """A process that works on documents, its queue of them, and the connection to it."""

    def __init__(self, make: Callable[[], Callable[[Path], Any]]) -> None:
        context = multiprocessing.get_context("spawn")  # a fork of a process with threads can hang
        self.connection, theirs = context.Pipe()
        self.queued: deque[int] = deque()
        self.process = context.Process(target=_work, args=(theirs, make, Path.cwd()), daemon=True)
        self.ready = False
        try:
            # Ctrl-C must reach only this process; in the others it would print a traceback each.
            with _started_in_root(), _without_interrupts():
                self.process.start()
        except OSError as error:
            raise LessonError(f"cannot start another process: {error}", fix="add --jobs 1") from None
        theirs.close()  # otherwise the end of that process would not be noticed

    def enqueue(self, number: int, path: Path) -> bool:
        """Put a document into its queue; return False if the process has just ended."""
        try:
            self.connection.send(path)
        except OSError:
            return False
        self.queued.append(number)
        return True


class _Pool(Generic[_Result]):
    """A pool of such processes."""

    def __init__(
        self, make: Callable[[], Callable[[Path], _Result]], crashed: Callable[[Path, str], _Result]
    ) -> None:
        self._make, self._crashed = make, crashed
        self._workers: dict[Connection, _Worker] = {}

    def results(self, paths: Sequence[Path], jobs: int) -> Iterator[_Result]:
        """Yield the result of each path, in order."""
        for _ in range(jobs):
            self._start()
        todo = deque(range(len(paths)))
        found: dict[int, _Result] = {}
        for number in range(len(paths)):
            while number not in found:
                self._hand_out(todo, paths, number + WINDOW)
                for connection in wait(list(self._workers)):
                    assert isinstance(connection, Connection)
                    self._take(self._workers[connection], paths, todo, found)
            yield found.pop(number)

    def close(self) -> None:
        """Kill all processes."""
        for worker in self._workers.values():
            worker.process.kill()
            worker.process.join()
            worker.connection.close()
        self._workers.clear()

    def _start(self) -> None:
        worker = _Worker(self._make)
        self._workers[worker.connection] = worker

    def _hand_out(self, todo: deque[int], paths: Sequence[Path], before: int) -> None:
        for worker in self._workers.values():
            while todo and todo[0] < before and len(worker.queued) < AHEAD:
                if not worker.enqueue(todo[0], paths[todo[0]]):
                    break
                todo.popleft()

    def _take(
        self, worker: _Worker, paths: Sequence[Path], todo: deque[int], found: dict[int, _Result]
    ) -> None:
        """Receive the result of a process, or replace a process that has ended."""
        try:
            result = worker.connection.recv()
        except (EOFError, OSError):
            del self._workers[worker.connection]
            worker.connection.close()
            worker.process.join()
            if not worker.ready:
                ended = f"a process ended before it was ready ({_how(worker.process.exitcode)})"
                raise LessonError(ended, fix="add --jobs 1") from None
            if worker.queued:
                number = worker.queued.popleft()
                found[number] = self._crashed(paths[number], _how(worker.process.exitcode))
            todo.extendleft(reversed(worker.queued))
            self._start()
            return
        if result is None:
            worker.ready = True
        elif isinstance(result, str):
            raise RuntimeError(f"{paths[worker.queued[0]]}: {result}")  # a bug, with the process's traceback
        else:
            found[worker.queued.popleft()] = result


def _how(code: int | None) -> str:
    return f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"


def _fatal(path: Path, how: str) -> Checked:
    """Return the diagnostic about a document that crashed the process that validated it."""
    message = f"validating this document crashed the process ({how})"
    fix = "find the part of the document that causes this, and report the bug with that part"
    return Checked(path, (Diagnostic("unreadable", "error", message, Location(path, 1), fix),))


@contextmanager
def _started_in_root() -> Iterator[None]:
    """Start processes in ``/``, because Python would import modules from the current folder first."""
    here = os.open(".", os.O_RDONLY)
    os.chdir("/")
    try:
        yield
    finally:
        os.fchdir(here)
        os.close(here)


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Block Ctrl-C in processes that are started in this context, for their whole life."""
    resource_tracker.ensure_running()  # otherwise starting the first process starts it and unblocks Ctrl-C
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(connection: Any, make: Callable[[], Callable[[Path], Any]], folder: Path) -> None:
    """Work on the documents that arrive on the connection, and send back the results."""
    os.chdir(folder)
    work = make()
    connection.send(None)  # ready
    while True:
        try:
            path = connection.recv()
        except EOFError:  # the main process has ended
            return
        try:
            result = work(path)
        except Exception:
            result = traceback.format_exc()
        connection.send(result)
