"""The location of the tt-metal tree, which has the scripts' configurations and texts."""

from __future__ import annotations

import os
from pathlib import Path


def get_tt_metal_home() -> str:
    """Return `TT_METAL_HOME`, else `TT_METAL_RUNTIME_ROOT`, else `~/.tt-metal`.

    Versions of `ttml` differ in which variable they read.
    """
    return (
        os.environ.get("TT_METAL_HOME")
        or os.environ.get("TT_METAL_RUNTIME_ROOT")
        or str(Path("~/.tt-metal").expanduser())
    )


def get_tt_metal_runtime_root() -> str:
    """Return `TT_METAL_RUNTIME_ROOT`; RuntimeError if it is not set, as in `ttml`."""
    root = os.environ.get("TT_METAL_RUNTIME_ROOT")
    if not root:
        raise RuntimeError(
            "TT_METAL_RUNTIME_ROOT is not set: set it to the tt-metal tree whose configurations you want"
        )
    return root
