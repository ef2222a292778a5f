"""``lesson ct4 import``: convert a checkpoint of tt-train."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lesson_ct4.command_line import expanded, workspace_for
from lesson_ct4.names import CHECKPOINTS, base_name
from lesson_runner.cli.common import print_json
from lesson_runner.cli.output import say
from lesson_runner.model.errors import LessonError

if TYPE_CHECKING:
    from lesson_ct4.training.checkpoint import Checkpoint
    from lesson_runner.plugins.context import Workspace

File = Annotated[str, typer.Argument(metavar="CHECKPOINT.pkl", help="The file that tt-train saved.")]
Name = Annotated[
    str | None,
    typer.Option("--model_save_path", help="Its name in the workspace; by default the file's name."),
]
Text = Annotated[
    str | None,
    typer.Option(
        "--data_path",
        help="The text it was trained on, in the workspace's data folder; needed to measure generated texts.",
    ),
]
Space = Annotated[str | None, typer.Option("--workspace", help="The workspace to save the checkpoint in.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print only JSON.")]


def import_checkpoint(
    checkpoint: File, name: Name = None, data: Text = None, workspace: Space = None, as_json: AsJson = False
) -> None:
    """Convert a checkpoint that tt-train saved. No code in it is run."""
    from lesson_ct4.actions.workspace_files import checkpoint_to_save
    from lesson_ct4.training.checkpoint import checkpoint_path, save_checkpoint
    from lesson_ct4.upstream.convert import import_upstream

    place = workspace_for(workspace)
    # The file's own name loses tt-train's endings; a name that the user gives is read like --model_save_path.
    target = (
        checkpoint_to_save(place, name)
        if name
        else checkpoint_path(place.resolve(CHECKPOINTS), base_name(checkpoint))
    )
    imported = import_upstream(expanded(checkpoint))
    model = imported.checkpoint
    if data is not None:
        model = dataclasses.replace(model, dataset=_dataset(place, data, model))
    _require_free(target)
    save_checkpoint(target, model)
    if as_json:
        print_json(_result(target, model, imported.notes))
        return
    config = model.config
    say(
        f"NanoGPT of {config.n_layer} layers, {config.n_embd} wide, {config.n_head} heads, "
        f"{config.sequence_length} characters at once; {_size(model):,} parameters after {model.step:,} steps"
    )
    for note in imported.notes:
        say(f"Note: {note}")
    say(f"Checkpoint saved: {target}  [{', '.join(model.labels)}]")


def _dataset(workspace: Workspace, path: str, model: Checkpoint) -> dict[str, Any]:
    """Return name and digest of the text that the user names as the training text."""
    from lesson_ct4.actions.workspace_files import data_path, locate_data
    from lesson_ct4.data.dataset import load_dataset

    found = locate_data(workspace, path) or data_path(workspace, path)  # loading says what is missing
    text = load_dataset(found, validation_fraction=0.0, sequence_length=model.config.sequence_length)
    if text.tokenizer.characters != model.tokenizer.characters:
        raise LessonError(
            f"{found} has {len(text.tokenizer.characters)} different characters; they differ from the "
            f"{len(model.tokenizer.characters)} of the text the checkpoint was trained on",
            fix="name the text it was trained on, or omit --data_path",
        )
    return {"name": text.name, "sha256": text.sha256}


def _require_free(target: Path) -> None:
    """Refuse to replace a checkpoint that was trained here; an imported one may be imported again."""
    from lesson_ct4.training.checkpoint import load_checkpoint

    try:
        replaceable = not target.exists() or load_checkpoint(target).imported
    except LessonError:
        replaceable = False
    if not replaceable:
        raise LessonError(
            f"the checkpoint {target} already exists, and it was not imported",
            fix="choose another name: --model_save_path NAME",
        )


def _size(model: Checkpoint) -> int:
    return sum(array.size for array in model.parameters.values())


def _result(target: Path, model: Checkpoint, notes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "status": "passed",
        "checkpoint": str(target),
        "step": model.step,
        "parameters": _size(model),
        "config": model.config.to_json(),
        "dataset": model.dataset,
        "imported_from": {
            key: model.session[key] for key in ("file", "sha256", "format", "upstream", "unknown")
        },
        "notes": list(notes),
        "labels": list(model.labels),
    }
