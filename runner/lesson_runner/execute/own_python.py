"""
The Python of a run: a virtual environment over the Python that its terminal would have used.

What is installed below is visible in it, and what a step installs, upgrades or removes is in this one alone.

This file is also the program that makes the environment; the Python below runs it, which may be an older one
and has no ``lesson_runner``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

SECONDS = 60.0
COMPLETE = "lesson-runner.pth"
"""The file in ``site-packages`` that makes the packages below visible; written last."""
LONGEST_SCRIPT = 10_000
"""Bytes up to which a file is read to see whether it is a program of the Python below."""
SCRIPT = """#!/bin/sh
exec "$(dirname -- "$0")/python" {words} "$@"
"""
PIP = """#!/bin/sh
# In a virtual environment pip refuses `--user`; here it means the environment of the run.
for word do shift; [ "$word" = --user ] || set -- "$@" "$word"; done
exec "$(dirname -- "$0")/python" -m pip "$@"
"""
NO_PIP = """#!/bin/sh
echo "pip: {python} has no pip; to add it: {python} -m ensurepip" >&2
exit 1
"""


def make_python(folder: Path, path: str) -> None:
    """
    Make a virtual environment over the ``python`` of a ``PATH``, unless it exists.

    Args:
        folder: the environment's folder; its parent exists.
        path: the ``PATH`` of the terminal without it; without a Python there, it is the runner's.

    Raises:
        LessonError: that Python cannot make it.
    """
    from lesson_runner.model.errors import LessonError

    if next(folder.glob(f"lib/python*/site-packages/{COMPLETE}"), None):
        return
    python = shutil.which("python", path=path) or shutil.which("python3", path=path) or sys.executable
    try:
        done = subprocess.run(
            [python, str(Path(__file__).absolute()), str(folder)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
        words = done.stderr.strip().rpartition("\n")[2] or f"exit code {done.returncode}"
        problem = words if done.returncode else ""
    except (OSError, subprocess.SubprocessError) as error:
        problem = str(error)
    if problem:
        raise LessonError(
            f"{python} cannot make a virtual environment for the run: {problem}",
            fix="activate an environment with Python 3.8 or later, or put such a Python first on PATH",
        )


def main(folder: Path) -> None:
    """Make the environment over the Python that runs this."""
    import importlib.util
    import site
    import sysconfig
    import venv

    below = sys.prefix != sys.base_prefix
    settings = Path(sys.prefix, "pyvenv.cfg").read_text("utf-8") if below else ""
    everything = not below or "include-system-site-packages = true" in settings.lower()
    if folder.exists():  # unfinished
        shutil.rmtree(str(folder))
    venv.EnvBuilder(system_site_packages=everything, symlinks=True, with_pip=False).create(str(folder))
    programs = folder / "bin"
    version = "python{}.{}".format(*sys.version_info)
    if not (programs / version).exists():
        (programs / version).symlink_to("python3")
    for name in ("pip", "pip3", version.replace("python", "pip")):
        if importlib.util.find_spec("pip"):
            _write(programs / name, PIP)
        else:
            _write(programs / name, NO_PIP.format(python=sys.executable))
    own = Path(sys.executable).parent
    places = [own, Path(sysconfig.get_path("scripts"))]
    places += [Path(site.getuserbase(), "bin")] if site.ENABLE_USER_SITE else []
    interpreters = {str(own / name) for name in ("python", "python3", version)} | {sys.executable}
    for place in dict.fromkeys(places):
        if place.is_dir():
            for entry in os.scandir(str(place)):
                _wrap(entry, programs, interpreters)
    paths = [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")] if below else []
    paths += [site.getusersitepackages()] if site.ENABLE_USER_SITE else []
    lines = [
        f"import site; site.addsitedir({name!r})\n" for name in dict.fromkeys(paths) if Path(name).is_dir()
    ]
    packages = folder / "lib" / version / "site-packages"
    (packages / COMPLETE).write_text("".join(lines), "utf-8")


def _wrap(entry: os.DirEntry[str], programs: Path, interpreters: set[str]) -> None:
    """
    Let a program of the Python below run with this one, so that it finds what a step installs.

    ``lesson`` stays as it is: no package of a lesson may change the runner.
    """
    target = programs / entry.name
    if entry.name == "lesson" or target.exists():
        return
    try:
        if not entry.is_file() or entry.stat().st_size > LONGEST_SCRIPT or not os.access(entry.path, os.X_OK):
            return
        with Path(entry.path).open("rb") as file:
            first = file.readline(500)
    except OSError:
        return
    if first[:2] == b"#!" and first[2:].decode("utf-8", "replace").strip() in interpreters:
        words = "'{}'".format(entry.path.replace("'", "'\\''"))
        _write(target, SCRIPT.format(words=words))


def _write(script: Path, text: str) -> None:
    script.write_text(text, "utf-8")
    script.chmod(0o755)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
