"""Validating lessons, beside what parsing them with markdown-it-py alone takes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.lessons import write_lessons
from benchmarks.turns import Timing, in_turns
from lesson_runner.plugins import Plugins
from lesson_runner.validation.check import all_rules, validate
from lesson_runner.validation.parallel import validate_with
from lesson_runner.validation.settings import Settings

COUNT = 50
BYTES = 1_100_000
"""Of all lessons together."""


def run(folder: Path | None, turns: int) -> tuple[str, list[Timing]]:
    """
    Measure, and return what was measured in words, and the times: the peer's first.

    Args:
        folder: lessons of your own; made-up ones if ``None``.
    """
    from markdown_it import MarkdownIt

    with tempfile.TemporaryDirectory() as made:
        if folder is None:
            paths = write_lessons(Path(made), COUNT, BYTES // COUNT)
        else:
            paths = sorted(folder.rglob("*.md"))
        texts = [path.read_text("utf-8", "replace") for path in paths]
        plugins = Plugins()
        rules = all_rules(plugins)
        settings = Settings(Path(made))

        def parse() -> object:
            parser = MarkdownIt()
            return [parser.parse(text) for text in texts]

        def check() -> object:
            return list(validate(paths, plugins, settings, rules))

        def check_together() -> object:
            return list(validate_with(2, paths, plugins, settings, rules))

        ways: dict[str, Callable[[], object]] = {
            "markdown-it-py alone": parse,
            "lesson validate": check,
            "lesson validate --jobs 2": check_together,
        }
        timings = in_turns(ways, turns)
    size = sum(len(text.encode()) for text in texts)
    return f"{len(paths)} lessons, {size / 1e6:.2f} MB", timings
