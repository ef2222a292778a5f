"""Read the YAML of lessons: within limits, in one pass, and with the place of each key."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from lesson_runner.document.yaml_errors import explain
from lesson_runner.model import Diagnostic, Location

KeyPath = tuple[str | int, ...]

MAX_BYTES = 64 * 1024
MAX_DEPTH = 20
"""Upper limit for nesting: parsers and validators recurse, and a thousand levels crash the process."""
MAX_ALIASES = 16
MAX_VALUES = 20_000
"""Upper limit for values, because each alias of aliases doubles the document."""
_MAX_DIGITS = 300
"""Upper limit for integers: larger ones do not fit a float, and Python refuses to print much larger ones."""


@dataclass(frozen=True, slots=True)
class YamlText:
    """A parsed piece of YAML, or its errors."""

    data: Any
    positions: Mapping[KeyPath, Location] = field(default_factory=dict)
    """The place of each value; in a mapping, of its key."""
    diagnostics: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a piece of YAML begins in its file; line and column count from 1."""

    path: Path
    line: int
    column: int = 1
    """The column of the text's first line; the lines below it begin at :attr:`indent` + 1."""
    indent: int = 0

    def locate(self, text: str, index: int, written: str | None = None) -> Location:
        """Return the place in the file of the character at an index of the text, where a value is written."""
        # YAML has more line ends than editors, so the parser's line numbers cannot be used.
        line = text.count("\n", 0, index)
        column = index - (text.rfind("\n", 0, index) + 1)
        column += self.column if line == 0 else self.indent + 1
        return Location(self.path, self.line + line, column, written)


class _RefusedError(Exception):
    """A value that is refused, and the index of its first character in the text."""

    def __init__(self, rule: str, message: str, index: int) -> None:
        super().__init__(message)
        self.rule = rule
        self.index = index


def load(text: str, origin: Origin, most: int = MAX_BYTES) -> YamlText:
    """
    Parse ``text``, of at most ``most`` bytes; dates become ISO strings, because JSON has no dates.

    Never raises for bad input: errors are in the result's ``diagnostics``.
    """
    from yaml import MarkedYAMLError, YAMLError
    from yaml.reader import ReaderError

    def failed(rule: str, message: str, index: int = 0, fix: str | None = None) -> YamlText:
        ended = index >= len(text) and text.endswith("\n")  # the line below is not part of the text
        place = origin.locate(text, len(text) - 1 if ended else index)
        return YamlText(None, diagnostics=(Diagnostic(rule, "error", message, place, fix),))

    encoded = text.encode("utf-8", "replace")
    if len(encoded) > most:
        return failed("yaml-too-large", f"{len(encoded)} bytes of YAML; at most {most} are read")
    try:
        _check_limits(text)
        reader = _Reader(text)
        data = reader.read()
    except _RefusedError as error:
        return failed(error.rule, str(error), error.index)
    except MarkedYAMLError as error:
        problem, index, fix = explain(error, text)
        return failed("yaml-syntax", f"not valid YAML: {problem}", index, fix)
    except ReaderError as error:  # its position is in bytes of UTF-8
        index = len(encoded[: error.position].decode("utf-8", "ignore"))
        return failed("yaml-syntax", f"not valid YAML: {error.reason}", index)
    except (YAMLError, UnicodeError, RecursionError) as error:
        return failed("yaml-syntax", f"not valid YAML: {' '.join(str(error).split())}")
    positions = {
        path: origin.locate(text, index, reader.written.get(path)) for path, index in reader.places.items()
    }
    return YamlText(data, positions)


def _check_limits(text: str) -> None:
    """
    Check the parser's events before values are built, which recurses and crashes on deep nesting.

    Raises:
        _RefusedError: it is nested too deeply, or has too many aliases.
    """
    import yaml

    depth = aliases = 0
    for event in yaml.parse(text, Loader=_loader()):
        kind = type(event)
        if kind is yaml.ScalarEvent:
            continue
        depth += kind in (yaml.MappingStartEvent, yaml.SequenceStartEvent)
        depth -= kind in (yaml.MappingEndEvent, yaml.SequenceEndEvent)
        aliases += kind is yaml.AliasEvent
        if depth > MAX_DEPTH:
            message = f"nested more than {MAX_DEPTH} levels deep"
        elif aliases > MAX_ALIASES:
            message = f"more than {MAX_ALIASES} aliases (*name)"
        else:
            continue
        raise _RefusedError("yaml-too-deep", message, event.start_mark.index if event.start_mark else 0)


