"""Real file systems that are small or read-only, mounted where nobody but the command sees them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MOUNT = """
set -e
size=$1 place=$2 content=$3 options=$4; shift 4
mount -t tmpfs -o "size=$size$options" tmpfs "$place"
cp -a "$content/." "$place"
cd "$place"
set +e
"$@"
code=$?
set -e
find "$content" -mindepth 1 -delete
cp -a "$place/." "$content"
exit $code
"""
READ_ONLY = """
set -e
place=$1; shift
mount --bind "$place" "$place"
mount -o remount,bind,ro "$place"
exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Disk:
    """
    A tmpfs in a separate mount namespace, which disappears with the command: nothing stays mounted.

    What is put into ``content`` before is on it, and what the command left on it is there afterwards.
    """

    place: Path
    content: Path

    @classmethod
    def below(cls, folder: Path) -> Disk:
        """Return a disk at ``folder/disk``."""
        made = cls(folder / "disk", folder / "content")
        made.place.mkdir()
        made.content.mkdir()
        return made

    def of(self, size: str, **options: object) -> list[str]:
        """Return a command prefix that runs a command on the disk, in its folder."""
        more = "".join(f",{name}={value}" for name, value in options.items())
        places = (str(self.place), str(self.content))
        return [*namespace(), "sh", "-c", MOUNT, "sh", size, *places, more]


def read_only(folder: Path) -> list[str]:
    """Return a command prefix that makes a folder read-only, for root as well."""
    return [*namespace(), "sh", "-c", READ_ONLY, "sh", str(folder)]


def namespace() -> list[str]:
    """Return a command prefix that isolates mounts; without root rights, in a user namespace."""
    own = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *own, "--mount"]


@cache
def why_no_mounts() -> str | None:
    """Return why nothing can be mounted here, or ``None`` if it can."""
    if sys.platform != "linux" or not shutil.which("unshare"):
        return "separate mounts need Linux and 'unshare'"
    command = [*namespace(), "sh", "-c", "mount -t tmpfs -o size=64k tmpfs /mnt"]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if tried.returncode == 0 else f"nothing can be mounted here: {tried.stderr.strip()}"
