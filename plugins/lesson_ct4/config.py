"""
The configuration of a training run: a dataclass whose fields declare the command's flags.

This module imports no third-party packages, because planning a lesson reads recipes and defaults.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any, Literal, cast, get_args, get_type_hints

from lesson_runner.model.errors import LessonError

Decay = Literal["none", "last-tenth"]
Numerics = Literal["device", "fp32"]

RECIPES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        # As in the published lesson. The learning rate is constant, so stages share all their steps.
        "published": MappingProxyType(
            {
                "batch_size": 4,
                "learning_rate": 5e-4,
                "dropout": 0.2,
                "beta1": 0.9,
                "beta2": 0.999,
                "weight_decay": 0.01,
                "clip_grad_norm": None,
                "warmup_steps": 0,
                "decay": "none",
                "min_lr_ratio": 1.0,
            }
        ),
        # Meant to learn faster: a higher learning rate with warmup and decay, a faster second moment, and no
        # dropout, which slows down a model that is still underfitting.
        "tuned": MappingProxyType(
            {
                "batch_size": 4,
                "learning_rate": 1e-3,
                "dropout": 0.0,
                "beta1": 0.9,
                "beta2": 0.99,
                "weight_decay": 0.01,
                "clip_grad_norm": 1.0,
                "warmup_steps": 100,
                "decay": "last-tenth",
                "min_lr_ratio": 0.01,
            }
        ),
    }
)
"""Named sets of flags; a flag given with ``--recipe`` takes precedence."""

LENGTH_FIELDS = frozenset({"num_epochs", "max_steps", "steps_per_epoch"})
"""The fields that only determine the length of a run."""

TILE = 32
"""Rows and columns of a tile on the device; widths and lengths must be multiples of it."""


def _says(help: str, expected: str, *, aliases: tuple[str, ...] = (), **bounds: Any) -> Mapping[str, Any]:  # noqa: A002
    """Return the annotation of a field of :class:`TrainConfig`; see :class:`Option`."""
    return {"help": help, "expected": expected, "aliases": aliases, "bounds": bounds}


_COUNT = "a whole number from 1"
_SHARE = "from 0 to below 1"


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """
    The settings of a training run. Each field declares a flag: its type, default, bounds and help.

    The defaults are the lesson's model and the ``published`` recipe. There is no default length: set
    ``max_steps`` or ``num_epochs``. If both are set, the shorter one applies.

    Raises:
        LessonError: a value is out of bounds; the message has the flag and the expected values.
    """

    max_steps: Annotated[int | None, _says("Number of optimizer steps to train.", _COUNT, minimum=1)] = None
    num_epochs: Annotated[
        int | None,
        _says(
            "Number of epochs to train; if --max_steps is given too, the shorter one applies.",
            _COUNT,
            aliases=("epochs",),
            minimum=1,
        ),
    ] = None
    steps_per_epoch: Annotated[
        int | None,
        _says(
            "Steps per epoch; by default one pass over the text.",
            f"{_COUNT}, or left out for a whole pass",
            minimum=1,
        ),
    ] = None
    batch_size: Annotated[int, _says("Sequences per step, in total over all chips.", _COUNT, minimum=1)] = 4
    sequence_length: Annotated[
        int,
        _says(
            f"Context length of the model in characters; a multiple of {TILE}.",
            f"a multiple of {TILE}, such as 256",
            minimum=TILE,
            multipleOf=TILE,
        ),
    ] = 256
    learning_rate: Annotated[
        float,
        _says(
            "Peak learning rate.",
            "above 0 and at most 1, such as 5e-4",
            exclusiveMinimum=0,
            maximum=1,
        ),
    ] = 5e-4
    clip_grad_norm: Annotated[
        float | None,
        _says(
            "Maximum norm of the gradient; by default there is no clipping.",
            "above 0, or left out for no clipping",
            aliases=("max_grad_norm",),
            exclusiveMinimum=0,
        ),
    ] = None
    validation_fraction: Annotated[
        float,
        _says(
            "Share of the text, at its end, that is held out for validation.",
            "from 0 (no validation) to 0.5",
            minimum=0,
            maximum=0.5,
        ),
    ] = 0.1
    seed: Annotated[
        int,
        _says(
            "Seed for all random numbers.",
            "a whole number from 0 to 4294967295",
            minimum=0,
            maximum=2**32 - 1,
        ),
    ] = 5489
    n_layer: Annotated[int, _says("Number of transformer blocks.", _COUNT, minimum=1)] = 6
    n_embd: Annotated[
        int,
        _says(
            f"Embedding width of the model; a multiple of {TILE}.",
            f"a multiple of {TILE}, such as 384",
            minimum=TILE,
            multipleOf=TILE,
        ),
    ] = 384
    n_head: Annotated[int, _says("Attention heads per block.", _COUNT, minimum=1)] = 6
    dropout: Annotated[
        float, _says("Share of activations dropped during training.", _SHARE, minimum=0, exclusiveMaximum=1)
    ] = 0.2
    bias: Annotated[bool, _says("Whether layer norms have a bias.", "true or false")] = True
    warmup_steps: Annotated[
        int,
        _says("Steps over which the learning rate rises to its peak.", "a whole number from 0", minimum=0),
    ] = 0
    decay: Annotated[
        Decay,
        _says(
            "How the learning rate falls: not at all, or over the last tenth of the steps.",
            "none or last-tenth",
            enum=get_args(Decay),
        ),
    ] = "none"
    min_lr_ratio: Annotated[
        float,
        _says(
            "Final learning rate, as a share of --learning_rate.",
            "from 0 to 1",
            minimum=0,
            maximum=1,
        ),
    ] = 1.0
    beta1: Annotated[
        float, _says("AdamW: decay of the first moment.", _SHARE, minimum=0, exclusiveMaximum=1)
    ] = 0.9
    beta2: Annotated[
        float, _says("AdamW: decay of the second moment.", _SHARE, minimum=0, exclusiveMaximum=1)
    ] = 0.999
    epsilon: Annotated[
        float,
        _says("AdamW: added to the denominator.", "above 0 and at most 1", exclusiveMinimum=0, maximum=1),
    ] = 1e-8
    weight_decay: Annotated[float, _says("AdamW: weight decay.", "from 0 to 1", minimum=0, maximum=1)] = 0.01
    numerics: Annotated[
        Numerics,
        _says(
            "Compute like the device (bfloat16), or in float32 (emulation only).",
            "device or fp32",
            enum=get_args(Numerics),
        ),
    ] = "device"
    recipe: Annotated[
        str,
        _says(
            "A named set of flags; flags given with it take precedence.",
            f"one of {', '.join(RECIPES)}",
            enum=tuple(RECIPES),
        ),
    ] = "published"

    def __post_init__(self) -> None:
        for name, option in OPTIONS.items():
            value = getattr(self, name)
            if problem := value_problem(name, value):
                raise problem
            if option.type is float and value is not None:
                # 1 and 1.0 are the same value, and must look the same in every record.
                object.__setattr__(self, name, float(value))
        if self.max_steps is None and self.num_epochs is None:
            raise LessonError("the length of the training is not set", fix="add --max_steps or --num_epochs")
        if self.n_embd % self.n_head or (self.n_embd // self.n_head) % TILE:
            fitting = [str(n) for n in range(1, self.n_embd // TILE + 1) if self.n_embd % (n * TILE) == 0]
            raise LessonError(
                f"--n_head {self.n_head} does not divide --n_embd {self.n_embd} into multiples of {TILE}",
                fix=f"for --n_embd {self.n_embd}, --n_head can be {', '.join(fitting)}",
            )

    def steps(self, train_characters: int) -> tuple[int, str | None]:
        """
        Return the number of steps, and a message to show if it does not follow directly from one flag.

        Args:
            train_characters: length of the training part of the text.
        """
        if self.num_epochs is None:
            return cast(int, self.max_steps), None
        per_epoch = self.steps_per_epoch or math.ceil(
            train_characters / (self.batch_size * self.sequence_length)
        )
        by_epochs = self.num_epochs * per_epoch
        if self.max_steps is not None and self.max_steps != by_epochs:
            steps = min(self.max_steps, by_epochs)
            return steps, (
                f"--max_steps {self.max_steps} and --num_epochs {self.num_epochs} ({by_epochs} steps) "
                f"are both given: training {steps} steps, the smaller number"
            )
        return by_epochs, f"{self.num_epochs} epochs of {per_epoch} steps: {by_epochs} steps"

    def to_json(self) -> dict[str, Any]:
        """Return the fields by name, as accepted by :func:`config_from`."""
        return dataclasses.asdict(self)


def training_fields(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of an action that are fields of :class:`TrainConfig`."""
    return {name: value for name, value in params.items() if name in OPTIONS}


