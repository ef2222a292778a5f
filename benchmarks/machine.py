"""The machine that the numbers were measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("torch", "transformers", "numpy", "markdown-it-py")
LIMITS = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "OMP_NUM_THREADS")
"""Settings that make PyTorch use less of the processor than it could."""
BFLOAT16 = ("amx_bf16", "avx512_bf16", "bf16", "svebf16")
"""Linux' names of the instructions that multiply bfloat16, on x86 and on Arm."""


def describe() -> dict[str, str]:
    """Return the processor, its bfloat16 instructions, cores, load, and the versions of measured packages."""
    about = {"processor": processor(), "bfloat16 instructions": bfloat16() or "none known"}
    about["cores"] = str(os.cpu_count())
    if hasattr(os, "getloadavg"):
        about["load before"] = f"{os.getloadavg()[0]:.1f}"
    about["Python"] = platform.python_version()
    for name in PACKAGES:
        try:
            about[name] = version(name)
        except PackageNotFoundError:
            continue
    return about | {name: os.environ[name] for name in LIMITS if name in os.environ}


def processor() -> str:
    """Return the processor's name, or its kind if the system does not report the name."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def bfloat16() -> str:
    """Return the processor's instructions for bfloat16; empty if there are none or they are unknown."""
    flags = set((_cpuinfo("flags") or _cpuinfo("Features")).split())
    return ", ".join(name for name in BFLOAT16 if name in flags)


def _cpuinfo(key: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")
