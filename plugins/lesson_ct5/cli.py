"""``lesson ct5 compare``: the lesson's comparison as a command."""

from __future__ import annotations

from typing import Annotated

import typer

from lesson_runner.cli.common import print_json
from lesson_runner.cli.output import say
from lesson_runner.model.errors import LessonError

Names = Annotated[
    list[str], typer.Argument(metavar="CHECKPOINT...", help="One checkpoint for each number of chips.")
]
Folder = Annotated[
    str | None, typer.Option(help="The workspace that holds the checkpoints. Default: .lesson.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print only JSON.")]


ct5 = typer.Typer(no_args_is_help=True)


@ct5.callback()
def _ct5() -> None:
    """Training on several chips."""


@ct5.command("compare")
def compare(checkpoints: Names, workspace: Folder = None, json_: AsJson = False) -> None:
    """Compare the speed, efficiency and loss of trainings on different numbers of chips."""
    from lesson_ct4.actions.workspace_files import locate_checkpoint
    from lesson_ct4.command_line import workspace_for
    from lesson_ct4.names import CHECKPOINTS
    from lesson_ct5.actions import NO_BOARD, labels_of, table
    from lesson_ct5.comparison import collect
    from lesson_ct5.scaling import measure, runs_from

    place = workspace_for(workspace)
    found = []
    for name in checkpoints:
        checkpoint = locate_checkpoint(place, name)
        if checkpoint is None:
            raise LessonError(
                f"there is no checkpoint {name!r} in {place.resolve(CHECKPOINTS)}, and none in a run",
                fix="run the training step that saves it first",
            )
        say(f"Checkpoint: {checkpoint.path}", err=True)
        found.append(checkpoint)
    comparison = collect(found)
    runs = runs_from(comparison)
    kind, labels = comparison["session"].get("kind"), labels_of(comparison)
    if json_:
        print_json({"kind": kind, "metrics": measure(runs), "labels": labels})
        return
    say(*table(runs).split("\n"))
    if labels:
        say("", f"[{', '.join(labels)}] {NO_BOARD.get(str(kind), '')}".rstrip())
