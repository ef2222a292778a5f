"""``python -m lesson_runner`` is ``lesson``."""

from lesson_runner.cli import main

main()
