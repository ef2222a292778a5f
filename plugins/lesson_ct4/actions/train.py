"""The action ``ct4.train``: one stage of training, with the output that the lesson describes."""

from __future__ import annotations

import time
from pathlib import Path

from lesson_ct4.actions.workspace_files import (
    checkpoint_to_save,
    dataset_fact,
    dataset_labels,
    find_checkpoint,
    find_data,
    session_for,
    share_corpus,
)
from lesson_ct4.config import RECIPES, TrainConfig, config_from, training_fields
from lesson_ct4.data.dataset import Dataset, load_dataset
from lesson_ct4.data.fetch import LARGEST
from lesson_ct4.device.mesh import TooFewChipsError, share_problem
from lesson_ct4.measuring.evidence import WINDOW, final_loss
from lesson_ct4.names import TOO_FEW_CHIPS
from lesson_ct4.training.checkpoint_cache import written_at
from lesson_ct4.training.train import TrainResult, TrainStart, TrainStep, train
from lesson_runner.files.plain import read_plain, real
from lesson_runner.model import Json, Outcome
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.context import StepContext

LINES = 10
"""Number of progress lines that a stage prints; every step is reported as an event."""
REUSED = "reused"
"""The label of a result with steps that an earlier run trained, whose times it contains."""
EARLIER_STATES = "ct4.earlier"
"""The key of the store for the states that earlier runs left."""


def run(params: Json, context: StepContext, data: Path | None = None, *, share_steps: bool = True) -> Outcome:
    """
    Train, save a checkpoint in the workspace, and store the loss curve as evidence.

    Args:
        data: the text, if it is not in the workspace.
        share_steps: cache the steps that stages have in common, and reuse cached ones.

    Raises:
        LessonError: a data set or checkpoint is missing, or parameters contradict each other.
        HardwareError: there is no usable board, or it has too few chips.
    """
    if params.get("fresh") and params.get("resume"):
        raise LessonError("--fresh and --resume contradict each other", fix="leave one of them out")
    config = config_from(training_fields(params))
    # Check before opening a device: if another run has the board open, opening it would wait for that run.
    if problem := share_problem(config.batch_size, int(params["mesh"].partition("x")[2])):
        raise LessonError(problem[0], fix=problem[1])
    path = data or find_data(context, params["data_path"])
    dataset = load_dataset(
        path,
        validation_fraction=config.validation_fraction,
        sequence_length=config.sequence_length,
    )
    resume = find_checkpoint(context, params["resume"]).path if params.get("resume") else None
    save_to = checkpoint_to_save(context.workspace, params["model_save_path"])
    try:
        session = session_for(context.run, config.numerics, params["mesh"], context.say)
    except TooFewChipsError as error:
        if params.get(TOO_FEW_CHIPS) == "skip":
            return Outcome("skipped", str(error))
        raise
    share_corpus(context.run, read_plain(real(path), LARGEST))
    labels = (*session.labels, *dataset_labels(dataset.sha256))
    output = _TrainingOutput(context, config, session.chips.count)
    output.open(dataset, path, labels)
    cache = context.workspace.inside(context.run.cache / "checkpoint-cache") if share_steps else None
    before = _earlier_states(context, cache)
    result = train(
        config,
        dataset,
        session,
        save_to=save_to,
        evidence=context.evidence,
        cache=cache,
        resume=resume,
        on_start=output.start,
        on_step=output.step,
        on_note=lambda note: context.say(f"Note: {note}"),
        check_time=context.check_time,
    )
    output.close(result)
    if (reused := result.reused_from) and before.get(str(reused.path)) == reused.written:
        labels = (*labels, REUSED)
    return Outcome(
        facts={"backend": session.info, "dataset": dataset_fact(path, dataset.sha256)},
        labels=labels,
    )


def _earlier_states(context: StepContext, cache: Path | None) -> dict[str, int]:
    """Return the states that existed before this run first trained: their paths and times of writing."""
    if cache is None:
        return {}
    kept = context.store.load(EARLIER_STATES)
    if not isinstance(kept, dict):
        kept = {str(path): written_at(path) for path in cache.glob("*/*.safetensors")}
        context.store.save(EARLIER_STATES, kept)
    return kept


