"""Puts the emulation in `sys.modules`, for scripts that import `ttml` and `ttnn` themselves."""

from __future__ import annotations

import sys

from . import load
from .namespaces import TTML, TTNN, build
from .numerics import NumericsName


def install(numerics: NumericsName = "device") -> None:
    """Make `import ttml`, `import _ttml`, `import ttnn` and their sub-modules give the emulation.

    `_ttml` is a second set of modules: importers tell visited modules by `__name__`. This replaces real
    packages of these names for the rest of the process.
    """
    load(numerics)
    for name, tree in (("ttml", TTML), ("_ttml", TTML), ("ttnn", TTNN)):
        for known in [known for known in sys.modules if known.split(".")[0] == name]:
            del sys.modules[known]
        sys.modules.update(build(name, tree))
    sys.modules["ttml._ttml"] = sys.modules["_ttml"]
    vars(sys.modules["ttml"])["_ttml"] = sys.modules["_ttml"]
