"""
Ray, and the only module that imports it.

Ray finds a worker with a free board, tells when a worker is lost, and brings the answers. It is not asked to
try again by itself (``max_retries``): it would say nothing of it, and would start a lesson that needs too
much memory over and over, without end. Ray starts a task once; :mod:`lesson_fleet.drive` gives it out again.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Mapping, Sequence
from importlib import import_module
from types import TracebackType
from typing import Any

from lesson_fleet.boards import Board, forget, pretended_boards, wait_until_free
from lesson_fleet.cells import PRETENDED, Cell, resource_of
from lesson_fleet.drive import Arrival
from lesson_fleet.table import in_a_line
from lesson_runner.model.errors import LessonError

STORE_BYTES = 256 * 2**20
"""Memory for answers on their way, of a Ray that is started here."""
CONNECT_SECONDS = 10.0
END_SECONDS = 20.0
"""How long to wait, at the end, for the processes of lessons that were interrupted."""


def run_order(order: Mapping[str, Any], resource: str) -> dict[str, Any]:
    """Run one cell on a worker: the function that Ray calls there."""
    from lesson_fleet.work import run_cell

    ray = import_module("ray")
    node = ray.get_runtime_context().get_node_id()
    count = next(item["Resources"].get(resource, 1) for item in ray.nodes() if item["NodeID"] == node)
    return run_cell(order, node, int(count))


class RayEngine:
    """
    Workers of a Ray cluster, or of a Ray on this machine that lives as long as the ``with`` block.

    Args:
        orders: what a worker is told, by cell.
        pretended: whether boards are pretended.
        address: the cluster's, such as ``head:6379``; ``None`` starts a Ray on this machine.
        boards: how many boards of each kind a Ray on this machine has.

    Raises:
        LessonError: Ray is not installed, or the cluster is not reached.
    """

    def __init__(
        self,
        orders: Mapping[Cell, Mapping[str, Any]],
        *,
        pretended: bool,
        address: str | None,
        boards: Mapping[str, int],
    ) -> None:
        self._orders = orders
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
        except (
            Exception
        ) as error:  # Ray raises what its parts raise: ConnectionError, RuntimeError, ValueError …
            raise _not_reached(error, address) from None
        self._task = self._ray.remote(num_cpus=0, max_retries=0)(run_order)

    def __enter__(self) -> RayEngine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for cell in list(self._running.values()):
            self.cancel(cell)
        boards = self._pretended_here() if self._local else []
        self._ray.shutdown()
        wait_until_free(boards, END_SECONDS)  # lessons that were running have been told to end
        forget(boards)

    def _pretended_here(self) -> list[Board]:
        """Return the pretended boards of a Ray that was started here."""
        return [
            board
            for node in self._ray.nodes()
            for name, count in node["Resources"].items()
            if name.startswith(f"{PRETENDED}-")
            for board in pretended_boards(name.removeprefix(f"{PRETENDED}-"), int(count), node["NodeID"])
        ]

    def everything(self) -> Mapping[str, float]:
        """Return all resources of the living workers, also those that are no boards."""
        found: dict[str, float] = {}
        for node in self._ray.nodes():
            if node["Alive"]:
                for name, count in node["Resources"].items():
                    found[name] = found.get(name, 0) + count
        return found

    def offered(self) -> Mapping[str, float]:
        """Return how many boards of each kind the living workers have."""
        found = self.everything()
        kinds = {cell.hardware for cell in self._orders}
        return {kind: found.get(resource_of(kind, pretended=self._pretended), 0) for kind in kinds}

    def submit(self, cell: Cell) -> None:
        """Have a worker run a cell as soon as it has a free board of its kind."""
        resource = resource_of(cell.hardware, pretended=self._pretended)
        task = self._task.options(name=str(cell), resources={resource: 1})
        self._running[task.remote(self._orders[cell], resource)] = cell

    def arrived(self, seconds: float) -> Sequence[Arrival]:
        """Wait for at most so many seconds, and return what has come back."""
        done, _ = self._ray.wait(list(self._running), num_returns=1, timeout=seconds)
        return [self._open(reference) for reference in done]

    def _open(self, reference: Any) -> Arrival:
        cell = self._running.pop(reference)
        errors = self._ray.exceptions
        try:
            return Arrival(cell, answer=self._ray.get(reference))
        except errors.RayTaskError as error:
            cause = getattr(error, "cause", None) or error
            return Arrival(cell, broken=f"the worker cannot run it: {_said(cause)}")
        except errors.RayError as error:
            # After the first sentence Ray tells where its logs are.
            return Arrival(cell, lost=_said(error).partition(". ")[0])

    def cancel(self, cell: Cell) -> None:
        """Do not run a cell after all, or end it: the worker is killed, and the lesson's guard sees that."""
        for reference in [item for item, other in self._running.items() if other == cell]:
            del self._running[reference]
            self._ray.cancel(reference, force=True)


def _import_ray(*, local: bool) -> Any:
    """
    Return Ray; one that is started here reports nothing to anybody, and nobody else can use it.

    Raises:
        LessonError: it is not installed.
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
    Make sure that somebody listens there: Ray would try for two minutes.

    Raises:
        LessonError: nobody does, or it is no address.
    """
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise LessonError(
            f"--address {address}: expected HOST:PORT or auto", fix="such as --address head:6379"
        )
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()
    except OSError as error:
        raise LessonError(
            f"--address {address}: nobody answers there: {error.strerror or error}",
            fix=f"start a head there: ray start --head --port={port}",
        ) from None


def _not_reached(error: Exception, address: str | None) -> LessonError:
    if address is None:
        return LessonError(f"Ray does not start on this machine: {_said(error)}")
    return LessonError(
        f"--address {address}: the cluster is not reached: {_said(error)}",
        fix="run this on a machine of the cluster ('ray start --address=HEAD:6379 --num-cpus=0' makes it "
        "one), with the same releases of Python and Ray, and the same token",
    )


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {in_a_line(str(error))}"
