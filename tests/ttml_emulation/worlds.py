"""The emulation in each of its arithmetics."""

from __future__ import annotations

from typing import Any, NamedTuple

from ttml_emulation import load
from ttml_emulation.context import AutoContext


class World(NamedTuple):
    """The two modules, and the arithmetic they use."""

    ttml: Any
    ttnn: Any
    numerics: str
    matmul: str

    @property
    def exact(self) -> bool:
        return self.numerics == "fp32"


MODES = {
    "device-native": ("device", "native"),
    "device-widened": ("device", "fp32-then-round"),
    "fp32": ("fp32", "native"),
}


def enter(mode: str) -> World:
    """Load that arithmetic, with no device open, no graph, and the default seed."""
    numerics, matmul = MODES[mode]
    modules = load(numerics, matmul)  # type: ignore[arg-type]  # from a table of texts
    AutoContext.renew()
    return World(*modules, numerics, matmul)
