"""Open the chips, telling the learner what happens, and always close them."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from lesson_ct4.device import faults
from lesson_ct4.device.mesh import Chips, TooFewChipsError
from lesson_runner.model.errors import HardwareError
from lesson_tenstorrent import busy, devices

Note = Callable[[str], None]
"""Called with a sentence to show the user."""


def open_chips(chips: Chips, kind: str, ttnn: Any, note: Note) -> None:
    """
    Open the chips, and retry once after a timeout.

    Args:
        kind: ``silicon``, ``simulator`` or ``emulated``.
        ttnn: the module, which counts the chips if a mesh does not open.

    Raises:
        HardwareError: the chips do not open.
    """
    if kind == "silicon":
        _name_holders(note)
    for last in (False, True):
        try:
            # ttml prints the mesh it found; standard output is for the lesson and for JSON.
            with contextlib.redirect_stdout(sys.stderr):
                chips.open()
            return
        except RuntimeError as error:
            if kind != "emulated":
                _require_chips(chips, ttnn)
            fault = faults.find_fault(error, faults.OPEN_FAULTS)
            if fault is None:
                raise HardwareError(
                    f"the device does not open: {faults.gist(error)}",
                    fix=f"end other programs that use the board, reset it with {faults.RESET}, and try again",
                ) from error
            if last or not fault.transient:
                raise faults.explained(error, fault) from error
            note(f"{fault.message}: {faults.gist(error)}. Retrying once. If that fails: {fault.fix}")
            with contextlib.suppress(Exception):
                chips.close()


def _name_holders(note: Note) -> None:
    """Report the processes that have the board open: opening it waits silently until they end."""
    holders = busy.find_holders(devices.DEVICES)[0] if busy.PROC.is_dir() else []
    for holder in holders:
        note(
            f"process {holder.pid} ({holder.name}) has {holder.files} open; "
            f"waiting until it ends; to end it now: kill {holder.pid}"
        )


def _require_chips(chips: Chips, ttnn: Any) -> None:
    """
    Raise an error if a mesh that did not open needs more chips than there are.

    Call this only after opening has failed. Counting the chips starts tt-metal, which reads the mesh graph
    descriptor once; for some mesh sizes, opening selects that descriptor.
    """
    found = chips.count
    with contextlib.suppress(AttributeError, RuntimeError):  # some versions cannot count chips
        found = ttnn.get_num_devices() if found > 1 else found
    if found < chips.count:
        raise TooFewChipsError(chips.count, found)


def close_chips(chips: Chips) -> None:
    """Close the chips. A failure is raised only if no other exception is in flight."""
    failing = sys.exc_info()[0] is not None
    try:
        chips.close()
    except Exception as error:
        if not failing:
            raise HardwareError(
                f"the device does not close: {faults.gist(error)}",
                fix=f"the results are complete; reset the board before the next run: {faults.RESET}",
            ) from error


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Handle SIGTERM like Ctrl-C inside the block, so that the device is closed; a second SIGTERM kills."""
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def end(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
