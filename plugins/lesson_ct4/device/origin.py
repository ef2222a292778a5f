"""
Identify what computes the results, beyond the session: our code, tt-metal's libraries, the processor.

With the same settings, another version of any of them may change the last bits. Checkpoints of earlier runs
are therefore reused only if all of them are the same.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

OWN = ("config.py", "data", "device", "training")
"""The parts of this package that training uses."""
LIBRARIES = ("ttml", "_ttml", "ttnn", "ttnn._ttnn")
"""Modules of tt-metal; compiled modules change with every build."""


def origin() -> dict[str, str]:
    """Return the digest of the code that trains, and the processor's name."""
    digest = hashlib.sha256(_own_code().encode())
    for name in LIBRARIES:
        path = Path(getattr(sys.modules.get(name), "__file__", None) or "/")
        if path.is_file():  # hundreds of megabytes, so size and time stand for the content
            status = path.stat()
            digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return {"code": digest.hexdigest(), "processor": processor()}


@cache
def _own_code() -> str:
    """Return the digest of the parts of this package that train, and of the emulation if it is loaded."""
    digest = hashlib.sha256()
    for path in _sources():
        digest.update(f"{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    package = Path(__file__).parents[1]
    for name in OWN:
        yield from sorted((package / name).rglob("*.py")) or [package / name]
    if file := getattr(sys.modules.get("ttml_emulation"), "__file__", None):
        yield from sorted(Path(file).parent.rglob("*.py"))


@cache
def processor() -> str:
    """Return the processor's name, as reported by the system."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
