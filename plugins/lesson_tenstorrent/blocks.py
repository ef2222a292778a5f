"""Recognise the set-up commands of Tenstorrent lessons, and the checks that replace them."""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from typing import Any

from packaging.utils import canonicalize_name

from lesson_runner.document.shell import shell_commands
from lesson_runner.plugins import ActionCall, Block
from lesson_tenstorrent.packages import read_requirement

CHECK = "tenstorrent.check"
UNWANTED = {"ttnn": "pip-ttnn", "ttml": "unrelated-ttml"}
"""Packages that must not come from pip, and the check for each."""
VARIABLES = frozenset({"TT_METAL_HOME", "TT_METAL_RUNTIME_ROOT", "LD_LIBRARY_PATH", "PYTHONPATH"})
ABSORBED = frozenset({"cd", "echo", "export", "ls", "pwd"})
HARMLESS_OPTIONS = frozenset({"-q", "--quiet", "-U", "--upgrade", "-y", "--yes", "--user", "--no-cache-dir"})
"""Options of pip that do not change which packages it installs."""

PYTHON = re.compile(r"(?:.*/)?python(3(\.\d+)?)?")
"""Matches the first word of a command that runs Python."""

Params = Mapping[str, Any]


def interpret_block(block: Block) -> Sequence[ActionCall] | None:
    """Return a call for each command of a block that only sets up a machine; ``None`` for other blocks."""
    calls: list[ActionCall] = []
    absorbed: list[str] = []
    exported: set[str] = set()
    previous: list[str] = []
    for command in shell_commands(block) or ():
        words, source = list(command.words), command.source
        if words[:1] == ["export"]:
            exported |= {word.partition("=")[0] for word in words[1:]}
        params = _checks_for(words, command.operators, previous)
        previous = words or previous
        if params is None:
            return None
        if params:
            calls.append(ActionCall(CHECK, params, command.location, source, tuple(absorbed)))
            absorbed.clear()
        else:
            absorbed.append(source)
    if not calls and exported & VARIABLES and _is_about_environment(block):
        params = {"checks": ["environment-variables"]}
        return [ActionCall(CHECK, params, block.location, block.text.strip())]
    if calls and absorbed:
        calls[-1] = replace(calls[-1], absorbed=(*calls[-1].absorbed, *absorbed))
    return calls or None


def is_preparation(words: Sequence[str], harmless: Container[str]) -> bool:
    """
    Return whether a command only prepares the shell or shows something, so that it can be left out.

    ``source`` runs a whole script; only a virtual environment's ``activate`` is known to be harmless.
    """
    if words and words[0] in ("source", "."):
        return len(words) == 2 and words[1].rpartition("/")[2] == "activate"
    return not words or words[0] in harmless


def _checks_for(words: list[str], operators: str, previous: list[str]) -> Params | None:
    """Return the checks that replace a command: none for one that only prepares, ``None`` if unknown."""
    pip = _pip(words)
    if pip[:1] in (["list"], ["freeze"]) and operators in ("", "|"):
        return {}
    if words[:1] == ["grep"] and operators == "|" and _pip(previous)[:1] in (["list"], ["freeze"]):
        found = dict.fromkeys(UNWANTED[word] for word in words if word in UNWANTED)
        return {"checks": list(found)} if found else {}
    if operators:  # a pipe, a redirection or a substitution: the words do not tell the whole command
        return None
    if is_preparation(words, ABSORBED):
        return {}
    if words[:2] == ["git", "describe"] and previous[:1] == ["cd"] and "metal" in previous[-1].lower():
        return {"checks": ["tt-metal-version"]}
    if words[:3] == ["git", "submodule", "update"]:
        return {"checks": ["submodules"]}
    if pip[:1] in (["install"], ["uninstall"]):
        return _package_checks(
            [word for word in pip[1:] if word not in HARMLESS_OPTIONS], wanted=pip[0] == "install"
        )
    if PYTHON.fullmatch(words[0]) and words[1:2] == ["-c"] and len(words) == 3:
        return _import_checks(words[2])
    return None


def _pip(words: list[str]) -> list[str]:
    """Return the arguments of a pip command; empty for any other command."""
    if words and re.fullmatch(r"pip3?", words[0]):
        return words[1:]
    return words[3:] if words[1:3] == ["-m", "pip"] and PYTHON.fullmatch(words[0]) else []


def _package_checks(names: list[str], *, wanted: bool) -> Params | None:
    """Return the checks for packages to install (``wanted``) or to uninstall."""
    found = {text: read_requirement(text) for text in names}
    plain = [str(canonicalize_name(item.name)) for item in found.values() if item]
    if not found or len(plain) < len(found):
        return None
    if wanted:  # PyPI's ttml is an unrelated library: never advise to install it
        return {"packages": list(found)} if "ttml" not in plain else None
    # Only these are known to do harm; we have no advice on removing others.
    if not UNWANTED.keys() >= set(plain):
        return None
    return {"checks": list(dict.fromkeys(UNWANTED[name] for name in plain))}


def _import_checks(code: str) -> Params | None:
    """Return the checks for code that imports ``ttnn`` or ``ttml`` and otherwise only prints."""
    try:
        statements = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    names: list[str] = []
    for statement in statements:
        if isinstance(statement, ast.Import):
            names += [alias.name.partition(".")[0] for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            names.append(statement.module.partition(".")[0])
        elif not _only_prints(statement):
            return None
    relevant = not UNWANTED.keys().isdisjoint(names)
    return {"imports": list(dict.fromkeys(names))} if relevant else None


def _only_prints(statement: ast.stmt) -> bool:
    """Return whether a statement only prints, and calls nothing to compute what it prints."""
    call = statement.value if isinstance(statement, ast.Expr) else None
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "print"):
        return False
    return sum(isinstance(node, ast.Call) for node in ast.walk(statement)) == 1


def _is_about_environment(block: Block) -> bool:
    """Return whether the heading of the block's section is about the environment."""
    return bool(block.headings) and "environment" in block.headings[-1].lower()
