"""Install the emulation in `sys.modules`, for scripts that import `ttml` and `ttnn` themselves."""

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
    """Make `import ttml`, `import _ttml`, `import ttnn` and imports of their submodules load the emulation.

    `package` is a folder with a Python package `ttml`. If given, `ttml` is imported from there, and uses the
    emulation as `_ttml`, `ttml._ttml` and `ttnn`. This replaces real packages of these names for the rest of
    the process. Importing a module that is not emulated raises NotEmulatedModuleError.
    """
    load(numerics)
    for name in [name for name in sys.modules if name.split(".")[0] in ("ttml", "_ttml", "ttnn")]:
        del sys.modules[name]
    native = build("_ttml", NATIVE)
    # A separate set of modules: code that walks modules identifies them by `__name__`.
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
    """Return the folder with the package `ttml`: `folder` itself, or its place in a tt-metal tree."""
    places = (folder, folder / "sources" / "ttml", folder / "tt-train" / "sources" / "ttml")
    return next((place for place in places if (place / "ttml" / "__init__.py").is_file()), None)


class _Missing(MetaPathFinder):
    """Raises an error for modules that emulated packages lack; other modules are left to other finders."""

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
