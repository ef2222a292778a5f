"""``python -m lesson_fleet.child PARENT ARGS…``: ``lesson ARGS…``, ended when its parent dies (on Linux)."""

from __future__ import annotations

import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""Option of prctl(2): the signal that this process receives when its parent dies."""


def end_with_parent(parent: int) -> None:
    """Have SIGTERM sent to this process when its parent dies for any reason; exit if it is dead already."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before prctl took effect
        sys.exit(128 + signal.SIGTERM)


def main() -> None:
    """Run ``lesson``."""
    end_with_parent(int(sys.argv[1]))
    from lesson_runner.cli import main as lesson

    lesson(sys.argv[2:])


if __name__ == "__main__":
    main()
