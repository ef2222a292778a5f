"""
Explain why a module cannot be imported or used: it is missing, or another one hides it.

Imports only the standard library, because nothing else may be importable.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType

DISTRIBUTION = "lesson-runner"


def explain_import(error: BaseException) -> tuple[str, str] | None:
    """
    Return what is wrong with a module that an error is about, and how to fix it.

    Returns:
        ``None`` if neither a module in a folder of PYTHONPATH, which hides one that lesson needs, nor a
        missing library can be the cause.
    """
    what = f"{type(error).__name__}: {error}"
    for file in _files(error):
        name = file.parent.name if file.name.startswith("__init__.") else file.name.partition(".")[0]
        return (
            f"{file} hides the module '{name}' that lesson needs ({what})",
            "rename it, or leave its folder out of PYTHONPATH",
        )
    if isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in _needed():
        return (
            f"a library of lesson is missing: {error}",
            "install lesson-runner again, with its dependencies",
        )
    return None


def _files(error: BaseException) -> Iterator[Path]:
    """Yield the files in PYTHONPATH that hide a module: those the error is about, and then all in use."""
    about = [frame.filename for frame in reversed(traceback.extract_tb(error.__traceback__))]
    if isinstance(error, ImportError):
        module = sys.modules.get((error.name or "").partition(".")[0])
        about.append(error.path or getattr(module, "__file__", None) or "")
    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        about.append(getattr(error.obj, "__file__", None) or "")
    needed = _needed()
    about += [getattr(sys.modules.get(name), "__file__", None) or "" for name in sorted(needed)]
    given = [
        Path(folder).absolute() for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder
    ]
    others = [folder for folder in sys.path if Path(folder).absolute() not in given]
    for text in filter(None, about):
        file = Path(text).absolute()
        for folder in given:
            if not file.is_relative_to(folder):
                continue
            part = file.relative_to(folder).parts[0]
            name = part.partition(".")[0]
            if name in needed or PathFinder.find_spec(name, others) is not None:
                yield folder / part / "__init__.py" if (folder / part).is_dir() else folder / part


def _needed() -> set[str]:
    """Return the names of the modules that lesson needs: Python's own, and those of its dependencies."""
    names = set(sys.stdlib_module_names)
    with suppress(ImportError):  # no metadata, or a hidden module of Python's own
        from importlib import metadata

        required = [text for text in metadata.requires(DISTRIBUTION) or () if "extra ==" not in text]
        wanted = {_normal(re.split(r"[^\w.-]", text)[0]) for text in required}
        for name, owners in metadata.packages_distributions().items():
            if wanted & set(map(_normal, owners)):
                names.add(name)
        names |= {name.replace("-", "_") for name in wanted}
    return names


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()
