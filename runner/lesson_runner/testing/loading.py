"""Load plugins that are not installed as if they were, and measure what importing one loads."""

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
"""Libraries that are too slow to import at the start of every command."""

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
    """An entry point for a plugin module, installed or not, for ``Plugins(points=[...])``."""

    module: object
    given_name: str = ""
    """The plugin's name. Default: the name of its entry point or its module."""

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.given_name or plugin_name(self.value)

    @property
    def value(self) -> str:
        """The module's name."""
        return str(getattr(self.module, "__name__", type(self.module).__name__))

    @property
    def dist(self) -> Distribution | None:
        """Always ``None``: the plugin is in no distribution."""
        return None

    def load(self) -> object:
        """Return the module."""
        return self.module


def plugin_name(module: str) -> str:
    """Return the name under which a module is installed as a plugin, or the usual name for it."""
    return _installed().get(module) or module.removesuffix(".plugin")


@cache
def _installed() -> dict[str, str]:
    return {point.value: point.name for point in entry_points(group="lesson_runner")}


def load_plugins(*modules: object) -> Plugins:
    """
    Load the built-in plugin and the given ones, as ``lesson`` does.

    Args:
        modules: modules, or other objects with hook implementations as attributes.
    """
    return Plugins(points=[ModuleEntryPoint(module) for module in modules])


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The result of importing a module in a new interpreter."""

    heavy: tuple[str, ...] = ()
    """The heavy modules that the import loaded."""
    printed: str = ""
    """What the module printed to standard output."""
    error: str = ""
    """Why the module cannot be imported."""


def import_in_subprocess(module: str, heavy: Sequence[str] = HEAVY) -> ImportResult:
    """
    Import a module in a new interpreter, as every ``lesson`` command imports a plugin's module.

    Args:
        module: the module's name.
        heavy: names of modules that may be loaded only when they are needed.
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
    last = (done.stderr.strip() or f"the interpreter exited with code {done.returncode}").splitlines()[-1]
    return ImportResult(printed=done.stdout, error=last)
