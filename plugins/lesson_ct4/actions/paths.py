"""Which data sets and checkpoints an action reads and writes, by the names that lessons use."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lesson_ct4.data import fetch
from lesson_ct4.flags import Command, flags_of
from lesson_ct4.names import DATA, is_rooted, loaded_stems, parts_of, saved_stem, written_names
from lesson_runner.model import Inspection, Json


def train_paths(params: Json) -> Inspection:
    """Return what training reads and writes: a data set, a checkpoint to resume; a checkpoint."""
    reads = _dataset_reads(_value("train", "data_path", params))
    if params.get("resume"):
        reads += [f"checkpoint:{stem}" for stem in loaded_stems(params["resume"])]
    save_to = _value("train", "model_save_path", params)
    saved = written_names(saved_stem(save_to), rooted=is_rooted(save_to))
    return Inspection(tuple(reads), tuple(f"checkpoint:{name}" for name in saved))


def generate_paths(params: Json) -> Inspection:
    """Return what generating reads: a checkpoint."""
    stems = loaded_stems(_value("generate", "model_path", params))
    return Inspection(reads=tuple(f"checkpoint:{stem}" for stem in stems))


def fetch_paths(params: Json) -> Inspection:
    """Return what fetching writes: a data set."""
    name = params.get("name", fetch.NAME)
    saved = written_names("/".join(parts_of(name, DATA)), rooted=is_rooted(name))
    return Inspection(writes=tuple(f"dataset:{item}" for item in saved))


def preview_paths(params: Json) -> Inspection:
    """Return what a preview reads: a data set."""
    return Inspection(reads=tuple(_dataset_reads(params.get("name", fetch.NAME))))


def _dataset_reads(path: str) -> list[str]:
    """Return the names of data sets that a path can mean; their texts are known, so all its ends count."""
    return [f"dataset:{name}" for name in written_names("/".join(parts_of(path, DATA)), rooted=True)]


PATHS: Mapping[str, Callable[[Json], Inspection]] = {
    "ct4.fetch-dataset": fetch_paths,
    "ct4.preview": preview_paths,
    "ct4.train": train_paths,
    "ct4.generate": generate_paths,
}


def outputs_of(action: str, params: Json) -> tuple[str, ...]:
    """Return the names of what an action writes; empty for actions of other plugins."""
    return PATHS[action](params).writes if action in PATHS else ()


def _value(command: Command, name: str, params: Json) -> str:
    default = next(flag.default for flag in flags_of(command) if flag.name == name)
    return str(params.get(name, default))
