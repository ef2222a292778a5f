"""
Detect the hardware of this machine from these sources, in this order.

1. Variables: ``TT_METAL_SIMULATOR`` replaces the boards by a simulator, and
   ``TT_METAL_MOCK_CLUSTER_DESC_PATH`` replaces them by a description on which nothing can run. ttnn obeys
   both, and the first wins.
2. The driver's device files. If there are none, detection ends here and no process is started.
3. What the driver shows of each device in ``/sys``; reading that opens no device.
4. tt-umd's topology discovery, which opens the devices and reads from them; then ttnn, which also
   initialises them. They run only if the board's name is not known yet, or if all sources are wanted
   (``lesson hw``), and only while no other process has a device open: the traffic could disturb that process,
   and ttnn would wait for it to end.

If sources disagree, tt-umd is trusted most because it reads from the chips, then the driver, then ttnn.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from lesson_runner.model import Hardware, Json
from lesson_tenstorrent.devices import DEVICES, describe_devices, hardware_of
from lesson_tenstorrent.hardware.combine import fact, facts_of, most_trusted
from lesson_tenstorrent.hardware.naming import SIMULATOR, UNKNOWN
from lesson_tenstorrent.hardware.places import (
    Device,
    Places,
    driver_version,
    exists,
    find_devices,
    find_on_bus,
)
from lesson_tenstorrent.hardware.sources import (
    TTNN,
    UMD,
    SourceReport,
    driver_report,
    simulator_architecture,
    ttnn_report,
    umd_report,
)

SIMULATOR_VARIABLE = "TT_METAL_SIMULATOR"
MOCK_VARIABLE = "TT_METAL_MOCK_CLUSTER_DESC_PATH"
VISIBLE_VARIABLE = "TT_VISIBLE_DEVICES"
USERS = "the driver's lists of processes in /proc/driver/tenstorrent"
DEVICE_FILES = (str(DEVICES), "/dev/hugepages", "/dev/hugepages-1G")
"""Files that programs open: the boards, and the huge pages through which they exchange data."""
PATH_VARIABLES = ("TT_METAL_HOME", "TT_METAL_RUNTIME_ROOT", SIMULATOR_VARIABLE)
PACKAGES = ("ttnn", "ttml")
SOC = "soc_descriptor.yaml"
"""The file that describes a simulator's chip, next to the simulator or inside its folder."""


def detect(
    places: Places | None = None, *, thorough: bool = False, environ: Mapping[str, str] | None = None
) -> Hardware:
    """
    Return the hardware of this machine.

    Args:
        places: folders of the system.
        thorough: ask every source, even if the name is already known.
        environ: environment variables; by default those of this process.
    """
    found = _detect(places or Places(), os.environ if environ is None else environ, thorough=thorough)
    return dataclasses.replace(
        found, device_files=DEVICE_FILES, path_variables=PATH_VARIABLES, packages=PACKAGES
    )


def _detect(places: Places, environ: Mapping[str, str], *, thorough: bool) -> Hardware:
    if path := environ.get(SIMULATOR_VARIABLE, "").strip():
        return _simulator(Path(path), environ)
    if path := environ.get(MOCK_VARIABLE, "").strip():
        return _mock(Path(path), environ, thorough=thorough)
    devices = find_devices(places)
    return _silicon(devices, places, environ, thorough=thorough) if devices else _nothing(places)


def _nothing(places: Places) -> Hardware:
    bare = hardware_of(places.devices)
    on_bus, driver = find_on_bus(places), driver_version(places)
    if not on_bus:
        return bare
    why = "the driver (tt-kmd) created no device file" if driver else "the driver (tt-kmd) is not loaded"
    count = f"{len(on_bus)} Tenstorrent chip{'' if len(on_bus) == 1 else 's'} on the PCI bus"
    facts = {"pci": fact(list(on_bus), f"{places.sys}/bus/pci/devices")} | _driver_fact(places)
    return dataclasses.replace(bare, detected_by=f"{bare.detected_by}; {count}, but {why}", facts=facts)


