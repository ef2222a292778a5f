"""
Train a stage: from scratch, or from a checkpoint of an earlier stage.

Nothing here prints. Progress is reported through callbacks, and the outcome is a :class:`TrainResult`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lesson_ct4.config import TrainConfig
from lesson_ct4.data.dataset import Dataset
from lesson_ct4.device.faults import explaining
from lesson_ct4.device.session import Session
from lesson_ct4.training.callbacks import ignore
from lesson_ct4.training.checkpoint import load_checkpoint, save_checkpoint
from lesson_ct4.training.checkpoint_cache import CachedCheckpoint, CheckpointCache, check_resumable
from lesson_ct4.training.files import write_losses, write_summary
from lesson_ct4.training.run import TrainingRun
from lesson_ct4.training.schedule import shared_steps, training_identity
from lesson_ct4.training.snapshots import Snapshots
from lesson_runner.model.errors import LessonError, TimedOutError


@dataclass(frozen=True, slots=True)
class TrainStart:
    """What is known before the first step."""

    parameters: int
    """How many trainable numbers the model has."""
    steps: int
    reused_steps: int
    """How many of the steps an earlier run has trained."""
    tokens_per_step: int
    vocab_size: int
    """Token ids in use; the model's vocabulary is padded."""


@dataclass(frozen=True, slots=True)
class TrainStep:
    """One optimizer update."""

    step: int
    """From 1."""
    steps: int
    loss: float
    learning_rate: float
    seconds: float
    tokens_per_second: float


@dataclass(frozen=True, slots=True)
class TrainResult:
    """A finished run."""

    checkpoint: Path
    steps: int
    reused_steps: int
    parameters: int
    losses: NDArray[np.float32]
    """Training loss of every step, reused steps included; shape ``[steps]``."""
    validation_loss: float | None
    """Mean over fixed windows of the held-out text; ``None`` if no text was held out."""
    seconds: float
    """Time spent on the steps trained in this run."""
    tokens_per_second: float | None
    """Over the steps trained in this run except the first, which compiles; ``None`` if there are none."""
    reused_from: CachedCheckpoint | None = None
    """The cached checkpoint that training started from, if any."""


@explaining()
def train(
    config: TrainConfig,
    dataset: Dataset,
    session: Session,
    *,
    save_to: Path,
    evidence: Path | None = None,
    cache: Path | None = None,
    resume: Path | None = None,
    on_start: Callable[[TrainStart], None] = ignore,
    on_step: Callable[[TrainStep], None] = ignore,
    on_note: Callable[[str], None] = ignore,
    check_time: Callable[[], None] = ignore,
) -> TrainResult:
    """
    Train a NanoGPT from scratch, or from a checkpoint of an earlier run with the same settings.

    Args:
        save_to: the checkpoint to write, see :func:`lesson_ct4.training.checkpoint.checkpoint_path`.
        evidence: folder for ``loss.csv`` (step, loss, learning_rate, seconds), which is written even if
            training stops early, and ``training.json``.
        cache: folder for checkpoints that later runs reuse: shared steps, for runs that differ
            only in length, and results, for identical runs. The outcome is the same, bit for bit, as without.
        resume: continue from this checkpoint instead; refused if the outcome would differ.
        on_note: called with messages to show the user.
        check_time: called before every step; raises an exception to stop.

    Raises:
        LessonError: settings contradict each other, a checkpoint does not fit, the loss is not a number, or
            the device or machine is out of memory.
        HardwareError: the device stopped working.
    """
    if config.numerics != session.info["numerics"]:
        computes = session.info["numerics"]
        raise LessonError(
            f"--numerics is {config.numerics}, but the session computes in {computes}",
            fix=f"open the session with the same numerics, or use --numerics {computes}",
        )
    session.chips.share(config.batch_size)
    steps, note = config.steps(len(dataset.train))
    if note:
        on_note(note)
    run = TrainingRun(config, dataset, session, steps)
    shared = shared_steps(config, steps)
    store = None if cache is None else CheckpointCache(cache, config, dataset.sha256, session.info)
    reused_from = None
    if resume is not None:
        saved = load_checkpoint(resume)
        check_resumable(saved, config, steps, training_identity(config, dataset.sha256, session.info))
        run.restore(saved)
        on_note(f"resuming {resume.name} after step {saved.step}")
    elif store is not None:
        reused_from = _start_from_cache(run, store, shared, on_note)
    start, tokens = run.step, config.batch_size * config.sequence_length
    on_start(TrainStart(run.parameters, steps, start, tokens, dataset.tokenizer.vocab_size))
    snapshots = Snapshots(store, run, shared, on_note)
    unwritten: OSError | None = None
    try:
        while run.step < steps:
            try:
                check_time()
            except TimedOutError:
                snapshots.save()  # between two steps the state is complete: the next attempt resumes here
                raise
            loss, rate, seconds = run.advance()
            on_step(TrainStep(run.step, steps, loss, rate, seconds, tokens / seconds))
            if snapshots.due():
                snapshots.save()
    finally:
        with contextlib.suppress(RuntimeError):  # the graph of a failed step would fill the device's memory
            session.context.reset_graph()
        try:
            if evidence is not None:
                write_losses(evidence / "loss.csv", run)
        except OSError as error:  # full disk or removed folder: save the checkpoint first
            unwritten = error
    validation_loss = run.validation_loss()  # before saving: it also shows whether the last step diverged
    if shared == steps:
        snapshots.save()
    save_checkpoint(save_to, run.checkpoint())
    if unwritten is not None:
        raise unwritten
    if store is not None:
        if resume is None and shared < steps:  # otherwise the last shared step is the result
            try:
                store.save_result(save_to, steps)
            except LessonError as error:
                on_note(f"later runs cannot reuse this result: {error}")
        store.remove_snapshots()
    spent = run.seconds[start:].astype(np.float64)
    timed = spent[1:] if len(spent) > 1 else spent
    result = TrainResult(
        checkpoint=save_to,
        steps=steps,
        reused_steps=start,
        parameters=run.parameters,
        losses=run.losses.copy(),
        validation_loss=validation_loss,
        seconds=float(spent.sum()),
        tokens_per_second=float(tokens * len(timed) / timed.sum()) if len(timed) else None,
        reused_from=reused_from,
    )
    if evidence is not None:
        names = ("parameters", "steps", "reused_steps", "seconds", "tokens_per_second", "validation_loss")
        write_summary(evidence / "training.json", run, {name: getattr(result, name) for name in names})
    return result


def _start_from_cache(
    run: TrainingRun, cache: CheckpointCache, shared: int, on_note: Callable[[str], None]
) -> CachedCheckpoint | None:
    """Restore the cached checkpoint that saves the most steps, and return it."""
    if found := cache.find(run.steps, shared, on_note):
        saved = found.checkpoint
        run.restore(saved)
        which = f"all {saved.step}" if saved.step == run.steps else f"the first {saved.step}"
        on_note(f"reusing {which} steps, which were trained before with the same settings and text")
        return found
    if reason := cache.nearest_difference():
        on_note(reason)
    return None
