"""Parse the arguments of a command with the table of flags, and report problems."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from lesson_ct4.config import OPTIONS, value_problem
from lesson_ct4.flags import FLAGS, Command, Flag
from lesson_runner.model import Severity
from lesson_runner.model.errors import LessonError


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem with an argument, or a note about it."""

    index: int
    """Index of the argument."""
    rule: str
    message: str
    fix: str | None = None
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Parsed:
    """Parameters by name, and the problems found."""

    params: dict[str, Any]
    problems: tuple[Problem, ...]


def parse(args: Sequence[str], command: Command | Literal["script"]) -> Parsed:
    """
    Parse arguments. Problems are returned, never raised.

    Args:
        command: the command whose flags are known; ``script`` is upstream's, which trains or generates.
    """
    params: dict[str, Any] = {}
    problems: list[Problem] = []
    index = 0
    while index < len(args):
        start, argument = index, args[index]
        index += 1
        name, equals, text = argument.partition("=")
        if not name.startswith("-") or name == "--":
            problems.append(Problem(start, "ct4.unexpected-argument", f"unexpected argument {argument!r}"))
            continue
        flag = find_flag(name, command)
        if flag is None:
            problems.append(_unknown(start, name, command))
            # The next argument is most likely its value: do not report it as well.
            index += not equals and index < len(args) and not args[index].startswith("-")
            continue
        if flag.switch:
            if equals:
                problems.append(
                    Problem(start, "ct4.unexpected-value", f"{name} takes no value", f"write {name}")
                )
            value: Any = True
        else:
            if not equals:
                if index == len(args) or args[index].startswith("--"):
                    problems.append(_missing(start, name, flag))
                    continue
                text = args[index]
                index += 1
            try:
                value = flag.value(text)
            except ValueError as error:
                where = index - 1
                problems.append(Problem(where, "ct4.wrong-type", f"{name} is {text!r}: {error}"))
                continue
        if flag.no_effect:
            note = f"{name} has no effect here: {flag.no_effect}"
            problems.append(Problem(start, "ct4.no-effect", note, severity="info"))
            continue
        if impossible := _impossible(flag, value):
            problems.append(Problem(index - 1, "ct4.impossible-value", str(impossible), impossible.fix))
            continue
        params[flag.name] = value
    return Parsed(_join_save_path(params), tuple(problems))


def find_flag(name: str, command: Command | Literal["script"]) -> Flag | None:
    """Return the flag of ``command`` that ``--batch_size``, ``--batch-size`` or an alias names."""
    if not name.startswith("--") and len(name) > 2:
        return None
    plain = name.lstrip("-").replace("-", "_")
    for flag in FLAGS:
        if plain in (flag.name, *flag.aliases) and (command == "script" or command in flag.commands):
            return flag
    return None


def _unknown(index: int, name: str, command: Command | Literal["script"]) -> Problem:
    message = f"unknown flag {name}"
    other = "generate" if command == "train" else "train"
    if found := find_flag(name, "script"):
        return Problem(index, "ct4.unknown-flag", message, f"--{found.name} belongs to `lesson ct4 {other}`")
    ours = [flag.name for flag in FLAGS if command == "script" or command in flag.commands]
    theirs = [flag.name for flag in FLAGS if flag.name not in ours]
    fix = "list the flags with lesson ct4 train --help and lesson ct4 generate --help"
    if near := _nearest(name, ours):
        fix = f"did you mean --{near}?"
    elif near := _nearest(name, theirs):
        fix = f"did you mean --{near}? It belongs to `lesson ct4 {other}`"
    return Problem(index, "ct4.unknown-flag", message, fix)


def _nearest(name: str, known: Sequence[str]) -> str | None:
    near = difflib.get_close_matches(name.lstrip("-").replace("-", "_"), known, n=1, cutoff=0.6)
    return near[0] if near else None


def _missing(index: int, name: str, flag: Flag) -> Problem:
    what = {"integer": "an integer", "number": "a number", "boolean": "true or false", "string": "a value"}
    fix = "to start from scratch, write --fresh" if flag.name == "resume" else None
    return Problem(index, "ct4.missing-value", f"{name} needs {what[flag.kind]}", fix)


def _impossible(flag: Flag, value: Any) -> LessonError | None:
    return value_problem(flag.name, value) if flag.name in OPTIONS else None


def _join_save_path(params: dict[str, Any]) -> dict[str, Any]:
    """Join folder and prefix, which upstream's newest script has instead of a path."""
    folder = params.pop("checkpoint_dir", None)
    prefix = params.pop("checkpoint_prefix", None)
    if folder is not None or prefix is not None:
        path = "/".join(part.rstrip("/") for part in (folder, prefix or "model") if part)
        params.setdefault("model_save_path", path)
    return params
