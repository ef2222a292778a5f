"""What a YAML parser objects to, in the words of somebody who writes lessons."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yaml import MarkedYAMLError

_QUOTE_IT = "put the value in single quotes"
_KNOWN = {
    "mapping values are not allowed": (
        "a ': ' where no key can stand",
        "put a value that contains ': ' in quotes; let keys of one mapping begin in the same column",
    ),
    "found unknown escape character": (
        "a backslash in double quotes begins an escape, and there is none like this",
        "use single quotes, in which a backslash is only a backslash",
    ),
    "found undefined alias": ("*name stands for an earlier &name, and there is none", _QUOTE_IT),
    "found a tab character": ("a tab", "indent with spaces"),
}
"""By the beginning of what the parser says."""


def explain(error: MarkedYAMLError, text: str) -> tuple[str, int, str | None]:
    """Return what is wrong, the index of the character where it is wrong, and how to mend it."""
    said = " ".join(str(error.problem or error.context).split())
    context = str(error.context or "")
    mark = error.problem_mark or error.context_mark
    index = mark.index if mark else 0
    if "quoted scalar" in context and ("end of stream" in said or "document" in said) and error.context_mark:
        begin = error.context_mark.index
        return f"the quote {text[begin : begin + 1]} is never closed", begin, "close it, or leave it out"
    if "cannot start any token" in said and index < len(text):
        if text[index] == "\t":
            return "a tab, and YAML is indented with spaces only", index, "write spaces instead"
        return f"a value cannot begin with {text[index]}", index, _QUOTE_IT
    before = text[:index].rstrip(" ")
    if said.startswith("did not find expected") and before.endswith(("]", "}")):  # regex: [0-9]+
        return f"text after {before[-1]}", index, f"{_QUOTE_IT}, if it is all one text"
    for beginning, (message, fix) in _KNOWN.items():
        if said.startswith(beginning):
            return message, index, fix
    return said, index, None
