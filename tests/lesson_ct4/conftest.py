"""Contexts of steps without a run, and a web server that misbehaves on demand."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lesson_ct4.actions.workspace_files import close_session
from lesson_runner.model import Event, Lesson, Location, PlannedStep
from lesson_runner.plugins.context import RunContext, StepContext, Workspace

MakeContext = Callable[..., StepContext]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "space")


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def run(workspace: Workspace) -> Iterator[RunContext]:
    lesson = Lesson(
        path=Path("lesson.md"),
        text="",
        frontmatter={},
        positions={},
        blocks=(),
        steps=(),
        skipped=(),
        digest="",
    )
    everything = frozenset({"shell", "network", "read"})
    context = RunContext(lesson, "quick", "emulated", workspace, workspace.runs / "1", granted=everything)
    yield context
    close_session(context)


@pytest.fixture
def step(run: RunContext, events: list[Event]) -> MakeContext:
    """Creates the context of a step."""

    def make(id: str = "one", action: str = "ct4.train", **params: Any) -> StepContext:  # noqa: A002
        planned = PlannedStep(id, id, Location(Path("lesson.md"), 1), action, params)
        evidence = run.folder / "evidence" / id
        evidence.mkdir(parents=True)
        return StepContext(run, planned, evidence, events.append)

    return make


class Server(ThreadingHTTPServer):
    """Answers every request as set by the test in ``answer``."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests = 0
        self.ended = threading.Event()
        self.answer: Callable[[Handler], None] = lambda handler: handler.send_error(404)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/input.txt"

    def serve_bytes(
        self, data: bytes, *, length: int | None = None, status: int = 200, **headers: str
    ) -> None:
        """Answer with ``data``; ``length`` overrides the Content-Length."""

        def answer(handler: Handler) -> None:
            handler.send_response(status)
            handler.send_header("Content-Length", str(len(data) if length is None else length))
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.end_headers()
            handler.wfile.write(data)

        self.answer = answer

    def stall(self, before: bytes = b"", length: int = 1_000_000) -> None:
        """Send the beginning (or nothing), then stop responding."""

        def answer(handler: Handler) -> None:
            if before:
                handler.send_response(200)
                handler.send_header("Content-Length", str(length))
                handler.end_headers()
                handler.wfile.write(before)
                handler.wfile.flush()
            self.ended.wait(20)

        self.answer = answer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.requests += 1
        self.server.answer(self)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server on this machine; proxies are ignored."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    found = Server()
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield found
    found.ended.set()
    found.shutdown()
    found.server_close()
    thread.join()
    time.sleep(0.02)