class _Reader:
    """One pass over the parsed nodes: builds JSON data, and records the place of each value."""

    def __init__(self, text: str) -> None:
        self.loader = _loader()(text)
        self.places: dict[KeyPath, int] = {}
        self.written: dict[KeyPath, str] = {}
        """The text of each number, date, truth value and empty value."""

    def read(self) -> Any:
        node = self.loader.get_single_node()
        if node is None:
            return None
        self.places[()] = node.start_mark.index
        return self._value(node, (), 0)

    def _value(self, node: Any, path: KeyPath, depth: int) -> Any:
        if depth > MAX_DEPTH:  # only through an alias, because the nesting of events was checked
            message = "a value that contains itself through an alias"
            raise _RefusedError("yaml-too-deep", message, node.start_mark.index)
        if len(self.places) > MAX_VALUES:
            message = f"more than {MAX_VALUES} values, counting those of aliases"
            raise _RefusedError("yaml-too-large", message, 0)
        if node.id == "mapping":
            return self._mapping(node, path, depth)
        if node.id == "sequence":
            items = []
            for number, item in enumerate(node.value):
                self.places[(*path, number)] = item.start_mark.index
                items.append(self._value(item, (*path, number), depth + 1))
            return items
        value = self._scalar(node)
        if not isinstance(value, str) or node.tag.endswith(":timestamp"):
            self.written[path] = str(node.value)
        return value

    def _mapping(self, node: Any, path: KeyPath, depth: int) -> dict[str, Any]:
        own = [key for key, _ in node.value if key.id == "scalar" and key.tag != "tag:yaml.org,2002:merge"]
        names = [key.value for key in own]
        for number, key in enumerate(own):
            if key.value in names[:number]:
                message = f"not valid YAML: the key '{key.value}' appears twice"
                raise _RefusedError("yaml-syntax", message, key.start_mark.index)
        self.loader.flatten_mapping(node)  # resolves `<<: *defaults`; merged keys come first
        data = {}
        for key, value in node.value:
            if key.id != "scalar":
                message = "not valid YAML: a key must be text"
                raise _RefusedError("yaml-syntax", message, key.start_mark.index)
            name = str(key.value)
            self.places[(*path, name)] = key.start_mark.index
            data[name] = self._value(value, (*path, name), depth + 1)
        return data

    def _scalar(self, node: Any) -> Any:
        try:
            value = self.loader.construct_object(node)
        # For values like `!!bool x` the library raises KeyError, ValueError and others.
        except Exception as error:
            problem = getattr(error, "problem", None) or f"{type(error).__name__} {error}"
            message = f"not valid YAML: {' '.join(str(problem).split())}"
            raise _RefusedError("yaml-syntax", message, node.start_mark.index) from None
        if isinstance(value, int) and abs(value) >= 10**_MAX_DIGITS:
            message = f"not valid YAML: a whole number of more than {_MAX_DIGITS} digits"
            raise _RefusedError("yaml-syntax", message, node.start_mark.index)
        if isinstance(value, (datetime.datetime, datetime.date)):
            return value.isoformat()
        return value if isinstance(value, (str, int, float, bool)) or value is None else str(value)


@cache
def _loader() -> Any:
    """Return PyYAML's safe loader (in C if available), changed to read plain values as YAML 1.2."""
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc]  # PyYAML may have no C loader
        """YAML 1.2: ``no``, ``on`` and ``12:30`` are text, ``010`` is ten."""

        yaml_implicit_resolvers: Any = {}  # noqa: RUF012  # this is how PyYAML is configured

    prefix = "tag:yaml.org,2002:"
    plain = {  # https://yaml.org/spec/1.2.2/#103-core-schema, and dates
        "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
        "null": (r"~|null|Null|NULL|", "~nN\0"),
        "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
        "float": (
            r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
            "-+.0123456789",
        ),
        "timestamp": (
            r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d:\d\d(?:\.\d*)?(?:Z|[-+]\d\d(?::?\d\d)?)?)?",
            "0123456789",
        ),
        "merge": (r"<<", "<"),
    }
    for name in ("bool", "null", "int", "float", "timestamp", "merge"):
        pattern, first = plain[name]
        letters = ["" if letter == "\0" else letter for letter in first]
        Loader.add_implicit_resolver(prefix + name, re.compile(rf"^(?:{pattern})$"), letters)
    Loader.add_constructor(prefix + "int", lambda _, node: int(node.value, _base_of(node.value)))
    return Loader


def _base_of(number: str) -> int:
    return {"0o": 8, "0x": 16}.get(number[:2], 10)
