"""Read links to commands of an editor: ``command:extension.name?ARGUMENTS``, with JSON as the arguments."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class CommandLink:
    """What a link to a command says."""

    command: str
    """The id, such as ``tenstorrent.showLesson``; whatever is there, if it is not an id."""
    arguments: Any = None
    """The arguments, read as JSON; ``None`` if there are none, or if they are not JSON."""
    problem: str = ""
    """Why the arguments are not JSON; empty if they are, and if there are none."""

    def argument(self, name: str) -> Any:
        """Return a named argument, which may be in the first item of a list; ``None`` if it is not given."""
        value = self.first
        return value.get(name) if isinstance(value, dict) else None

    @property
    def first(self) -> Any:
        """The first item of the arguments if they are a list; else the arguments."""
        value = self.arguments
        return (value[0] if value else None) if isinstance(value, list) else value


def read_command(text: str) -> CommandLink:
    """Read a link's target without its ``command:``; its arguments may be percent-encoded or not."""
    command, _, arguments = text.strip().partition("?")
    if not arguments:
        return CommandLink(command)
    value, problem = _read(arguments)
    if problem:
        value, problem = _read(unquote(arguments))
    return CommandLink(command, value, problem)


def _read(text: str) -> tuple[Any, str]:
    try:
        return json.loads(text), ""
    except json.JSONDecodeError as error:
        rest = text[error.pos : error.pos + 20]
        return None, f"{error.msg} at '{rest}'" if rest else error.msg
    except (ValueError, RecursionError):  # a number of thousands of digits, or thousands of brackets
        return None, "too long a number, or too many brackets"
