"""``lesson explain``: list the rules, explain one, or say what a block of a lesson is and why."""

from __future__ import annotations

import re
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

_PLACE = re.compile(r"(?P<lesson>.+):(?P<line>\d{1,9})(?::\d+)?")
STYLES = {"error": "bold red", "warning": "bold yellow", "info": "bold cyan"}


def explain(
    context: typer.Context,
    rule: Annotated[
        str | None,
        typer.Argument(
            metavar="RULE|FILE:LINE",
            help="A rule's id, or a line of a lesson: what its block is, and why. Default: list all rules.",
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """
    Explain a rule of 'lesson validate', with examples and the fix; or the role of a block.

    The role of a block says what a run does with it.
    """
    from lesson_runner.validate.check import all_rules

    plugins: Plugins = context.obj
    if rule is not None and (place := _PLACE.fullmatch(rule)):
        _explain_block(place["lesson"], int(place["line"]), plugins, json)
        return
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


def _explain_block(name: str, line_number: int, plugins: Plugins, json: bool) -> None:
    """
    Show the role of the block at a line, its step, and what every rule said about it.

    Raises:
        LessonError: there is no such lesson, or no block at this line.
    """
    from rich.text import Text

    from lesson_runner.cli.common import open_valid_lesson
    from lesson_runner.report.text import line
    from lesson_runner.run.block_roles import at_line
    from lesson_runner.run.plan import make_plan
    from lesson_runner.run.record import describe_block
    from lesson_runner.run.resolve_blocks import known_profiles

    lesson, problems, _ = open_valid_lesson(name, plugins)
    plan = make_plan(lesson, problems, plugins, known_profiles(lesson, plugins)[0])
    item = at_line(plan.blocks, line_number)
    if item is None:
        lines = ", ".join(str(describe_block(block)["line"]) for block in plan.blocks)
        fix = f"blocks begin at lines {lines}" if lines else "the lesson has no blocks"
        raise LessonError(f"{name}:{line_number}: there is no block or command link here", fix=fix)
    described = describe_block(item)
    opinions = [{"rule": said.rule, "role": said.role, "reason": said.reason} for said in item.opinions]
    if json:
        print_json({**described, "opinions": opinions})
        return
    console = make_console()
    what = f"{name}:{described['line']}: {item.role}"
    console.print(Text(line(what), "bold").append(line(f": {item.reason}"), "none"))
    reasons = {plan_item.block.location: plan_item.reason for plan_item in plan.not_run}
    if item.step:
        console.print(line(f"step: {item.step}"))
    elif reason := reasons.get(item.block.location):
        console.print(line(f"no step: {reason}"))
    for need in item.needs:
        console.print(line(f"needs: {need}"))
    for said in opinions:
        decided = "decided" if said is opinions[0] else "said"
        console.print(Text(line(f"rule {said['rule']} {decided}: {said['role']}: {said['reason']}"), "dim"))


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
