"""``lesson explain``: list the rules, or explain one."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from lesson_runner.cli.common import JsonOption, make_console, print_json, stdout_to_stderr
from lesson_runner.model.errors import LessonError
from lesson_runner.model.hints import did_you_mean

if TYPE_CHECKING:
    from lesson_runner.model import Rule
    from lesson_runner.plugins.manager import Plugins

STYLES = {"error": "bold red", "warning": "bold yellow", "info": "bold cyan"}


def explain(
    context: typer.Context,
    rule: Annotated[
        str | None, typer.Argument(metavar="RULE", help="A rule's id. Default: list all rules.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Explain a rule of 'lesson validate', with examples and the fix."""
    from lesson_runner.validate.check import all_rules

    plugins: Plugins = context.obj
    with stdout_to_stderr():  # what a plugin prints is not part of the answer
        rules = all_rules(plugins)
    if rule is None:
        _list(rules, json)
        return
    if rule not in rules:
        raise LessonError(
            f"there is no rule '{rule}'",
            fix=plugins.hint(
                did_you_mean(rule.strip("[]").lower(), rules) or "'lesson explain' lists all rules",
                "lesson_rules",
            ),
        )
    _show(rules[rule], json)


def _list(rules: Mapping[str, Rule], json: bool) -> None:
    from rich.text import Text

    from lesson_runner.report.text import line

    if json:
        print_json(
            [{"id": item.id, "severity": item.severity, "summary": item.summary} for item in rules.values()]
        )
        return
    console = make_console()
    width = max(map(len, rules))
    for item in rules.values():
        shown = Text(f"{line(item.id):{width}}  ").append(f"{item.severity:7}  ", STYLES[item.severity])
        console.print(shown.append(line(item.summary)))


def _show(rule: Rule, json: bool) -> None:
    from rich.markdown import Markdown
    from rich.text import Text

    from lesson_runner.report.text import line, safe
    from lesson_runner.validate.rules.table import page_of

    page = page_of(rule)
    if json:
        print_json({"id": rule.id, "severity": rule.severity, "summary": rule.summary, "page": page})
        return
    console = make_console()
    head = Text(line(rule.id), "bold").append(" (").append(rule.severity, STYLES[rule.severity])
    console.print(head.append(f"): {line(rule.summary)}"))
    if not page:
        return
    console.print()
    if console.is_terminal:
        console.print(Markdown(safe(page), code_theme="ansi_dark"))
    else:
        sys.stdout.write(f"{safe(page)}\n")
