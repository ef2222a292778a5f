"""YAML as lessons contain it: bounded before it is parsed, and with the place of every key."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from lesson_runner.model import Diagnostic, Location

KeyPath = tuple[str | int, ...]

MAX_BYTES = 64 * 1024
MAX_DEPTH = 20
"""Parsers and validators recurse once a level: a thousand levels crash the process."""
MAX_ALIASES = 16
MAX_VALUES = 20_000
"""An alias of aliases doubles the document each time."""
_MAX_DIGITS = 300
"""Larger numbers cannot be compared with a float, and Python refuses to print much larger ones."""


@dataclass(frozen=True, slots=True)
class YamlText:
    """A parsed piece of YAML, or what is wrong with it."""

    data: Any
    positions: Mapping[KeyPath, Location] = field(default_factory=dict)
    """Where each value (for mappings: its key) stands."""
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a piece of YAML begins in its file; line and column count from 1."""

    path: Path
    line: int
    column: int = 1
    """Of the text's first line; the lines below it begin at :attr:`indent` + 1."""
    indent: int = 0

    def locate(self, text: str, index: int) -> Location:
        """Return the place in the file of a character of the text."""
        # YAML counts more characters as line ends than editors do, so its own line numbers are of no use.
        line = text.count("\n", 0, index)
        column = index - (text.rfind("\n", 0, index) + 1)
        return Location(self.path, self.line + line, column + (self.column if line == 0 else self.indent + 1))


def load(text: str, origin: Origin) -> YamlText:
    """
    Parse ``text``; dates become ISO strings, as JSON has none.

    Never raises for bad input: problems are in the result's ``diagnostics``.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError
    from ruamel.yaml.reader import ReaderError

    def failed(rule: str, message: str, index: int = 0) -> YamlText:
        place = origin.locate(text, index)
        return YamlText(None, diagnostics=(Diagnostic(rule, "error", message, place),))

    size = len(text.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        return failed("yaml-too-large", f"{size} bytes of YAML; at most {MAX_BYTES} are read")
    try:
        limit = _limit_broken(YAML(typ="safe", pure=True).parse(text))
        if limit:
            return failed("yaml-too-deep", *limit)
        node = YAML(typ="safe", pure=True).compose(text)
        marks = dict(islice(_marks(node), MAX_VALUES + 1))
        if len(marks) > MAX_VALUES:
            return failed("yaml-too-large", f"more than {MAX_VALUES} values, those of aliases counted")
        data = _plain(YAML(typ="safe", pure=True).load(text))
        return YamlText(data, {path: origin.locate(text, mark.index) for path, mark in marks.items()})
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(str(error.problem or error.context).split())
        return failed("yaml-syntax", f"not valid YAML: {problem}", mark.index if mark else 0)
    except ReaderError as error:
        return failed("yaml-syntax", f"not valid YAML: {error.reason}", error.position)
    except RecursionError:
        return failed("yaml-too-deep", "a value that contains itself through an alias")
    # The parser lets KeyError, ValueError and others of its own workings out for values like `!!bool x`.
    except Exception as error:
        problem = f"{type(error).__name__} {' '.join(str(error).split())}"
        return failed("yaml-syntax", f"not valid YAML: {problem}", _unreadable(text))


def _unreadable(text: str) -> int:
    """Return where the first value stands that cannot be read by itself; 0 if each can."""
    from ruamel.yaml import YAML

    for event in YAML(typ="safe", pure=True).parse(text):
        if type(event).__name__ == "ScalarEvent":
            start, end = event.start_mark.index, event.end_mark.index
            try:
                _plain(YAML(typ="safe", pure=True).load(text[start:end]))
            except Exception:
                return int(start)
    return 0


def _limit_broken(events: Any) -> tuple[str, int] | None:
    """Return what limit the stream of parser events breaks, and where."""
    depth = aliases = 0
    for event in events:
        kind = type(event).__name__
        depth += kind in ("MappingStartEvent", "SequenceStartEvent")
        depth -= kind in ("MappingEndEvent", "SequenceEndEvent")
        aliases += kind == "AliasEvent"
        if depth > MAX_DEPTH:
            return f"nested more than {MAX_DEPTH} levels deep", event.start_mark.index
        if aliases > MAX_ALIASES:
            return f"more than {MAX_ALIASES} aliases (*name)", event.start_mark.index
    return None


def _marks(node: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Yield the mark of every value below a composed node; of mappings, that of its key."""
    if node is None:
        return
    if not path:
        yield path, node.start_mark
    if type(node).__name__ == "MappingNode":
        for key, value in node.value:
            below = (*path, str(key.value))
            yield below, key.start_mark
            yield from _marks(value, below)
    elif type(node).__name__ == "SequenceNode":
        for index, value in enumerate(node.value):
            yield (*path, index), value.start_mark
            yield from _marks(value, (*path, index))


def _plain(value: Any) -> Any:
    """Return ``value`` as JSON has it: keys are strings, dates are ISO strings."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [_plain(item) for item in value]
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, int) and abs(value) >= 10**_MAX_DIGITS:
        raise ValueError(f"a whole number of more than {_MAX_DIGITS} digits")
    return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)
