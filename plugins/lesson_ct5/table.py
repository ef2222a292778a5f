"""The lesson's own action, ``ct5.compare``: what it takes and reads. How it runs is loaded when it does."""

from __future__ import annotations

from lesson_ct5.plugin import COMPARE
from lesson_runner.context import StepContext
from lesson_runner.model import Action, Expectation, Json, Outcome, Paths


def _compare(params: Json, context: StepContext) -> Outcome:
    from lesson_ct5.actions import compare

    return compare(params, context)


def _reads(params: Json) -> Paths:
    from lesson_ct4.names import loaded_stems

    names = [stem for name in params.get("checkpoints", ()) for stem in loaded_stems(name)]
    return Paths(reads=tuple(f"checkpoint:{name}" for name in names))


def _command(params: Json) -> str:
    return " ".join(["lesson", "ct5", "compare", *params["checkpoints"]])


COMPARE_ACTION = Action(
    COMPARE,
    "Compare trainings on different numbers of chips",
    _compare,
    schema={
        "type": "object",
        "properties": {
            "checkpoints": {
                "description": "The trainings' checkpoints, one for each number of chips.",
                "type": "array",
                "items": {"type": "string", "pattern": r"^[\w.-]+$"},
                "minItems": 2,
                "uniqueItems": True,
                "examples": [["chips1", "chips2"]],
            }
        },
        "required": ["checkpoints"],
        "additionalProperties": False,
    },
    paths=_reads,
    command=_command,
    expect=(Expectation("metric", {"name": "efficiency", "min": 0.0}),),
)
