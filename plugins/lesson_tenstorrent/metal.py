"""Find the tt-metal tree of this machine, and read the versions that tt-metal has."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from lesson_runner.plugins.checks import Completed, Machine

HOME_VARIABLES = ("TT_METAL_HOME", "TT_METAL_RUNTIME_ROOT")
"""In the order tt-train itself looks at them; the second one came with v0.68 or so."""
TAG = re.compile(
    r"v?(?P<release>\d{1,9}\.\d{1,9}(?:\.\d{1,9})?)(?:[-.]?(?P<kind>rc|dev)\.?(?P<number>\d{1,9}))?",
    re.ASCII,
)
_REST = re.compile(r"(?:-\d+-g[0-9a-f]+)?(?:\.dev\d+)?(?:-dirty)?(?:\+[\w.]+)?(?:~ubuntu[\d.]*)?", re.ASCII)
"""What may follow a tag: of ``git describe``, of a wheel built after it, of a Debian package."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where the tree is, and who said so."""

    path: Path
    source: str

    @property
    def exists(self) -> bool:
        """True if it looks like a tt-metal tree and not like any folder of that name."""
        return any((self.path / name).is_dir() for name in ("tt_metal", "tt-train", "ttnn"))

    @property
    def is_checkout(self) -> bool:
        """True if git knows this very folder; a folder around it may be somebody's repository too."""
        return (self.path / ".git").exists()


def find_home(machine: Machine) -> Home | None:
    """
    Return the tree that the environment names, else ``~/tt-metal`` if it is there.

    A variable that is set wins even if it points nowhere: tt-train would look there too.
    """
    for name in HOME_VARIABLES:
        if path := named_tree(name, machine):
            return Home(path, name)
    home = Home(machine.home / "tt-metal", "~/tt-metal")
    return home if home.exists else None


def named_tree(name: str, machine: Machine) -> Path | None:
    """Return the folder that a variable names, or ``None`` if it is not set."""
    value = machine.environ.get(name, "").strip()
    # "~" reaches us when the variable was set where no shell expands it.
    expanded = machine.home / value[2:] if value.startswith("~/") else Path(value)
    return expanded if value else None


def why_git_failed(done: Completed, home: Home) -> tuple[str, str]:
    """Return why git says nothing about a tree, and what to do about it."""
    tree = shlex.quote(str(home.path))
    if done.exit_code == 127:
        return "git is not installed", "install git"
    if "dubious ownership" in done.errors:
        fix = f"git config --global --add safe.directory {tree}  # if you trust what is in it"
        return f"git does not read {home.path}, because it belongs to another user", fix
    said = (done.errors.strip().splitlines() or [f"git ended with {done.exit_code}"])[-1]
    return said, f"git -C {tree} status"


def parse_version(text: str) -> Version | None:
    """
    Return the version in a tag, or in what git, a wheel or a Debian package make of it.

    ``v0.67.0-dev20260203``, ``v0.66.0-rc7-12-gabc1234``, ``0.66.0~rc7+12.abc1234`` and ``0.73.1`` are
    versions; a bare commit is not, nor is a tag with another word in it. What was committed after a tag
    counts as the tag.
    """
    stripped = re.sub(r"~(?=rc|dev)", "-", text.strip())
    match = TAG.match(stripped)
    if match is None or not _REST.fullmatch(stripped, match.end()):
        return None
    suffix = {"rc": "rc", "dev": ".dev", None: ""}[match["kind"]] + (match["number"] or "")
    return Version(match["release"] + suffix)


def tag_of(version: Version) -> str:
    """Return a version as tt-metal tags it, such as ``v0.66.0-rc7``."""
    rc = f"-rc{version.pre[1]}" if version.pre else ""
    dev = f"-dev{version.dev}" if version.dev is not None else ""
    return f"v{version.base_version}{rc}{dev}"


def oldest_of(version: Version) -> Version:
    """Return the first build that counts as ``version``: release candidates and dev builds of it do."""
    return version if version.is_prerelease else Version(f"{version}.dev0")
