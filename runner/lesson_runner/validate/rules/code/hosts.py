"""Distinguish private addresses from public ones."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from lesson_runner.execute.redaction.secrets import mask

_OWN = ("local", "localhost", "internal", "lan", "home", "test", "invalid", "example", "home.arpa")
_DOCUMENTS = ("example.com", "example.org", "example.net")
_NAME = re.compile(r"[A-Za-z0-9.\-]+")
LONGEST = 60


def is_own(url: str) -> bool:
    """Return whether a URL leads to this machine, to a private network, or to nowhere."""
    host = _host(url)
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        pass
    if _NAME.fullmatch(host) is None:
        return False
    return "." not in host or any(host == name or host.endswith(f".{name}") for name in (*_OWN, *_DOCUMENTS))


def is_public(url: str) -> bool:
    """Return whether a URL leads to a public host; false if the reader has to fill in the host."""
    return _NAME.fullmatch(_host(url)) is not None and not is_own(url)


def _host(url: str) -> str:
    try:
        return (urlsplit(url if "://" in url else f"//{url}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def shown(url: str) -> str:
    """Return a URL for a message: without secrets, and not too long."""
    url = re.sub(r"//[^/@]*@", "//…@", mask(url))
    return url if len(url) <= LONGEST else f"{url[:LONGEST]}…"
