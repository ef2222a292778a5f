"""The ``file`` action: a block is the content of a file that the reader would save."""

from __future__ import annotations

import stat
from pathlib import Path

from lesson_runner.files.plain import real, write_atomically
from lesson_runner.model.errors import LessonError, UnmetNeedError
from lesson_runner.plugins import Action, Json, Outcome, StepContext
from lesson_runner.plugins.builtin.shell import evaluate, terminal

PLACES = """builtin printf '%s\\n' "$PWD" ~"""
"""The command that prints the folder of the terminal and its home folder."""
OUTSIDE = "system"
"""The permission to write outside of the run's own folders."""


def run_file(params: Json, context: StepContext) -> Outcome:
    """
    Write ``text`` into the file ``path``.

    Raises:
        LessonError: the path leads out of the run's folders, or something there is in the way.
    """
    written = str(params["path"])
    path = _place(written, context)
    copy = context.evidence / (path.name if path.name not in ("output.txt", "gaps.json") else "file.txt")
    copy.write_text(params["text"], "utf-8")
    try:
        before = path.read_bytes() if path.is_file() else None
        mode = stat.S_IMODE(path.stat().st_mode) if before is not None else 0o644
        write_atomically(path, params["text"], mode)
    except OSError as error:
        raise LessonError(f"{written}: the file cannot be written: {error.strerror}") from None
    new = params["text"].encode("utf-8", "backslashreplace")
    done = "wrote" if before is None else "left unchanged" if before == new else "replaced"
    rows = params["text"].count("\n")
    return Outcome(output=f"{done} {written} ({rows} {'line' if rows == 1 else 'lines'})")


def _place(written: str, context: StepContext) -> Path:
    """
    Return the file that a path means in the run's terminal: relative to its folder, or below its ``~``.

    Raises:
        LessonError: it is outside of the run's files and the run's own home folder, or it is a folder.
        UnmetNeedError: it is outside, and the lesson has no directives.
    """
    run = context.run
    quiet = evaluate(PLACES, context, on_line=lambda _: None, redactor=None, apart=False)
    here, home = map(Path, quiet.output.split("\n", 1)) if quiet.output.count("\n") == 1 else (Path("/"),) * 2
    own = [real(run.workspace.files)]
    if run.sandbox is not None and not run.own_home:  # in there, the home folder is one of the sandbox
        home = terminal(run).sandbox_files / "home"
    if real(home).is_relative_to(real(run.home)):
        own.append(real(home))
    path = real(home / written[2:] if written.startswith("~/") else here / written)
    inside = any(path != folder and path.is_relative_to(folder) for folder in own)
    if not inside and not (OUTSIDE in run.granted and run.sandbox is None):
        message = f"{path} is outside of the run's files; to write there, it needs the permission '{OUTSIDE}'"
        if not run.lesson.has_directives:  # its author could not know
            raise UnmetNeedError(f"{message} (--allow {OUTSIDE})")
        raise LessonError(
            f"{written}: {message}",
            fix=f"allow it with --allow {OUTSIDE}, or name a file below {run.workspace.files}",
        )
    if path.is_dir():
        raise LessonError(f"{written}: {path} is a folder", fix="name a file in it")
    return path


FILE = Action(
    "file",
    "Write a block into a file",
    run_file,
    schema={
        "type": "object",
        "properties": {
            "path": {"$ref": "step.schema.json#/$defs/path"},
            "text": {"description": "The content of the file.", "type": "string", "x-block": "text"},
        },
        "required": ["path", "text"],
        "additionalProperties": False,
    },
    permissions=frozenset({"shell"}),
    self_judging=True,
    metrics=(),
    command=lambda params: f"write {params['path']}:\n{params['text']}".rstrip("\n"),
)
