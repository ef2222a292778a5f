"""``lesson plugins``: list the plugins, what they provide, and their errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import typer

from lesson_runner.cli.common import JsonOption, print_json
from lesson_runner.cli.output import say

if TYPE_CHECKING:
    from lesson_runner.plugins.manager import Plugins


def plugins(context: typer.Context, json: JsonOption = False) -> None:
    """List plugins with their actions, checks, rules and errors."""
    loaded: Plugins = context.obj
    loaded.directories()
    loaded.detect_hardware()
    actions = loaded.actions()
    checks = loaded.checks()
    rules = loaded.rules()
    loaded.block_rules()
    infos = list(loaded.infos.values())
    loaded.unreported.clear()  # they are part of the answer
    if json:
        print_json(
            {
                "plugins": [
                    {"name": item.name, "origin": item.origin, "version": item.version, "error": item.error}
                    for item in infos
                ],
                "actions": [{"name": item.name, "summary": item.summary} for item in actions.values()],
                "checks": [{"id": check.id, "title": check.title} for check in checks.values()],
                "rules": [{"id": rule.id, "summary": rule.summary} for rule in rules.values()],
            }
        )
        return
    for item in infos:
        version = f" {item.version}" if item.version else ""
        say(f"{item.name}{version}: {item.origin}")
        if item.error:
            say(f"  {'does not work' if item.loaded else 'was not loaded'}: {item.error}")
    _table("actions", {action.name: action.summary for action in actions.values()})
    _table("checks", {check.id: check.title for check in checks.values()})
    _table("rules", {rule.id: rule.summary for rule in rules.values()})


def _table(title: str, rows: Mapping[str, str]) -> None:
    if rows:
        say("", f"{title}:")
    width = max(map(len, rows), default=0)
    for name, summary in rows.items():
        say(f"  {name:{width}}  {summary}")
