"""Recognise the lesson's commands in shell blocks: download the text, train, generate."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Literal

from lesson_ct4.blocks.arguments import Parsed, parse
from lesson_ct4.data.fetch import URL
from lesson_ct4.flags import FLAGS, Command
from lesson_ct4.names import base_name
from lesson_runner.document.shell import ShellCommand, shell_commands
from lesson_runner.plugins import ActionCall, Block, Diagnostic
from lesson_tenstorrent.blocks import PYTHON, is_preparation

ABSORBED = frozenset({"cd", "echo", "export", "ls", "mkdir", "pwd", "set", "head", "cat"})
"""Commands that only prepare or show; our actions do not depend on folder and environment."""
SIDE_EFFECTS = re.compile(r">|&|<<")
"""Operators with which such a command does more: it writes a file, or starts another command."""
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")

UPSTREAM_DEFAULTS = {"batch_size": 64, "learning_rate": 3e-4}
"""Upstream's values for flags that a command omits (from its character YAML)."""
UPSTREAM_STEPS = 5000
"""Upstream's ``max_steps`` for a command that sets no length."""

Program = Literal["train", "generate", "script"]


def interpret_block(block: Block) -> Sequence[ActionCall] | None:
    """
    Return one call for each command that trains, generates, or downloads the text.

    ``None`` if there is no such command, or if the block has other commands that must run.
    """
    calls: list[ActionCall] = []
    absorbed: list[str] = []
    folder = ""
    for command in shell_commands(block) or ():
        if command.unclosed:
            return _unclosed_quote(command)
        first = 0
        while first < len(command.words) and ASSIGNMENT.match(command.words[first]):
            first += 1
        absorbed += command.words[:first]
        words, source = command.words[first:], command.source
        arguments = _arguments(words, folder)
        name = _downloaded(words)
        if command.operators and (arguments or name or SIDE_EFFECTS.search(command.operators)):
            return None
        if arguments or name:
            if arguments:
                program, skipped = arguments
                call = _call(program, command, first + skipped)
            else:
                call = ActionCall("ct4.fetch-dataset", {"name": name}, command.location, source)
            calls.append(replace(call, absorbed=tuple(absorbed)))
            absorbed.clear()
        elif is_preparation(words, ABSORBED):
            if words[:1] == ("cd",) and len(words) > 1:
                folder = words[1]
            absorbed.append(source)
        else:
            return None
    if calls and absorbed:
        calls[-1] = replace(calls[-1], absorbed=(*calls[-1].absorbed, *absorbed))
    return calls or None


def _arguments(words: Sequence[str], folder: str) -> tuple[Program, int] | None:
    """Return which command the words are, and the index of its first argument."""
    if tuple(words[:2]) == ("lesson", "ct4"):
        rest = 2
    elif tuple(words[1:4]) == ("-m", "lesson_runner", "ct4") and PYTHON.fullmatch(words[0]):
        rest = 4
    else:
        return _script(words, folder)
    name = words[rest] if rest < len(words) else ""
    if name == "train":
        return "train", rest + 1
    return ("generate", rest + 1) if name == "generate" else None


def _script(words: Sequence[str], folder: str) -> tuple[Program, int] | None:
    if not words:
        return None
    place = 0
    if PYTHON.fullmatch(words[0]):
        place = 1
        while place < len(words) and words[place] in ("-u", "-O", "-B"):
            place += 1
    if place >= len(words):
        return None
    path = words[place]
    newest = base_name(path) == "train.py" and re.search(r"tt-train|examples/train", f"{folder}/{path}")
    if base_name(path) == "train_nanogpt.py" or newest:
        return "script", place + 1
    return None


def _downloaded(words: Sequence[str]) -> str | None:
    """Return the name under which ``wget`` or ``curl`` saves the text, if they download nothing else."""
    if words[:1] not in (("wget",), ("curl",)) or [word for word in words if "://" in word] != [URL]:
        return None
    names = [
        after
        for option, after in pairwise(words)
        if option in ("-O", "-o", "--output", "--output-document") and "://" not in after
    ]
    return base_name(names[-1]) if names else base_name(URL)


def _call(program: Program, command: ShellCommand, begin: int) -> ActionCall:
    """Return the call of a command whose arguments start at the word ``begin``."""
    parsed = parse(command.words[begin:], program)
    kind: Command
    if program == "script":
        kind = "generate" if "prompt" in parsed.params else "train"
        params, ignored = _as_upstream(parsed, kind)
    else:
        kind, params, ignored = program, parsed.params, ()
    here = command.location
    diagnostics = [
        Diagnostic(
            problem.rule,
            problem.severity,
            problem.message,
            command.places[begin + problem.index],
            problem.fix,
        )
        for problem in parsed.problems
    ]
    diagnostics += [
        Diagnostic("ct4.no-effect", "info", f"--{name} has no effect when the script {kind}s", here)
        for name in ignored
    ]
    return ActionCall(f"ct4.{kind}", params, here, command.source, diagnostics=tuple(diagnostics))


def _as_upstream(parsed: Parsed, kind: Command) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the parameters with the script's defaults, and the flags that it ignores."""
    ours = {flag.name for flag in FLAGS if kind in flag.commands}
    params = {name: value for name, value in parsed.params.items() if name in ours}
    if kind == "train":
        params = {**UPSTREAM_DEFAULTS, **params}
        if not params.keys() & {"num_epochs", "max_steps"}:
            params["max_steps"] = UPSTREAM_STEPS
    return params, tuple(name for name in parsed.params if name not in ours)


def _unclosed_quote(command: ShellCommand) -> Sequence[ActionCall] | None:
    """Return a call that carries the error, if the text looks like one of our commands."""
    if not re.search(r"\blesson ct4 (train|generate)\b|train_nanogpt\.py", command.source):
        return None
    message = f"the quote {command.unclosed} is never closed"
    fix = "close it, or leave it out"
    diagnostic = Diagnostic("ct4.shell-syntax", "error", message, command.location, fix)
    return [ActionCall("ct4.train", {}, command.location, command.source, diagnostics=(diagnostic,))]
