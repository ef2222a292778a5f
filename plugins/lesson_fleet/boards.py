"""
The boards of one machine: the devices of each board, and locks so that one lesson at a time uses a board.

Ray counts boards but does not know which one a task uses. Each device has a file that is locked while a
lesson uses it. The system releases the lock when the last process that holds it ends, for whatever reason; so
the board of a lost worker becomes free when the lesson's processes are gone, and not before.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from lesson_fleet.cells import PRETENDED
from lesson_runner.model.errors import HardwareError, LessonError
from lesson_runner.plugins.context import LABELS
from lesson_tenstorrent.hardware.detect import (
    MOCK_VARIABLE,
    SIMULATOR_VARIABLE,
    VISIBLE_VARIABLE,
    visible_devices,
)
from lesson_tenstorrent.hardware.naming import BOARDS, ON_PCI, board_name
from lesson_tenstorrent.hardware.places import Device, Places, find_devices

TICK = 0.1
WAIT = 60.0
"""Seconds that a lesson waits for the processes of a lost lesson to release its board."""


@dataclass(frozen=True, slots=True)
class Board:
    """A board of this machine."""

    name: str
    """The numbers of its devices, or ``pretended 1`` for the first pretended board."""
    locks: tuple[str, ...]
    """The names of the files to lock, in the order in which every process locks them."""
    visible: str | None = None
    """The value of ``TT_VISIBLE_DEVICES`` with which a process sees only this board; ``None``: unchanged."""


def pretended_boards(hardware: str, count: int, node: str) -> list[Board]:
    """Return the pretended boards of one of Ray's nodes; a machine may have several nodes."""
    return [
        Board(f"{PRETENDED} {number}", (f"{node}-{hardware}-{number}",)) for number in range(1, count + 1)
    ]


def real_boards(
    hardware: str, count: int, places: Places | None = None, environ: Mapping[str, str] | None = None
) -> list[Board]:
    """
    Return this machine's boards of one kind.

    Args:
        hardware: the kind, as lessons write it.
        count: how many boards of it this machine has, as declared to Ray.
        places: where the system describes its devices.
        environ: the environment variables; those of this process by default.

    Raises:
        HardwareError: there are several boards, and the driver does not say which devices they have.
    """
    environ = os.environ if environ is None else environ
    devices = visible_devices(find_devices(places or Places()), environ.get(VISIBLE_VARIABLE, ""))
    found = _boards(hardware, devices)
    others = len(devices) - sum(len(board) for board in found)
    if count == 1 and (len(found) <= 1 and not (found and others)):
        # It is the machine's only board, or the whole machine (t3k): there is nothing to hide.
        numbers = [device.number for device in devices]
        name = ",".join(map(str, numbers)) or hardware
        return [Board(name, tuple(f"device-{number}" for number in numbers) or (hardware,))]
    if len(found) < count:
        raise HardwareError(
            f"Ray was told that this machine has {count} {hardware}, but the driver shows {len(found)}",
            fix="start the worker with the right number in --resources; if the driver (tt-kmd) is too old to "
            "tell its devices apart, start one worker for each board, each with its own TT_VISIBLE_DEVICES",
        )
    return [_board(board) for board in found[:count]]


def _board(devices: Sequence[Device]) -> Board:
    numbers = ",".join(str(device.number) for device in devices)
    return Board(numbers, tuple(f"device-{device.number}" for device in devices), numbers)


def _boards(hardware: str, devices: Iterable[Device]) -> list[list[Device]]:
    """Return the devices of each board of a kind; empty for a whole system (t3k)."""
    if hardware not in BOARDS or hardware not in ON_PCI:
        return []
    boards: dict[str, list[Device]] = {}
    for number, device in enumerate(item for item in devices if board_name(item.card) == hardware):
        # Chips of one board share its serial number; without one, they have consecutive numbers.
        boards.setdefault(device.serial or f"#{number // ON_PCI[hardware]}", []).append(device)
    return list(boards.values())


def locks_folder() -> Path:
    """Return the folder of this user's locks, the same for every worker of the machine."""
    return Path(tempfile.gettempdir()) / f"lesson-fleet-{os.getuid()}"


@contextmanager
def hold_board(boards: Sequence[Board], seconds: float = WAIT) -> Iterator[tuple[Board, list[int]]]:
    """
    Lock a free board while the block runs; yield it and the file descriptors that lock it.

    A process that inherits the descriptors keeps the board locked after this one has died.

    Args:
        boards: the boards to choose from.
        seconds: how long to wait for a free one.

    Raises:
        HardwareError: other processes hold all of them.
    """
    end = time.monotonic() + seconds
    while True:
        for board in boards:
            if (held := _lock(board.locks)) is not None:
                try:
                    yield board, held
                finally:
                    for descriptor in held:
                        os.close(descriptor)
                return
        if time.monotonic() >= end:
            names = ", ".join(board.name for board in boards)
            raise HardwareError(
                f"the processes of an earlier lesson still hold the board ({names})",
                fix=f"end them ('fuser {locks_folder()}/*' lists them), or restart the machine",
            )
        time.sleep(TICK)


def _lock(names: Iterable[str]) -> list[int] | None:
    """Lock all of some files and return their descriptors; if one is locked already, return ``None``."""
    folder, held = locks_folder(), list[int]()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in names:
            held.append(os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            fcntl.flock(held[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        for descriptor in held:
            os.close(descriptor)
        return None
    except OSError as error:
        for descriptor in held:
            os.close(descriptor)
        raise LessonError(f"{folder}: cannot be written: {error.strerror or error}") from None
    return held


def wait_until_free(boards: Iterable[Board], seconds: float) -> None:
    """Wait until all of some boards are free, or the time is over."""
    end = time.monotonic() + seconds
    for board in boards:
        with suppress(HardwareError), hold_board([board], max(0.0, end - time.monotonic())):
            pass


def remove_locks(boards: Iterable[Board]) -> None:
    """Remove the lock files of boards that will not be used again."""
    for board in boards:
        for name in board.locks:
            (locks_folder() / name).unlink(missing_ok=True)


def environment(
    board: Board, hardware: str, *, pretended: bool, places: Places | None = None
) -> dict[str, str]:
    """
    Return the environment variables of a lesson's process.

    Ray's variables are left out: they may contain the cluster's token, and a lesson is other people's code.
    For a pretended board, labels are added, and a description of a mock board hides real boards.
    """
    variables = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    variables.pop(LABELS, None)
    if variables.get("PYTHONBREAKPOINT", "").startswith("ray."):
        del variables["PYTHONBREAKPOINT"]
    if board.visible is not None:
        variables[VISIBLE_VARIABLE] = board.visible
    if pretended:
        variables[LABELS] = f"emulated,{PRETENDED} {hardware}"
        variables.pop(SIMULATOR_VARIABLE, None)
        if find_devices(places or Places()):
            variables[MOCK_VARIABLE] = f"{PRETENDED}-{hardware}"
    return variables
