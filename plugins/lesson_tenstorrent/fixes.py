"""Findings whose fix is a command that ``lesson doctor --fix`` may run."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from lesson_runner.plugins.checks import Finding, FindingStatus, Machine

CALLED_ALIKE = frozenset(
    {
        *("click", "datasets", "einops", "graphviz", "huggingface_hub", "loguru", "matplotlib", "ml_dtypes"),
        *("networkx", "numpy", "pandas", "psutil", "pydantic", "requests", "rich", "safetensors", "scipy"),
        *("sentencepiece", "tiktoken", "tokenizers", "torch", "tqdm", "transformers"),
    }
)
"""Modules that ttnn, ttml and lessons import, and whose packages have the same name."""


def pip(machine: Machine, *words: str) -> tuple[str, ...]:
    """Return a command of the machine's own ``pip``: another one on the path may be another Python's."""
    return (machine.python, "-m", "pip", *words)


def install_module(status: FindingStatus, found: str, expected: str, machine: Machine, name: str) -> Finding:
    """
    Return what was found, and how to get a module that is missing.

    A command only where its package is known to be called alike: on PyPI, the name of a module may belong to
    anybody.
    """
    if name in CALLED_ALIKE:
        return mendable(status, found, expected, pip(machine, "install", name))
    fix = f"install the package that brings the module {name}; it may be called differently"
    return Finding(status, found, expected, fix)


def mendable(
    status: FindingStatus, found: str, expected: str, command: Sequence[str], then: str = ""
) -> Finding:
    """
    Return what was found, with a command that puts it right and loses nothing of the user's.

    Args:
        status: how bad it is.
        found: what was found.
        expected: what should have been.
        command: the command's words.
        then: what a person has to do after it, as a comment in a shell.
    """
    fix = shlex.join(command) + (f"  # then {then}" if then else "")
    return Finding(status, found, expected, fix, tuple(command))
