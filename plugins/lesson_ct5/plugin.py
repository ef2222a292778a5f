"""The hooks of ``lesson_ct5``; everything heavy is imported when a hook needs it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lesson_runner.plugin import (
    Action,
    ActionCall,
    Block,
    Evidence,
    Expectation,
    Json,
    Outcome,
    Paths,
    PlannedStep,
    Section,
    StepContext,
    hookimpl,
)

if TYPE_CHECKING:
    import typer

LESSON = "ct5-multi-device-training"
FEWEST_CHIPS = 2
"""What the lesson cannot do without; steps that want more are skipped on smaller boards."""


def _compare(params: Json, context: StepContext) -> Outcome:
    from lesson_ct5.actions import compare

    return compare(params, context)


def _reads(params: Json) -> Paths:
    from lesson_ct4.names import loaded_stems

    names = [stem for name in params.get("checkpoints", ()) for stem in loaded_stems(name)]
    return Paths(reads=tuple(f"checkpoint:{name}" for name in names))


def _command(params: Json) -> str:
    return " ".join(["lesson", "ct5", "compare", *params["checkpoints"]])


COMPARE = Action(
    "ct5.compare",
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


@hookimpl
def lesson_add_commands(app: typer.Typer) -> None:
    """Add ``lesson ct5 compare``."""
    from lesson_ct5.cli import add_commands

    add_commands(app)


@hookimpl
def lesson_directories() -> Iterable[Path]:
    """Return the ct5 lesson: beside ct4's (wheel), or at the top of a checkout."""
    here = Path(__file__).resolve()
    installed = here.parents[1] / "lesson_ct4" / "_lessons"
    return [(installed if installed.is_dir() else here.parents[2] / "lessons") / f"{LESSON}.md"]


@hookimpl
def lesson_actions() -> Iterable[Action]:
    """Return the comparison."""
    return [COMPARE]


@hookimpl
def lesson_interpret_block(block: Block) -> Sequence[ActionCall] | None:
    """Claim blocks that compare."""
    from lesson_ct5.blocks import interpret_block

    return interpret_block(block)


@hookimpl
def lesson_run_step(step: PlannedStep, context: StepContext) -> Outcome | None:
    """Skip the lesson's trainings on more than two chips where a board has fewer; all else is as ever."""
    if context.run.lesson.id != LESSON or step.action != "ct4.train":
        return None
    if int(str(step.params["mesh"]).partition("x")[2]) <= FEWEST_CHIPS:
        return None
    from lesson_ct5.actions import train_if_chips

    return train_if_chips(step.params, context)


@hookimpl
def lesson_measure(step: PlannedStep, evidence: Evidence) -> Mapping[str, float]:
    """Return the numbers of a comparison, from what it stored."""
    if step.action != COMPARE.name:
        return {}
    from lesson_ct5.stored import metrics

    return metrics(evidence.folder)


@hookimpl
def lesson_report_sections(record: Json, folder: Path) -> Iterable[Section]:
    """Show each comparison as a table."""
    from lesson_ct5.stored import sections

    return sections(record, folder, COMPARE.name)
