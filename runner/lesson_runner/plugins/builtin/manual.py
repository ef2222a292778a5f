"""The ``manual`` action: a person does something, and says whether it worked."""

from __future__ import annotations

from lesson_runner.plugins import Action, Json, Outcome, StepContext


def run_manual(params: Json, context: StepContext) -> Outcome:
    """Put ``instruction`` to the person at the terminal."""
    instruction = params["instruction"]
    if context.run.ask is None:
        return Outcome("skipped", f"nobody is there to confirm: {instruction}")
    if context.run.ask(instruction):
        return Outcome(output=f"confirmed: {instruction}")
    return Outcome("failed", f"not confirmed: {instruction}")


MANUAL = Action(
    "manual",
    "Ask a person to do something and to say whether it worked",
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
    command=lambda params: str(params["instruction"]),
)