def _simulator(path: Path, environ: Mapping[str, str]) -> Hardware:
    found_by = f"{SIMULATOR_VARIABLE}={path}"
    if not exists(path):
        return Hardware(SIMULATOR, f"{found_by}, which does not exist", kind="simulator")
    soc = (path if path.is_dir() else path.parent) / SOC
    facts: dict[str, Json] = {}
    if exists(soc):
        architecture, answer = simulator_architecture(str(soc), environ)
        how = f"{soc}, read by tt-umd"
        name, value = ("architecture", architecture) if architecture else (UMD, answer.problem)
        facts[name] = fact(value, how)
    return Hardware(SIMULATOR, found_by, 1, "simulator", facts)


def _mock(path: Path, environ: Mapping[str, str], *, thorough: bool) -> Hardware:
    found_by = f"the description {MOCK_VARIABLE}={path}"
    if not os.path.isfile(path):  # noqa: PTH113  # unlike Path.is_file, it never raises
        return Hardware(UNKNOWN, f"{found_by}, which is not a file", kind="mock")
    reports = [umd_report("describe", str(path), environ)]
    if thorough or reports[0].name == UNKNOWN:
        reports.append(ttnn_report(environ))
    chosen = most_trusted(reports)
    name, how = (chosen.name, chosen.how) if chosen else (UNKNOWN, "nothing installed here can read it")
    return Hardware(name, f"{found_by}; {how}", 0, "mock", facts_of(reports))


def _silicon(
    devices: Sequence[Device], places: Places, environ: Mapping[str, str], *, thorough: bool
) -> Hardware:
    visible = visible_devices(devices, environ.get(VISIBLE_VARIABLE, ""))
    reports = _all_reports(visible, environ, thorough=thorough)
    chosen = most_trusted(reports)
    facts = facts_of(reports) | _driver_fact(places)
    if users := _users(devices):
        facts["used by"] = fact(list(users), USERS)
    if closed := [device.path for device in visible if not device.usable]:
        facts["not permitted"] = fact(closed, "this user does not have permission to read and write them")
    if bare := sorted(set(find_on_bus(places)) - {device.pci for device in devices}):
        facts["no device file"] = fact(bare, f"{places.sys}/bus/pci/devices")
    found_by = describe_devices(places.devices)
    if len(visible) < len(devices):
        facts["visible"] = fact([device.number for device in visible], VISIBLE_VARIABLE)
        found_by += f", {len(visible)} of them visible ({VISIBLE_VARIABLE})"
    if chosen is None:
        return Hardware(UNKNOWN, found_by, len(visible), facts=facts)
    known = next(item for item in reports if not item.problem)
    return Hardware(chosen.name, f"{found_by}; {chosen.how}", known.chips, facts=facts)


def _all_reports(
    devices: Sequence[Device], environ: Mapping[str, str], *, thorough: bool
) -> list[SourceReport]:
    """Return the sources' reports on the machine's boards, the most trusted first."""
    driver = driver_report(devices)
    if users := _users(devices):
        others = f"process{'' if len(users) == 1 else 'es'} {', '.join(map(str, users))}"
        reason = f"not asked: {others} {'has' if len(users) == 1 else 'have'} a device open"
        return [SourceReport(UMD, USERS, problem=reason), driver, SourceReport(TTNN, USERS, problem=reason)]
    if driver.name != UNKNOWN and not thorough:
        reason = "not asked: the driver already named the cards"
        return [
            SourceReport(UMD, driver.how, problem=reason),
            driver,
            SourceReport(TTNN, driver.how, problem=reason),
        ]
    umd = umd_report("discover", "", environ)
    if umd.name != UNKNOWN and not thorough:
        return [umd, driver, SourceReport(TTNN, umd.how, problem="not asked: tt-umd already answered")]
    return [umd, driver, ttnn_report(environ)]


def _users(devices: Sequence[Device]) -> tuple[int, ...]:
    return tuple(sorted({user for device in devices for user in device.users}))


def visible_devices(devices: Sequence[Device], wanted: str) -> Sequence[Device]:
    """Return the devices that tt-umd and ttnn would use; ``wanted`` has numbers or parts of PCI addresses."""
    words = [word.strip() for word in wanted.split(",") if word.strip()]
    chosen = [
        device
        for device in devices
        if any(word == str(device.number) if word.isdecimal() else word in device.pci for word in words)
    ]
    return chosen if words else devices


def _driver_fact(places: Places) -> dict[str, Json]:
    version = driver_version(places)
    return {"driver": fact(f"tt-kmd {version}", f"{places.sys}/module/tenstorrent")} if version else {}
