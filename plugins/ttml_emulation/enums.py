"""The enumerations of `ttml` and `ttnn`, with the values that checkpoints written on a board contain."""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

_Member = TypeVar("_Member")


class DataType(Enum):
    """`ttnn.DataType`."""

    BFLOAT16 = 0
    FLOAT32 = 1
    UINT32 = 2
    BFLOAT8_B = 3
    BFLOAT4_B = 4
    UINT8 = 5
    UINT16 = 6
    INT32 = 7


class Layout(Enum):
    """`ttnn.Layout`. The emulation stores both in the same way, and only remembers which was requested."""

    ROW_MAJOR = 0
    TILE = 1


class GradMode(Enum):
    """`ttml.autograd.GradMode`: whether operations are recorded for the backward pass."""

    DISABLED = 0
    ENABLED = 1


class PreferredPrecision(Enum):
    """`ttml.autograd.PreferredPrecision`: which form of a value `Tensor.get_value` returns."""

    HALF = 0
    FULL = 1
    NATIVE = 2


class ReduceType(Enum):
    """`ttml.ops.ReduceType`."""

    MEAN = 0
    SUM = 1
    NONE = 2


class RunMode(Enum):
    """`ttml.modules.RunMode`: dropout acts in TRAIN only."""

    TRAIN = 0
    EVAL = 1


class InferenceMode(Enum):
    """`ttml.modules.InferenceMode`."""

    PREFILL = 0
    DECODE = 1


class RunnerType(Enum):
    """`ttml.models.RunnerType`. MemoryEfficient recomputes activations instead of storing them."""

    Default = 0
    MemoryEfficient = 1

    @staticmethod
    def from_string(name: str) -> RunnerType:
        """Return the member called `default` or `memory_efficient`; ValueError for another name."""
        return _by_name({"default": RunnerType.Default, "memory_efficient": RunnerType.MemoryEfficient}, name)


class GraphRunMode(Enum):
    """`ttnn.graph.RunMode`: whether operations are executed while memory is tracked, or only recorded."""

    NORMAL = 0
    NO_DISPATCH = 1


class WeightTyingType(Enum):
    """`ttml.models.WeightTyingType`: whether the head shares the token embedding's weight."""

    Disabled = 0
    Enabled = 1

    @staticmethod
    def from_string(name: str) -> WeightTyingType:
        """Return the member called `disabled` or `enabled`; ValueError for another name."""
        return _by_name({"disabled": WeightTyingType.Disabled, "enabled": WeightTyingType.Enabled}, name)


def _by_name(members: dict[str, _Member], name: str) -> _Member:
    try:
        return members[name]
    except KeyError:
        raise ValueError(f"unknown name {name!r}; known: {', '.join(members)}") from None
