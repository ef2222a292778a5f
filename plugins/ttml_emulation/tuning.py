"""Two settings of the process that decide how fast PyTorch runs on a CPU, made before it is imported."""

from __future__ import annotations

import ctypes
import os
import sys

# glibc's names in <malloc.h>, and values: blocks below 32 MiB (its own upper limit) come from the heap, and
# up to 1 GiB of free heap stays with the process.
_M_TRIM_THRESHOLD, _TRIM = -1, 2**30
_M_MMAP_THRESHOLD, _MMAP = -3, 2**25


def prepare() -> None:
    """Let threads spin only briefly, and keep freed memory for the next step.

    PyTorch's threads wait for each other by spinning. Where another process wants the same cores, each of a
    step's hundreds of waits then lasts a scheduler's turn: steps of 60 ms were seen to take 10 s. Not
    spinning at all costs an idle machine dearly (100 ms for a step of 55 to 60), so they spin 2,000 rounds.
    `OMP_WAIT_POLICY` and `GOMP_SPINCOUNT`, if set, are left alone.

    A step frees its activations at its end; given back to the system they are faulted in again, page by
    page, in the next step (7,574 faults a step at 384 wide, 577 with this).
    """
    if "torch" in sys.modules:
        return  # too late for the threads, and the process is someone else's
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries have none
        if mallopt is not None:
            mallopt(_M_MMAP_THRESHOLD, _MMAP)
            mallopt(_M_TRIM_THRESHOLD, _TRIM)
