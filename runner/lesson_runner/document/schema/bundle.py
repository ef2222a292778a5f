"""One schema in one piece: what it refers to in other files is put into its ``$defs``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lesson_runner.document.schema.validator import load_schema
from lesson_runner.files.folders import schemas_folder

_ENDING = ".schema.json"
_OF_A_FILE = ("$id", "$schema")
"""Keywords that say which file a schema is, and would mean another place for ``#``."""


def schema_names() -> list[str]:
    """Return the short names of this project's schemas."""
    return sorted(path.name.removesuffix(_ENDING) for path in schemas_folder().glob(f"*{_ENDING}"))


def bundle(name: str) -> dict[str, Any]:
    """
    Return a schema with no reference to another file: editors do not know where ours are.

    Raises:
        LessonError: there is no such schema.
    """
    root = load_schema(name)
    own = root.get("$defs", {})
    brought: dict[str, Any] = {}
    keys: dict[tuple[str, str], str] = {}

    def local(file: str, pointer: str) -> str:
        """Return the reference that stands for a place in a file, and bring over what is there."""
        if file == name:
            return f"#{pointer}"
        if (file, pointer) not in keys:
            key = pointer.rpartition("/")[2] or file
            key = f"{file}-{key}" if key in own or key in brought else key
            keys[file, pointer] = key
            brought[key] = {}  # the key is taken, also while what it stands for refers to itself
            brought[key] = _rewritten(_at(load_schema(file), pointer), file, local)
        return f"#/$defs/{keys[file, pointer]}"

    bundled: dict[str, Any] = _rewritten(root, name, local)
    if brought:
        bundled["$defs"] = {**bundled.get("$defs", {}), **brought}
    return {"$schema": root["$schema"], **bundled}


def _rewritten(value: Any, file: str, local: Callable[[str, str], str]) -> Any:
    """Return part of a file's schema with every reference turned into one that needs no file."""
    if isinstance(value, list):
        return [_rewritten(item, file, local) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: item for key, item in value.items() if key not in _OF_A_FILE or not isinstance(item, str)}
    new = {key: _rewritten(item, file, local) for key, item in kept.items()}
    if isinstance(target := value.get("$ref"), str):
        other, _, pointer = target.partition("#")
        new["$ref"] = local(other.removesuffix(_ENDING) or file, pointer)
    return new


def _at(schema: Any, pointer: str) -> Any:
    """Return what a JSON pointer points to; of a whole file, all but its definitions, which follow."""
    if not pointer:
        return {key: item for key, item in schema.items() if key != "$defs"}
    for part in pointer.split("/")[1:]:
        schema = schema[part.replace("~1", "/").replace("~0", "~")]
    return schema
