"""What training and generating share: the open session, and the files of data sets and checkpoints."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import stat
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast, get_args

from lesson_ct4.actions.paths import outputs_of
from lesson_ct4.blocks.interpret import interpret_block
from lesson_ct4.data import fetch
from lesson_ct4.names import CHECKPOINTS, DATA, STATE, base_name, loaded_stems, matching, parts_of, saved_stem
from lesson_ct4.training.callbacks import ignore
from lesson_ct4.training.checkpoint import SUFFIX, checkpoint_path
from lesson_runner.files.plain import read_plain, write_atomically
from lesson_runner.files.untrusted import files_below
from lesson_runner.model import ActionCall
from lesson_runner.model.errors import LessonError, UnmetNeedError
from lesson_runner.plugins.context import FILES, RunContext, StepContext, Workspace
from lesson_runner.run.find import run_folders

if TYPE_CHECKING:
    from lesson_ct4.device.session import Session

MAX_FACT_BYTES = 64 * 1024
SYNTHETIC_LABEL = "synthetic dataset"
SESSION = "ct4.session"
"""The prefix of the run's store keys for the sessions that the run opened."""
OTHER_LABEL = "other dataset"
"""The label for a text that is neither the pinned one nor the synthetic play."""


@dataclass(slots=True)
class _OpenSession:
    session: Session
    numerics: str
    mesh: str
    stack: ExitStack


def session_for(
    run: RunContext, numerics: str, mesh: str | None = None, say: Callable[[str], None] = ignore
) -> Session:
    """
    Return the run's session, opened on first use: opening a board takes seconds, and kernels stay compiled.

    Args:
        numerics: ``device`` or ``fp32``; if the open session has the other, it is replaced.
        mesh: such as ``1x8``; ``None`` for that of the open session, or one chip.
        say: receives notes to show while a device opens.

    Raises:
        LessonError: see :func:`lesson_ct4.device.session.open_session`.
    """
    from lesson_ct4.device.session import Matmul, open_session
    from lesson_ct4.training.checkpoint_cache import differences

    opened: _OpenSession | None = run.store.get(STATE)
    if opened and opened.numerics == numerics and mesh in (None, opened.mesh):
        return opened.session
    close_session(run)
    mesh = mesh or "1x1"
    rows, _, columns = mesh.partition("x")
    memory = f"{SESSION}-{numerics}-{mesh}"
    before = run.store.load(memory) if run.resumed else None
    matmul = before.get("matmul") if isinstance(before, dict) else None
    stack = ExitStack()
    session = stack.enter_context(
        open_session(
            cast(Literal["auto", "ttml", "emulated"], run.backend),
            numerics=cast(Literal["device", "fp32"], numerics),
            mesh=(int(rows), int(columns)),
            matmul=matmul if matmul in get_args(Matmul) else None,  # the faster one may differ this time
            note=say,
        )
    )
    if before not in (None, json.loads(json.dumps(session.info))):
        stack.close()
        raise LessonError(
            f"the run cannot be resumed: {differences(before, session.info)}",
            fix="restore the earlier state, or start from scratch with lesson run",
        )
    run.store.save(memory, session.info)
    run.store[STATE] = _OpenSession(session, numerics, mesh, stack)
    atexit.register(stack.close)  # however the process ends: a board left open needs a reset
    return session


def close_session(run: RunContext) -> None:
    """Close the run's device, if one is open."""
    opened: _OpenSession | None = run.store.pop(STATE, None)
    if opened:
        atexit.unregister(opened.stack.close)
        opened.stack.close()


def data_path(workspace: Workspace, path: str) -> Path:
    """
    Return the file of the data set that a lesson calls ``path``.

    Raises:
        LessonError: the path names no file.
    """
    parts = parts_of(path, DATA)
    if not parts:
        raise LessonError(f"{path!r} is not a valid name of a data set", fix="use a file name")
    return workspace.resolve(DATA, *parts)


