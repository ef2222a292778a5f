"""What a link to a command of the extension is in a lesson, and the action calls that stand for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lesson_runner.document.command_links import CommandLink, read_command
from lesson_runner.model import Need, Role
from lesson_runner.plugins import ActionCall, Block
from lesson_tenstorrent.blocks import CHECK, interpret_block
from lesson_tenstorrent.links.copy_template import COPY
from lesson_tenstorrent.links.table import Command, table

STARTS_WITHIN = "20m"
"""The time in which a server has to be ready: it loads a large model, and compiles it the first time."""
_REASONS = {
    "service": "it starts a server",
    "interactive": "it starts a program that waits for a person",
    "system": "it changes the machine",
}


def link_role(text: str) -> tuple[Role, str]:
    """Return the role of a link to a command (its target without ``command:``), and the reason."""
    link = read_command(text)
    command = table().commands.get(link.command)
    if command is None:
        return "illustration", f"what the command '{link.command}' does is not known"
    if command.shows:
        return "illustration", f"it shows {command.shows}"
    if problem := command.problem(link):
        return "illustration", problem
    if command.role in _REASONS:
        return command.role, _REASONS[command.role]
    if command.checks:
        return command.role, "it sets up the machine, which the step only checks"
    copies = f"it copies templates of the extension to {command.to}" if command.copies else ""
    runs = "it runs commands in a terminal" if command.runs else ""
    return command.role, " and ".join(filter(None, (copies, runs.removeprefix("it ") if copies else runs)))


def link_needs(text: str) -> tuple[Need, ...]:
    """Return what a link to a command needs and its shell commands do not show; empty if it is no step."""
    found = _known(text)
    return found[1].needs if found else ()


def link_port(text: str) -> int:
    """Return the port of the server that a link starts; 0 if it starts none."""
    found = _known(text)
    return found[1].port if found else 0


def link_calls(block: Block) -> Sequence[ActionCall]:
    """Return the action calls of a ``command-link`` block; empty for a command that is no step."""
    found = _known(block.text)
    if found is None:
        return []
    link, command = found
    source, here = block.text.strip(), block.location
    calls: list[ActionCall] = []
    if command.checks:
        calls.append(ActionCall(CHECK, {"checks": list(command.checks)}, here, source))
    if command.copies:
        params = {"templates": list(command.copies), "to": command.to}
        calls.append(ActionCall(COPY, params, here, source))
    if command.runs:
        calls += _typed(command, command.script(link), block)
    return calls


def _typed(command: Command, script: str, block: Block) -> list[ActionCall]:
    """Return the calls that stand for the commands that a link types into a terminal."""
    source, here = block.text.strip(), block.location
    if command.role == "service":
        stop = {"stop": command.stop} if command.stop else {}
        params = {"script": script, "ready": {"port": command.port}, "timeout": STARTS_WITHIN, **stop}
        return [ActionCall("service", params, here, source)]
    if command.role == "interactive":
        return [ActionCall("shell", {"script": script, "person": True}, here, source)]
    understood = interpret_block(replace(block, language="bash", text=script)) or ()
    return [replace(call, location=here, source=source) for call in understood] or [
        ActionCall("shell", {"script": script}, here, source)
    ]


def _known(text: str) -> tuple[CommandLink, Command] | None:
    link = read_command(text)
    command = table().commands.get(link.command)
    return None if command is None or command.shows or command.problem(link) else (link, command)
