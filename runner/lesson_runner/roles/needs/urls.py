"""The hosts and servers that URLs name."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from lesson_runner.model import Need
from lesson_runner.roles.needs.world import Found, World, is_known

_OWN = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1"})
_SCP = re.compile(r"[\w.-]+@(?P<host>[\w.-]+\.[a-z]{2,}):\S")
_HOST = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def need_url(text: str, world: World, found: Found, *, bare: bool = False) -> bool:
    """
    Note the host or the server of a URL, and return whether the text is a URL.

    Args:
        bare: the scheme may be missing, as in ``localhost:8000/health``.
    """
    if secure := _SCP.match(text):
        found.machine.setdefault(Need("network", secure["host"]))
        return True
    if "://" not in text:
        if not bare or not re.match(r"[\w.-]+(:\d+)?(/|$)", text):
            return False
        text = f"http://{text}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return True
    if host in _OWN:
        world.need_server("localhost" if host != "127.0.0.1" else host, port, found)
    elif parts.scheme != "file" and _HOST.fullmatch(host) and is_known(host):
        found.machine.setdefault(Need("network", host))
    return True
