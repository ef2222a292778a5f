"""The declaration of the action ``ct5.compare``; its code is imported when a step runs."""

from __future__ import annotations

from lesson_ct5 import COMPARE
from lesson_runner.model import Expectation, Inspection, Json
from lesson_runner.plugins.action import Action


def _inspect(params: Json) -> Inspection:
    from lesson_ct4.names import loaded_stems

    names = [stem for name in params.get("checkpoints", ()) for stem in loaded_stems(name)]
    return Inspection(reads=tuple(f"checkpoint:{name}" for name in names))


def _command(params: Json) -> str:
    return " ".join(["lesson", "ct5", "compare", *params["checkpoints"]])


COMPARE_ACTION = Action(
    COMPARE,
    "Compare trainings on different numbers of chips",
    "lesson_ct5.actions:compare",
    schema={
        "type": "object",
        "properties": {
            "checkpoints": {
                "description": "The checkpoints to compare, one for each number of chips.",
                "type": "array",
                "items": {"type": "string", "pattern": r"^[\w.-]+(/[\w.-]+)*$"},
                "minItems": 2,
                "uniqueItems": True,
                "examples": [["chips1", "chips2"]],
            }
        },
        "required": ["checkpoints"],
        "additionalProperties": False,
    },
    inspect=_inspect,
    command=_command,
    expect=(Expectation("metric", {"name": "efficiency", "min": 0.0}),),
    metrics=(
        *("ms_per_step_*", "tokens_per_second_*", "final_loss_*", "speedup_*", "efficiency_*"),
        *("efficiency", "loss_gap", "final_loss_gap"),
    ),
)
