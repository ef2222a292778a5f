"""All rules of the core in one table. To add one: a line in a module of this package, a page, two samples."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from lesson_runner.model import Rule
from lesson_runner.rules import planning, reading

RULES: tuple[Rule, ...] = (
    *reading.RULES,
    *planning.RULES,
)


@cache
def page(rule: str) -> str:
    """Return what there is to say about one of these rules, in Markdown."""
    return (files("lesson_runner.rules") / "pages" / f"{rule}.md").read_text("utf-8").strip()
