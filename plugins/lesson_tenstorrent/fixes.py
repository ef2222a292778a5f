"""Findings whose fix is a command that ``lesson doctor --fix`` may run."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from lesson_runner.plugins.checks import Finding, FindingStatus, Machine

SAME_NAME_ON_PYPI = frozenset(
    {
        *("click", "datasets", "einops", "graphviz", "huggingface_hub", "loguru", "matplotlib", "ml_dtypes"),
        *("networkx", "numpy", "pandas", "psutil", "pydantic", "requests", "rich", "safetensors", "scipy"),
        *("sentencepiece", "tiktoken", "tokenizers", "torch", "tqdm", "transformers"),
    }
)
"""Modules that ttnn, ttml and lessons import, and whose packages on PyPI have the same name."""


def pip(machine: Machine, *words: str) -> tuple[str, ...]:
    """Return a ``pip`` command of the machine's Python: a ``pip`` on the path may belong to another one."""
    return (machine.python, "-m", "pip", *words)


def install_module(status: FindingStatus, found: str, expected: str, machine: Machine, name: str) -> Finding:
    """
    Return a finding whose fix installs a missing module.

    The fix is a command only if the package is known to have the module's name: on PyPI, anybody can own a
    package with the name of a module.
    """
    if name in SAME_NAME_ON_PYPI:
        return fixable(status, found, expected, pip(machine, "install", name))
    fix = f"install the package that contains the module {name}; the package may have a different name"
    return Finding(status, found, expected, fix)


def fixable(
    status: FindingStatus, found: str, expected: str, command: Sequence[str], then: str = ""
) -> Finding:
    """
    Return a finding with a command that fixes it and cannot lose any of the user's data.

    Args:
        status: of the finding.
        found: what was found.
        expected: what was expected.
        command: the command's words.
        then: what the user has to do afterwards; appended as a shell comment.
    """
    fix = shlex.join(command) + (f"  # then {then}" if then else "")
    return Finding(status, found, expected, fix, tuple(command))
