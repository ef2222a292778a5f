"""``python -m lesson_fleet.child PARENT ARGS…``: ``lesson ARGS…``, ended when its parent dies (on Linux)."""

from __future__ import annotations

import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""Of prctl(2): the signal that this process gets when its parent dies."""


def tie(parent: int) -> None:
    """Have SIGTERM sent to this process when its parent ends, however that happens; end if it has already."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before it could be noticed
        sys.exit(128 + signal.SIGTERM)


def main() -> None:
    """Run ``lesson``."""
    tie(int(sys.argv[1]))
    from lesson_runner.cli import main as lesson

    lesson(sys.argv[2:])


if __name__ == "__main__":
    main()
