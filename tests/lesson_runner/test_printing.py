"""Everything that is printed goes through the functions that make it harmless."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.lesson_runner.test_architecture import SOURCES

PRINTS_ITSELF = {
    "lesson_runner.cli.common": "JSON",
    "lesson_runner.cli.explain": "a page, as Markdown",
    "lesson_runner.cli": "what is wrong if say() cannot be imported",
    "lesson_runner.cli.matrix": "a file's text",
    "lesson_runner.cli.output": "the streams themselves",
    "lesson_runner.cli.commands": "it provides say()",
    "lesson_runner.cli.report": "a file's text",
    "lesson_runner.cli.survey": "a file's text",
    "lesson_runner.report.tables": "it makes cells harmless",
    "lesson_runner.cli.validate": "diagnostics in a format",
    "lesson_ct4.command_line": "a model's unchanged text",
}
"""Modules that write to a standard stream, and what."""


def writes(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in ("print", "typer.echo", "typer.secho") or name.startswith(
                ("sys.stdout.write", "sys.stderr.write")
            ):
                yield f"{node.lineno}: {name}"
            if name == "Console":
                yield f"{node.lineno}: Console: use make_console"
        if isinstance(node, ast.ImportFrom) and node.module == "rich.table":
            yield f"{node.lineno}: Table: use PlainTable"


@pytest.mark.parametrize("module", sorted(SOURCES))
def test_no_module_prints_by_itself(module: str) -> None:
    if module in PRINTS_ITSELF or module.startswith(("ttml_emulation", "lesson_tenstorrent.hardware.probes")):
        return
    found = list(writes(ast.parse(Path(SOURCES[module]).read_text("utf-8"))))
    assert found == [], f"{SOURCES[module]}: print with lesson_runner.cli.output.say, or on the console"
