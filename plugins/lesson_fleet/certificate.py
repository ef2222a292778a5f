"""The one place where a fleet meets certificates: the runs of a cell, handed to ``lesson certify``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

LONGEST = 2000
"""Characters of an answer that are kept."""


NOT_CERTIFIED = 5
"""The exit code if a certificate was asked for and not issued, as with ``lesson certify``."""


@dataclass(frozen=True, slots=True)
class Certification:
    """Whether a certificate was issued, and what was said about it."""

    issued: bool
    message: str


def certify(
    asked: bool, workspace: Path, lesson: str, runs: Sequence[str], policy: str | None = None
) -> Certification:
    """
    Ask for a certificate from the runs of one cell, in a process of its own: a policy may load anything.

    Args:
        asked: whether the user wants certificates.
        workspace: where the runs are.
        lesson: the lesson's id, or the path of its file.
        runs: the names of the runs' folders.
        policy: the policy's name; the command's own default if left out.
    """
    if not asked:
        return Certification(False, "not certified: not asked for (--certify)")
    if not runs:
        return Certification(False, "not certified: no run came back")
    words = ["certify", lesson, "--workspace", str(workspace)]
    words += [word for run in runs for word in ("--from-run", run)]
    words += ["--policy", policy] if policy else []
    done = subprocess.run(
        [sys.executable, "-m", "lesson_runner", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    said = done.stdout.decode("utf-8", "replace").strip()[-LONGEST:]
    return Certification(done.returncode == 0, said if done.returncode == 0 else f"not certified: {said}")
