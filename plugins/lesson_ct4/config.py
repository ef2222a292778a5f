"""
What a training run is told: one dataclass whose field names are the command's flags.

Only the standard library is imported here, because planning a lesson reads recipes and defaults.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, cast

from lesson_runner.errors import LessonError

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


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """
    One training run.

    The defaults are the lesson's model and the ``published`` recipe, and they set no length: give
    ``max_steps``, ``num_epochs``, or both (then the shorter one counts).

    Raises:
        LessonError: a value that cannot be; the message names the flag and what is expected.
    """

    max_steps: int | None = None
    num_epochs: int | None = None
    steps_per_epoch: int | None = None
    """Optimizer updates that count as an epoch; ``None``: as many as one pass over the text takes."""
    batch_size: int = 4
    """Sequences a step, over all chips together."""
    sequence_length: int = 256
    """Characters the model sees at once (its block size)."""
    learning_rate: float = 5e-4
    clip_grad_norm: float | None = None
    """Largest allowed norm of the gradient; ``None``: no clipping."""
    validation_fraction: float = 0.1
    """Share of the text, at its end, that is never trained on."""
    seed: int = 5489
    """The seed ``ttml`` itself starts with."""
    n_layer: int = 6
    n_embd: int = 384
    n_head: int = 6
    dropout: float = 0.2
    bias: bool = True
    warmup_steps: int = 0
    decay: Decay = "none"
    min_lr_ratio: float = 1.0
    """What the learning rate decays to, as a share of ``learning_rate``."""
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.01
    numerics: Numerics = "device"
    recipe: str = "published"
    """Where the values came from; a label."""

    def __post_init__(self) -> None:
        for name, valid, expected in _RULES:
            value = getattr(self, name)
            if not valid(value):
                raise LessonError(f"--{name} is {value!r}", fix=f"--{name} must be {expected}")
            if name in _FLOATS and value is not None:
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
    known = {field.name for field in dataclasses.fields(TrainConfig)}
    return {name: value for name, value in params.items() if name in known}


def config_problem(params: Mapping[str, Any]) -> str | None:
    """Return what is wrong with training parameters and how to mend it; ``None`` if nothing is."""
    try:
        config_from(training_fields(params))
    except LessonError as error:
        return f"{error} ({error.fix})" if error.fix else str(error)
    return None


def config_from(flags: Mapping[str, Any]) -> TrainConfig:
    """
    Build a configuration: the named recipe's values, then ``flags`` over them.

    Args:
        flags: values by field name; ``recipe`` names one of :data:`RECIPES` and defaults to ``published``.

    Raises:
        LessonError: an unknown flag or recipe, or a value that cannot be.
    """
    recipe = flags.get("recipe", "published")
    if recipe not in RECIPES:
        raise LessonError(f"--recipe is {recipe!r}", fix=f"--recipe must be one of {', '.join(RECIPES)}")
    known = {field.name for field in dataclasses.fields(TrainConfig)}
    for name in flags:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean --{near[0]}?" if near else f"known flags: {', '.join(sorted(known))}"
            raise LessonError(f"--{name} is not a flag of training", fix=hint)
    return TrainConfig(**{**RECIPES[recipe], **flags})


def _whole(
    low: int, *, multiple: int = 1, high: float = math.inf, none: bool = False
) -> Callable[[Any], bool]:
    def valid(value: Any) -> bool:
        if value is None:
            return none
        return type(value) is int and low <= value <= high and value % multiple == 0

    return valid


def _number(
    low: float, high: float, *, above: bool = False, below: bool = False, none: bool = False
) -> Callable[[Any], bool]:
    def valid(value: Any) -> bool:
        if value is None:
            return none
        if type(value) not in (int, float) or not math.isfinite(value):
            return False
        return bool((low < value if above else low <= value) and (value < high if below else value <= high))

    return valid


_FLOATS = frozenset(
    {
        "learning_rate",
        "clip_grad_norm",
        "validation_fraction",
        "dropout",
        "min_lr_ratio",
        "beta1",
        "beta2",
        "epsilon",
        "weight_decay",
    }
)
_RULES: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("max_steps", _whole(1, none=True), "a whole number from 1"),
    ("num_epochs", _whole(1, none=True), "a whole number from 1"),
    ("steps_per_epoch", _whole(1, none=True), "a whole number from 1, or left out for a whole pass"),
    ("batch_size", _whole(1), "a whole number from 1"),
    ("sequence_length", _whole(TILE, multiple=TILE), f"a multiple of {TILE}, such as 256"),
    ("learning_rate", _number(0, 1, above=True), "above 0 and at most 1, such as 5e-4"),
    ("clip_grad_norm", _number(0, math.inf, above=True, none=True), "above 0, or left out for no clipping"),
    ("validation_fraction", _number(0, 0.5), "from 0 (no validation) to 0.5"),
    ("seed", _whole(0, high=2**32 - 1), "a whole number from 0 to 4294967295"),
    ("n_layer", _whole(1), "a whole number from 1"),
    ("n_embd", _whole(TILE, multiple=TILE), f"a multiple of {TILE}, such as 384"),
    ("n_head", _whole(1), "a whole number from 1"),
    ("dropout", _number(0, 1, below=True), "from 0 to below 1"),
    ("bias", lambda value: isinstance(value, bool), "true or false"),
    ("warmup_steps", _whole(0), "a whole number from 0"),
    ("decay", lambda value: value in ("none", "last-tenth"), "none or last-tenth"),
    ("min_lr_ratio", _number(0, 1), "from 0 to 1"),
    ("beta1", _number(0, 1, below=True), "from 0 to below 1"),
    ("beta2", _number(0, 1, below=True), "from 0 to below 1"),
    ("epsilon", _number(0, 1, above=True), "above 0 and at most 1"),
    ("weight_decay", _number(0, 1), "from 0 to 1"),
    ("numerics", lambda value: value in ("device", "fp32"), "device or fp32"),
)  # fmt: skip
"""Flag, test, and what to say it must be."""
