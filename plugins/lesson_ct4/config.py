"""
The configuration of a training run: one dataclass that declares the command's flags.

Only the standard library is imported here, because planning a lesson reads recipes and defaults.
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
        # What the published lesson prints. Its rate never changes, so stages share all their steps.
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
        # Meant to learn faster than the flags above: a higher rate that warms up and decays, a faster second
        # moment, and no dropout, which slows a model that is still underfitting.
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
"""Named sets of flags; a flag given beside ``--recipe`` wins."""

LENGTH_FIELDS = frozenset({"num_epochs", "max_steps", "steps_per_epoch"})
"""The fields that say how long a run is, and nothing else about it."""

TILE = 32
"""Rows and columns of the device's tiles: widths and lengths must be multiples of it."""


def _says(help: str, expected: str, *, aliases: tuple[str, ...] = (), **bounds: Any) -> Mapping[str, Any]:  # noqa: A002
    """Return what an annotation of :class:`TrainConfig` says of its flag; see :class:`Option`."""
    return {"help": help, "expected": expected, "aliases": aliases, "bounds": bounds}


_COUNT = "a whole number from 1"
_SHARE = "from 0 to below 1"


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """
    One training run. Each field declares a flag: its type, default, bounds and help.

    The defaults are the lesson's model and the ``published`` recipe, and they set no length: give
    ``max_steps``, ``num_epochs``, or both (then the shorter one counts).

    Raises:
        LessonError: a value is out of bounds; the message names the flag and what is expected.
    """

    max_steps: Annotated[int | None, _says("Optimizer steps to train.", _COUNT, minimum=1)] = None
    num_epochs: Annotated[
        int | None,
        _says(
            "Epochs to train; with --max_steps too, the fewer steps count.",
            _COUNT,
            aliases=("epochs",),
            minimum=1,
        ),
    ] = None
    steps_per_epoch: Annotated[
        int | None,
        _says(
            "Steps that count as an epoch; by default one pass over the text.",
            f"{_COUNT}, or left out for a whole pass",
            minimum=1,
        ),
    ] = None
    batch_size: Annotated[int, _says("Sequences in a step, over all chips together.", _COUNT, minimum=1)] = 4
    sequence_length: Annotated[
        int,
        _says(
            f"Characters the model sees at once; a multiple of {TILE}.",
            f"a multiple of {TILE}, such as 256",
            minimum=TILE,
            multipleOf=TILE,
        ),
    ] = 256
    learning_rate: Annotated[
        float,
        _says(
            "Learning rate at its highest.",
            "above 0 and at most 1, such as 5e-4",
            exclusiveMinimum=0,
            maximum=1,
        ),
    ] = 5e-4
    clip_grad_norm: Annotated[
        float | None,
        _says(
            "Largest allowed norm of the gradient; by default no clipping.",
            "above 0, or left out for no clipping",
            aliases=("max_grad_norm",),
            exclusiveMinimum=0,
        ),
    ] = None
    validation_fraction: Annotated[
        float,
        _says(
            "Share of the text, at its end, that is never trained on.",
            "from 0 (no validation) to 0.5",
            minimum=0,
            maximum=0.5,
        ),
    ] = 0.1
    seed: Annotated[
        int,
        _says(
            "Everything random follows from it.",
            "a whole number from 0 to 4294967295",
            minimum=0,
            maximum=2**32 - 1,
        ),
    ] = 5489
    n_layer: Annotated[int, _says("Blocks of the model.", _COUNT, minimum=1)] = 6
    n_embd: Annotated[
        int,
        _says(
            f"Width of the model; a multiple of {TILE}.",
            f"a multiple of {TILE}, such as 384",
            minimum=TILE,
            multipleOf=TILE,
        ),
    ] = 384
    n_head: Annotated[int, _says("Attention heads of a block.", _COUNT, minimum=1)] = 6
    dropout: Annotated[
        float, _says("Share of activations dropped while training.", _SHARE, minimum=0, exclusiveMaximum=1)
    ] = 0.2
    bias: Annotated[bool, _says("Whether layer norms have a bias.", "true or false")] = True
    warmup_steps: Annotated[
        int, _says("Steps over which the learning rate rises.", "a whole number from 0", minimum=0)
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
            "What the learning rate falls to, as a share of --learning_rate.",
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
            "Compute as the device does (bfloat16), or in float32 (emulation only).",
            "device or fp32",
            enum=get_args(Numerics),
        ),
    ] = "device"
    recipe: Annotated[
        str,
        _says(
            "A named set of flags; flags beside it win.", f"one of {', '.join(RECIPES)}", enum=tuple(RECIPES)
        ),
    ] = "published"

    def __post_init__(self) -> None:
        for name, option in OPTIONS.items():
            value = getattr(self, name)
            if problem := value_problem(name, value):
                raise problem
            if option.type is float and value is not None:
                # 1 and 1.0 are one learning rate, and must read the same in every record.
                object.__setattr__(self, name, float(value))
        if self.max_steps is None and self.num_epochs is None:
            raise LessonError("how long to train is not given", fix="add --max_steps or --num_epochs")
        if self.n_embd % self.n_head or (self.n_embd // self.n_head) % TILE:
            fitting = [str(n) for n in range(1, self.n_embd // TILE + 1) if self.n_embd % (n * TILE) == 0]
            raise LessonError(
                f"--n_head {self.n_head} does not cut --n_embd {self.n_embd} into multiples of {TILE}",
                fix=f"for --n_embd {self.n_embd}, --n_head can be {', '.join(fitting)}",
            )

    def steps(self, train_characters: int) -> tuple[int, str | None]:
        """
        Return how many steps to train, and a sentence to show where that is not plain from the flags.

        Args:
            train_characters: length of the part of the text that is trained on.
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
                f"are both given: training {steps} steps, the fewer"
            )
        return by_epochs, f"{self.num_epochs} epochs of {per_epoch} steps: {by_epochs} steps"

    def to_json(self) -> dict[str, Any]:
        """Return the fields by name, fit for :func:`config_from`."""
        return dataclasses.asdict(self)


def training_fields(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of an action's parameters that are fields of :class:`TrainConfig`."""
    return {name: value for name, value in params.items() if name in OPTIONS}


def config_from(flags: Mapping[str, Any]) -> TrainConfig:
    """
    Build a configuration: the named recipe's values, then ``flags`` over them.

    Args:
        flags: values by field name; ``recipe`` names one of :data:`RECIPES` and defaults to ``published``.

    Raises:
        LessonError: an unknown flag or recipe, or a value that cannot be.
    """
    recipe = flags.get("recipe", "published")
    if problem := value_problem("recipe", recipe):
        raise problem
    for name in flags:
        if name not in OPTIONS:
            near = difflib.get_close_matches(name, OPTIONS, n=1)
            hint = f"did you mean --{near[0]}?" if near else f"known flags: {', '.join(sorted(OPTIONS))}"
            raise LessonError(f"--{name} is not a flag of training", fix=hint)
    return TrainConfig(**{**RECIPES[recipe], **flags})


@dataclass(frozen=True, slots=True)
class Option:
    """
    What a field of :class:`TrainConfig` declares about its flag.

    Attributes:
        type: ``int``, ``float``, ``str`` or ``bool``.
        nullable: ``None`` is a value too, and means the same as leaving the flag out.
        default: what holds if nobody gives it.
        help: one sentence on it.
        expected: how error messages say which values it takes.
        aliases: other spellings.
        bounds: keywords of JSON Schema that a value must meet, those in ``_MEETS``.
    """

    type: type
    nullable: bool
    default: Any
    help: str
    expected: str
    aliases: tuple[str, ...]
    bounds: Mapping[str, Any]

    def allows(self, value: Any) -> bool:
        """Return whether a value is of the flag's type and within its bounds."""
        if value is None:
            return self.nullable
        number = self.type is float and type(value) is int  # 1 is a learning rate as well
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
    """Return what each field of :class:`TrainConfig` declares, by name."""
    hints = get_type_hints(TrainConfig, include_extras=True)
    found = {}
    for item in dataclasses.fields(TrainConfig):
        hint, says = get_args(hints[item.name])
        kinds = get_args(hint) or (hint,)
        kind = kinds[0] if isinstance(kinds[0], type) else str  # the values of a Literal are text
        found[item.name] = Option(kind, type(None) in kinds, item.default, **says)
    return found


OPTIONS: Mapping[str, Option] = MappingProxyType(_options())
"""The flags that :class:`TrainConfig` declares, by name."""


def value_problem(name: str, value: Any) -> LessonError | None:
    """Return what is wrong with one value of a flag, by itself; ``None`` if nothing is."""
    option = OPTIONS[name]
    if option.allows(value):
        return None
    return LessonError(f"--{name} is {value!r}", fix=f"--{name} must be {option.expected}")
