"""``docs/rules.md``: the rules of ``lesson validate``, one table per module."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from lesson_runner.model import Rule
from lesson_runner.validate import rules
from lesson_runner.validate.rules import table

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
_PAGES = "../runner/lesson_runner/validate/rules/pages"
_HEAD = """\
# Rules

What `lesson validate` looks for. `lesson explain RULE` says why it matters and how to fix it. An error is
wrong. A warning is probably wrong, or a claim without evidence. An info is worth knowing.
"""


def text() -> str:
    """Return the whole page."""
    return "\n".join([_HEAD, *_sections()])


def _sections() -> Iterator[str]:
    for module, group in _groups():
        title = module.__name__.rpartition(".")[2].replace("_", " ").capitalize()
        about = (module.__doc__ or "").strip().split("\n\n")[0].replace("``", "`")
        yield f"## {title}\n\n{about}\n"
        yield "| rule | severity | what is found |\n|---|---|---|"
        for rule in group:
            summary = rule.summary.replace("|", "\\|")
            yield f"| [`{rule.id}`]({_PAGES}/{rule.id}.md) | {rule.severity} | {summary} |"
        yield ""


def _groups() -> list[tuple[ModuleType, list[Rule]]]:
    """Return the modules that define rules, in the order of the table."""
    names = [f"{rules.__name__}.{item.name}" for item in pkgutil.iter_modules(rules.__path__)]
    modules = [import_module(name) for name in names if name != table.__name__]
    groups = [
        (module, [rule for rule in table.RULES if rule in getattr(module, "RULES", ())]) for module in modules
    ]
    return sorted((group for group in groups if group[1]), key=lambda group: table.RULES.index(group[1][0]))