def locate_data(workspace: Workspace, path: str) -> Path | None:
    """
    Return the file of a data set, looking as :func:`locate_checkpoint` does; ``None`` if there is none.

    Raises:
        LessonError: the path names no file, or several data sets fit equally well.
    """
    wanted = data_path(workspace, path)
    if wanted.is_file():
        return wanted
    name = "/".join(parts_of(path, DATA))
    for folder in _folders(workspace, DATA):
        if found := matching(path, (name,), _texts_in(folder), loose=True):
            return folder / _only(found, path, folder)
    return None


def find_data(context: StepContext, path: str) -> Path:
    """
    Return the file of a data set in the workspace.

    Raises:
        LessonError: it does not exist; the message names the step that fetches it.
    """
    if found := locate_data(context.workspace, path):
        return found
    fix = _fix_for(context, "dataset", ("/".join(parts_of(path, DATA)),))
    _skip_if_unmade(context, f"the data set {base_name(path)}", fix)
    raise LessonError(
        f"the data set {base_name(path)} is not in the workspace ({data_path(context.workspace, path)})",
        fix=fix
        or "fetch it with a ct4.fetch-dataset step; on the command line, pass a file: --data_path FILE",
    )


def _skip_if_unmade(context: StepContext, what: str, fix: str | None) -> None:
    """
    Skip a step of a lesson without directives if it needs what no step of the lesson makes.

    Raises:
        UnmetNeedError: it does.
    """
    if fix is None and any(step.recognised for step in context.run.lesson.steps):
        raise UnmetNeedError(f"it needs {what}, which no step of this lesson makes")


def checkpoint_to_save(workspace: Workspace, path: str) -> Path:
    """
    Return the file for a checkpoint to be saved as ``path``.

    Raises:
        LessonError: the path is not a usable name, or a link leads out of the folder of checkpoints.
    """
    folder = workspace.resolve(CHECKPOINTS)
    target = checkpoint_path(folder, saved_stem(path))
    return workspace.resolve(CHECKPOINTS, *target.parent.relative_to(folder).parts) / target.name


class FoundCheckpoint(NamedTuple):
    """A checkpoint that exists: its name in the lesson, and its file."""

    name: str
    path: Path


def locate_checkpoint(workspace: Workspace, path: str) -> FoundCheckpoint | None:
    """
    Return the checkpoint that ``path`` names; ``None`` if there is none.

    A command typed by hand looks in its own files first, then in those of the runs, newest first.

    Raises:
        LessonError: several checkpoints fit equally well, or a link leads out of the folder of checkpoints.
    """
    for folder in _folders(workspace, CHECKPOINTS):
        known = [name.removesuffix(SUFFIX) for name, _ in files_below(folder) if name.endswith(SUFFIX)]
        if found := matching(path, loaded_stems(path), known):
            name = _only(found, path, folder)
            return FoundCheckpoint(name, folder / f"{name}{SUFFIX}")
    return None


def find_checkpoint(context: StepContext, path: str) -> FoundCheckpoint:
    """
    Return the checkpoint that ``path`` names.

    Raises:
        LessonError: it does not exist; the message names the step that trains it.
    """
    if found := locate_checkpoint(context.workspace, path):
        return found
    folder = context.workspace.resolve(CHECKPOINTS)
    name = "/".join(parts_of(path, CHECKPOINTS)) or path
    fix = _fix_for(context, "checkpoint", loaded_stems(path))
    _skip_if_unmade(context, f"the checkpoint {name!r}", fix)
    raise LessonError(
        f"there is no checkpoint for {name!r} in {folder}",
        fix=fix or "train it first, and save it with that name",
    )


def _folders(workspace: Workspace, kind: str) -> Iterator[Path]:
    """Yield the folders in which to look for files; for what is typed by hand, also those of runs."""
    yield workspace.resolve(kind)
    if workspace.work is None:
        for run in reversed(run_folders(workspace.runs)):
            with contextlib.suppress(LessonError):  # a link that leads out
                yield Workspace(workspace.root, run / FILES).resolve(kind)