class _TrainingOutput:
    """Prints what the learner reads while a stage is trained."""

    def __init__(self, context: StepContext, config: TrainConfig, chips: int) -> None:
        self._say = context.say
        self._progress = context.progress
        self._config = config
        self._chips = chips
        self._began = self._last = time.perf_counter()
        self._first = self._printed = 0
        self._tokens = config.batch_size * config.sequence_length

    def open(self, dataset: Dataset, path: Path, labels: tuple[str, ...]) -> None:
        """Print what the model is trained on."""
        tokenizer = dataset.tokenizer
        shown = f"  [{', '.join(labels)}]" if labels else ""
        self._say(f"NanoGPT Training{shown}")
        self._say("=" * 60)
        self._say(f"Data path: {path}")
        self._say(f"Dataset size: {len(dataset.train) + len(dataset.validation)} characters")
        if len(dataset.validation):
            self._say(f"  of them {len(dataset.validation)} kept for validation")
        self._say(
            f"Vocabulary size: {len(tokenizer.characters)} unique characters "
            f"({tokenizer.vocab_size} with the special ones, {tokenizer.padded_vocab_size} in the model)"
        )

    def start(self, start: TrainStart) -> None:
        """Print the configuration of the model and the training."""
        config = self._config
        self._say("\nModel configuration:")
        self._say(f"  Layers: {config.n_layer}")
        self._say(f"  Embedding dimension: {config.n_embd}")
        self._say(f"  Heads: {config.n_head}")
        self._say(f"  Block size: {config.sequence_length}")
        self._say(f"  Parameters: {start.parameters:,}")
        self._say("\nTraining configuration:")
        if config.num_epochs is not None:
            self._say(f"  Epochs: {config.num_epochs}")
        shared = f" ({config.batch_size // self._chips} on each of {self._chips} chips)"
        self._say(f"  Batch size: {config.batch_size}{shared if self._chips > 1 else ''}")
        self._say(f"  Learning rate: {config.learning_rate:g}")
        self._say(f"  Recipe: {_recipe(config)}")
        reused = f" ({start.reused_steps:,} of them trained before)" if start.reused_steps else ""
        self._say(f"  Training steps: {start.steps:,}{reused}\n")
        self._first = self._printed = start.reused_steps
        self._began = self._last = time.perf_counter()

    def step(self, step: TrainStep) -> None:
        """Report a step as progress, and print a line for every tenth of the stage."""
        now = time.perf_counter()
        left = (now - self._began) / (step.step - self._first) * (step.steps - step.step)
        self._progress(
            step.step,
            step.steps,
            curve="loss",
            loss=step.loss,
            learning_rate=step.learning_rate,
            tokens_per_second=step.tokens_per_second,
            seconds_left=left,
        )
        every = max(1, step.steps // LINES)
        if step.step % every == 0 or step.step == step.steps:
            spent = now - self._last
            rate = (step.step - self._printed) * self._tokens / spent
            self._say(
                f"[Step {step.step}/{step.steps}] Loss: {step.loss:.2f} | Time: {spent:.1f}s"
                f" | {rate:,.0f} tokens/s | {left:.0f} s left"
            )
            self._last, self._printed = now, step.step

    def close(self, result: TrainResult) -> None:
        """Print the result."""
        steps = min(WINDOW, len(result.losses))
        self._say("\nTraining complete!")
        self._say(f"Final loss: {final_loss(result.losses.tolist()):.2f} (mean of the last {steps} steps)")
        if result.validation_loss is not None:
            self._say(f"Validation loss: {result.validation_loss:.2f}")
        self._say(f"Checkpoint saved: {result.checkpoint}")
        self._say(f"Total time: {result.seconds:.1f} seconds")


def _recipe(config: TrainConfig) -> str:
    """Return the recipe's name, and the settings that differ from it."""
    changed = []
    for name, value in RECIPES[config.recipe].items():
        actual = getattr(config, name)
        if actual != value:
            shown = "none" if actual is None else f"{actual:g}" if isinstance(actual, float) else actual
            changed.append(f"{name} {shown}")
    return f"{config.recipe}, but {', '.join(changed)}" if changed else config.recipe
