"""Known messages of failed steps, and the lesson sections that explain them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lesson_runner.model import Diagnosis

NOT_FALLING = "The loss does not fall"
EXPLODING = "The loss explodes or becomes NaN"
MEMORY = "Out of memory on the device"
CIRCLES = "The text runs in circles"
MISSING = "A file or a checkpoint is missing"
TEXT = "The text is not what it should be"
JUMPING = "The loss jumps after resuming"
SECTIONS = (NOT_FALLING, EXPLODING, MEMORY, CIRCLES, MISSING, TEXT, JUMPING)
"""Headings in the troubleshooting section of the lesson."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A known message and its diagnosis."""

    message: re.Pattern[str]
    diagnosis: Diagnosis
    change: tuple[str, float] | None = None
    """The parameter to change and the factor."""


SIGNS = (
    Sign(
        re.compile(r"loss (became|is) -?(nan|inf)", re.IGNORECASE),
        Diagnosis(
            "loss-not-a-number",
            "The training exploded",
            "the learning rate is too high for this model: one update threw the weights out of range",
            EXPLODING,
        ),
        ("learning_rate", 1 / 3),
    ),
    Sign(
        re.compile(r"out of memory|memory is full|(unable|enough space) to allocate|can't allocate", re.I),
        Diagnosis(
            "out-of-memory",
            "The memory is full",
            "activations grow with batch size and sequence length; the model itself is small",
            MEMORY,
        ),
        ("batch_size", 1 / 2),
    ),
    Sign(
        re.compile(r"is not in the workspace|there is no checkpoint for|does not exist|No such file"),
        Diagnosis(
            "missing-file",
            "The output of an earlier step is missing",
            "the step that writes it failed, was skipped, or wrote to another workspace",
            MISSING,
        ),
    ),
    Sign(
        re.compile(r"is not UTF-8 text"),
        Diagnosis(
            "binary-text",
            "The file is not text",
            "it is not valid UTF-8: it may be an archive, a model, or in another encoding",
            TEXT,
        ),
    ),
    Sign(
        re.compile(r"characters for (training|validation); one window"),
        Diagnosis(
            "short-text",
            "The text is too short",
            "it has fewer characters than one window of the model",
            TEXT,
        ),
    ),
)
