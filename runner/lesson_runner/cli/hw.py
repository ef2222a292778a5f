"""``lesson hw``: the hardware in this machine, and how it was detected."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lesson_runner.cli.common import JsonOption, print_json, stdout_to_stderr
from lesson_runner.cli.output import say

if TYPE_CHECKING:
    from lesson_runner.model import Hardware
    from lesson_runner.plugins.manager import Plugins


def hw(
    context: typer.Context,
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Stop once the name is known, as runs do; this rarely opens a device."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """
    Show the hardware in this machine, and how it was detected.

    Every source of facts is queried, which may open devices.
    """
    plugins: Plugins = context.obj
    with stdout_to_stderr():
        found = plugins.detect_hardware(thorough=not quick)
    if json:
        print_json({"hardware": [item.found for item in found]})
        return
    if not found:
        reason = "a plugin does not work" if plugins.errors else "no plugin looks for hardware"
        say(f"none: {reason} ('lesson plugins' lists the plugins)")
    for item in found:
        say(*_lines(item))


def _lines(item: Hardware) -> Iterator[str]:
    """Yield the lines about one hardware: its name, how it was found, and each fact with its source."""
    chips = f"{item.devices} chip{'' if item.devices == 1 else 's'}"
    notes = {
        "silicon": f"silicon, {chips}",
        "simulator": f"simulator: a program that simulates {chips}",
        "mock": "mock: only a description, nothing can run on it",
    }
    yield f"{item.name}  ({notes[item.kind]})" if item.kind in notes and item.name != "none" else item.name
    yield f"  found by: {item.detected_by}"
    width = max(map(len, item.facts), default=0)
    for name, fact in item.facts.items():
        known = fact if isinstance(fact, Mapping) else {"value": fact}
        source = f"  ({known['found_by']})" if "found_by" in known else ""
        yield f"  {name:{width}}  {_text(known.get('value'))}{source}"


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
