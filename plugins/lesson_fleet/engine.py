"""
Run cells with Ray; only this module imports it.

Ray finds a worker with a free board, reports lost workers, and returns the answers. Its own retries
(``max_retries``) are off: they are silent, and would restart a lesson that needs too much memory forever. Ray
starts each task once; :mod:`lesson_fleet.drive` submits lost ones again.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import TracebackType
from typing import Any

from lesson_fleet.boards import Board, pretended_boards, remove_locks, wait_until_free
from lesson_fleet.cells import PRETENDED, Cell, resource_of
from lesson_fleet.drive import Arrival
from lesson_fleet.table import shorten
from lesson_runner.model.errors import LessonError

STORE_BYTES = 256 * 2**20
"""Memory for answers in transit, if Ray is started here."""
CONNECT_SECONDS = 10.0
END_SECONDS = 20.0
"""How long to wait at the end for the processes of interrupted lessons."""


def run_job(job: Mapping[str, Any], resource: str) -> dict[str, Any]:
    """Run one job on a worker; Ray calls this function there."""
    from lesson_fleet.work import run_cell

    ray = import_module("ray")
    node = ray.get_runtime_context().get_node_id()
    count = next(item["Resources"].get(resource, 1) for item in ray.nodes() if item["NodeID"] == node)
    return run_cell(job, node, int(count))


class RayEngine:
    """
    The workers of a Ray cluster, or of a Ray on this machine that stops at the end of the ``with`` block.

    Args:
        jobs: the job for a worker, by cell.
        pretended: whether boards are pretended.
        address: the cluster's address, such as ``head:6379``; ``None`` starts Ray on this machine.
        boards: how many boards of each kind this machine has, if Ray is started here.

    Raises:
        LessonError: Ray is not installed, or the cluster cannot be reached.
    """

    def __init__(
        self,
        jobs: Mapping[Cell, Mapping[str, Any]],
        *,
        pretended: bool,
        address: str | None,
        boards: Mapping[str, int],
    ) -> None:
        self._jobs = jobs
        self._pretended = pretended
        self._local = address is None
        self._running: dict[Any, Cell] = {}
        self._ray = _import_ray(local=self._local)
        if address is not None:
            _check_address(address)
        options = {"log_to_driver": False, "logging_level": "ERROR"}
        if address is None:
            offered = {resource_of(kind, pretended=pretended): count for kind, count in boards.items()}
            options |= {
                "resources": offered,
                "include_dashboard": False,
                "object_store_memory": STORE_BYTES,
            }
        try:
            self._ray.init(address=address or "local", **options)
        except Exception as error:  # Ray raises ConnectionError, RuntimeError, ValueError …
            raise _cannot_reach(error, address) from None
        self._task = self._ray.remote(num_cpus=0, max_retries=0)(run_job)

    def __enter__(self) -> RayEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for cell in list(self._running.values()):
            self.cancel(cell)
        boards = self._pretended_here() if self._local else []
        self._ray.shutdown()
        wait_until_free(boards, END_SECONDS)  # running lessons have been told to end
        remove_locks(boards)

    def _pretended_here(self) -> list[Board]:
        """Return the pretended boards of the Ray that was started here."""
        return [
            board
            for node in self._ray.nodes()
            for name, count in node["Resources"].items()
            if name.startswith(f"{PRETENDED}-")
            for board in pretended_boards(name.removeprefix(f"{PRETENDED}-"), int(count), node["NodeID"])
        ]

    def everything(self) -> Mapping[str, float]:
        """Return all resources of the living workers, not only boards."""
        found: dict[str, float] = {}
        for node in self._ray.nodes():
            if node["Alive"]:
                for name, count in node["Resources"].items():
                    found[name] = found.get(name, 0) + count
        return found

    def offered(self) -> Mapping[str, float]:
        """Return how many boards of each kind the living workers have."""
        found = self.everything()
        kinds = {cell.hardware for cell in self._jobs}
        return {kind: found.get(resource_of(kind, pretended=self._pretended), 0) for kind in kinds}

    def submit(self, cell: Cell) -> None:
        """Let a worker run a cell as soon as a board of its kind is free."""
        resource = resource_of(cell.hardware, pretended=self._pretended)
        task = self._task.options(name=str(cell), resources={resource: 1})
        self._running[task.remote(self._jobs[cell], resource)] = cell

    def arrived(self, seconds: float) -> Sequence[Arrival]:
        """Return what has arrived after waiting for at most ``seconds``."""
        done, _ = self._ray.wait(list(self._running), num_returns=1, timeout=seconds)
        return [self._open(reference) for reference in done]

    def _open(self, reference: Any) -> Arrival:
        cell = self._running.pop(reference)
        errors = self._ray.exceptions
        try:
            return Arrival(cell, answer=self._ray.get(reference))
        except errors.RayTaskError as error:
            cause = getattr(error, "cause", None) or error
            return Arrival(cell, broken=f"the worker cannot run it: {_describe(cause)}")
        except errors.RayError as error:
            # After the first sentence, Ray describes where its logs are.
            return Arrival(cell, lost=_describe(error).partition(". ")[0])

    def cancel(self, cell: Cell) -> None:
        """Withdraw a cell, or stop it: the worker is killed, and the watchdog then stops the lesson."""
        for reference in [item for item, other in self._running.items() if other == cell]:
            del self._running[reference]
            self._ray.cancel(reference, force=True)


def _import_ray(*, local: bool) -> Any:
    """
    Import Ray; without usage reports, and with a secret token if it is started here.

    Raises:
        LessonError: Ray is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    if local:
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN"] = uuid.uuid4().hex
    try:
        ray = import_module("ray")
        import_module("ray.exceptions")
    except ImportError as error:
        if error.name != "ray":
            raise LessonError(f"Ray cannot be imported: {error}") from None
        raise LessonError(
            "'lesson fleet' needs Ray, which is not installed", fix='pip install "lesson-runner[fleet]"'
        ) from None
    return ray


def _check_address(address: str) -> None:
    """
    Make sure that a server listens at an address; Ray would keep trying for two minutes.

    Raises:
        LessonError: there is no answer, or the address is malformed.
    """
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise LessonError(
            f"--address {address}: expected HOST:PORT or auto", fix="for example --address head:6379"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except OSError as error:
        raise LessonError(
            f"--address {address}: cannot connect: {error.strerror or error}",
            fix=f"start a head on that machine: ray start --head --port={port}",
        ) from None


def _cannot_reach(error: Exception, address: str | None) -> LessonError:
    if address is None:
        return LessonError(f"Ray cannot be started on this machine: {_describe(error)}")
    return LessonError(
        f"--address {address}: the cluster cannot be reached: {_describe(error)}",
        fix="run this on a machine of the cluster ('ray start --address=HEAD:6379 --num-cpus=0' adds this "
        "one), with the same releases of Python and Ray, and the same token",
    )


def _describe(error: BaseException) -> str:
    return f"{type(error).__name__}: {shorten(str(error))}"
