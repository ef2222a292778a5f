"""The one place where a fleet meets certificates: the runs of a cell, handed to ``lesson certify``."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lesson_runner.execute.python import python_code

LONGEST = 2000
"""Characters of an answer that are kept."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a user says who wants certificates; what is left out is decided by ``lesson certify``."""

    policy: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Certification:
    """Whether a certificate was issued, and what was said about it."""

    issued: bool
    message: str


def certify(wish: Wish | None, workspace: Path, lesson: str, runs: Sequence[str]) -> Certification:
    """
    Ask for a certificate from the runs of one cell, in a process of its own: judging again loads plugins.

    Args:
        wish: ``None`` if the user wants no certificates.
        workspace: where the runs are, and the certificate will be.
        lesson: the path of the lesson's file.
        runs: the names of the runs' folders.
    """
    if wish is None:
        return Certification(False, "not certified: not asked for (--certify)")
    if not runs:
        return Certification(False, "not certified: no run came back")
    words = ["certify", lesson, "--workspace", str(workspace)]
    words += [word for run in runs for word in ("--from-run", run)]
    words += ["--policy", wish.policy] if wish.policy else []
    words += ["--key", wish.key] if wish.key else []
    done = subprocess.run(
        python_code("from lesson_runner.cli import main; main()", *words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said = done.stdout.decode("utf-8", "replace").strip()[-LONGEST:]
    return Certification(done.returncode == 0, said if done.returncode == 0 else f"not certified: {said}")
