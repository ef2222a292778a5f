"""All rules of the core. To add one: a line in a module of this package, a page, and two samples."""

from __future__ import annotations

from importlib.resources import files

from lesson_runner.model import Rule
from lesson_runner.validate.rules import (
    command_links,
    continuations,
    downloads,
    encoding,
    fences,
    headings,
    home_folders,
    ignores,
    links,
    markup,
    pipes,
    planning,
    python_blocks,
    python_names,
    reading,
    shell_blocks,
    status,
    tildes,
    tokens,
    typography,
    unnoticed,
    unparsed,
    unseen,
)

RULES: tuple[Rule, ...] = (
    *reading.RULES,
    *planning.RULES,
    *status.RULES,
    *ignores.RULES,
    *encoding.RULES,
    *unseen.RULES,
    *fences.RULES,
    *headings.RULES,
    *links.RULES,
    *command_links.RULES,
    *downloads.RULES,
    *pipes.RULES,
    *python_blocks.RULES,
    *shell_blocks.RULES,
    *unnoticed.RULES,
    *continuations.RULES,
    *typography.RULES,
    *markup.RULES,
    *home_folders.RULES,
    *tildes.RULES,
    *python_names.RULES,
    *unparsed.RULES,
    *tokens.RULES,
)


def page_of(rule: Rule) -> str:
    """Return the page of a rule, in Markdown; empty for a plugin's rule without a page."""
    if rule.page or "." in rule.id:
        return rule.page.strip()
    return (files("lesson_runner.validate.rules") / "pages" / f"{rule.id}.md").read_text("utf-8").strip()
