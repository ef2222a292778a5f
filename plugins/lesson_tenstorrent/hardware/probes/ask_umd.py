"""
Ask tt-umd which chips there are. The answer goes into a file because the library logs to standard output.

::

    python ask_umd.py ANSWER.json discover                 the machine's own chips; opens the devices
    python ask_umd.py ANSWER.json describe CLUSTER.yaml    the chips in a description; opens nothing
    python ask_umd.py ANSWER.json architecture SOC.yaml    the architecture in a simulator's description
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import sys
from pathlib import Path
from typing import Any


def chips_of(cluster: Any, devices: Any) -> list[dict[str, Any]]:
    """Return what a cluster descriptor says about each chip; ``devices`` holds the open devices by chip."""
    buses = cluster.get_chip_pci_bdfs() if hasattr(cluster, "get_chip_pci_bdfs") else {}
    return [
        {
            "id": chip,
            "architecture": str(cluster.get_arch(chip)),
            # The name, because tt-umd 0.9.14 cannot convert some of its board types to text.
            "board_type": cluster.get_board_type(chip).name.lower(),
            "board": str(cluster.get_board_id_for_chip(chip)),
            "pci": buses.get(chip),
            "firmware": firmware(devices.get(chip)),
        }
        for chip in sorted(cluster.get_all_chips())
    ]


def firmware(device: Any) -> str | None:
    """Return the version of a device's firmware bundle, or ``None`` if it cannot be read."""
    try:
        return str(device.get_firmware_info_provider().get_firmware_version().to_string())
    except Exception:
        return None


def discover(umd: Any) -> tuple[Any, Any]:
    """Return the machine's cluster descriptor and devices, ignoring mismatches of firmware."""
    options = umd.TopologyDiscoveryOptions()
    for name in dir(options):
        if isinstance(getattr(options, name, None), umd.TopologyDiscoveryOptions.Action):
            setattr(options, name, umd.TopologyDiscoveryOptions.Action.IGNORE)
    cluster, devices = umd.TopologyDiscovery.discover(options)
    return cluster, devices


def answer(question: str, path: str) -> dict[str, Any]:
    """Return what tt-umd reports."""
    umd = importlib.import_module("tt_umd")
    try:
        version = importlib.metadata.version("tt-umd")
    except importlib.metadata.PackageNotFoundError:  # built in a tree and found through PYTHONPATH
        version = ""
    if question == "architecture":
        return {"version": version, "architecture": str(umd.SocArchDescriptor.get_arch_from_path(path))}
    if question == "describe":
        text = Path(path).read_text("utf-8")
        chips = chips_of(umd.ClusterDescriptor.create_from_yaml_content(text), {})
    else:
        chips = chips_of(*discover(umd))
    return {"version": version, "chips": chips}


def main(target: str, question: str, path: str = "") -> None:
    """Write the answer, or the error."""
    try:
        found = answer(question, path)
    except Exception as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name == "tt_umd"
        found = {"error": f"{type(error).__name__}: {error}", "missing": missing}
    part = Path(f"{target}.part")
    part.write_text(json.dumps(found), "utf-8")
    part.replace(target)


if __name__ == "__main__":
    sys.path[:] = [entry for entry in sys.path if entry != str(Path(__file__).parent)]
    main(*sys.argv[1:])
