"""Two settings of the process that speed up PyTorch on a CPU; they must precede its import."""

from __future__ import annotations

import ctypes
import os
import sys

# Names from glibc's <malloc.h>, and values: blocks below 32 MiB (glibc's maximum) come from the heap, and up
# to 1 GiB of free heap is not returned to the system.
_M_TRIM_THRESHOLD, _TRIM = -1, 2**30
_M_MMAP_THRESHOLD, _MMAP = -3, 2**25


def prepare() -> None:
    """Limit the spinning of threads, and keep freed memory for the next step.

    PyTorch's threads wait for each other by spinning. If another process uses the same cores, each of the
    hundreds of waits in a step lasts a scheduler time slice: steps of 60 ms were seen to take 10 s. Without
    spinning, a step on an idle machine takes 100 ms instead of 55 to 60 ms, so threads spin 2,000 rounds.
    `OMP_WAIT_POLICY` and `GOMP_SPINCOUNT` take precedence if set.

    A step frees its activations at its end. If that memory is returned to the system, the next step has to
    fault it in again, page by page (7,574 page faults per step at width 384, 577 with these settings).
    """
    if "torch" in sys.modules:
        return  # too late for the threads, and another library controls the process
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries do not have it
        if mallopt is not None:
            mallopt(_M_MMAP_THRESHOLD, _MMAP)
            mallopt(_M_TRIM_THRESHOLD, _TRIM)
