"""Train one model step by step, compute its validation loss, and save and restore its state."""

from __future__ import annotations

import math
import time

import numpy as np

from lesson_ct4.config import TrainConfig
from lesson_ct4.data.dataset import Dataset, training_batch, validation_batches
from lesson_ct4.device.session import Session
from lesson_ct4.training import network
from lesson_ct4.training.checkpoint import Checkpoint
from lesson_ct4.training.randomness import Purpose, seed32
from lesson_ct4.training.schedule import learning_rate
from lesson_runner.model.errors import LessonError


class TrainingRun:
    """A model being trained, and the state that changes with every step."""

    def __init__(self, config: TrainConfig, dataset: Dataset, session: Session, steps: int) -> None:
        self.config, self.dataset, self.session, self.steps = config, dataset, session, steps
        self._model = network.build_model(session, config, dataset.tokenizer.padded_vocab_size)
        self._optimizer = network.build_optimizer(session, config, self._model)
        self._mask = session.causal_mask(config.sequence_length)
        self._tensors = self._model.parameters()
        self._averaged = False
        self.parameters = network.count_parameters(self._model)
        self.step = 0
        self.losses = np.zeros(steps, dtype=np.float32)
        self.seconds = np.zeros(steps, dtype=np.float32)

    def advance(self) -> tuple[float, float, float]:
        """
        Train one step, and return its loss, learning rate and seconds.

        Raises:
            LessonError: the loss is NaN or infinite.
        """
        started = time.perf_counter()
        config, session, ttml, step = self.config, self.session, self.session.ttml, self.step + 1
        rate = learning_rate(config, step, self.steps)
        ids, targets = training_batch(
            self.dataset.train,
            seed=config.seed,
            step=step,
            batch_size=config.batch_size,
            sequence_length=config.sequence_length,
        )
        # Dropout draws from the context's generator. Seeding it for each step makes saving it unnecessary.
        session.context.set_seed(seed32(config.seed, Purpose.DROPOUT, step))
        self._model.train()
        self._optimizer.zero_grad()
        logits = self._model(session.ids(ids), self._mask)  # [B, 1, T, V]
        loss = ttml.ops.loss.cross_entropy_loss(logits, session.ids(targets))
        loss.backward(False)
        session.chips.average_gradients(self._tensors)
        if not self._averaged:
            network.require_averaged(session, self._tensors)
            self._averaged = True
        if config.clip_grad_norm is not None:
            network.clip_gradients(session, self._tensors, config.clip_grad_norm)
        self._optimizer.set_lr(rate)
        self._optimizer.step()
        value = float(session.read(loss).mean())
        session.context.reset_graph()
        if not math.isfinite(value):
            raise self._diverged(f"the loss became {value} at step {step}", rate)
        seconds = time.perf_counter() - started
        self.losses[self.step], self.seconds[self.step] = value, seconds
        self.step = step
        return value, rate, seconds

    def _diverged(self, what: str, rate: float) -> LessonError:
        return LessonError(
            f"{what}, where the learning rate is {rate:.3g}",
            fix=f"the learning rate is too high: try --learning_rate {self.config.learning_rate / 3:.1g}, "
            "or add --warmup_steps 100 and --clip_grad_norm 1.0",
        )

    def validation_loss(self) -> float | None:
        """
        Return the mean loss over the validation batches, without dropout; ``None`` if there are none.

        Raises:
            LessonError: the loss is NaN or infinite.
        """
        session, losses = self.session, []
        self._model.eval()
        with session.no_gradients():
            for ids, targets in validation_batches(
                self.dataset.validation,
                batch_size=self.config.batch_size,
                sequence_length=self.config.sequence_length,
            ):
                # A new mask each time: without a graph, attention in some versions may reuse its memory.
                mask = session.causal_mask(self.config.sequence_length)
                logits = self._model(session.ids(ids), mask)
                loss = session.ttml.ops.loss.cross_entropy_loss(logits, session.ids(targets))
                value = float(session.read(loss).mean())
                session.context.reset_graph()
                if not math.isfinite(value):
                    rate = learning_rate(self.config, self.step, self.steps)
                    raise self._diverged(f"the validation loss is {value} after step {self.step}", rate)
                losses.append(value)
        return math.fsum(losses) / len(losses) if losses else None

    def checkpoint(self) -> Checkpoint:
        """Return the current state."""
        return Checkpoint(
            step=self.step,
            steps=self.steps,
            config=self.config,
            tokenizer=self.dataset.tokenizer,
            dataset={"name": self.dataset.name, "sha256": self.dataset.sha256},
            session=self.session.info,
            parameters=network.read_parameters(self.session, self._model),
            optimizer=network.read_optimizer(self.session, self._optimizer),
            losses=self.losses[: self.step].copy(),
            seconds=self.seconds[: self.step].copy(),
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Restore the state of a checkpoint that fits this run."""
        network.write_parameters(self.session, self._model, checkpoint.parameters)
        if checkpoint.optimizer is not None:  # None only at the end of a run, where no step follows
            network.write_optimizer(self.session, self._optimizer, checkpoint.optimizer)
        self.step = checkpoint.step
        self.losses[: self.step] = checkpoint.losses
        self.seconds[: self.step] = checkpoint.seconds
