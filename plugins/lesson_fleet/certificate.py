"""Certificates for the runs of a cell, issued by ``lesson certify``."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lesson_runner.execute.python import python_code

LONGEST = 2000
"""Characters of its output that are kept."""


@dataclass(frozen=True, slots=True)
class CertificateRequest:
    """The user's options for certificates; ``lesson certify`` has defaults for both."""

    policy: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Certification:
    """Whether a certificate was issued, and the output of ``lesson certify``."""

    issued: bool
    message: str


def certify(
    request: CertificateRequest | None, workspace: Path, lesson: str, runs: Sequence[str]
) -> Certification:
    """
    Request a certificate for the runs of one cell, in a separate process because rejudging loads plugins.

    Args:
        request: ``None`` if the user wants no certificates.
        workspace: the folder with the runs, in which the certificate is stored.
        lesson: the path of the lesson's file.
        runs: the names of the run folders.
    """
    if request is None:
        return Certification(False, "not certified: not requested (--certify)")
    if not runs:
        return Certification(False, "not certified: no run came back")
    words = ["certify", lesson, "--workspace", str(workspace)]
    words += [word for run in runs for word in ("--from-run", run)]
    words += ["--policy", request.policy] if request.policy else []
    words += ["--key", request.key] if request.key else []
    done = subprocess.run(
        python_code("from lesson_runner.cli import main; main()", *words),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    output = done.stdout.decode("utf-8", "replace").strip()[-LONGEST:]
    return Certification(done.returncode == 0, output if done.returncode == 0 else f"not certified: {output}")
