"""
Convert paths in a lesson to names of data sets and checkpoints of a run.

tt-train writes ``<save path>_final.pkl``, so ``--model_save_path x.pkl`` (as in the published lesson) gives
the file ``x.pkl_final.pkl``. All of these name the checkpoint ``x``.

A name keeps the folders of its path, so ``exp1/final`` and ``exp2/final`` are two checkpoints. No name leaves
the folder of all checkpoints: ``~/exp1/final``, ``/exp1/final`` and ``../exp1/final`` are named
``exp1/final`` too.
"""

from __future__ import annotations

import re
from collections.abc import Collection

TOO_FEW_CHIPS = "too_few_chips"
"""The parameter of ``ct4.train`` that says what to do if there are too few chips."""
STATE = "ct4"
"""The key of a run's store for the open session."""
CHECKPOINTS = "checkpoints"
"""The folder of checkpoints in the folder that a run works in."""
DATA = "data"
"""The folder of data sets there."""
_SEPARATOR = re.compile(r"[\\/]+")
_ROOT = re.compile(r"^(~\w*|[A-Za-z]:|\$HOME|\$\{HOME\})(?=[\\/])")
"""A beginning of a path that names no folder of the lesson."""


def base_name(path: str) -> str:
    """Return the last part of a path, which may contain ``$VARIABLES`` or be a Windows path."""
    return _SEPARATOR.split(path.strip())[-1]


def parts_of(path: str, inside: str) -> tuple[str, ...]:
    """
    Return the folders and the file name of a path, without what leads out of the folder of all files.

    Args:
        inside: the folder of all files. A relative path may begin with its name.

    Returns:
        An empty tuple if the path names no file, such as ``a/`` and ``..``.
    """
    words = _SEPARATOR.split(_ROOT.sub("", path.strip(), count=1))
    if words[-1].strip(". ~") == "":
        return ()
    parts: list[str] = []
    for word in words:
        if word == "..":
            parts = parts[:-1]
        elif word not in ("", "."):
            parts.append(re.sub(r"^\$\{?(\w+)\}?$", r"\1", word))
    if len(parts) > 1 and parts[0] == inside and not is_rooted(path):
        parts = parts[1:]
    return tuple(parts)


def is_rooted(path: str) -> bool:
    """Return whether a path begins outside the lesson's working folder, such as in the home folder."""
    return re.match(r"[\\/~$]|[A-Za-z]:[\\/]|\.\.", path.strip()) is not None


def saved_stem(path: str) -> str:
    """Return the name of the checkpoint that ``--model_save_path`` saves; empty if the path names no file."""
    parts = parts_of(path, CHECKPOINTS)
    return "/".join((*parts[:-1], _without_ending(parts[-1]))) if parts else ""


def loaded_stems(path: str) -> tuple[str, ...]:
    """
    Return the checkpoint names that ``--model_path`` can mean, the likeliest first.

    ``x_final.pkl`` is what tt-train writes for the save path ``x``, but a lesson may also have used the save
    path ``x_final.pkl``.
    """
    stem = saved_stem(path)
    if not base_name(path).endswith("_final.pkl"):
        return (stem,)
    saved = stem.removesuffix("_final")
    return (saved.removesuffix(".pkl"),) if saved.endswith(".pkl") else (saved, stem)


def written_names(name: str, *, rooted: bool) -> tuple[str, ...]:
    """Return the names by which later steps may read what is saved; of a rooted path, all its ends."""
    parts = name.split("/")
    return tuple("/".join(parts[start:]) for start in range(len(parts) if rooted else 1))


def matching(path: str, names: Collection[str], known: Collection[str], *, loose: bool = False) -> list[str]:
    """
    Return the known names that a path can mean; several only if they are equally likely.

    A lesson may save ``~/checkpoints/x`` and load ``x``, or the other way round, after a ``cd``. So if no
    name is equal, one may be the end of the other, if the longer one begins outside the working folder.

    Args:
        path: as written in the lesson.
        names: the names that it stands for, the likeliest first.
        known: the names of what exists.
        loose: the longer path may also be a relative one.
    """
    for name in names:
        if name in known:
            return [name]
    for name in names:
        for end in written_names(name, rooted=loose or is_rooted(path))[1:]:
            if end in known:
                return [end]
    return sorted(item for item in known if any(item.endswith(f"/{name}") for name in names if name))


def _without_ending(name: str) -> str:
    return name.removesuffix(".safetensors").removesuffix(".pkl")