def _texts_in(folder: Path) -> list[str]:
    """Return the names of the data sets in a folder; a ``.json`` next to a text describes it."""
    return [
        name for name, facts in files_below(folder) if stat.S_ISREG(facts.st_mode) and name[-5:] != ".json"
    ]


def _only(found: list[str], path: str, folder: Path) -> str:
    """
    Return the only one of the names that a path can mean.

    Raises:
        LessonError: there are several.
    """
    if len(found) == 1:
        return found[0]
    raise LessonError(
        f"{path!r} can mean several files in {folder}: {', '.join(found[:8])}",
        fix="name it with its folder",
    )


def share_corpus(run: RunContext, data: bytes) -> str:
    """Store a text as evidence for all steps of the run; return the file's name."""
    name = f"corpus-{hashlib.sha256(data).hexdigest()[:16]}.txt"
    target = run.shared_evidence / name
    if not _is_plain(target) or target.stat().st_size != len(data):
        # A copy, not a link: evidence must not change when the data set is edited.
        write_atomically(target, data)
    return name


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def find_corpus(context: StepContext, sha256: str) -> str | None:
    """Return the evidence file of the text with this digest, copied from the workspace if necessary."""
    name = f"corpus-{sha256[:16]}.txt"
    if _is_plain(context.run.shared_evidence / name):
        return name
    found = (
        folder / name for folder in _folders(context.workspace, DATA) for name in sorted(_texts_in(folder))
    )
    for path in found:
        try:
            data = read_plain(path, fetch.LARGEST)  # refuses links: they may lead out of the workspace
        except OSError:
            continue
        if hashlib.sha256(data).hexdigest() == sha256:
            return share_corpus(context.run, data)
    return None


def dataset_fact(path: Path, sha256: str) -> dict[str, Any]:
    """
    Return the run's fact about a data set.

    Its name, source and address come from the file that the fetching step wrote, if the text is still the
    same. Anybody can edit that file, so everything else is computed from the text.
    """
    fact = _read_fact(path.with_suffix(".json"))
    if fact.get("sha256") != sha256:
        fact = {}
    return {
        "name": fact.get("name", path.name),
        "source": fact.get("source", "user"),
        "url": fact.get("url"),
        "sha256": sha256,
        "bytes": path.stat().st_size,
        "pinned": sha256 == fetch.SHA256,
        "text": text_name(sha256),
    }


def text_name(sha256: str) -> str:
    """Name the text with this digest: ``shakespeare``, ``synthetic`` or ``other``."""
    from lesson_ct4 import synthetic_play

    return {fetch.SHA256: "shakespeare", synthetic_play.SHA256: "synthetic"}.get(sha256, "other")


def dataset_labels(sha256: str) -> tuple[str, ...]:
    """Return the labels of results on the text with this digest."""
    labels = {"shakespeare": (), "synthetic": (SYNTHETIC_LABEL,), "other": (OTHER_LABEL,)}
    return labels[text_name(sha256)]


def _read_fact(path: Path) -> dict[str, Any]:
    try:
        fact = json.loads(read_plain(path, MAX_FACT_BYTES))
    except (OSError, ValueError, RecursionError):
        return {}
    return fact if isinstance(fact, dict) else {}


def _fix_for(context: StepContext, kind: str, names: tuple[str, ...]) -> str | None:
    """Return the fix for a missing file: the step of the lesson that creates it."""
    for step in context.run.lesson.steps:
        calls = [ActionCall(step.uses, step.params, step.location)] if step.uses else []
        if not calls and step.block:
            calls = list(interpret_block(step.block) or ())
        if any(f"{kind}:{name}" in outputs_of(call.action, call.params) for call in calls for name in names):
            return f"run step '{step.id}' first"
    return None
