"""Look up a Python package, or import it, in a separate process."""

from __future__ import annotations

import json
import re
import shlex
import signal
from dataclasses import dataclass

from lesson_runner.execute.python import python_code
from lesson_runner.plugins.checks import Finding, Machine

IMPORT_SECONDS = 90.0
"""A first import of ``ttnn`` on a cold disk takes most of a minute."""

PROBE = """
import sys
sys.path[:] = [entry for entry in sys.path if entry]  # ignore the current folder
import importlib.metadata, importlib.util, json, os
name = sys.argv[1]
spec = importlib.util.find_spec(name)
places = list(spec.submodule_search_locations or []) if spec else []
inside = sorted({item for place in places if os.path.isdir(place) for item in os.listdir(place)})
version, requires = "", []
try:
    package = importlib.metadata.distribution(name)
    if '"editable": true' not in (package.read_text("direct_url.json") or ""):
        version, requires = package.version, package.requires or []
except importlib.metadata.PackageNotFoundError:
    pass
place = (places or [spec.origin])[0] if spec else ""
facts = {"place": place, "inside": inside, "version": version, "requires": requires, "path": sys.path}
print(json.dumps(facts), flush=True)
if sys.argv[2] == "import":
    if spec and not spec.origin:  # the import would succeed, but give an empty package
        raise ModuleNotFoundError(f"No module named {name!r}: {place} is a folder without __init__.py")
    __import__(name)
"""
_MISSING = re.compile(r"No module named '?([\w.]+)")


@dataclass(frozen=True, slots=True)
class Probe:
    """What another Python process found out about a package."""

    name: str
    place: str = ""
    """Its folder; empty if it was not found."""
    inside: tuple[str, ...] = ()
    """The names in that folder."""
    version: str = ""
    """The version that pip installed; empty for a package from elsewhere, or an editable installation."""
    requires: tuple[str, ...] = ()
    """The requirements in its metadata; empty whenever ``version`` is."""
    path: tuple[str, ...] = ()
    """``sys.path`` of that process."""
    error: str = ""
    """The last line of the process's error output if it failed; empty if it succeeded."""

    @property
    def missing(self) -> str:
        """The package that the import did not find, such as ``transformers``; empty for any other error."""
        match = _MISSING.search(self.error)
        return match[1].partition(".")[0] if match else ""


def probe(name: str, machine: Machine, *, load: bool) -> Probe:
    """
    Look up a package in a separate process, and import it if ``load``.

    A broken ``import ttnn`` can kill the interpreter or hang it.
    """
    command = python_code(PROBE, name, "import" if load else "look", python=machine.python)
    done = machine.run(command, timeout=IMPORT_SECONDS)
    try:
        facts = json.loads(done.output.splitlines()[0])
    except (IndexError, ValueError):
        facts = {}
    return Probe(
        name,
        facts.get("place", ""),
        tuple(facts.get("inside", ())),
        facts.get("version", ""),
        tuple(facts.get("requires", ())),
        tuple(facts.get("path", ())),
        _error(done.exit_code, done.errors),
    )


def probe_failed(found: Probe, expected: str, machine: Machine) -> Finding:
    """Return the finding for a package whose probe failed."""
    look = python_code(
        f"import importlib.util; importlib.util.find_spec({found.name!r})", python=machine.python
    )
    fix = f"{shlex.join(look)}  # read the whole message"
    return Finding("warning", f"not known: {found.error}", expected, fix)


def _error(code: int, text: str) -> str:
    if code < 0:
        return f"the interpreter was killed by {_signal(-code)}"
    return (text.strip().splitlines() or [f"exit {code}"])[-1] if code else ""


def _signal(number: int) -> str:
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"
