"""
``docs/rules.md``: the table of rules as a document, made from the code.

``python -m lesson_runner.rules.document`` writes it again.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

from lesson_runner import rules
from lesson_runner.model import Rule
from lesson_runner.resources import write_aside
from lesson_runner.rules import table

DOCUMENT = Path(__file__).parents[3] / "docs" / "rules.md"
_PAGES = "../runner/lesson_runner/rules/pages"
_HEAD = """\
# Rules

What `lesson validate` looks for. `lesson explain RULE` says why it matters and how to mend it. An error is
something that is wrong; a warning is likely wrong, or claims what nothing shows; info is worth knowing.
"""


def page_of(rule: Rule) -> str:
    """Return the page of a rule; empty for a plugin's rule that brings none."""
    return "" if "." in rule.id and not rule.page else table.page_of(rule)


def document() -> str:
    """Return the whole document: one table a module, in the order of the table of rules."""
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
    """Return the modules that bring rules, in the order of the table."""
    own = {__name__, table.__name__}
    names = [f"{rules.__name__}.{item.name}" for item in pkgutil.iter_modules(rules.__path__)]
    modules = [import_module(name) for name in names if name not in own]
    groups = [
        (module, [rule for rule in table.RULES if rule in getattr(module, "RULES", ())]) for module in modules
    ]
    return sorted((group for group in groups if group[1]), key=lambda group: table.RULES.index(group[1][0]))


if __name__ == "__main__":
    write_aside(DOCUMENT, document())
