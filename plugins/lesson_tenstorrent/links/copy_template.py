"""The action ``tenstorrent.copy_template``, which copies templates as the extension's buttons do."""

from __future__ import annotations

import shlex
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from lesson_runner.files.plain import real
from lesson_runner.model import Inspection, Json, Outcome
from lesson_runner.model.errors import LessonError, UnmetNeedError
from lesson_runner.plugins.action import Action
from lesson_runner.plugins.builtin.shell import run_in_terminal
from lesson_runner.plugins.context import StepContext
from lesson_tenstorrent.links.toolkit import NAME, find_templates

COPY = "tenstorrent.copy_template"
_SCRIPT = """(
mkdir -p {to}
cd {to}
for file in {names}; do
  if [ ! -e "$file" ]; then
    mkdir -p "$(dirname "$file")"
    cp -p {staged}/"$file" "$file"
    echo "$file"
  elif ! cmp -s {staged}/"$file" "$file"; then
    echo "$file: kept, although it differs from the template"
  fi
done
)"""
"""Runs in the terminal, whose ``~`` can be another folder than the user's. Changes no file that is there."""


def run(params: Json, context: StepContext) -> Outcome:
    """
    Copy the templates, each under its own name, into the folder ``to`` of the run's terminal.

    Raises:
        UnmetNeedError: the extension's source is not on this machine, or lacks one of the templates.
        LessonError: the parameter ``toolkit`` is not a valid path, or a template cannot be read.
    """
    folder = find_templates(context.run.lesson.path, _given(params, context))
    sources = [_source(folder, name) for name in params["templates"]]
    # From here, because a sandbox shows its commands the folder of the run, and not the home folder.
    with tempfile.TemporaryDirectory(prefix=".templates-", dir=context.workspace.files) as name:
        staged = Path(name).absolute()
        for source in sources:
            try:
                _stage(source, staged / source.name)
            except OSError as error:
                raise LessonError(
                    f"the template {source} cannot be copied: {_reason(error)}",
                    fix=f"check the files of {NAME}",
                ) from None
        script = _SCRIPT.format(
            to=_quoted(params["to"]),
            names=" ".join(shlex.quote(str(file)) for file in _files(staged)),
            staged=shlex.quote(str(staged)),
        )
        return run_in_terminal(script, context)


def _given(params: Json, context: StepContext) -> Path | None:
    """Return the folder of the extension's source that the step's parameters name, if they do."""
    if "toolkit" not in params:
        return None
    layers = context.step.layers
    user = any(layer.name.startswith("--param") and "toolkit" in layer.params for layer in layers)
    return context.run.inputs.resolve(str(params["toolkit"]), param=user)


def _source(folder: Path, name: str) -> Path:
    source = real(folder / name)
    if not source.is_relative_to(folder) or source == folder or not source.exists():
        raise UnmetNeedError(f"it needs the template {name}, which {folder} does not have")
    return source


def _stage(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)
        target.chmod(0o755)  # as the extension does: single files are programs


def _reason(error: OSError) -> str:
    """Return why a file cannot be copied; for a folder, why the first of its files cannot."""
    each = error.args[0] if isinstance(error, shutil.Error) and error.args else None
    return str(each[0][-1]) if isinstance(each, list) and each else error.strerror or str(error)


def _files(folder: Path) -> Iterator[PurePosixPath]:
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_dir():
            yield PurePosixPath(path.relative_to(folder).as_posix())


def _quoted(folder: str) -> str:
    """Return a folder as a word of the shell, which expands a ``~`` at its beginning."""
    home, slash, rest = folder.partition("/")
    if home != "~":
        return shlex.quote(folder)
    return home + slash + shlex.quote(rest) if rest else home


def _inspect(params: Json) -> Inspection:
    return Inspection(writes=tuple(_targets(params)))


def _targets(params: Json) -> Sequence[str]:
    folder = str(params["to"]).rstrip("/")
    return [f"{folder}/{PurePosixPath(name).name}" for name in params["templates"]]


def _command(params: Json) -> str:
    sources = " ".join(shlex.quote(f"{NAME}/content/templates/{name}") for name in params["templates"])
    return f"cp -R -n {sources} {_quoted(str(params['to']))}/"


COPY_TEMPLATE = Action(
    COPY,
    "Copy templates of Tenstorrent's VS Code extension into a folder",
    run,
    schema={
        "type": "object",
        "properties": {
            "templates": {
                "type": "array",
                "description": "Files and folders below the extension's `content/templates`.",
                "items": {"type": "string", "minLength": 1},
                "minItems": 1,
                "uniqueItems": True,
                "examples": [["cookbook"]],
            },
            "to": {
                "type": "string",
                "description": "The folder to copy them into.",
                "minLength": 1,
                "examples": ["~/tt-scratchpad"],
            },
            "toolkit": {
                "type": "string",
                "description": "The folder of the extension's source, if it is not around the lesson.",
                "minLength": 1,
            },
        },
        "required": ["templates", "to"],
        "additionalProperties": False,
    },
    permissions=frozenset({"shell"}),
    self_judging=True,
    inspect=_inspect,
    command=_command,
    metrics=(),
)
