"""Puts the emulation in `sys.modules`, for scripts that import `ttml` and `ttnn` themselves."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from pathlib import Path
from types import ModuleType

from . import load
from .missing import NotEmulatedModuleError, message
from .namespaces import NATIVE, TTML, TTNN, adopt, build
from .numerics import NumericsName


def install(numerics: NumericsName = "device", package: Path | None = None) -> None:
    """Make `import ttml`, `import _ttml`, `import ttnn` and their sub-modules give the emulation.

    With `package`, the folder that holds a Python `ttml` package, `ttml` is imported from there and finds the
    emulation as `_ttml`, `ttml._ttml` and `ttnn`. This replaces real packages of these names for the rest of
    the process. Importing what an emulated package lacks raises NotEmulatedModuleError.
    """
    load(numerics)
    for name in [name for name in sys.modules if name.split(".")[0] in ("ttml", "_ttml", "ttnn")]:
        del sys.modules[name]
    native = build("_ttml", NATIVE)
    # A set of modules of its own: what walks them tells those it has seen by `__name__`.
    sys.modules |= native | build("ttnn", TTNN)
    sys.modules |= {f"ttml.{name}": module for name, module in native.items()}
    adopt("_ttml", NATIVE)
    adopt("ttnn", TTNN)
    if package is None:
        sys.modules |= build("ttml", TTML)
        vars(sys.modules["ttml"])["_ttml"] = sys.modules["_ttml"]
        adopt("ttml", TTML)
    else:
        sys.path.insert(0, str(package))
    sys.meta_path.insert(0, _Missing())


def find_package(folder: Path) -> Path | None:
    """Return the folder that holds the package `ttml`: this one, or the one a tt-metal tree keeps it in."""
    places = (folder, folder / "sources" / "ttml", folder / "tt-train" / "sources" / "ttml")
    return next((place for place in places if (place / "ttml" / "__init__.py").is_file()), None)


class _Missing(MetaPathFinder):
    """Finds nothing; it is asked only for what is not in `sys.modules`, and says so of emulated packages."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> None:
        parent = sys.modules.get(fullname.rpartition(".")[0])
        if parent is not None and getattr(parent, "__path__", None) == [] and _is_ours(parent):
            raise NotEmulatedModuleError(message(fullname))


def _is_ours(module: ModuleType) -> bool:
    return module.__name__.split(".")[0] in ("ttml", "_ttml", "ttnn") and module.__spec__ is not None
