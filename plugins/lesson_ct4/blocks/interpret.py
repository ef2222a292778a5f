"""Recognise the lesson's own commands in shell blocks: getting the text, training, generating."""

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
from lesson_runner.model import ActionCall, Block, Diagnostic, Location
from lesson_tenstorrent.shellwords import (
    PYTHON,
    SHELL_LANGUAGES,
    ShellCommand,
    ShellSyntaxError,
    Word,
    is_preparation,
    split,
    typed_text,
)

ABSORBED = frozenset({"cd", "echo", "export", "ls", "mkdir", "pwd", "set", "head", "cat"})
"""Commands that only prepare or look; our actions know their own paths and environment."""
DOES_MORE = re.compile(r">|&|<<")
"""Operators by which a command that prepares or looks does more: it writes, or holds another in it."""
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")

UPSTREAM_DEFAULTS = {"batch_size": 64, "learning_rate": 3e-4}
"""What upstream's script takes where the command does not say (its character YAML)."""
UPSTREAM_STEPS = 5000
"""Its ``max_steps``, for a command that gives no length at all."""

Program = Literal["train", "generate", "script"]


def interpret_block(block: Block) -> Sequence[ActionCall] | None:
    """
    Return one call for each command that trains, generates, or gets the text.

    ``None`` if there is no such command, or if anything else in the block would have to run too.
    """
    if block.language not in SHELL_LANGUAGES:
        return None
    text = typed_text(block.text)
    try:
        commands = split(text)
    except ShellSyntaxError as error:
        return _unreadable(text, error, block)
    calls: list[ActionCall] = []
    absorbed: list[str] = []
    folder = ""
    for command in commands:
        words = list(command.words)
        while words and ASSIGNMENT.match(words[0].text):
            absorbed.append(words.pop(0).text)
        found = _program(words, folder)
        name = _downloaded([word.text for word in words])
        source = text[command.start : command.end].strip()
        if command.operators and (found or name or DOES_MORE.search(command.operators)):
            return None
        if found or name:
            if found:
                call = _call(*found, source, command, block)
            else:
                place = _location(block, command.words[0])
                call = ActionCall("ct4.fetch-dataset", {"name": name}, place, source)
            calls.append(replace(call, absorbed=tuple(absorbed)))
            absorbed.clear()
        elif is_preparation([word.text for word in words], ABSORBED):
            if words and words[0].text == "cd" and len(words) > 1:
                folder = words[1].text
            absorbed.append(source)
        else:
            return None
    if calls and absorbed:
        calls[-1] = replace(calls[-1], absorbed=(*calls[-1].absorbed, *absorbed))
    return calls or None


def _program(words: Sequence[Word], folder: str) -> tuple[Program, Sequence[Word]] | None:
    """Return which of our commands the words are, and its arguments."""
    texts = [word.text for word in words]
    if texts[:2] == ["lesson", "ct4"]:
        rest = 2
    elif texts[1:4] == ["-m", "lesson_runner", "ct4"] and PYTHON.fullmatch(texts[0]):
        rest = 4
    else:
        return _script(texts, words, folder)
    if texts[rest : rest + 1] == ["train"]:
        return "train", words[rest + 1 :]
    if texts[rest : rest + 1] == ["generate"]:
        return "generate", words[rest + 1 :]
    return None


def _script(texts: list[str], words: Sequence[Word], folder: str) -> tuple[Program, Sequence[Word]] | None:
    if not texts:
        return None
    place = 0
    if PYTHON.fullmatch(texts[0]):
        place = 1
        while place < len(texts) and texts[place] in ("-u", "-O", "-B"):
            place += 1
    if place >= len(texts):
        return None
    path = texts[place]
    newest = base_name(path) == "train.py" and re.search(r"tt-train|examples/train", f"{folder}/{path}")
    if base_name(path) == "train_nanogpt.py" or newest:
        return "script", words[place + 1 :]
    return None


def _downloaded(texts: list[str]) -> str | None:
    """Return what ``wget`` or ``curl`` calls our text, if that is all they get."""
    if texts[:1] not in (["wget"], ["curl"]) or [text for text in texts if "://" in text] != [URL]:
        return None
    names = [
        after
        for option, after in pairwise(texts)
        if option in ("-O", "-o", "--output", "--output-document") and "://" not in after
    ]
    return base_name(names[-1]) if names else base_name(URL)


def _call(
    program: Program, words: Sequence[Word], source: str, command: ShellCommand, block: Block
) -> ActionCall:
    parsed = parse([word.text for word in words], program)
    kind: Command
    if program == "script":
        kind = "generate" if "prompt" in parsed.params else "train"
        params, ignored = _as_upstream(parsed, kind)
    else:
        kind, params, ignored = program, parsed.params, ()
    first = command.words[0]
    here = _location(block, first)
    diagnostics = [
        Diagnostic(
            problem.rule,
            problem.severity,
            problem.message,
            _location(block, words[problem.index]),
            problem.fix,
        )
        for problem in parsed.problems
    ]
    diagnostics += [
        Diagnostic("ct4.no-effect", "info", f"--{name} has no effect when the script {kind}s", here)
        for name in ignored
    ]
    return ActionCall(f"ct4.{kind}", params, here, source, diagnostics=tuple(diagnostics))


def _as_upstream(parsed: Parsed, kind: Command) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the script's parameters, its own defaults filled in, and the flags it ignores."""
    ours = {flag.name for flag in FLAGS if kind in flag.commands}
    params = {name: value for name, value in parsed.params.items() if name in ours}
    if kind == "train":
        params = {**UPSTREAM_DEFAULTS, **params}
        if not params.keys() & {"num_epochs", "max_steps"}:
            params["max_steps"] = UPSTREAM_STEPS
    return params, tuple(name for name in parsed.params if name not in ours)


def _unreadable(text: str, error: ShellSyntaxError, block: Block) -> Sequence[ActionCall] | None:
    """Return a call that carries the error, if it is likely to be about one of our commands."""
    if not re.search(r"\blesson ct4 (train|generate)\b|train_nanogpt\.py", text):
        return None
    where = _location(block, Word("", error.line, error.column))
    diagnostic = Diagnostic("ct4.shell-syntax", "error", str(error), where, "close it, or leave it out")
    return [ActionCall("ct4.train", {}, where, text, diagnostics=(diagnostic,))]


def _location(block: Block, word: Word) -> Location:
    """Return where a word stands in the lesson: the block's own place plus the word's in the block."""
    start = block.location
    return Location(start.path, start.line + word.line - 1, start.column + word.column - 1)
