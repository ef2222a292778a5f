"""
Known faults of boards: how to recognise them in tt-metal's messages, and how to fix them.

tt-metal raises nearly all errors as ``RuntimeError`` with a long text (source location, condition, ``info:``,
backtrace). Faults are recognised by phrases from the sources of tt-metal, UMD and ttml. The whole text is
searched, because the position of the phrases differs between versions.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lesson_runner.model.errors import HardwareError, LessonError

MAX_SHOWN = 300
"""Maximum number of characters of tt-metal's text to include in a message."""
RESET = "tt-smi -r"


@dataclass(frozen=True, slots=True)
class Fault:
    """A known fault."""

    name: str
    sign: str
    """A regular expression to search for in the error's text."""
    message: str
    fix: str
    kind: type[LessonError] = HardwareError
    transient: bool = False
    """Whether a retry may succeed."""


IMPORT_FAULTS: Sequence[Fault] = (
    Fault(
        "stale-ttnn",
        r"bad_cast",
        "ttml does not import",
        "ttnn was built before tt-train: rebuild both together with "
        "./build_metal.sh --clean && ./build_metal.sh --build-tt-train",
    ),
    Fault(
        "pip-ttnn",
        r"undefined symbol",
        "ttml does not import",
        "a ttnn from pip shadows the built one: pip uninstall ttnn",
    ),
)
"""Faults while importing ``ttnn`` and ``ttml``."""

OPEN_FAULTS: Sequence[Fault] = (
    Fault(
        "no-chips",
        r"No chips detected in the cluster|num_chips > 0",
        "tt-metal finds no chip",
        "check that the driver shows the board (ls /dev/tenstorrent) and that tt-smi lists it; "
        "in a container, pass --device /dev/tenstorrent; TT_METAL_VISIBLE_DEVICES must not hide it",
    ),
    Fault(
        "same-process",
        r"open_device was called after the device was created",
        "this process already has the device open",
        f"close it first; if no run in this process uses it, run {RESET} and start a new process",
    ),
    Fault(
        "in-use",
        r"CHIP_IN_USE|Failed to allocate the TLB|stale process holding sysmem|Sysmem mapped at unexpected",
        "another program has the board open",
        f"find that program with fuser -v /dev/tenstorrent/*, end it, then {RESET}",
    ),
    Fault(
        "too-many",
        r"requested_size <= system_size|requested more devices than available",
        "--mesh asks for more chips than tt-metal finds",
        "use fewer chips; tt-smi lists the available ones",
    ),
    Fault(
        "fabric",
        r"Fabric Router Sync|Mesh shape mismatch|[Mm]esh [Gg]raph|\bMGD\b|RING topology",
        "the links between the chips (the fabric) cannot be set up in the requested shape",
        "select a mesh graph descriptor of that shape: export TT_MESH_GRAPH_DESC_PATH=FILE. tt-metal only "
        "selects one itself for 8 and 32 chips; for the 2 chips of a P300 use its "
        "p300_mesh_graph_descriptor.textproto (in tt_metal/fabric/mesh_graph_descriptors); "
        "for 4 Blackhole chips write one with dims [1, 4]; "
        f"then {RESET}",
    ),
    Fault(
        "timeout",
        r"[Tt]imed out (while )?waiting|Timeout \(?\d+ ?ms\)?|waiting for physical cores"
        r"|failed to initialize FW|ARC core .* failed to start",
        "the board does not answer in time (often an Ethernet core that the last program left running)",
        f"end other programs that use the board (fuser -v /dev/tenstorrent/*), then {RESET}; "
        "if that does not help, power the machine off and on",
        transient=True,
    ),
)
"""Faults while opening the device."""

