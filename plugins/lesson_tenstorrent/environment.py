"""Checks of what every Tenstorrent lesson needs: devices, a tt-metal tree, and ``ttnn``."""

from __future__ import annotations

import json
from dataclasses import dataclass

from packaging.version import Version

from lesson_tenstorrent.checks import Check, Finding, Machine
from lesson_tenstorrent.devices import count_devices, describe_devices
from lesson_tenstorrent.metal import find_home, find_version

IMPORT_SECONDS = 90.0
"""A first import of ``ttnn`` on a cold disk takes most of a minute."""

PROBE = """
import importlib.metadata, importlib.util, json, os, sys
sys.path[:] = [entry for entry in sys.path if entry]  # a folder of that name here is not the package
name = sys.argv[1]
spec = importlib.util.find_spec(name)
places = list(spec.submodule_search_locations or []) if spec else []
inside = sorted({item for place in places if os.path.isdir(place) for item in os.listdir(place)})
try:
    package = importlib.metadata.distribution(name)
    editable = '"editable": true' in (package.read_text("direct_url.json") or "")
    version = "" if editable else package.version
except importlib.metadata.PackageNotFoundError:
    version = ""
place = (places or [spec.origin])[0] if spec else ""
print(json.dumps({"place": place, "inside": inside, "version": version}), flush=True)
if sys.argv[2] == "import":
    __import__(name)
"""

IMPORT_FIXES = (
    ("undefined symbol", "pip uninstall -y ttnn  # it hides the one that was built in the tree"),
    (
        "bad_cast",
        "rebuild ttnn together with tt-train: ./build_metal.sh --clean && ./build_metal.sh --build-tt-train",
    ),
    ("No module named", "build tt-metal with ./build_metal.sh --build-tt-train and use its python_env"),
)
"""What an import error says, and what cured it for those who reported it to tt-metal."""


@dataclass(frozen=True, slots=True)
class Probe:
    """What another Python process found out about a package."""

    name: str
    place: str = ""
    """Its folder; empty if it is not there."""
    inside: tuple[str, ...] = ()
    """What lies in that folder."""
    version: str = ""
    """As pip knows it; empty for a package that pip did not install, or only linked to."""
    error: str = ""
    """The last line the process wrote before it ended badly; empty if all went well."""

    @property
    def fix(self) -> str:
        """What to do about :attr:`error`."""
        known = (fix for sign, fix in IMPORT_FIXES if sign in self.error)
        return next(known, f"run this and read the whole message: python -c 'import {self.name}'")


def probe(name: str, machine: Machine, *, load: bool) -> Probe:
    """
    Look for a package, and import it if ``load``, in a process of its own.

    An ``import ttnn`` that does not fit the machine can kill the interpreter or hang it.
    """
    command = [machine.python, "-c", PROBE, name, "import" if load else "look"]
    done = machine.run(command, timeout=IMPORT_SECONDS)
    try:
        facts = json.loads(done.output.splitlines()[0])
    except (IndexError, ValueError):
        facts = {}
    error = ""
    if done.exit_code < 0:
        error = f"the interpreter was killed by signal {-done.exit_code}"
    elif done.exit_code:
        error = (done.errors.strip().splitlines() or [f"exit {done.exit_code}"])[-1]
    return Probe(
        name, facts.get("place", ""), tuple(facts.get("inside", ())), facts.get("version", ""), error
    )


def importable(name: str, machine: Machine) -> Finding:
    """Return whether a package imports, and if not, why."""
    found = probe(name, machine, load=True)
    expected = f"import {name} works in {machine.python}"
    if found.error:
        return Finding("failed", found.error, expected, found.fix)
    return Finding("ok", found.place, expected)


def check_devices(machine: Machine) -> Finding:
    """Look for device files."""
    found = describe_devices(machine.devices)
    if count_devices(machine.devices):
        return Finding("ok", found)
    if machine.backend == "ttml":
        fix = "check that the board and its driver (tt-kmd) are there: lspci -d 1e52: ; or --backend emulated"
        return Finding("failed", found, "at least one device for --backend ttml", fix)
    return Finding("skipped", f"{machine.why_no_board}: the emulation is used")


def check_home(machine: Machine) -> Finding:
    """Look for the tt-metal tree."""
    expected = "a tt-metal tree, named by TT_METAL_HOME"
    home = find_home(machine)
    if home is None:
        fix = "export TT_METAL_HOME=/path/to/your/tt-metal"
        return Finding("failed", "TT_METAL_HOME is not set and ~/tt-metal is not there", expected, fix)
    if not home.exists:
        fix = f"export {home.source}=/path/to/your/tt-metal"
        found = f"{home.source}={home.path}, which is not a tt-metal tree"
        return Finding("failed", found, expected, fix)
    return Finding("ok", f"{home.path} ({home.source})", expected)


def check_version(machine: Machine, minimum: Version, older: str = "") -> Finding:
    """Compare the tree's version; release candidates and dev builds of ``minimum`` count as ``minimum``."""
    expected = f"v{minimum} or newer"
    home = find_home(machine)
    found = find_version(machine, home) if home and home.exists else None
    fix = f"check out v{minimum} or newer in {home.path if home else 'tt-metal'} and build it again"
    if found is None:
        return Finding("warning", "not known: no tag, version file or package says", expected, fix)
    version, source = found
    if version >= Version(f"{minimum}.dev0"):
        return Finding("ok", f"v{version} ({source})", expected)
    return Finding("failed", f"v{version} ({source})" + (f"; {older}" if older else ""), expected, fix)


def check_pip_ttnn(machine: Machine) -> Finding:
    """Look for a ``ttnn`` from pip beside a tree that was built."""
    home = find_home(machine)
    built = home is not None and any((home.path / name).is_dir() for name in ("build", "build_Release"))
    expected = "ttnn from the tree alone"
    if not built:
        return Finding("ok", "no built tree that it could hide", expected)
    version = probe("ttnn", machine, load=False).version
    if version:
        return Finding("failed", f"ttnn {version} from pip", expected, "pip uninstall -y ttnn")
    return Finding("ok", "none", expected)


CHECKS = (
    Check("devices", "devices", "the lesson trains on them", check_devices),
    Check(
        "tt-metal-home",
        "tt-metal",
        "kernels and configuration are read from the tree while training runs",
        check_home,
        board_only=True,
    ),
    Check(
        "pip-ttnn",
        "ttnn from pip",
        "the wheel and the tree do not fit together: 'undefined symbol' on import ttml",
        check_pip_ttnn,
        board_only=True,
    ),
    Check(
        "ttnn",
        "import ttnn",
        "every tensor on the device goes through it",
        lambda machine: importable("ttnn", machine),
        board_only=True,
    ),
)
"""In the order in which faults cause one another."""
