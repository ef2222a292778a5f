"""Find the tt-metal tree of this machine, and parse tt-metal's versions."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from packaging.version import Version

from lesson_runner.plugins.checks import Completed, Machine

HOME_VARIABLES = ("TT_METAL_HOME", "TT_METAL_RUNTIME_ROOT")
"""In the order in which tt-train reads them; the second was added around v0.68."""
TAG = re.compile(
    r"v?(?P<release>\d{1,9}\.\d{1,9}(?:\.\d{1,9})?)(?:[-.]?(?P<kind>rc|dev)\.?(?P<number>\d{1,9}))?",
    re.ASCII,
)
_REST = re.compile(r"(?:-\d+-g[0-9a-f]+)?(?:\.dev\d+)?(?:-dirty)?(?:\+[\w.]+)?(?:~ubuntu[\d.]*)?", re.ASCII)
"""What may follow a tag in ``git describe``, in a wheel built after it, or in a Debian package."""


@dataclass(frozen=True, slots=True)
class Home:
    """The tt-metal tree, and what named it."""

    path: Path
    source: str

    @property
    def exists(self) -> bool:
        """True if the folder looks like a tt-metal tree."""
        return any((self.path / name).is_dir() for name in ("tt_metal", "tt-train", "ttnn"))

    @property
    def is_checkout(self) -> bool:
        """True if this folder itself is a git checkout, not just a folder inside another repository."""
        return (self.path / ".git").exists()


def find_home(machine: Machine) -> Home | None:
    """
    Return the tree that the environment names, else ``~/tt-metal`` if it exists.

    A variable that is set wins even if the folder does not exist: tt-train would look there too.
    """
    for name in HOME_VARIABLES:
        if path := named_tree(name, machine):
            return Home(path, name)
    home = Home(machine.home / "tt-metal", "~/tt-metal")
    return home if home.exists else None


def named_tree(name: str, machine: Machine) -> Path | None:
    """Return the folder that a variable names, or ``None`` if it is not set."""
    value = machine.environ.get(name, "").strip()
    # The value still contains "~" if it was set where no shell expands it.
    expanded = machine.home / value[2:] if value.startswith("~/") else Path(value)
    return expanded if value else None


def why_git_failed(done: Completed, home: Home) -> tuple[str, str]:
    """Return why git failed on a tree, and the fix."""
    tree = shlex.quote(str(home.path))
    if done.exit_code == 127:
        return "git is not installed", "install git"
    if "dubious ownership" in done.errors:
        fix = f"git config --global --add safe.directory {tree}  # if you trust its content"
        return f"git refuses to read {home.path}, because it belongs to another user", fix
    reason = (done.errors.strip().splitlines() or [f"git failed with exit code {done.exit_code}"])[-1]
    return reason, f"git -C {tree} status"


def parse_version(text: str) -> Version | None:
    """
    Return the version in a tag, or in what git, a wheel or a Debian package derive from a tag.

    ``v0.67.0-dev20260203``, ``v0.66.0-rc7-12-gabc1234``, ``0.66.0~rc7+12.abc1234`` and ``0.73.1`` are
    versions; a bare commit is not, nor is a tag with any other word in it. Commits after a tag count as that
    tag.
    """
    stripped = re.sub(r"~(?=rc|dev)", "-", text.strip())
    match = TAG.match(stripped)
    if match is None or not _REST.fullmatch(stripped, match.end()):
        return None
    suffix = {"rc": "rc", "dev": ".dev", None: ""}[match["kind"]] + (match["number"] or "")
    return Version(match["release"] + suffix)


def tag_of(version: Version) -> str:
    """Return the tag of a version, such as ``v0.66.0-rc7``."""
    rc = f"-rc{version.pre[1]}" if version.pre else ""
    dev = f"-dev{version.dev}" if version.dev is not None else ""
    return f"v{version.base_version}{rc}{dev}"


def oldest_build_of(version: Version) -> Version:
    """Return the first build that counts as ``version``: its dev builds and release candidates count."""
    return version if version.is_prerelease else Version(f"{version}.dev0")
