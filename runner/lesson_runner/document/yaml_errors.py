"""Explain errors of the YAML parser to authors of lessons."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from yaml import MarkedYAMLError

_QUOTE_IT = "put the value in single quotes"
_KNOWN = {
    "mapping values are not allowed": (
        "a ': ' where no key is allowed",
        "put a value that contains ': ' in quotes; begin all keys of a mapping in the same column",
    ),
    "found unknown escape character": (
        "in double quotes a backslash begins an escape, and this escape does not exist",
        "use single quotes, in which a backslash has no special meaning",
    ),
    "found undefined alias": ("*name refers to an earlier &name, which does not exist", _QUOTE_IT),
    "found a tab character": ("a tab", "indent with spaces"),
    "did not find expected node content": (
        "a value is missing, or a [ or { is not closed",
        "write the value and close the bracket; put text that contains brackets in quotes",
    ),
    "did not find expected ',' or": (
        "a [ or { that is not closed, or a missing comma",
        "put commas between the items and close the bracket; put text that contains brackets in quotes",
    ),
    "did not find expected '-' indicator": (
        "a line that is not an item of the list above",
        "begin each item with '- ', in the same column",
    ),
    "did not find expected key": (
        "a line with the wrong indentation, or text after a value",
        "begin all keys of a mapping in the same column; put the whole value in quotes",
    ),
    "could not find expected ':'": (
        "a key without ':'",
        "write 'key: value'; indent a line that continues the value above",
    ),
}
"""Message and fix, by the beginning of the parser's message."""


def explain(error: MarkedYAMLError, text: str) -> tuple[str, int, str | None]:
    """Return a message, the index of the character it is about, and how to fix it."""
    problem = " ".join(str(error.problem or error.context).split())
    context = str(error.context or "")
    mark = error.problem_mark or error.context_mark
    index = mark.index if mark else 0
    if (
        "quoted scalar" in context
        and ("end of stream" in problem or "document" in problem)
        and error.context_mark
    ):
        begin = error.context_mark.index
        return f"the quote {text[begin : begin + 1]} is never closed", begin, "close it, or leave it out"
    if "cannot start any token" in problem and index < len(text):
        if text[index] == "\t":
            return "a tab; YAML is indented with spaces only", index, "write spaces instead"
        return f"a value cannot begin with {text[index]}", index, _QUOTE_IT
    before = text[:index].rstrip(" ")
    if problem.startswith("did not find expected") and before.endswith(("]", "}")):  # regex: [0-9]+
        return f"text after {before[-1]}", index, f"{_QUOTE_IT}, if it is a single text"
    for beginning, (message, fix) in _KNOWN.items():
        if problem.startswith(beginning):
            return message, index, fix
    return problem, index, None
