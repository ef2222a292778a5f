"""Plugins that are not installed, loaded as if they were; and what importing one costs."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import Distribution, entry_points
from pathlib import Path

from lesson_runner.execute.python import python_code
from lesson_runner.plugins.manager import Plugins

HEAVY = (
    "IPython",
    "jax",
    "jsonschema",
    "markdown_it",
    "matplotlib",
    "numpy",
    "pandas",
    "requests",
    "rich",
    "scipy",
    "tensorflow",
    "torch",
    "transformers",
    "ttml",
    "ttnn",
    "yaml",
)
"""Libraries that ``lesson list`` must not wait for."""

_PROGRAM = """
import importlib, json, sys
module, answer, path, heavy = json.loads(sys.argv[1])
sys.path[:] = path
importlib.import_module("lesson_runner.plugins")
before = set(sys.modules)
importlib.import_module(module)
found = [name for name in heavy if name in sys.modules and name not in before]
with open(answer, "w", encoding="utf-8") as file:
    json.dump(found, file)
"""


@dataclass(frozen=True, slots=True)
class ModuleEntryPoint:
    """The entry point of a plugin that need not be installed, for ``Plugins(points=[...])``."""

    module: object
    called: str = ""
    """The plugin's name; that of its entry point, or of its module, if left out."""

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.called or plugin_name(self.value)

    @property
    def value(self) -> str:
        """The module's name."""
        return str(getattr(self.module, "__name__", type(self.module).__name__))

    @property
    def dist(self) -> Distribution | None:
        """It came with none."""
        return None

    def load(self) -> object:
        """Return the module."""
        return self.module


def plugin_name(module: str) -> str:
    """Return the name under which a module is installed as a plugin, or would be by custom."""
    return _installed().get(module) or module.removesuffix(".plugin")


@cache
def _installed() -> dict[str, str]:
    return {point.value: point.name for point in entry_points(group="lesson_runner")}


def load_plugins(*modules: object) -> Plugins:
    """
    Return the built-in plugin and those given, as ``lesson`` would load them.

    Args:
        modules: modules, or any objects whose attributes are hook implementations.
    """
    return Plugins(points=[ModuleEntryPoint(module) for module in modules])


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What came of importing a module in a fresh interpreter."""

    heavy: tuple[str, ...] = ()
    """The heavy modules that it loaded."""
    printed: str = ""
    """What it wrote to standard output."""
    error: str = ""
    """Why it cannot be imported."""


def import_in_subprocess(module: str, heavy: Sequence[str] = HEAVY) -> ImportResult:
    """
    Import a module in a fresh interpreter, as every ``lesson`` command does with a plugin's.

    Args:
        module: the module's name.
        heavy: names of modules that are to be loaded only when they are needed.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer")
        question = json.dumps([module, str(answer), sys.path, list(heavy)])
        done = subprocess.run(
            python_code(_PROGRAM, question),
            capture_output=True,
            check=False,
            encoding="utf-8",
            errors="replace",
            stdin=subprocess.DEVNULL,
        )
        if answer.exists():
            return ImportResult(tuple(json.loads(answer.read_text("utf-8"))), done.stdout)
    last = (done.stderr.strip() or f"the interpreter ended with {done.returncode}").splitlines()[-1]
    return ImportResult(printed=done.stdout, error=last)
