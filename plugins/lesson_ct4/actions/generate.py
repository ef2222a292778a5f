"""The action ``ct4.generate``: continue a prompt with a trained model."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from lesson_ct4.actions.workspace_files import dataset_labels, find_checkpoint, find_corpus, session_for
from lesson_ct4.device.session import is_emulated
from lesson_ct4.generation.generate import check_request, generate
from lesson_ct4.measuring.captions import metrics_caption, news_caption
from lesson_ct4.measuring.emergence import first_seen
from lesson_ct4.measuring.evidence import measure_action
from lesson_ct4.training.checkpoint import load_checkpoint
from lesson_runner.files.evidence import Evidence
from lesson_runner.files.plain import write_aside
from lesson_runner.model import Json, Outcome
from lesson_runner.plugins.context import StepContext

RECORD = "samples.json"
STAGES = "ct4.stages"
"""Where a run keeps what each model's texts showed, by the checkpoint's name; with the step they are of."""


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
    # Before anything opens: beside a run that has the board open, a second program would wait for it.
    check_request(loaded.tokenizer, str(params["prompt"]), params["temperature"], params["top_k"])
    emulated = is_emulated(context.run.backend)
    session = session_for(
        context.run,
        loaded.config.numerics if emulated else "device",  # a board has only its own
        "1x1" if emulated else None,  # opening a board again takes longer than it would save
        context.say,
    )
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
    text_labels = dataset_labels(trained_on) if trained_on else ()
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
    if context.run.lesson.steps:  # by hand there are no stages, and the text may be piped on
        _say_what_it_shows(path.stem, context)
    return Outcome(
        facts={"backend": session.info},
        labels=tuple(dict.fromkeys((*session.labels, *loaded.labels, *text_labels))),
    )


def _say_what_it_shows(model: str, context: StepContext) -> None:
    """Tell the learner what a stage's first texts show, and what no earlier stage of this run did."""
    run, step = context.run, context.step.id
    kept = run.store.load(STAGES)
    stages: dict[str, dict[str, Any]] = kept if isinstance(kept, dict) else {}
    if stages.get(model, {}).get("step", step) != step:
        return
    metrics = measure_action("ct4.generate", Evidence(context.evidence, run.shared_evidence))
    earlier = [stage["metrics"] for name, stage in stages.items() if name != model]
    lines = [metrics_caption(metrics), news_caption(first_seen(metrics, earlier), metrics)]
    if said := "\n".join(filter(None, lines)):
        context.say(f"\n{said}")
    stages[model] = {"step": step, "metrics": dict(metrics)}
    run.store.save(STAGES, stages)
