"""A small GPT-2 from Hugging Face's ``transformers``: the Trainer's defaults, ``generate`` with a cache."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.peers.nanogpt import Shape


def build(shape: Shape) -> Any:
    """Return the model; it uses the shape's dropout in all three places."""
    from transformers import GPT2Config, GPT2LMHeadModel

    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=shape.vocabulary,
            n_positions=shape.block,
            n_embd=shape.width,
            n_layer=shape.layers,
            n_head=shape.heads,
            resid_pdrop=shape.dropout,
            embd_pdrop=shape.dropout,
            attn_pdrop=shape.dropout,
            bos_token_id=0,
            eos_token_id=None,
            pad_token_id=0,
            loss_type="ForCausalLM",
        )
    )


class Windows(torch.utils.data.Dataset[dict[str, torch.Tensor]]):
    """Windows of a text that start anywhere, with themselves as labels: the model shifts the labels."""

    def __init__(self, text: NDArray[np.uint16], length: int) -> None:
        self._text, self._length = text, length

    def __len__(self) -> int:
        return len(self._text) - self._length

    def __getitem__(self, start: int) -> dict[str, torch.Tensor]:
        ids = torch.from_numpy(self._text[start : start + self._length].astype(np.int64))
        return {"input_ids": ids, "labels": ids}


def train(model: Any, shape: Shape, text: NDArray[np.uint16], steps: int, folder: str) -> float:
    """Train with the Trainer's defaults, and return the seconds of a step, without the first one."""
    from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

    ends: list[float] = []

    class Clock(TrainerCallback):  # type: ignore[misc]  # known only if it is installed
        def on_step_end(self, *_: object, **__: object) -> None:
            ends.append(time.perf_counter())

    trainer = Trainer(
        model,
        TrainingArguments(
            output_dir=folder,
            per_device_train_batch_size=shape.batch,
            max_steps=steps + 1,
            use_cpu=True,
            dataloader_pin_memory=False,  # there is no GPU to copy to
            disable_tqdm=True,
            save_strategy="no",
        ),
        train_dataset=Windows(text, shape.block),
        callbacks=[Clock()],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()
    return (ends[-1] - ends[0]) / steps


def generate(model: Any, ids: torch.Tensor, count: int) -> torch.Tensor:
    """Return ``[B, T + count]``, with the keys and values of earlier tokens kept."""
    out: torch.Tensor = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=True,
        temperature=0.8,
        top_k=40,
        max_new_tokens=count,
        min_new_tokens=count,
    )
    return out
