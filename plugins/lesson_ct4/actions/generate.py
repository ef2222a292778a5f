"""The action ``ct4.generate``: continue a prompt with a trained model."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from lesson_ct4.actions.workbench import dataset_labels, find_checkpoint, find_corpus, session_for
from lesson_ct4.generation.generate import generate
from lesson_ct4.training.checkpoint import load_checkpoint
from lesson_runner.context import RunContext, StepContext
from lesson_runner.model import Json, Outcome
from lesson_runner.resources import write_aside
from lesson_tenstorrent.devices import count_devices

RECORD = "samples.json"


def run(params: Json, context: StepContext, checkpoint: Path | None = None) -> Outcome:
    """
    Generate, print the first text, and keep all of them as evidence.

    Args:
        checkpoint: the file, if it is not in the workspace.

    Raises:
        LessonError: the checkpoint is missing or damaged, or the prompt has characters it does not know.
    """
    path = checkpoint or find_checkpoint(context, params["model_path"])
    loaded = load_checkpoint(path)
    session = session_for(context.run, _numerics(context.run, loaded.config.numerics))
    prompt, total = str(params["prompt"]), int(params["max_new_tokens"])
    done = 0

    def count(sample: int, _: str) -> None:
        nonlocal done
        if sample == 0:
            done += 1
            context.progress(done, total)

    samples = generate(
        loaded,
        prompt,
        session,
        max_new_tokens=total,
        temperature=params["temperature"],
        top_k=params["top_k"],
        seed=params["seed"],
        samples=params["samples"],
        on_token=count,
        on_note=lambda note: context.say(f"Note: {note}"),
        check_time=context.check_time,
    )
    context.say(prompt + samples[0])
    trained_on = str(loaded.dataset.get("sha256", ""))
    record = {
        "prompt": prompt,
        "temperature": params["temperature"],
        "top_k": params["top_k"],
        "seed": params["seed"],
        "samples": samples,
        "checkpoint": {
            "name": path.stem,
            "step": loaded.step,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        },
        "corpus": find_corpus(context, trained_on),
    }
    write_aside(context.evidence / RECORD, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    return Outcome(
        facts={"backend": session.info},
        labels=(*session.labels, *dataset_labels(trained_on)),
    )


def _numerics(run: RunContext, trained: str) -> str:
    """Return the numerics to generate in: the training's, but a board has only its own."""
    emulated = run.backend == "emulated" or (run.backend == "auto" and not count_devices())
    return trained if emulated else "device"
