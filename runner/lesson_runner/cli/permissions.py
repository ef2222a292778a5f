"""``--allow``: the permissions granted to a lesson from elsewhere."""

from __future__ import annotations

from pathlib import Path

from lesson_runner.model.errors import LessonError


def allowed_permissions(allow: list[str] | None) -> frozenset[str]:
    """
    Return the permissions that ``--allow`` grants.

    Each is a name, or ``read PATH`` or ``network ADDRESS`` for a single file or address.

    Raises:
        LessonError: there is no such permission, or a path is not valid.
    """
    from lesson_runner.execute.inputs import READ, Inputs
    from lesson_runner.run.permissions import NETWORK, PERMISSIONS

    allowed: set[str] = set()
    names: set[str] = set()
    for item in allow or ():
        kind, _, what = item.partition(" ")
        what = what.strip()
        if what and kind in (READ, NETWORK):
            allowed.add(f"{kind} {Inputs(Path()).resolve(what, param=True) if kind == READ else what}")
        else:
            names |= {name.strip() for name in item.split(",")}
    for name in sorted(names.difference(PERMISSIONS)):
        single = name.partition(" ")[0] in (READ, NETWORK)
        raise LessonError(
            f"--allow {name}: there is no such permission",
            fix="repeat --allow for each path or address" if single else f"one of: {', '.join(PERMISSIONS)}",
        )
    return frozenset(allowed | names)
