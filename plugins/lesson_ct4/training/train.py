"""
Training a stage: from scratch, or from the steps an earlier stage left.

Nothing here prints: what happens is told through callbacks and comes back as a :class:`TrainResult`.
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
from lesson_ct4.training.files import write_losses, write_summary
from lesson_ct4.training.run import TrainingRun
from lesson_ct4.training.schedule import trunk_identity, trunk_steps
from lesson_ct4.training.snapshots import Snapshots
from lesson_ct4.training.trunk import Found, Trunk, check_resumable
from lesson_runner.model.errors import LessonError, TimedOutError


@dataclass(frozen=True, slots=True)
class TrainStart:
    """What is known before the first step."""

    parameters: int
    """How many numbers are learned."""
    steps: int
    reused_steps: int
    """How many of them were trained before."""
    tokens_per_step: int
    vocab_size: int
    """Ids in use; the model's own is padded."""


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
    """Every step's training loss, those trained before included; shape ``[steps]``."""
    validation_loss: float | None
    """Mean over fixed windows of the held-out text; ``None`` where none was held out."""
    seconds: float
    """Spent on the steps trained here."""
    tokens_per_second: float | None
    """Over the steps trained here but the first, which compiles; ``None`` if there were none."""
    reused_from: Found | None = None
    """Where the steps trained before were, if in the trunk."""


@explaining()
def train(
    config: TrainConfig,
    dataset: Dataset,
    session: Session,
    *,
    save_to: Path,
    evidence: Path | None = None,
    trunk: Path | None = None,
    resume: Path | None = None,
    on_start: Callable[[TrainStart], None] = ignore,
    on_step: Callable[[TrainStep], None] = ignore,
    on_note: Callable[[str], None] = ignore,
    check_time: Callable[[], None] = ignore,
) -> TrainResult:
    """
    Train a NanoGPT from scratch, or from where an earlier run of the same settings was.

    Args:
        save_to: the checkpoint to write, see :func:`lesson_ct4.training.checkpoint.checkpoint_path`.
        evidence: folder for ``loss.csv`` (step, loss, learning_rate, seconds), which is written even if
            training stops early, and ``training.json``.
        trunk: folder in which runs that differ in length only leave the steps they share, and equal ones
            their end, and find them. The outcome is the same, bit for bit, as without.
        resume: go on from this checkpoint instead; refused if the outcome would not be the same.
        on_note: gets sentences worth showing.
        check_time: called before every step; raises to stop.

    Raises:
        LessonError: settings that contradict each other, a checkpoint that does not fit, a loss that
            is not a number, or a device or machine without room for it.
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
    shared = trunk_steps(config, steps)
    store = None if trunk is None else Trunk(trunk, config, dataset.sha256, session.info)
    reused_from = None
    if resume is not None:
        saved = load_checkpoint(resume)
        check_resumable(saved, config, steps, trunk_identity(config, dataset.sha256, session.info))
        run.restore(saved)
        on_note(f"resuming {resume.name} after step {saved.step}")
    elif store is not None:
        reused_from = _start_from_trunk(run, store, shared, on_note)
    start, tokens = run.step, config.batch_size * config.sequence_length
    on_start(TrainStart(run.parameters, steps, start, tokens, dataset.tokenizer.vocab_size))
    snapshots = Snapshots(store, run, shared, on_note)
    unwritten: OSError | None = None
    try:
        while run.step < steps:
            try:
                check_time()
            except TimedOutError:
                snapshots.leave()  # between two steps the state is whole: the next attempt goes on from here
                raise
            loss, rate, seconds = run.advance()
            on_step(TrainStep(run.step, steps, loss, rate, seconds, tokens / seconds))
            if snapshots.due():
                snapshots.leave()
    finally:
        with contextlib.suppress(RuntimeError):  # what a broken step left would fill the device's memory
            session.context.reset_graph()
        try:
            if evidence is not None:
                write_losses(evidence / "loss.csv", run)
        except OSError as error:  # the disk is full, or the folder was removed: save what was trained first
            unwritten = error
    validation_loss = run.validation_loss()  # before anything is saved: it also tells if the last step broke
    if shared == steps:
        snapshots.leave()
    save_checkpoint(save_to, run.checkpoint())
    if unwritten is not None:
        raise unwritten
    if store is not None:
        if resume is None and shared < steps:  # else the trunk's last state is the end
            try:
                store.keep_result(save_to, steps)
            except LessonError as error:
                on_note(f"later runs will train again: {error}")
        store.forget_the_way()
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


def _start_from_trunk(
    run: TrainingRun, store: Trunk, shared: int, on_note: Callable[[str], None]
) -> Found | None:
    """Go to the best state that is there, and return it."""
    if found := store.find(run.steps, shared, on_note):
        saved = found.checkpoint
        run.restore(saved)
        which = f"all {saved.step}" if saved.step == run.steps else f"the first {saved.step}"
        on_note(f"{which} steps were trained before, with equal settings on the same text")
        return found
    if reason := store.why_not_shared():
        on_note(reason)
    return None
