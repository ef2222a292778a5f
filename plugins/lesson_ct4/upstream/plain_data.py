"""Plain data that represents the content of a pickle; names of classes are never looked up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from lesson_runner.model.errors import LessonError

UNSAFE = (
    "nothing in it was run; use a checkpoint that was saved by tt-train and comes from a source you trust"
)
DAMAGED = "copy it again from where tt-train saved it"

RECORDS = frozenset(
    {
        "ttml.common.data.CharTokenizer",
        "ttml.common.config.TrainingConfig",
        "ttml.common.config.TransformerConfig",
        "__main__.ModelConfig",
        "__main__.ModelExperimentalConfig",
        "__main__.TrainingConfig",
        *(
            f"model_builders.{name}"
            for name in ("ModelConfig", "GPT2Spec", "LlamaSpec", "DeepSeekSpec", "MoEParams", "Qwen3Spec")
        ),
    }
)
"""tt-train's classes whose instances have only attributes."""
ENUMS = frozenset(
    f"{module}.{name}"
    for module in ("_ttml.models", "ttml._ttml.models", "ttml.models")
    for name in ("RunnerType", "WeightTyingType", "EmbeddingPlacement")
)
"""tt-train's enumerations; the module name depends on how ``_ttml`` was imported."""


@dataclass(frozen=True, slots=True)
class Name:
    """The full name of a class or function in a pickle. It is never imported or called."""

    full: str


@dataclass(slots=True)
class Record:
    """An instance of one of :data:`RECORDS`."""

    kind: str
    fields: dict[str, object] = field(default_factory=dict)
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A member of one of :data:`ENUMS`, by its value or by its name."""

    kind: str
    value: int | str


@dataclass(slots=True)
class Dtype:
    """A numpy data type: its code without byte order, such as ``f4``, or ``bfloat16``."""

    code: str


@dataclass(slots=True)
class Array:
    """An array; its values are ``None`` until its state is set."""

    values: NDArray[Any] | None = None


@dataclass(slots=True)
class Budget:
    """
    The number of bytes that may still be allocated for a file's content.

    A pickle can use one string any number of times. Without a limit, a small file could fill the memory.
    """

    left: int

    def spend(self, size: int) -> None:
        """
        Use ``size`` bytes of the budget.

        Raises:
            LessonError: the budget is exceeded.
        """
        self.left -= size
        if self.left < 0:
            raise LessonError("its arrays are larger than the file", fix=UNSAFE)


def shown(value: object) -> str:
    """Return a pickled value for a message: short, printable, and without nested content."""
    if not isinstance(value, (str, int, float, type(None))):
        return (
            "not a plain value" if not isinstance(value, (list, tuple, dict)) else f"a {type(value).__name__}"
        )
    text = ascii(value[:100] if isinstance(value, str) else value)
    return text if len(text) <= 80 else f"{text[:77]}..."
