"""Find the tt-metal tree of this machine, and its version."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from lesson_tenstorrent.checks import Machine

HOME_VARIABLES = ("TT_METAL_HOME", "TT_METAL_RUNTIME_ROOT")
"""In the order tt-train itself looks at them; the second one came with v0.68 or so."""
TAG = re.compile(
    r"v?(?P<release>\d{1,9}\.\d{1,9}(?:\.\d{1,9})?)(?:[-.]?(?P<kind>rc|dev)\.?(?P<number>\d{1,9}))?"
)


@dataclass(frozen=True, slots=True)
class Home:
    """Where the tree is, and who said so."""

    path: Path
    source: str

    @property
    def exists(self) -> bool:
        """True if it looks like a tt-metal tree and not like any folder of that name."""
        return any((self.path / name).is_dir() for name in ("tt_metal", "tt-train", "ttnn"))


def find_home(machine: Machine) -> Home | None:
    """
    Return the tree that the environment names, else ``~/tt-metal`` if it is there.

    A variable that is set wins even if it points nowhere: tt-train would look there too.
    """
    for name in HOME_VARIABLES:
        value = machine.environ.get(name, "").strip()
        if value:
            # "~" reaches us when the variable was set where no shell expands it.
            path = machine.home / value[2:] if value.startswith("~/") else Path(value)
            return Home(path, name)
    home = Home(machine.home / "tt-metal", "~/tt-metal")
    return home if home.exists else None


def parse_version(text: str) -> Version | None:
    """
    Return the version in a tag or in what ``git describe`` makes of it.

    ``v0.67.0-dev20260203``, ``v0.66.0-rc7-12-gabc1234`` and ``0.73.1`` are versions; a bare commit is not.
    """
    match = TAG.match(text.strip())
    if match is None:
        return None
    suffix = {"rc": "rc", "dev": ".dev", None: ""}[match["kind"]] + (match["number"] or "")
    return Version(match["release"] + suffix)


def find_version(machine: Machine, home: Home) -> tuple[Version, str] | None:
    """Return the tree's version and where it was read: git, a file of the tree, or the ``ttnn`` package."""
    described = machine.run(["git", "-C", str(home.path), "describe", "--tags"])
    if described.exit_code == 0 and (version := parse_version(described.output)):
        return version, f"git describe: {described.output.strip()}"
    for name in ("VERSION", "RELEASE_VERSION"):
        try:
            text = (home.path / name).read_text(encoding="utf-8", errors="replace")[:200]
        except OSError:
            continue
        if version := parse_version(text):
            return version, f"the file {name}"
    # A release archive has neither; its installed Python package may still know.
    code = "import importlib.metadata as m; print(m.version('ttnn'))"
    asked = machine.run([machine.python, "-c", code])
    if asked.exit_code == 0 and (version := parse_version(asked.output)):
        return version, "the installed ttnn package"
    return None