def config_from(flags: Mapping[str, Any]) -> TrainConfig:
    """
    Return a configuration from a recipe's values, overridden by ``flags``.

    Args:
        flags: values by field name; ``recipe`` names one of :data:`RECIPES` and defaults to ``published``.

    Raises:
        LessonError: a flag or recipe is unknown, or a value is out of bounds.
    """
    recipe = flags.get("recipe", "published")
    if problem := value_problem("recipe", recipe):
        raise problem
    for name in flags:
        if name not in OPTIONS:
            near = difflib.get_close_matches(name, OPTIONS, n=1)
            hint = f"did you mean --{near[0]}?" if near else f"known flags: {', '.join(sorted(OPTIONS))}"
            raise LessonError(f"--{name} is not a training flag", fix=hint)
    return TrainConfig(**{**RECIPES[recipe], **flags})


@dataclass(frozen=True, slots=True)
class Option:
    """
    A flag, as declared by a field of :class:`TrainConfig`.

    Attributes:
        type: ``int``, ``float``, ``str`` or ``bool``.
        nullable: ``None`` is allowed, and means the same as leaving the flag out.
        default: the value if the flag is not given.
        help: a one-sentence description.
        expected: the allowed values, for error messages.
        aliases: other spellings.
        bounds: JSON Schema keywords that a value must satisfy; those in ``_MEETS``.
    """

    type: type
    nullable: bool
    default: Any
    help: str
    expected: str
    aliases: tuple[str, ...]
    bounds: Mapping[str, Any]

    def allows(self, value: Any) -> bool:
        """Return whether a value has the flag's type and is within its bounds."""
        if value is None:
            return self.nullable
        number = self.type is float and type(value) is int  # 1 is a valid learning rate
        if type(value) is not self.type and not number:
            return False
        if isinstance(value, float) and not math.isfinite(value):
            return False
        return all(_MEETS[keyword](value, bound) for keyword, bound in self.bounds.items())


