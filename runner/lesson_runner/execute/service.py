"""A service that a block of a lesson has started: its processes, and what it prints until it ends."""

from __future__ import annotations

import re
import sys
import threading
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from lesson_runner.document.statements import statements
from lesson_runner.execute.family import Family, Member, start_time
from lesson_runner.execute.lines import OutputCollector
from lesson_runner.execute.redaction.redactor import Redactor

TOKEN = "LESSON_SERVICE_TOKEN"
"""An environment variable with a value unique to each service, inherited by all its processes."""
GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL."""
MOST_LOGGED = 10_000_000
"""Characters of a service's output that are written to its log."""
_DETACHES = re.compile(
    r"\b(?:docker|podman|nerdctl|docker-compose)\b.*\s(?:-[a-z]*d[a-z]*|--detach)\b"
    r"|\bdocker\s+start\b|\bsystemctl\b.*\b(?:re)?start\b|\bservice\s+\S+\s+(?:re)?start\b"
    r"|\bbrew\s+services\b|\bpg_ctl\b.*\bstart\b|--daemon(?:ize|ise)?\b|\bminikube\s+start\b"
)
"""What the commands of services that another program runs have."""
PROBE = """
import socket, sys, urllib.error, urllib.request
kind, value = sys.argv[1:]
if kind == "port":
    socket.create_connection(("localhost", int(value)), 1).close()
else:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(value, timeout=2).close()
    except urllib.error.HTTPError as error:
        sys.exit(error.code >= 500)
"""


def probe(kind: str, value: object) -> Sequence[str]:
    """
    Return the command that ends with status 0 if something answers.

    Args:
        kind: ``port``, or ``url``, which must answer with a status below 500.
    """
    return (sys.executable, "-I", "-S", "-c", PROBE, kind, str(value))


class Service:
    """
    The processes of a service, and its output.

    Args:
        step: the id of the step that starts it.
        log: the file to which its output is written.
        redactor: removes secrets from the output.
    """

    def __init__(self, step: str, log: Path, redactor: Redactor) -> None:
        self.step, self.log = step, log
        self.token = uuid.uuid4().hex
        self.stop: str | None = None
        """The command that stops it."""
        self.ready = False
        self.stopped_by: str | None = None
        """The id of the step that has stopped it."""
        self.printed_at = time.monotonic()
        self.last_words = ""
        self.output = ""
        """What it printed until it was ready."""
        self.watched = False
        """True if its processes are known; those of a container are not."""
        self._first: Member | None = None
        self._unseen: list[str] = []
        self._logged = 0
        self._lock = threading.Lock()
        self._collector = OutputCollector(self._keep, redactor=redactor)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("", "utf-8")

    def feed(self, data: bytes) -> None:
        """Take what it prints; nothing means that its output has ended."""
        with self._lock:
            self._collector.feed(data, final=not data)

    def _keep(self, text: str) -> None:
        if not self.ready:
            self._unseen.append(text)
        self.write(text)

    def write(self, text: str) -> None:
        """Write lines that it has printed to its log."""
        self.printed_at = time.monotonic()
        self.last_words = next((row for row in reversed(text.split("\n")) if row.strip()), self.last_words)
        if self._logged < MOST_LOGGED:
            self._logged += len(text) + 1
            with self.log.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text + "\n")

    def take(self) -> str:
        """Return what it has printed since the last call; before it is ready."""
        with self._lock:
            rows, self._unseen = self._unseen, []
        text = "\n".join(rows)
        self.output = "\n".join(filter(None, (self.output, text)))
        return text

    def begin(self, members: Sequence[Member], *, watched: bool) -> None:
        """Watch the processes that its block has started, if they are known."""
        self._first = members[0] if members else None
        self.watched = watched

    def family(self) -> Family:
        """Return its processes."""
        first = self._first
        known = first is not None and start_time(first.pid) == first.started
        return Family(first.pid if first is not None and known else -1, self.token, variable=TOKEN)

    def members(self) -> set[Member]:
        """Return its processes that are alive."""
        return self.family().members()

    def end(self) -> None:
        """End its processes: SIGTERM, and after :data:`GRACE` seconds SIGKILL."""
        self.family().stop(GRACE)


def detaches(script: str) -> bool:
    """Return whether a script lets another program run the service, such as Docker, and ends at once."""
    return _DETACHES.search(script) is not None


def in_background(script: str) -> str:
    """
    Return a script whose last statement runs in the background, as a job with a process group of its own.

    What comes before, such as ``cd``, happens in the terminal itself. A script that already starts something
    in the background is returned as it is, as is one that :func:`detaches`.
    """
    found = statements(script, 1)
    if detaches(script) or any(statement.text.endswith(" &") for statement in found):
        return script
    last = found[-1].text.rstrip("; \t\n")
    begin = script.rfind(last)
    simple = "\n" not in last and "#" not in last and "<<" not in last
    job = f"{last} &" if simple else f"{{ {last}\n}} &"
    return f"{script[:begin]}{{ builtin set -m; {job} builtin set +m; }}"