RUN_FAULTS: Sequence[Fault] = (
    Fault(
        "device-memory",
        r"Out of Memory: Not enough space",
        "the device's memory is full",
        "halve --batch_size; if that is not enough, a shorter --sequence_length or a smaller --n_embd",
        LessonError,
    ),
    Fault(
        "machine-memory",
        r"DefaultCPUAllocator: can't allocate memory",
        "this machine's memory is full",
        "close other programs, or use a smaller --batch_size",
        LessonError,
    ),
    Fault(
        "core-memory",
        r"circular buffers .*(beyond max L1 size|clash with L1 buffers)",
        "an operation needs more local memory (L1) than a core has",
        "use a smaller --n_embd, a shorter --sequence_length, or another version of tt-metal",
        LessonError,
    ),
    Fault(
        "hang",
        r"device timeout|potential hang detected|[Tt]imed out (while )?waiting|NOC hang|NocHang"
        r"|waiting for physical cores|Fabric Router Sync",
        "the device stopped answering",
        f"{RESET}, and run it again; saved checkpoints are intact. If it stops at the same step again, "
        "it is a fault of tt-metal or of the board",
    ),
    Fault(
        "several-chips",
        r"[Cc]an.?t get a single buffer from host storage distributed over mesh",
        "a value on several chips was read like a value on one chip",
        "train on one chip (leave out --mesh), and report it: this version of ttml reads meshes differently",
    ),
)
"""Faults while training or generating."""

_ANY = re.compile(r"TT_FATAL|TT_THROW|TT_ASSERT")
_MEMORY = re.compile(
    r"allocate \d+ B (?P<kind>\w+) buffer .*?each bank needs to store (?P<wanted>\d+) B"
    r"(?:.*?largest free block: (?P<free>\d+) B)?",
    re.DOTALL,
)


def gist(error: BaseException) -> str:
    """Return an error's text without source location and backtrace; never empty."""
    text = str(error).strip()
    if "info:" in text:
        text = text.split("info:", 1)[1]
    text = text.split("backtrace:", 1)[0]
    words = " ".join(text.split())
    if len(words) > MAX_SHOWN:
        words = f"{words[:MAX_SHOWN]}…"
    return words or type(error).__name__


def find_fault(error: BaseException, faults: Sequence[Fault]) -> Fault | None:
    """Return the first fault that matches the error's text; the backtrace is not searched."""
    text = str(error).split("backtrace:", 1)[0]
    return next((fault for fault in faults if re.search(fault.sign, text, re.DOTALL)), None)


def explained(error: BaseException, fault: Fault) -> LessonError:
    """Return the error to show the user for a known fault."""
    detail = _in_megabytes(error) if fault.name == "device-memory" else gist(error)
    return fault.kind(f"{fault.message}: {detail}", fix=fault.fix)


def _in_megabytes(error: BaseException) -> str:
    found = _MEMORY.search(str(error))
    if not found:
        return gist(error)
    wanted = f"each bank of {found['kind']} needs {_megabytes(found['wanted'])} more"
    return f"{wanted}, its largest free block has {_megabytes(found['free'])}" if found["free"] else wanted


def _megabytes(count: str) -> str:
    return f"{int(count) / 1e6:,.1f} MB"


@contextlib.contextmanager
def explaining() -> Iterator[None]:
    """
    Turn errors of tt-metal inside the block into errors with a fix; other errors pass unchanged.

    Raises:
        LessonError: the device or machine is out of memory.
        HardwareError: the device, or tt-metal, failed.
    """
    try:
        yield
    except MemoryError as error:
        raise LessonError(
            f"this machine's memory is full{f': {gist(error)}' if str(error) else ''}",
            fix="close other programs, or use a smaller --batch_size",
        ) from error
    except RuntimeError as error:
        fault = find_fault(error, RUN_FAULTS)
        if fault:
            raise explained(error, fault) from error
        if _ANY.search(str(error)):
            raise HardwareError(
                f"tt-metal stopped with an error: {gist(error)}",
                fix=f"{RESET}, and run it again; if that does not help, report it to tt-metal "
                "with the text above",
            ) from error
        raise
