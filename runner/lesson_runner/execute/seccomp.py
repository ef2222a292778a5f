"""
System calls that a sandbox refuses, as a program for the kernel's filter (seccomp, classic BPF).

bubblewrap takes such a program and brings none. Refused are those that reach something outside which no
namespace hides: keys of the caller's keyrings, and, where there is no network, sockets of the file system,
whose servers hear everybody who can see them. ``io_uring`` does the same by other ways. What only widens
what a fault in the kernel opens (namespaces and mounts of one's own, BPF, ...) is refused as well.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

AF_UNIX = 1
CLONE_NEWUSER = 0x10000000
_LOAD, _EQUAL, _MASKED, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000


@dataclass(frozen=True, slots=True)
class _Machine:
    """What the kernel calls a kind of processor, and the numbers of its system calls."""

    audit: int
    socket: int
    clone: int
    refused: tuple[int, ...]
    """``add_key``, ``request_key``, ``keyctl``, ``bpf``, ``userfaultfd``, ``perf_event_open``,
    ``kexec_load``, ``mount``, ``umount2``, ``pivot_root``, ``unshare``, ``setns``, ``open_by_handle_at``."""


_MACHINES = {
    "x86_64": _Machine(0xC000003E, 41, 56, (248, 249, 250, 321, 323, 298, 246, 165, 166, 155, 272, 308, 304)),
    "aarch64": _Machine(0xC00000B7, 198, 220, (217, 218, 219, 280, 282, 241, 104, 40, 39, 41, 97, 268, 265)),
}
_EVERYWHERE = (*range(425, 434), 442)
"""``io_uring_setup`` to ``fspick``, and ``mount_setattr``: newer calls have one number on all machines."""
_CLONE3 = 435
_X32 = 0x40000000
"""In the numbers of another way to call an x86_64 kernel."""


def filter_program(*, network: bool, machine: str | None = None) -> bytes | None:
    """
    Return the filter, or ``None`` for a kind of processor whose numbers are not known here.

    Args:
        network: sockets of the file system may be used.
        machine: as :func:`platform.machine` says it; by default this one's.
    """
    known = _MACHINES.get(machine or platform.machine())
    return None if known is None else b"".join(_program(known, network=network))


def _program(machine: _Machine, *, network: bool) -> Iterator[bytes]:
    yield _step(_LOAD, _ARCHITECTURE)
    yield _step(_EQUAL, machine.audit, yes=1)
    yield _step(_RETURN, _REFUSE | errno.ENOSYS)  # 32-bit programs have other numbers
    yield _step(_LOAD, _NUMBER)
    yield _step(_MASKED, _X32, no=1)
    yield _step(_RETURN, _REFUSE | errno.ENOSYS)
    yield from _refuse((*machine.refused, *_EVERYWHERE), errno.EPERM)
    yield from _refuse(
        (_CLONE3,), errno.ENOSYS
    )  # its flags lie where no filter can look; libraries use clone
    if not network:
        yield _step(_EQUAL, machine.socket, no=4)
        yield _step(_LOAD, _FIRST_ARGUMENT)
        yield _step(_EQUAL, AF_UNIX, no=1)
        yield _step(_RETURN, _REFUSE | errno.EACCES)
        yield _step(_RETURN, _ALLOW)
    yield _step(_EQUAL, machine.clone, no=3)
    yield _step(_LOAD, _FIRST_ARGUMENT)
    yield _step(_MASKED, CLONE_NEWUSER, no=1)
    yield _step(_RETURN, _REFUSE | errno.EPERM)
    yield _step(_RETURN, _ALLOW)


def _refuse(numbers: Iterable[int], error: int) -> Iterator[bytes]:
    for number in numbers:
        yield _step(_EQUAL, number, no=1)
        yield _step(_RETURN, _REFUSE | error)


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """Return one instruction; ``yes`` and ``no``: how many to skip, of one that compares."""
    return struct.pack("=HBBI", code, yes, no, value)
