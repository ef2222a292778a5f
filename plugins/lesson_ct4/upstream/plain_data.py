"""What a pickle's content becomes here: plain data, and names of classes that nobody looks up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from lesson_runner.errors import LessonError

UNSAFE = "nothing in it was run; take a checkpoint that tt-train itself saved, from somebody you trust"
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
"""tt-train's classes whose instances have nothing but attributes."""
ENUMS = frozenset(
    f"{module}.{name}"
    for module in ("_ttml.models", "ttml._ttml.models", "ttml.models")
    for name in ("RunnerType", "WeightTyingType", "EmbeddingPlacement")
)
"""tt-train's enumerations; the module's name depends on how ``_ttml`` was found."""


@dataclass(frozen=True, slots=True)
class Name:
    """A class or function a pickle refers to, by its full name. It is never imported or called."""

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
    """A data type of numpy: its code without the byte order, such as ``f4``, or ``bfloat16``."""

    code: str


@dataclass(slots=True)
class Array:
    """An array; ``None`` until its content is known."""

    values: NDArray[Any] | None = None


@dataclass(slots=True)
class Budget:
    """
    How many bytes a file's content may still grow into.

    One string of a pickle can be used any number of times: without a limit, a small file fills the memory.
    """

    left: int

    def spend(self, size: int) -> None:
        """
        Take ``size`` bytes.

        Raises:
            LessonError: there are not so many left.
        """
        self.left -= size
        if self.left < 0:
            raise LessonError("its arrays are larger than the file", fix=UNSAFE)


def shown(value: object) -> str:
    """Return a value of a pickle for a message: short, printable, and not following what is nested."""
    if not isinstance(value, (str, int, float, type(None))):
        return "no plain value" if not isinstance(value, (list, tuple, dict)) else f"a {type(value).__name__}"
    text = ascii(value[:100] if isinstance(value, str) else value)
    return text if len(text) <= 80 else f"{text[:77]}..."
