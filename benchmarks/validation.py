"""Validating lessons, compared with only parsing them with markdown-it-py."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.lessons import write_lessons
from benchmarks.turns import Result, Way, in_turns
from lesson_runner.plugins.manager import Plugins
from lesson_runner.validate.check import all_rules, validate
from lesson_runner.validate.settings import Settings

COUNT = 50
BYTES = 1_100_000
"""Of all lessons together."""


def options(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of this case."""
    parser.add_argument("--folder", type=Path, help="your own lessons; default: generated ones")


def run(options: argparse.Namespace) -> Iterator[Result]:
    """Measure."""
    from markdown_it import MarkdownIt

    folder: Path | None = options.folder

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

        ways: dict[str, Way] = {"markdown-it-py alone": parse, "lesson validate": check}
        timings = in_turns(ways, options.turns)
    size = sum(len(text.encode()) for text in texts)
    yield Result(f"{len(paths)} lessons, {size / 1e6:.2f} MB", timings)
