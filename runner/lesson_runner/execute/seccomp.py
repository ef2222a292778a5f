"""
Build the seccomp filter (classic BPF) of system calls that a sandbox refuses.

bubblewrap accepts such a filter but does not include one. It refuses calls that reach outside the sandbox
where no namespace helps: the caller's keyrings and, without network, all sockets except IP and netlink. Any
process that sees a file system socket can connect to its server; ``AF_VSOCK`` reaches the host of a virtual
machine; ``io_uring`` offers other ways to make these calls. A setuid file would let other users of the
machine act as this user. The filter also refuses calls that only enlarge the attack surface of the kernel
(new namespaces and mounts, BPF, ...).
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

FAMILIES = (2, 10, 16)
"""``AF_INET``, ``AF_INET6`` and ``AF_NETLINK``: a network namespace isolates these."""
PAIRS = (1, 5)
"""``SOCK_STREAM`` and ``SOCK_SEQPACKET``: a pair of datagram sockets can also send to other sockets."""
SETUID = 0o4000
CLONE_NEWUSER = 0x10000000
_LOAD, _AND, _EQUAL, _MASKED, _RETURN = 0x20, 0x54, 0x15, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000


@dataclass(frozen=True, slots=True)
class _Machine:
    """A processor architecture: its number in the kernel, and the numbers of its system calls."""

    audit: int
    socket: int
    socketpair: int
    clone: int
    refused: tuple[int, ...]
    """``add_key``, ``request_key``, ``keyctl``, ``bpf``, ``userfaultfd``, ``perf_event_open``,
    ``kexec_load``, ``mount``, ``umount2``, ``pivot_root``, ``unshare``, ``setns``, ``open_by_handle_at``."""
    modes: Mapping[int, int]
    """Calls with a file mode, and which argument it is."""


_MACHINES = {
    "x86_64": _Machine(
        *(0xC000003E, 41, 53, 56, (248, 249, 250, 321, 323, 298, 246, 165, 166, 155, 272, 308, 304)),
        # open, creat, chmod, fchmod, mknod, openat, mknodat, fchmodat
        {2: 2, 85: 1, 90: 1, 91: 1, 133: 1, 257: 3, 259: 2, 268: 2},
    ),
    "aarch64": _Machine(
        *(0xC00000B7, 198, 199, 220, (217, 218, 219, 280, 282, 241, 104, 40, 39, 41, 97, 268, 265)),
        {33: 2, 52: 1, 53: 2, 56: 3},  # mknodat, fchmod, fchmodat, openat
    ),
}
_EVERYWHERE = (*range(425, 434), 442)
"""``io_uring_setup`` to ``fspick``, and ``mount_setattr``: the same numbers on all architectures."""
_HIDING = (435, 437)
"""``clone3`` and ``openat2``: a filter cannot read their flags; libraries fall back to the older calls."""
_FCHMODAT2 = 452
_X32 = 0x40000000
"""Marks the call numbers of the x32 interface of an x86_64 kernel."""


def filter_program(*, network: bool, machine: str | None = None) -> bytes | None:
    """
    Return the filter, or ``None`` for an unknown processor architecture.

    Args:
        network: allow file system sockets.
        machine: an architecture as in :func:`platform.machine`; by default that of this machine.
    """
    known = _MACHINES.get(machine or platform.machine())
    return None if known is None else b"".join(_program(known, network=network))


def _program(machine: _Machine, *, network: bool) -> Iterator[bytes]:
    yield _step(_LOAD, _ARCHITECTURE)
    yield _step(_EQUAL, machine.audit, yes=1)
    yield _step(_RETURN, _REFUSE | errno.ENOSYS)  # 32-bit programs use other call numbers
    yield _step(_LOAD, _NUMBER)
    yield _step(_MASKED, _X32, no=1)
    yield _step(_RETURN, _REFUSE | errno.ENOSYS)
    yield from _refuse((*machine.refused, *_EVERYWHERE), errno.EPERM)
    yield from _refuse(_HIDING, errno.ENOSYS)
    for number, place in {**machine.modes, _FCHMODAT2: 2}.items():
        yield from _refuse_bits(number, place, SETUID)
    yield from _refuse_bits(machine.clone, 0, CLONE_NEWUSER)
    if not network:
        yield from _only(machine.socket, 0, FAMILIES)
        yield from _only(machine.socketpair, 1, PAIRS)
    yield _step(_RETURN, _ALLOW)


def _refuse(numbers: Iterable[int], error: int) -> Iterator[bytes]:
    for number in numbers:
        yield _step(_EQUAL, number, no=1)
        yield _step(_RETURN, _REFUSE | error)


def _refuse_bits(number: int, place: int, bits: int) -> Iterator[bytes]:
    """Yield instructions that refuse a call with one of ``bits`` set in an argument."""
    yield _step(_EQUAL, number, no=4)
    yield _step(_LOAD, _ARGUMENTS + 8 * place)
    yield _step(_MASKED, bits, no=1)
    yield _step(_RETURN, _REFUSE | errno.EPERM)
    yield _step(_RETURN, _ALLOW)


def _only(number: int, place: int, values: Sequence[int]) -> Iterator[bytes]:
    """Yield instructions that refuse a call whose argument, without flags, is not one of ``values``."""
    yield _step(_EQUAL, number, no=len(values) + 4)
    yield _step(_LOAD, _ARGUMENTS + 8 * place)
    yield _step(_AND, 0xFF)
    for left, value in enumerate(values):
        yield _step(_EQUAL, value, yes=len(values) - left)
    yield _step(_RETURN, _REFUSE | errno.EACCES)
    yield _step(_RETURN, _ALLOW)


def _step(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """Return one instruction; a comparison skips ``yes`` or ``no`` instructions."""
    return struct.pack("=HBBI", code, yes, no, value)
