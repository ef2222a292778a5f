"""
What a path in a lesson means here: data sets and checkpoints have names, and live in the workspace.

tt-train writes ``<save path>_final.pkl``, so with ``--model_save_path x.pkl`` (as the published lesson has
it) the file is ``x.pkl_final.pkl``; all of these name our checkpoint ``x``.
"""

from __future__ import annotations

import re

TOO_FEW_CHIPS = "too_few_chips"
"""The parameter of ``ct4.train`` that says what becomes of a step for more chips than there are."""
STATE = "ct4"
"""Our key in a run's state, under which the open session is."""


def base_name(path: str) -> str:
    """Return the last part of a path, also of one with ``$VARIABLES`` in it, or of one from Windows."""
    return re.split(r"[\\/]", path.strip())[-1]


def saved_stem(path: str) -> str:
    """Return the name of the checkpoint that ``--model_save_path`` asks for."""
    return _without_ending(base_name(path))


def loaded_stems(path: str) -> tuple[str, ...]:
    """
    Return the names that ``--model_path`` can mean, the likelier first.

    ``x_final.pkl`` is what tt-train makes of the save path ``x``, but a lesson may also have saved
    ``x_final.pkl`` and ask for it by that name.
    """
    name = base_name(path)
    stem = _without_ending(name)
    if not name.endswith("_final.pkl"):
        return (stem,)
    saved = stem.removesuffix("_final")
    return (saved.removesuffix(".pkl"),) if saved.endswith(".pkl") else (saved, stem)


def _without_ending(name: str) -> str:
    return name.removesuffix(".safetensors").removesuffix(".pkl")
