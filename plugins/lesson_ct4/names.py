"""
Convert paths in a lesson to names of data sets and checkpoints in the workspace.

tt-train writes ``<save path>_final.pkl``, so ``--model_save_path x.pkl`` (as in the published lesson) gives
the file ``x.pkl_final.pkl``. All of these name the checkpoint ``x``.
"""

from __future__ import annotations

import re

TOO_FEW_CHIPS = "too_few_chips"
"""The parameter of ``ct4.train`` that says what to do if there are too few chips."""
STATE = "ct4"
"""The key of a run's store for the open session."""


def base_name(path: str) -> str:
    """Return the last part of a path, which may contain ``$VARIABLES`` or be a Windows path."""
    return re.split(r"[\\/]", path.strip())[-1]


def saved_stem(path: str) -> str:
    """Return the name of the checkpoint that ``--model_save_path`` saves."""
    return _without_ending(base_name(path))


def loaded_stems(path: str) -> tuple[str, ...]:
    """
    Return the checkpoint names that ``--model_path`` can mean, the likeliest first.

    ``x_final.pkl`` is what tt-train writes for the save path ``x``, but a lesson may also have used the save
    path ``x_final.pkl``.
    """
    name = base_name(path)
    stem = _without_ending(name)
    if not name.endswith("_final.pkl"):
        return (stem,)
    saved = stem.removesuffix("_final")
    return (saved.removesuffix(".pkl"),) if saved.endswith(".pkl") else (saved, stem)


def _without_ending(name: str) -> str:
    return name.removesuffix(".safetensors").removesuffix(".pkl")
