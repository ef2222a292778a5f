"""Convert a checkpoint of tt-train to ours. The result can generate text; it cannot be resumed."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lesson_ct4.config import TrainConfig
from lesson_ct4.training.checkpoint import IMPORTED, Checkpoint
from lesson_ct4.upstream.file import UpstreamCheckpoint, read_upstream
from lesson_ct4.upstream.model import model_fields, number, parameters_of, tokenizer_of
from lesson_ct4.upstream.plain_data import DAMAGED, Record, shown
from lesson_runner.model.errors import LessonError

MAX_STEP = 10_000_000
_MODEL = {
    "n_layer": "num_blocks",
    "n_embd": "embedding_dim",
    "n_head": "num_heads",
    "dropout": "dropout_prob",
}


@dataclass(frozen=True, slots=True)
class Imported:
    """The result of an import."""

    checkpoint: Checkpoint
    notes: tuple[str, ...]
    """Messages to show the user."""


def import_upstream(path: Path) -> Imported:
    """
    Read a checkpoint of tt-train and convert it to ours. Nothing in the file is executed.

    The ``session`` of the result has the name ``imported``, the name of the file, what the file says about
    the training (``upstream``), and the names of configuration fields that are our defaults (``unknown``).
    Losses and seconds are not in the file, so they are NaN. There is no optimizer state.

    Raises:
        LessonError: the file is missing, damaged or unsafe, or its model cannot run here.
    """
    try:
        return _converted(read_upstream(path), path.name)
    except LessonError as error:
        raise LessonError(f"{path} cannot be imported: {error}", fix=error.fix) from None


def _converted(found: UpstreamCheckpoint, name: str) -> Imported:
    fields = model_fields(found.model)
    tokenizer = tokenizer_of(found.tokenizer)
    vocab_size = number(fields, "vocab_size")
    if -(-vocab_size // 32) * 32 != tokenizer.padded_vocab_size:
        raise LessonError(
            f"its model has a vocabulary of {vocab_size}, its tokenizer one of {tokenizer.vocab_size}",
            fix=DAMAGED,
        )
    step = 0 if found.step == 0 else number({"step": found.step}, "step")
    if step > MAX_STEP:
        raise LessonError(f"its step is {step}, above the limit of {MAX_STEP}", fix=DAMAGED)
    training = found.training.fields if isinstance(found.training, Record) else {}
    # The sizes in the configuration are checked against the arrays, which are in memory.
    parameters, notes = parameters_of(found.parameters, fields, tokenizer.padded_vocab_size)
    config, unknown = _config(fields, training, step)
    if unknown:
        notes.append(f"the file does not have all settings of the training; unknown: {', '.join(unknown)}")
    history = np.full(step, np.nan, dtype=np.float32)
    checkpoint = Checkpoint(
        step=step,
        steps=max(step, config.max_steps or 0),
        config=config,
        tokenizer=tokenizer,
        dataset={"name": "unknown", "sha256": ""},
        session={
            "name": IMPORTED,
            "numerics": config.numerics,
            "file": name,
            "sha256": found.sha256,
            "format": found.format,
            "upstream": {"model": _plain(fields), "training": _plain(training)},
            "unknown": unknown,
        },
        parameters=parameters,
        optimizer=None,
        losses=history,
        seconds=history.copy(),
    )
    return Imported(checkpoint, tuple(notes))


def _config(
    model: dict[str, object], training: dict[str, object], step: int
) -> tuple[TrainConfig, list[str]]:
    """Return the configuration, and the names of fields that are not in the file."""
    known: dict[str, Any] = {ours: model.get(theirs) for ours, theirs in _MODEL.items()}
    known["sequence_length"] = model.get("max_sequence_length")
    known["bias"] = model.get("bias", True)
    known["validation_fraction"] = 0.0  # tt-train trains on the whole text
    known |= _trained_with(training)
    known.setdefault("max_steps", max(step, 1))
    for name, value in known.items():
        if not isinstance(value, (int, float, str, type(None))):
            raise LessonError(f"its {name} is {shown(value)}", fix=DAMAGED)
    try:
        config = TrainConfig(**known)
    except LessonError as error:
        wrong = f"{error} ({error.fix})" if error.fix else str(error)
        raise LessonError(f"its settings cannot be run here: {wrong}", fix=DAMAGED) from None
    told = known.keys() | {"num_epochs", "steps_per_epoch", "numerics", "recipe"}
    return config, [item.name for item in dataclasses.fields(TrainConfig) if item.name not in told]


def _trained_with(training: dict[str, object]) -> dict[str, Any]:
    """
    Return the settings in a ``TrainingConfig``.

    Versions with ``learning_rate`` used fixed betas and epsilon for AdamW and no schedule. Later versions
    read the optimizer settings from a file that is not part of the checkpoint.
    """
    known: dict[str, Any] = {}
    if training:
        batch = number(training, "batch_size")
        known["batch_size"] = batch * number({"n": training.get("gradient_accumulation_steps", 1)}, "n")
        known["seed"], known["max_steps"] = training.get("seed"), training.get("max_steps")
        clips = training.get("use_clip_grad_norm")
        known["clip_grad_norm"] = training.get("clip_grad_norm_max_norm") if clips else None
    first = "learning_rate" in training
    if first:
        known |= {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
        known |= {name: training.get(name) for name in ("learning_rate", "weight_decay")}
    if first or training.get("scheduler_type") == "identity":
        known |= {"warmup_steps": 0, "decay": "none", "min_lr_ratio": 1.0}
    return known


def _plain(fields: dict[str, object]) -> dict[str, Any]:
    """Return the attributes with plain values."""
    return {
        name: value
        for name, value in fields.items()
        if value is None
        or isinstance(value, (bool, int))
        or (isinstance(value, float) and math.isfinite(value))
        or (isinstance(value, str) and len(value) <= 1000)
    }
