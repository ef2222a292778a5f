"""Find out whether hosts and servers can be reached, without waiting long."""

from __future__ import annotations

import configparser
import os
import socket
import sys
import threading
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

PATIENCE = 2.0
"""Seconds to wait for an answer."""
_PORTS = (443, 80, 22)
_INDEX = "pypi.org"
_MIRRORS = {
    "huggingface.co": ("HF_ENDPOINT",),
    "registry.npmjs.org": ("npm_config_registry", "NPM_CONFIG_REGISTRY"),
    "proxy.golang.org": ("GOPROXY",),
}
"""Variables that name the host that programs use instead."""
_ELSEWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses that only documents use: a machine with the Internet has a route to one, and nothing is sent."""


def unreachable(hosts: Iterable[str], environ: Mapping[str, str] = os.environ) -> set[str]:
    """
    Return those of some hosts that cannot be reached; an empty name stands for the Internet as a whole.

    A host behind a proxy counts as reached if the proxy answers, and a package index as reached if the
    machine's settings name another source that answers.
    """
    wanted = {host: list(_doors(host, environ)) for host in hosts}
    open_doors = _that_answer({door for doors in wanted.values() for door in doors})
    reached = {host for host, doors in wanted.items() if not open_doors.isdisjoint(doors)}
    local = {host for host in wanted if host == _INDEX and _has_another_source(environ)}
    routed = {""} if "" in wanted and _has_route() else set()
    return set(wanted) - reached - local - routed


def answers(host: str, port: int) -> bool:
    """Return whether a server answers at a host and a port."""
    return bool(_that_answer({(host, port)}))


def _doors(host: str, environ: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    """Yield the addresses of which one must answer if a host can be reached."""
    names = [environ[name] for name in _MIRRORS.get(host, ()) if "://" in environ.get(name, "")]
    if host == _INDEX:
        names = [url for url in _pip_settings(environ, "index-url") if "://" in url]
    if names:
        host = urlsplit(names[0].partition(",")[0]).hostname or host
    proxies = urllib.request.getproxies()
    proxy = proxies.get("https") or proxies.get("http") or proxies.get("all")
    if proxy and not urllib.request.proxy_bypass(host):
        parts = urlsplit(proxy if "://" in proxy else f"//{proxy}")
        yield parts.hostname or "", parts.port or 80
    elif host:
        yield from ((host, port) for port in _PORTS)


def _that_answer(doors: Iterable[tuple[str, int]]) -> set[tuple[str, int]]:
    """Return the addresses that answer within :data:`PATIENCE`, trying all at the same time."""
    found: set[tuple[str, int]] = set()

    def knock(door: tuple[str, int]) -> None:
        try:
            socket.create_connection(door, PATIENCE).close()
        except (OSError, UnicodeError, OverflowError):
            return
        found.add(door)

    # To resolve a name can take longer than any timeout, so nobody waits for these threads.
    threads = [threading.Thread(target=knock, args=(door,), daemon=True) for door in doors]
    for thread in threads:
        thread.start()
    end = threading.Event()
    for thread in threads:
        thread.join(0 if end.is_set() else PATIENCE)
        if thread.is_alive():
            end.set()
    return set(found)


def _has_route() -> bool:
    """Return whether this machine has a route to the Internet."""
    for family, address in _ELSEWHERE:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as trial:
                trial.connect((address, 9))
                return True
        except OSError:
            continue
    return False


def _has_another_source(environ: Mapping[str, str]) -> bool:
    """Return whether pip is set up to find packages elsewhere than in its index."""
    names = ("no-index", "find-links", "extra-index-url")
    return any(value for name in names for value in _pip_settings(environ, name)) or any(
        url.startswith("file:") for url in _pip_settings(environ, "index-url")
    )


def _pip_settings(environ: Mapping[str, str], name: str) -> list[str]:
    """Return the values of one of pip's settings, strongest first."""
    found = [environ[key] for key in (f"PIP_{name.upper().replace('-', '_')}",) if environ.get(key)]
    for path in _pip_files(environ):
        settings = configparser.RawConfigParser(strict=False)
        try:
            settings.read(path, "utf-8")
        except (configparser.Error, UnicodeError, OSError):
            continue
        found += [settings[part][name] for part in ("install", "global") if settings.has_option(part, name)]
    return found


def _pip_files(environ: Mapping[str, str]) -> list[Path]:
    home = Path(environ.get("HOME") or "/")
    settings = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    shared = environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(os.pathsep)
    return [
        *(Path(path) for path in (environ.get("PIP_CONFIG_FILE"),) if path),
        Path(sys.prefix, "pip.conf"),
        settings / "pip" / "pip.conf",
        home / ".pip" / "pip.conf",
        home / "Library" / "Application Support" / "pip" / "pip.conf",
        *(Path(folder, "pip", "pip.conf") for folder in shared),
        Path("/etc/pip.conf"),
    ]
