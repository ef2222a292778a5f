"""The implementation of `load` and `describe`, which imports PyTorch."""

from __future__ import annotations

from functools import lru_cache
from types import ModuleType

import torch

from . import numerics
from .context import AutoContext
from .namespaces import TTML, TTNN, build


def load(name: numerics.NumericsName, matmul: numerics.MatmulName | None) -> tuple[ModuleType, ModuleType]:
    """See `ttml_emulation.load`."""
    before = numerics._current
    if numerics.choose(name, matmul) != before:
        AutoContext.renew()
    return _modules()


@lru_cache(maxsize=1)
def _modules() -> tuple[ModuleType, ModuleType]:
    return build("ttml", TTML)["ttml"], build("ttnn", TTNN)["ttnn"]


def describe() -> dict[str, str | int]:
    """See `ttml_emulation.describe`."""
    policy = numerics.current()
    device = str(policy.device)
    return {
        "numerics": policy.name,
        "matmul": policy.matmul,
        "device": f"{device}:{torch.cuda.get_device_name(policy.device)}"
        if policy.device.type == "cuda"
        else device,
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
    }
