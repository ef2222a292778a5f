"""Find the cause of a step's result, in the terms of the lesson's troubleshooting section."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from lesson_ct4.data.fetch import LARGEST
from lesson_ct4.diagnosis import curves
from lesson_ct4.diagnosis.messages import CIRCLES, EXPLODING, JUMPING, NOT_FALLING, SIGNS, TEXT
from lesson_ct4.diagnosis.text import entropy, kind_of
from lesson_ct4.measuring.evidence import read_losses
from lesson_runner.files.evidence import Evidence
from lesson_runner.model import Diagnosis, StepResult

REPEATING = 0.3
"""Repetition above this is a problem: Shakespeare has at most 0.02, a loop nearly 1."""
COOL = 0.3
"""At temperatures up to this, any small model repeats itself."""


def diagnose(result: StepResult, evidence: Evidence) -> list[Diagnosis]:
    """Return the causes of the result of a training or generation step; empty for other steps."""
    if not result.step.action.startswith("ct4."):
        return []
    found = list(_from_message(result))
    if result.step.action == "ct4.train":
        found += _from_training(result, evidence, explained=bool(found))
    elif result.step.action == "ct4.generate":
        found += _from_text(result)
    return found


def _from_message(result: StepResult) -> Iterator[Diagnosis]:
    if result.status not in ("failed", "error"):
        return
    sign = next((sign for sign in SIGNS if sign.message.search(result.message)), None)
    if sign is not None:
        yield replace(sign.diagnosis, command=_rerun_command(result, *sign.change) if sign.change else "")


def _from_training(result: StepResult, evidence: Evidence, *, explained: bool) -> Iterator[Diagnosis]:
    text = _text(evidence)
    kind = kind_of(text) if text else None
    if kind:
        yield Diagnosis(kind[0], "The text is the wrong kind", f"it {kind[1]}", TEXT)
    losses = read_losses(evidence)
    if not losses or explained:
        return
    begin = _resumed_at(result, evidence)
    if begin and (rise := curves.jump(losses, begin)):
        yield Diagnosis(
            "spike-after-resume",
            "The loss jumped when training resumed",
            f"it rose by {rise:.2f} after step {begin}: the optimizer state was lost",
            JUMPING,
        )
    if curves.has_exploded(losses):
        yield Diagnosis(
            "loss-exploded",
            "The training exploded",
            f"the loss ends at {losses[-1]:.1f}, above its start of {losses[0]:.1f}: the learning rate "
            "is too high for this model",
            EXPLODING,
            _rerun_command(result, "learning_rate", 1 / 3),
        )
    elif curves.is_stuck(losses):
        yield Diagnosis(
            "loss-stuck",
            "The loss does not fall",
            f"after {len(losses):,} steps it is still where it started: the updates are too small for "
            "bfloat16, or the text is not suitable",
            NOT_FALLING,
            _rerun_command(result, "learning_rate", 10),
        )
    elif not kind and curves.knows_frequencies_only(losses, entropy(text) if text else float("inf")):
        yield Diagnosis(
            "nothing-learned",
            "Only letter frequencies were learned",
            f"after {len(losses):,} steps the loss is that of guessing letters by their frequency",
            NOT_FALLING,
            _rerun_command(result, "learning_rate", 3),
        )
    elif not kind and curves.is_flat(losses):
        yield Diagnosis(
            "plateau",
            "The loss has stopped falling",
            "the second half of the steps did not help: this model cannot do better at this learning rate",
            NOT_FALLING,
            _rerun_command(result, "learning_rate", 1 / 3),
        )


def _from_text(result: StepResult) -> Iterator[Diagnosis]:
    repetition = result.metrics.get("repetition", 0.0)
    if repetition <= REPEATING:
        return
    temperature, top_k = (result.step.params.get(name) for name in ("temperature", "top_k"))
    if isinstance(temperature, int | float) and temperature <= COOL:
        why = (
            f"at a temperature of {temperature:g} the likeliest letter nearly always wins, which makes a loop"
        )
        command = _with(result, "temperature", 0.8)
    elif top_k == 1:
        why = "with a top_k of 1 the likeliest letter always wins, which makes a loop"
        command = _with(result, "top_k", 40)
    elif "emulated" in result.labels:
        why = "the training text repeats itself too, or the model was not trained enough"
        command = ""
    else:
        why = "generation with tt-metal v0.66.0-rc5 to rc7 has this fault; v0.67.0 and later do not"
        command = "lesson doctor"
    explanation = f"{repetition:.0%} of it repeats what came shortly before: {why}"
    yield Diagnosis("repetition", "The text runs in circles", explanation, CIRCLES, command)


def _rerun_command(result: StepResult, name: str, factor: float) -> str:
    """Return the command that reruns the step with a scaled parameter; empty if it is not a number."""
    value = result.step.params.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return _with(result, name, max(1, int(value * factor)) if isinstance(value, int) else value * factor)


def _with(result: StepResult, name: str, value: float) -> str:
    step = result.step
    return f"lesson run {step.location.path} --from {step.id} --param {step.id}.{name}={value:.2g}"


def _resumed_at(result: StepResult, evidence: Evidence) -> int:
    """Return the step from which training resumed; 0 if it started from scratch."""
    if not result.step.params.get("resume"):
        return 0
    reused = _summary(evidence).get("reused_steps")
    return reused if isinstance(reused, int) else 0


def _text(evidence: Evidence) -> str:
    """Return the training text; empty if it is unknown."""
    files = sorted(evidence.shared.glob("corpus-*.txt"))
    about = _summary(evidence).get("dataset")
    digest = about.get("sha256") if isinstance(about, dict) else None
    if isinstance(digest, str):
        files = [path for path in files if path.stem == f"corpus-{digest[:16]}"]
    if len(files) != 1:
        return ""
    try:
        return evidence.read_shared(files[0].name, LARGEST).decode("utf-8")
    except (OSError, ValueError):
        return ""


def _summary(evidence: Evidence) -> dict[str, Any]:
    try:
        data = evidence.read_json("training.json")
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}
