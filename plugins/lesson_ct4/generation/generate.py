"""
Generate text from a checkpoint.

NanoGPT in ``ttml`` has no KV cache, so on a board every character costs a forward pass over a full block. The
emulation has one, and computes only the rows that are read. The prompt is padded on the right and the logits
are read at its last character. Attention is causal, so padding has no effect, and positions match training.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lesson_ct4.data.tokenizer import CharTokenizer
from lesson_ct4.device.faults import explaining
from lesson_ct4.device.session import Session
from lesson_ct4.generation.sampling import check_sampling, sample
from lesson_ct4.training import network
from lesson_ct4.training.callbacks import ignore
from lesson_ct4.training.checkpoint import Checkpoint, load_checkpoint
from lesson_runner.model.errors import LessonError


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model on the device, ready to generate text."""

    checkpoint: Checkpoint
    model: Any


@explaining()
def load_model(checkpoint: Path | Checkpoint, session: Session) -> LoadedModel:
    """
    Build the model of a checkpoint and load its weights.

    Raises:
        LessonError: the file is damaged, its weights do not fit its model, or the device is out of memory.
        HardwareError: the device stopped working.
    """
    loaded = load_checkpoint(checkpoint) if isinstance(checkpoint, Path) else checkpoint
    model = network.build_model(session, loaded.config, loaded.tokenizer.padded_vocab_size)
    network.write_parameters(session, model, loaded.parameters)
    model.eval()
    return LoadedModel(loaded, model)


def check_request(tokenizer: CharTokenizer, prompt: str, temperature: float, top_k: int) -> None:
    """
    Check a request as far as possible without a device.

    Raises:
        LessonError: a value is out of range, or the prompt has a character that the model does not know.
    """
    check_sampling(temperature=temperature, top_k=top_k)
    tokenizer.encode(prompt)


@explaining()
def generate(
    checkpoint: Path | Checkpoint | LoadedModel,
    prompt: str,
    session: Session,
    *,
    max_new_tokens: int = 300,
    temperature: float = 0.8,
    top_k: int = 40,
    seed: int = 5489,
    samples: int = 1,
    on_token: Callable[[int, str], None] = ignore,
    on_note: Callable[[str], None] = ignore,
    check_time: Callable[[], None] = ignore,
) -> list[str]:
    """
    Return ``samples`` continuations of ``prompt`` with ``max_new_tokens`` characters each.

    Args:
        prompt: an empty prompt is replaced by a newline, and ``on_note`` is told.
        temperature: below 0.01, generation is greedy.
        top_k: sample from this many most likely characters; 0 for all.
        seed: each character is a function of the seed, the sample's number and the position.
        on_token: called with the sample's number and each new character.
        check_time: called before every character; raises an exception to stop.

    Raises:
        LessonError: a value is out of range, or the prompt has a character that the model does not know.
        HardwareError: the device stopped working.
    """
    for flag, value in (("max_new_tokens", max_new_tokens), ("samples", samples)):
        if value < 1:
            raise LessonError(f"--{flag} is {value}", fix=f"--{flag} must be 1 or more")
    loaded = checkpoint if isinstance(checkpoint, LoadedModel) else load_model(checkpoint, session)
    tokenizer, block = loaded.checkpoint.tokenizer, loaded.checkpoint.config.sequence_length
    check_request(tokenizer, prompt, temperature, top_k)
    if not prompt:
        on_note("the prompt is empty: starting from a new line")
        prompt = "\n"
    start = tokenizer.encode(prompt)
    ids = np.zeros((samples, len(start) + max_new_tokens), dtype=np.uint32)
    ids[:, : len(start)] = start
    loaded.model.eval()
    with session.no_gradients():
        for position in range(len(start), ids.shape[1]):
            check_time()
            logits = _logits(loaded.model, session, ids[:, max(0, position - block) : position], block)
            for index in range(samples):
                ids[index, position] = sample(
                    logits[index],
                    characters=len(tokenizer.characters),
                    temperature=temperature,
                    top_k=top_k,
                    seed=seed,
                    sample_index=index,
                    position=position - len(start),
                )
                on_token(index, tokenizer.decode([int(ids[index, position])]))
    return [tokenizer.decode(row[len(start) :].tolist()) for row in ids]


def _logits(model: Any, session: Session, window: np.ndarray[Any, Any], block: int) -> np.ndarray[Any, Any]:
    """Return the logits after the last character of ``window``; ``[S, L]`` to float32 ``[S, V]``."""
    samples, length = window.shape
    padded = np.zeros((samples, 1, 1, block), dtype=np.uint32)
    padded[:, 0, 0, :length] = window
    # A new mask each time: attention in some versions may reuse the memory of the mask.
    logits = model(session.ids(padded, split=False), session.causal_mask(block))
    values = session.read_row(logits, length - 1, "the logits")
    session.context.reset_graph()
    return values
