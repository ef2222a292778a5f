"""``lesson ct4 import``: a checkpoint of tt-train becomes one of ours."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lesson_ct4.by_hand import expanded, workspace_for
from lesson_runner.cli.common import print_json
from lesson_runner.cli.output import say
from lesson_runner.model.errors import LessonError

if TYPE_CHECKING:
    from lesson_ct4.training.checkpoint import Checkpoint
    from lesson_runner.plugins.context import Workspace

File = Annotated[str, typer.Argument(metavar="CHECKPOINT.pkl", help="The file that tt-train saved.")]
Name = Annotated[
    str | None,
    typer.Option("--model_save_path", help="What to call it; the file's name if left out."),
]
Text = Annotated[
    str | None,
    typer.Option(
        "--data_path",
        help="The text it was trained on, in the workspace's data folder: to measure what it writes.",
    ),
]
Space = Annotated[str | None, typer.Option("--workspace", help="Where checkpoints are kept.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a program, and nothing else.")]


def import_checkpoint(
    checkpoint: File, name: Name = None, data: Text = None, workspace: Space = None, as_json: AsJson = False
) -> None:
    """Make a checkpoint that tt-train saved usable here. Nothing in it is run."""
    from lesson_ct4.actions.workspace_files import checkpoint_to_save
    from lesson_ct4.training.checkpoint import checkpoint_path, save_checkpoint
    from lesson_ct4.upstream.convert import import_upstream

    place = workspace_for(workspace)
    # The endings of tt-train's names are dropped from the file's own name; a given name means what it says.
    target = (
        checkpoint_to_save(place, name) if name else checkpoint_path(place.resolve("checkpoints"), checkpoint)
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
    """Return name and digest of the text that the user says it was trained on."""
    from lesson_ct4.actions.workspace_files import data_path
    from lesson_ct4.data.dataset import load_dataset

    found = data_path(workspace, path)
    text = load_dataset(found, validation_fraction=0.0, sequence_length=model.config.sequence_length)
    if text.tokenizer.characters != model.tokenizer.characters:
        raise LessonError(
            f"{found} has {len(text.tokenizer.characters)} different characters, the checkpoint's text had "
            f"{len(model.tokenizer.characters)}, and not the same ones",
            fix="name the text it was trained on, or leave out --data_path",
        )
    return {"name": text.name, "sha256": text.sha256}


def _require_free(target: Path) -> None:
    """Refuse to replace a checkpoint that was trained here; one that was imported may be imported again."""
    from lesson_ct4.training.checkpoint import load_checkpoint

    try:
        replaceable = not target.exists() or load_checkpoint(target).imported
    except LessonError:
        replaceable = False
    if not replaceable:
        raise LessonError(
            f"there is a checkpoint {target} already, and it was not imported",
            fix="give another name: --model_save_path NAME",
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
