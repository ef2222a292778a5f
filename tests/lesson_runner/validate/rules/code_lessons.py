"""Lessons with one code block, for the tests of rules about blocks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lesson_runner.model import Block, Lesson, Location, Rule, Scope, Step

FIRST = 11
"""The line that a block begins in."""


def lesson_with(text: str, language: str = "bash", *, run: bool = False) -> Lesson:
    """Return a lesson with one block, which a step runs or which only shows something."""
    path = Path("a.md")
    block = Block(language, text, Location(path, FIRST, 1))
    steps = (Step("one", "step", block.location, block),) if run else ()
    document = "\n" * (FIRST - 2) + f"~~~~{language}\n{text}\n~~~~\n"
    return Lesson(path, document, {}, {}, (block,), steps, (), "")


def found(rules: Iterable[Rule], lesson: Lesson) -> list[str]:
    """Return ``line:column rule`` for every finding; lines count from 1 in the block."""
    return [
        f"{item.location.line - FIRST + 1}:{item.location.column} {item.rule}"
        for rule in rules
        if rule.check is not None
        for item in rule.check(lesson, Scope())
    ]
