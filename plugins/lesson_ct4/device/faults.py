"""
What goes wrong on a board, by the signs it shows: tt-metal's own words, and what a learner can do.

tt-metal raises nearly everything as ``RuntimeError`` with a text of several parts (where, which condition,
``info:``, a backtrace). The signs are phrases of tt-metal's, UMD's and ttml's sources. They are looked for
anywhere in the text, because where they stand in it has changed.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lesson_runner.model.errors import HardwareError, LessonError

MOST_SHOWN = 300
"""Characters of tt-metal's text that a message repeats."""
RESET = "tt-smi -r"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something known that can go wrong."""

    name: str
    sign: str
    """Regular expression, found in the error's text."""
    message: str
    fix: str
    kind: type[LessonError] = HardwareError
    passes: bool = False
    """It may be gone at the next try."""


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
"""While ``ttnn`` and ``ttml`` are imported."""

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
        "this process has the device open already",
        f"close it first; if no run of this process uses it, start anew after {RESET}",
    ),
    Fault(
        "in-use",
        r"CHIP_IN_USE|Failed to allocate the TLB|stale process holding sysmem|Sysmem mapped at unexpected",
        "another program has the board open",
        f"one program at a time: fuser -v /dev/tenstorrent/* names it; end it, then {RESET}",
    ),
    Fault(
        "too-many",
        r"requested_size <= system_size|requested more devices than available",
        "--mesh asks for more chips than tt-metal finds",
        "ask for fewer chips; tt-smi lists those there are",
    ),
    Fault(
        "fabric",
        r"Fabric Router Sync|Mesh shape mismatch|[Mm]esh [Gg]raph|\bMGD\b|RING topology",
        "the chips' links (the fabric) do not come up in the shape that is asked for",
        "name a mesh graph descriptor of that shape: export TT_MESH_GRAPH_DESC_PATH=FILE. tt-metal picks one "
        "by itself for 8 and 32 chips only; for the 2 chips of a P300 it has "
        "p300_mesh_graph_descriptor.textproto (below tt_metal/fabric/mesh_graph_descriptors), "
        "for 4 Blackhole chips write one with dims [1, 4]; "
        f"then {RESET}",
    ),
    Fault(
        "timeout",
        r"[Tt]imed out (while )?waiting|Timeout \(?\d+ ?ms\)?|waiting for physical cores"
        r"|failed to initialize FW|ARC core .* failed to start",
        "the board does not answer in time (often an Ethernet core that the last program left running)",
        f"end other programs that use the board (fuser -v /dev/tenstorrent/*), then {RESET}; "
        "if it goes on, power the machine off and on",
        passes=True,
    ),
)
"""While the device is opened."""

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
        "end other programs, or use a smaller --batch_size",
        LessonError,
    ),
    Fault(
        "core-memory",
        r"circular buffers .*(beyond max L1 size|clash with L1 buffers)",
        "an operation needs more of a core's own memory (L1) than it has",
        "a smaller --n_embd or a shorter --sequence_length; or another tt-metal version, "
        "whose operations cut their work differently",
        LessonError,
    ),
    Fault(
        "hang",
        r"device timeout|potential hang detected|[Tt]imed out (while )?waiting|NOC hang|NocHang"
        r"|waiting for physical cores|Fabric Router Sync",
        "the device stopped answering",
        f"{RESET}, and run it again: what was saved is whole; if it stops at the same step again, "
        "it is a fault of tt-metal or of the board",
    ),
    Fault(
        "several-chips",
        r"[Cc]an.?t get a single buffer from host storage distributed over mesh",
        "a value that lies on several chips was read as if it lay on one",
        "train on one chip (leave out --mesh), and report it: this version of ttml reads meshes differently",
    ),
)
"""While it trains or generates."""

_ANY = re.compile(r"TT_FATAL|TT_THROW|TT_ASSERT")
_MEMORY = re.compile(
    r"allocate \d+ B (?P<kind>\w+) buffer .*?each bank needs to store (?P<wanted>\d+) B"
    r"(?:.*?largest free block: (?P<free>\d+) B)?",
    re.DOTALL,
)


def gist(error: BaseException) -> str:
    """Return what an error's text says, without where it was raised and without a backtrace; never empty."""
    text = str(error).strip()
    if "info:" in text:
        text = text.split("info:", 1)[1]
    text = text.split("backtrace:", 1)[0]
    words = " ".join(text.split())
    if len(words) > MOST_SHOWN:
        words = f"{words[:MOST_SHOWN]}…"
    return words or type(error).__name__


def find_fault(error: BaseException, faults: Sequence[Fault]) -> Fault | None:
    """Return the first fault whose sign is in the error's text; names in its backtrace are no signs."""
    text = str(error).split("backtrace:", 1)[0]
    return next((fault for fault in faults if re.search(fault.sign, text, re.DOTALL)), None)


def explained(error: BaseException, fault: Fault) -> LessonError:
    """Return a known fault as the error that a learner reads."""
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
    Turn what tt-metal raises inside into errors with a cure; everything else passes unchanged.

    Raises:
        LessonError: what was asked for is too large.
        HardwareError: the device, or tt-metal, failed.
    """
    try:
        yield
    except MemoryError as error:
        raise LessonError(
            f"this machine's memory is full{f': {gist(error)}' if str(error) else ''}",
            fix="end other programs, or use a smaller --batch_size",
        ) from error
    except RuntimeError as error:
        fault = find_fault(error, RUN_FAULTS)
        if fault:
            raise explained(error, fault) from error
        if _ANY.search(str(error)):
            raise HardwareError(
                f"tt-metal stopped with an error: {gist(error)}",
                fix=f"{RESET}, and run it again; if it comes back, it is a fault of tt-metal's: "
                "report it there, with the text above",
            ) from error
        raise
