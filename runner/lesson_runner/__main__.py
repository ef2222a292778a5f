"""``python -m lesson_runner`` is ``lesson``."""

import sys

# Python has put the current folder first. It may be a stranger's, and what is imported from it would run.
if not getattr(sys.flags, "safe_path", False):
    del sys.path[0]

from lesson_runner.cli import main  # only now it is safe to import

main()
