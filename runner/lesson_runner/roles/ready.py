"""Guess how to see that a service which a block starts is ready."""

from __future__ import annotations

import re
from typing import Any

from lesson_runner.document.transcripts import typed_in
from lesson_runner.model import Block, Lesson

NEAR = 40
"""Lines below a block in which the address of its service is looked for, up to the next heading."""
_LOCAL = r"(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])"
_URL = re.compile(rf"https?://{_LOCAL}(?::(\d{{2,5}})(?![\w-])|(?![\w:-]|\.\w))")
_HEADING = re.compile(r"#{1,6}\s")
_OPTIONS = tuple(
    re.compile(pattern)
    for pattern in (
        r"\s-p[ =]?(?:[\d.]+:)?(\d{2,5}):\d+",  # docker run -p 8080:80
        r"--publish[ =](?:[\d.]+:)?(\d{2,5}):\d+",
        r"\bport-forward\b.*?\s(\d{2,5})(?::\d+)?(?:\s|$)",
        r"--?(?:[a-z]+[-.])*port[ =](\d{2,5})\b",
        r"\bPORT=(\d{2,5})\b",
        r"\bport\s*=\s*(\d{2,5})\b",
        r"\bhttp\.server\s+(\d{2,5})\b",
        r"\brunserver\s+(?:\S+:)?(\d{2,5})\b",
        r"(?:--bind|--listen|--addr|--address|-b|-S|-l)[ =]\S*?:?(\d{2,5})(?:\s|$)",
        rf"{_LOCAL}:(\d{{2,5}})\b",
        r"\s-p[ =]?(\d{4,5})(?:\s|$)",
        r"\blisten(?:AndServe)?\(\s*\"?:?(\d{2,5})\b",  # in the code of a server
    )
)
_DEFAULTS = tuple(
    (re.compile(rf"(?:^|[\s/;&|(]){pattern}(?![\w-])"), port)
    for pattern, port in (
        (r"(?:uvicorn|gunicorn|hypercorn|daphne|granian|fastapi\s+(?:dev|run)|vllm\s+serve)", 8000),
        (r"(?:http\.server|manage\.py\s+runserver|mkdocs\s+serve|sphinx-autobuild)", 8000),
        (r"(?:flask(?:\s+-\S+(?:\s+\S+)?)*\s+run|mlflow\s+(?:ui|server))", 5000),
        (r"jupyter(?:[-\s](?:lab|notebook|server))?", 8888),
        (r"streamlit\s+run", 8501),
        (r"tensorboard", 6006),
        (r"(?:bokeh|panel)\s+serve", 5006),
        (r"(?:jekyll\s+s(?:erve)?|mix\s+phx\.server)", 4000),
        (r"hugo\s+serve(?:r)?", 1313),
        (r"(?:rails\s+s(?:erver)?|next\s+(?:dev|start)|json-server)", 3000),
        (r"ng\s+serve", 4200),
        (r"vite(?:\s+dev)?", 5173),
        (r"(?:http-server|live-server)", 8080),
        (r"kubectl\s+proxy", 8001),
        (r"ollama\s+serve", 11434),
        (r"(?:redis-server|valkey-server)", 6379),
        (r"(?:postgres|pg_ctl)", 5432),
        (r"(?:mysqld|mysqld_safe|mariadbd)", 3306),
        (r"mongod", 27017),
        (r"minio\s+server", 9000),
        (r"etcd", 2379),
        (r"nats-server", 4222),
        (r"prometheus", 9090),
    )
)


def ready_of(block: Block, lesson: Lesson) -> dict[str, Any]:
    """
    Return when the service that a block starts is ready, as ``ready`` in a ``service`` directive.

    The port is looked for in the options of the commands, in addresses that the block shows, in the lines
    around the block, and in a list of well-known servers.

    Returns:
        ``{"port": 8000}``; or an empty mapping if nothing says which port it is.
    """
    commands = typed_in(block).text.replace("\\\n", " ")
    for pattern in _OPTIONS:
        if (found := pattern.search(commands)) and (port := _port(found[1])):
            return {"port": port}
    for text in (block.text, _below(block, lesson), block.lead):
        if found := _URL.search(text):
            default = 443 if found[0].startswith("https") else 80
            if port := _port(found[1] or str(default)):
                return {"port": port}
    named = (port for pattern, port in _DEFAULTS if pattern.search(commands))
    return {"port": port} if (port := next(named, 0)) else {}


def _port(text: str) -> int:
    """Return a port; 0 for a number that is none."""
    number = int(text)
    return number if 0 < number < 65_536 else 0


def _below(block: Block, lesson: Lesson) -> str:
    """Return the text below a block, up to the next heading."""
    start = block.location.line + block.text.count("\n")  # the line of its closing fence, counted from 1
    rows: list[str] = []
    for row in lesson.text.split("\n")[start : start + NEAR]:
        if _HEADING.match(row):
            break
        rows.append(row)
    return "\n".join(rows)
