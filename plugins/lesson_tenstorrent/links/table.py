"""The table of the extension's commands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from lesson_runner.document.command_links import CommandLink
from lesson_runner.model import Need, Role

PREFIX = "tenstorrent."
"""The beginning of the ids of the extension's commands."""


@dataclass(frozen=True, slots=True)
class Argument:
    """The argument of a command."""

    name: str
    default: str
    values: Mapping[str, Mapping[str, str]]
    """For each possible value, the texts that replace ``{{name}}`` in the command's script."""


@dataclass(frozen=True, slots=True)
class Command:
    """What a command of the extension does; ``commands.schema.json`` describes each field."""

    shows: str = ""
    checks: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    to: str = ""
    runs: str = ""
    role: Role = "run"
    port: int = 0
    """For a service: the port on which it answers."""
    stop: str = ""
    needs: tuple[Need, ...] = ()
    argument: Argument | None = None

    @property
    def shows_nothing(self) -> bool:
        """Whether the extension lists the command, but has no code for it."""
        return self.shows.startswith("nothing")

    def problem(self, link: CommandLink) -> str:
        """Return what is wrong with the arguments of a link to this command; empty if nothing is."""
        if link.problem:
            return f"its arguments are not JSON: {link.problem}"
        if self.argument is None or self._value(self.argument, link) in self.argument.values:
            return ""
        known = ", ".join(self.argument.values)
        return f"its argument '{self.argument.name}' is not one of {known}"

    def script(self, link: CommandLink) -> str:
        """Return the shell commands that a link runs; its arguments must be without a :meth:`problem`."""
        script = self.runs
        if self.argument is not None:
            for name, text in self.argument.values[self._value(self.argument, link)].items():
                script = script.replace("{{" + name + "}}", text)
        return script

    @staticmethod
    def _value(argument: Argument, link: CommandLink) -> str:
        given = link.argument(argument.name)
        return argument.default if given is None else str(given)


@dataclass(frozen=True, slots=True)
class Table:
    """All commands of the extension."""

    repository: str
    commit: str
    """The commit of the repository that the table describes."""
    version: str
    commands: Mapping[str, Command] = field(default_factory=dict)
    """The commands by their ids."""


@cache
def table() -> Table:
    """Return the table, which is read once."""
    import yaml

    text = (files("lesson_tenstorrent.links") / "commands.yaml").read_text("utf-8")
    data = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # ten times as fast
    return Table(
        **data["toolkit"], commands={name: _command(entry) for name, entry in data["commands"].items()}
    )


def _command(entry: Mapping[str, Any]) -> Command:
    return Command(
        shows=entry.get("shows", ""),
        checks=tuple(entry.get("checks", ())),
        copies=tuple(entry.get("copies", ())),
        to=entry.get("to", ""),
        runs=entry.get("runs", ""),
        role=entry.get("role", "run"),
        port=entry.get("port", 0),
        stop=entry.get("stop", ""),
        needs=tuple(Need(*need.split(" ")) for need in entry.get("needs", ())),
        argument=Argument(**entry["argument"]) if "argument" in entry else None,
    )
