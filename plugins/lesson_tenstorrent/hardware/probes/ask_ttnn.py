"""
Ask ttnn what machine this is. The answer goes into a file because the library logs to standard output.

::

    python ask_ttnn.py ANSWER.json

On a machine with boards this initialises them, so no other process may be using one.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys
from pathlib import Path
from typing import Any


def answer() -> dict[str, Any]:
    """Return what ttnn reports."""
    ttnn = importlib.import_module("ttnn")
    try:
        version = importlib.metadata.version("ttnn")
    except importlib.metadata.PackageNotFoundError:  # built in a tree and found through PYTHONPATH
        version = ""
    return {
        "version": version,
        "cluster_type": str(ttnn.cluster.get_cluster_type()).rpartition(".")[2],
        "architecture": str(ttnn.get_arch_name()).lower(),
        "chips": int(ttnn.GetNumAvailableDevices()),
    }


def main(target: str) -> None:
    """Write the answer, or the error."""
    try:
        found = answer()
    except Exception as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == "ttnn"
        found = {"error": f"{type(error).__name__}: {error}", "missing": missing}
    part = Path(f"{target}.part")
    part.write_text(json.dumps(found), "utf-8")
    part.replace(target)


if __name__ == "__main__":
    sys.path[:] = [entry for entry in sys.path if entry != str(Path(__file__).parent)]
    main(*sys.argv[1:])