_MEETS: Mapping[str, Callable[[Any, Any], bool]] = {
    "minimum": operator.ge,
    "exclusiveMinimum": operator.gt,
    "maximum": operator.le,
    "exclusiveMaximum": operator.lt,
    "multipleOf": lambda value, bound: value % bound == 0,
    "enum": lambda value, bound: value in bound,
}


def _options() -> dict[str, Option]:
    """Return the option of each field of :class:`TrainConfig`, by name."""
    hints = get_type_hints(TrainConfig, include_extras=True)
    found = {}
    for item in dataclasses.fields(TrainConfig):
        hint, says = get_args(hints[item.name])
        kinds = get_args(hint) or (hint,)
        kind = kinds[0] if isinstance(kinds[0], type) else str  # the values of a Literal are strings
        found[item.name] = Option(kind, type(None) in kinds, item.default, **says)
    return found


OPTIONS: Mapping[str, Option] = MappingProxyType(_options())
"""The flags that :class:`TrainConfig` declares, by name."""


def value_problem(name: str, value: Any) -> LessonError | None:
    """Return the error for an invalid value of a flag; ``None`` if the value is valid."""
    option = OPTIONS[name]
    if option.allows(value):
        return None
    return LessonError(f"--{name} is {value!r}", fix=f"--{name} must be {option.expected}")
