"""Run ``lesson`` as ``python -m lesson_runner``."""

import sys

# Python puts the current folder first in the path, and an import could run a stranger's module from it.
if not getattr(sys.flags, "safe_path", False):
    del sys.path[0]

from lesson_runner.cli import main  # importing is safe only now

main()
