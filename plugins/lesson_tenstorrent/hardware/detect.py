"""
What hardware this machine has, by the sources that can tell, in this order.

1. Variables: ``TT_METAL_SIMULATOR`` puts a simulator in the place of the boards, and
   ``TT_METAL_MOCK_CLUSTER_DESC_PATH`` a description on which nothing can run. ttnn obeys them, and the first
   wins over the second.
2. The driver's device files. Where there are none, nothing is asked and no process is started.
3. What the driver shows of each device in ``/sys``, which opens none.
4. tt-umd's topology discovery, which opens the devices and reads from them; then ttnn, which also
   initialises them. They are asked if the name is not known yet, or if everything is wanted
   (``lesson hw``), and only while no other process has a device open: the traffic could disturb its work, and
   ttnn would wait for it to end.

Of sources that disagree tt-umd counts most, because it asks the chips, then the driver, then ttnn.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from lesson_runner.model import Hardware, Json
from lesson_tenstorrent.devices import DEVICES, describe_devices, hardware_of
from lesson_tenstorrent.hardware.combine import best, fact, facts_of
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
    Seen,
    see_driver,
    see_simulator,
    see_ttnn,
    see_umd,
)

SIMULATOR_VARIABLE = "TT_METAL_SIMULATOR"
MOCK_VARIABLE = "TT_METAL_MOCK_CLUSTER_DESC_PATH"
VISIBLE_VARIABLE = "TT_VISIBLE_DEVICES"
USERS = "the driver's lists of processes in /proc/driver/tenstorrent"
DEVICE_FILES = (str(DEVICES), "/dev/hugepages", "/dev/hugepages-1G")
"""What programs open: the boards, and the huge pages through which they exchange data."""
PATH_VARIABLES = ("TT_METAL_HOME", "TT_METAL_RUNTIME_ROOT", SIMULATOR_VARIABLE)
PACKAGES = ("ttnn", "ttml")
SOC = "soc_descriptor.yaml"
"""What describes a simulator's chip, beside or inside the simulator."""


def detect(
    places: Places | None = None, *, thorough: bool = False, environ: Mapping[str, str] | None = None
) -> Hardware:
    """
    Return the hardware of this machine.

    Args:
        places: where the system tells about itself.
        thorough: ask every source, also where the name is known without.
        environ: the variables; those of this process if left out.
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
    why = "the driver (tt-kmd) made no device file" if driver else "the driver (tt-kmd) is not loaded"
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
        architecture, answer = see_simulator(str(soc), environ)
        how = f"{soc}, read by tt-umd"
        name, value = ("architecture", architecture) if architecture else (UMD, answer.problem)
        facts[name] = fact(value, how)
    return Hardware(SIMULATOR, found_by, 1, "simulator", facts)


def _mock(path: Path, environ: Mapping[str, str], *, thorough: bool) -> Hardware:
    found_by = f"the description {MOCK_VARIABLE}={path}"
    if not os.path.isfile(path):  # noqa: PTH113  # unlike Path.is_file, it never raises
        return Hardware(UNKNOWN, f"{found_by}, which is not a file", kind="mock")
    seen = [see_umd("describe", str(path), environ)]
    if thorough or seen[0].name == UNKNOWN:
        seen.append(see_ttnn(environ))
    chosen = best(seen)
    name, how = (chosen.name, chosen.how) if chosen else (UNKNOWN, "nothing here can read it")
    return Hardware(name, f"{found_by}; {how}", 0, "mock", facts_of(seen))


def _silicon(
    devices: Sequence[Device], places: Places, environ: Mapping[str, str], *, thorough: bool
) -> Hardware:
    visible = visible_devices(devices, environ.get(VISIBLE_VARIABLE, ""))
    seen = _ask_all(visible, environ, thorough=thorough)
    chosen = best(seen)
    facts = facts_of(seen) | _driver_fact(places)
    if users := _users(devices):
        facts["used by"] = fact(list(users), USERS)
    if closed := [device.path for device in visible if not device.usable]:
        facts["not permitted"] = fact(closed, "this user may not read and write them")
    if bare := sorted(set(find_on_bus(places)) - {device.pci for device in devices}):
        facts["no device file"] = fact(bare, f"{places.sys}/bus/pci/devices")
    found_by = describe_devices(places.devices)
    if len(visible) < len(devices):
        facts["visible"] = fact([device.number for device in visible], VISIBLE_VARIABLE)
        found_by += f", {len(visible)} of them visible ({VISIBLE_VARIABLE})"
    if chosen is None:
        return Hardware(UNKNOWN, found_by, len(visible), facts=facts)
    known = next(item for item in seen if not item.problem)
    return Hardware(chosen.name, f"{found_by}; {chosen.how}", known.chips, facts=facts)


def _ask_all(devices: Sequence[Device], environ: Mapping[str, str], *, thorough: bool) -> list[Seen]:
    """Return what the sources say of a machine's own boards, the most trusted first."""
    driver = see_driver(devices)
    if users := _users(devices):
        others = f"process{'' if len(users) == 1 else 'es'} {', '.join(map(str, users))}"
        reason = f"not asked: {others} {'has' if len(users) == 1 else 'have'} a device open"
        return [Seen(UMD, USERS, problem=reason), driver, Seen(TTNN, USERS, problem=reason)]
    if driver.name != UNKNOWN and not thorough:
        reason = "not asked: the driver says what the cards are"
        return [Seen(UMD, driver.how, problem=reason), driver, Seen(TTNN, driver.how, problem=reason)]
    umd = see_umd("discover", "", environ)
    if umd.name != UNKNOWN and not thorough:
        return [umd, driver, Seen(TTNN, umd.how, problem="not asked: tt-umd has answered")]
    return [umd, driver, see_ttnn(environ)]


def _users(devices: Sequence[Device]) -> tuple[int, ...]:
    return tuple(sorted({user for device in devices for user in device.users}))


def visible_devices(devices: Sequence[Device], wanted: str) -> Sequence[Device]:
    """Return the devices that tt-umd and ttnn would use: numbers of devices, or parts of PCI addresses."""
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
