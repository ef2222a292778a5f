"""Opening a session's chips so that a learner knows what happens, and closing them whatever happens."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lesson_ct4.device import faults
from lesson_ct4.device.mesh import Chips, TooFewChipsError
from lesson_runner.model.errors import HardwareError
from lesson_tenstorrent import busy, devices

if TYPE_CHECKING:
    from lesson_ct4.device.session import Session

Note = Callable[[str], None]
"""Gets a sentence worth showing."""


def open_chips(session: Session, note: Note) -> None:
    """
    Open the chips; a second time if the first try ran out of time.

    Raises:
        HardwareError: they do not open.
    """
    if session.info["kind"] == "silicon":
        _name_holders(note)
    for last in (False, True):
        try:
            # ttml prints what it thinks of the mesh; standard output is for lessons, and for JSON.
            with contextlib.redirect_stdout(sys.stderr):
                session.chips.open()
            return
        except RuntimeError as error:
            if session.info["kind"] != "emulated":
                _require_chips(session)
            fault = faults.find_fault(error, faults.OPEN_FAULTS)
            if fault is None:
                raise HardwareError(
                    f"the device does not open: {faults.gist(error)}",
                    fix=f"end other programs that use the board, reset it with {faults.RESET}, and try again",
                ) from error
            if last or not fault.passes:
                raise faults.explained(error, fault) from error
            note(f"{fault.message}: {faults.gist(error)}. It is tried once more; if that fails: {fault.fix}")
            with contextlib.suppress(Exception):
                session.chips.close()


def _name_holders(note: Note) -> None:
    """Name the processes that have the board open: until they end, opening it waits and says nothing."""
    holders = busy.find_holders(devices.DEVICES)[0] if busy.PROC.is_dir() else []
    for holder in holders:
        note(
            f"process {holder.pid} ({holder.name}) has {holder.files} open; "
            f"this waits until it ends, or until you end it: kill {holder.pid}"
        )


def _require_chips(session: Session) -> None:
    """
    Compare a mesh that did not open with the chips there are.

    Not before: asking starts tt-metal, which reads the mesh graph descriptor only then, and for some sizes
    it is the opening that names one.
    """
    found = session.chips.count
    with contextlib.suppress(AttributeError, RuntimeError):  # some versions cannot tell
        found = session.ttnn.get_num_devices() if found > 1 else found
    if found < session.chips.count:
        raise TooFewChipsError(session.chips.count, found)


def close_chips(chips: Chips) -> None:
    """Close the chips; that this fails is told only if nothing else has gone wrong."""
    failing = sys.exc_info()[0] is not None
    try:
        chips.close()
    except Exception as error:
        if not failing:
            raise HardwareError(
                f"the device does not close: {faults.gist(error)}",
                fix=f"the results are whole; reset the board before the next run: {faults.RESET}",
            ) from error


@contextlib.contextmanager
def terminable() -> Iterator[None]:
    """Let SIGTERM end what is inside as Ctrl-C does, so that the device is closed; a second one kills."""
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
