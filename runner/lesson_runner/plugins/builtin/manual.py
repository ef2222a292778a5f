"""The ``manual`` action: the user does something and confirms that it worked."""

from __future__ import annotations

from lesson_runner.plugins import Action, Json, Outcome, StepContext


def run_manual(params: Json, context: StepContext) -> Outcome:
    """Ask the user to confirm ``instruction``."""
    instruction = params["instruction"]
    if context.run.ask is None:
        return Outcome("skipped", f"there is nobody to confirm: {instruction}")
    if context.run.ask(instruction):
        return Outcome(output=f"confirmed: {instruction}")
    return Outcome("failed", f"not confirmed: {instruction}")


MANUAL = Action(
    "manual",
    "Ask the user to do something and to confirm that it worked",
    run_manual,
    schema={
        "type": "object",
        "properties": {
            "instruction": {
                "description": "What to do or to look at, as a question.",
                "type": "string",
                "minLength": 1,
            }
        },
        "required": ["instruction"],
        "additionalProperties": False,
    },
    self_judging=True,
    metrics=(),
    command=lambda params: str(params["instruction"]),
)
