"""The action ``ct4.generate``: continue a prompt with a trained model."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from lesson_ct4.actions.workspace_files import dataset_labels, find_checkpoint, find_corpus, session_for
from lesson_ct4.data.text import as_read
from lesson_ct4.device.session import is_emulated
from lesson_ct4.generation.generate import check_request, generate
from lesson_ct4.measuring.captions import metrics_caption, news_caption
from lesson_ct4.measuring.emergence import first_seen
from lesson_ct4.measuring.evidence import measure_action
from lesson_ct4.training.checkpoint import load_checkpoint
from lesson_runner.files.evidence import Evidence
from lesson_runner.files.plain import write_atomically
from lesson_runner.model import Json, Outcome
from lesson_runner.plugins.context import StepContext

RECORD = "samples.json"
STAGES = "ct4.stages"
"""The key of a run's store for the metrics of each checkpoint's texts, with the step that made them."""


def run(params: Json, context: StepContext, checkpoint: Path | None = None) -> Outcome:
    """
    Generate texts, print the first, and store all of them as evidence.

    Args:
        checkpoint: the file, if it is not in the workspace.

    Raises:
        LessonError: the checkpoint is missing or damaged, or the prompt has characters unknown to it.
    """
    name, path = (
        (checkpoint.stem, checkpoint) if checkpoint else find_checkpoint(context, params["model_path"])
    )
    loaded = load_checkpoint(path)
    prompt, total = as_read(str(params["prompt"])), int(params["max_new_tokens"])
    # Check before opening a device: if another run has the board open, opening it would wait for that run.
    check_request(loaded.tokenizer, prompt, params["temperature"], params["top_k"])
    emulated = is_emulated(context.run.backend)
    session = session_for(
        context.run,
        loaded.config.numerics if emulated else "device",  # a board has only one kind
        "1x1" if emulated else None,  # reopening a board takes longer than fewer chips would save
        context.say,
    )
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
    text_labels = dataset_labels(trained_on) if trained_on else ()
    record = {
        "prompt": prompt,
        "temperature": params["temperature"],
        "top_k": params["top_k"],
        "seed": params["seed"],
        "samples": samples,
        "checkpoint": {
            "name": name,
            "step": loaded.step,
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        },
        "corpus": find_corpus(context, trained_on),
    }
    write_atomically(context.evidence / RECORD, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    if context.run.lesson.steps:  # outside a lesson there are no stages, and the text may be piped
        _print_metrics(name, context)
    return Outcome(
        facts={"backend": session.info},
        labels=tuple(dict.fromkeys((*session.labels, *loaded.labels, *text_labels))),
    )


def _print_metrics(model: str, context: StepContext) -> None:
    """Print the metrics of a stage's texts, and what they show for the first time in this run."""
    run, step = context.run, context.step.id
    kept = run.store.load(STAGES)
    stages: dict[str, dict[str, Any]] = kept if isinstance(kept, dict) else {}
    if stages.get(model, {}).get("step", step) != step:
        return
    metrics = measure_action("ct4.generate", Evidence(context.evidence, run.shared_evidence))
    earlier = [stage["metrics"] for name, stage in stages.items() if name != model]
    lines = [metrics_caption(metrics), news_caption(first_seen(metrics, earlier), metrics)]
    if text := "\n".join(filter(None, lines)):
        context.say(f"\n{text}")
    stages[model] = {"step": step, "metrics": dict(metrics)}
    run.store.save(STAGES, stages)
