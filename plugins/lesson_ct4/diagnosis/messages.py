"""Messages of a failed step that are understood, and the sections of the lesson that explain them."""

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
"""Headings of the lesson's section on troubleshooting."""


@dataclass(frozen=True, slots=True)
class Sign:
    """A message that is understood."""

    message: re.Pattern[str]
    diagnosis: Diagnosis
    change: tuple[str, float] | None = None
    """The parameter to change, and by which factor."""


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
            "Something that an earlier step makes is not there",
            "the step that makes it failed, was left out, or wrote to another workspace",
            MISSING,
        ),
    ),
    Sign(
        re.compile(r"is not UTF-8 text"),
        Diagnosis(
            "binary-text",
            "The file is no text",
            "it has bytes that UTF-8 does not have: an archive, a model, or another encoding",
            TEXT,
        ),
    ),
    Sign(
        re.compile(r"characters for (training|validation); one window"),
        Diagnosis(
            "short-text",
            "The text is too short",
            "not even one window of it fits the model",
            TEXT,
        ),
    ),
)
