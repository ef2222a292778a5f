"""Bundle a JSON Schema: copy what it refers to in other files into its ``$defs``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lesson_runner.document.schema.validator import load_schema
from lesson_runner.files.folders import schemas_folder

_ENDING = ".schema.json"
_OF_A_FILE = ("$id", "$schema")
"""Keywords that identify a schema file; in a part of a bundle they would change the meaning of ``#``."""


def schema_names() -> list[str]:
    """Return the short names of this project's schemas."""
    return sorted(path.name.removesuffix(_ENDING) for path in schemas_folder().glob(f"*{_ENDING}"))


def bundle(name: str) -> dict[str, Any]:
    """
    Return a schema without references to other files, for editors, which do not have these files.

    Raises:
        LessonError: there is no such schema.
    """
    root = load_schema(name)
    own = root.get("$defs", {})
    copied: dict[str, Any] = {}
    keys: dict[tuple[str, str], str] = {}

    def local(file: str, pointer: str) -> str:
        """Copy a part of another file, and return the reference to the copy."""
        if file == name:
            return f"#{pointer}"
        if (file, pointer) not in keys:
            key = pointer.rpartition("/")[2] or file
            key = f"{file}-{key}" if key in own or key in copied else key
            keys[file, pointer] = key
            copied[key] = {}  # reserve the key first, because the part may refer to itself
            copied[key] = _rewritten(_at(load_schema(file), pointer), file, local)
        return f"#/$defs/{keys[file, pointer]}"

    bundled: dict[str, Any] = _rewritten(root, name, local)
    if copied:
        bundled["$defs"] = {**bundled.get("$defs", {}), **copied}
    return {"$schema": root["$schema"], **bundled}


def _rewritten(value: Any, file: str, local: Callable[[str, str], str]) -> Any:
    """Return a part of a file's schema in which all references are local."""
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
    """Return what a JSON pointer refers to; for a whole file, the schema without ``$defs``."""
    if not pointer:
        return {key: item for key, item in schema.items() if key != "$defs"}
    for part in pointer.split("/")[1:]:
        schema = schema[part.replace("~1", "/").replace("~0", "~")]
    return schema
