"""What the blocks of a lesson have made so far, and where the terminal is."""

from __future__ import annotations

import posixpath
import sys
from dataclasses import dataclass, field

from lesson_runner.model import Need

_HOMES = ("$HOME", "${HOME}")
_MADE_UP = ("/path/to", "path/to", "~/path/to", "/your", "~/your")
"""How paths begin that stand for another."""
_DEVICES = tuple(
    f"/dev/{name}"
    for name in ["null", "zero", "full", "tty", "stdin", "stdout", "stderr", "random", "urandom"]
)


@dataclass(slots=True)
class Found:
    """What a block needs, in the order of its text; the values of both mappings do not count."""

    machine: dict[Need, None] = field(default_factory=dict)
    """What the machine must have."""
    earlier: dict[Need, None] = field(default_factory=dict)
    """What earlier blocks make."""


@dataclass(slots=True)
class World:
    """
    What the blocks so far have made, each thing with the number of its block, and where the terminal is.

    A path is relative to the folder of the run, or begins with ``/`` or ``~``.
    """

    block: int = 0
    """The number of the block that is being read."""
    unsettled: bool = False
    """True if the block has read a file or has changed ``PATH``: which programs there are is not known."""
    stirred: bool = False
    """True if the block has run a program that may have made any file in the terminal's folder."""
    folder: str | None = ""
    """The terminal's folder; ``None`` if it is not known."""
    began_in: str | None = ""
    """The terminal's folder at the start of the block."""
    files: dict[str, int] = field(default_factory=dict)
    folders: dict[str, int] = field(default_factory=dict)
    """The folders that contain a file that was made."""
    opaque: dict[str, int] = field(default_factory=dict)
    """Folders whose content is not known, such as cloned ones."""
    commands: dict[str, int] = field(default_factory=dict)
    modules: dict[str, int] = field(default_factory=dict)
    variables: dict[str, int] = field(default_factory=dict)
    servers: dict[str, int] = field(default_factory=dict)
    """By port."""
    any_module: int = 0
    """The last block that has installed packages whose names are not known; 0 if none has."""
    any_variable: int = 0
    """The last block that has read a file with shell commands."""
    any_server: int = 0
    """The last block that has started something in the background."""

    def begin_block(self) -> None:
        """Note where the terminal is, and that the block has run nothing yet."""
        self.began_in, self.unsettled, self.stirred = self.folder, False, False

    def resolve(self, path: str) -> str | None:
        """Return a path as this class writes it; ``None`` if it is not known."""
        for home in _HOMES:
            if path == home or path.startswith(f"{home}/"):
                path = f"~{path[len(home) :]}"
        if not is_known(path):
            return None
        if not path.startswith(("/", "~")):
            if self.folder is None:
                return None
            path = posixpath.join(self.folder, path)
        path = posixpath.normpath(path)
        return "" if path == "." else path

    def make(self, path: str, *, opaque: bool = False) -> None:
        """Note that the block makes a file or a folder."""
        place = self.resolve(path)
        if place is None:
            return
        self.files.setdefault(place, self.block)
        if opaque:
            self.opaque.setdefault(place, self.block)
        parent = posixpath.dirname(place)
        while parent and parent not in self.folders and parent != posixpath.dirname(parent):
            self.folders[parent] = self.block
            parent = posixpath.dirname(parent)

    def maker(self, place: str) -> int | None:
        """Return the number of the block that makes a file or a folder; ``None`` if none does."""
        if place in self.files:
            return self.files[place]
        if place in self.folders:
            return self.folders[place]
        while True:
            if place in self.opaque:
                return self.opaque[place]
            parent = posixpath.dirname(place)
            if parent == place or place == "~":
                return None
            place = parent

    def need_file(self, path: str, found: Found) -> None:
        """Note that the block reads a file or enters a folder."""
        place = self.resolve(path)
        if not place or place in ("~", "/", *_DEVICES) or place.startswith(("..", "/dev/fd/", "/dev/tcp/")):
            return
        number = self.maker(place)
        shown = place
        if not place.startswith(("/", "~")):
            if number is None and self.stirred:
                return
            if self.began_in is None or self.began_in.startswith(("/", "~")):
                return
            shown = posixpath.relpath(place, self.began_in or ".")
        self.note("file", shown, number, found)

    def note(self, kind: str, value: str, number: int | None, found: Found) -> None:
        """Note a need, and the block that meets it, if one does."""
        if number is None:
            found.machine.setdefault(Need(kind, value))
        elif number != self.block:
            found.earlier.setdefault(Need(kind, value, number))

    def need_command(self, name: str, found: Found) -> None:
        """Note that the block starts a program."""
        if not self.unsettled:
            self.note("command", name, self.commands.get(name), found)

    def need_module(self, name: str, found: Found) -> None:
        """Note that the block imports a module of Python."""
        top = name.partition(".")[0]
        if self.unsettled or not top or top in sys.stdlib_module_names or top == "__main__":
            return
        for path in (f"{top}.py", top):
            if (place := self.resolve(path)) and (place in self.files or place in self.folders):
                self.note("file", path, self.maker(place), found)
                return
        place = self.resolve(f"{top}.py")
        if top not in self.modules and place and self.maker(place) is not None:
            return  # it may be in the terminal's folder, whose content is not known
        self.note("python", top, self.modules.get(top, self.any_module or None), found)

    def need_variable(self, name: str, found: Found) -> None:
        """Note that the block reads a variable."""
        self.note("env", name, self.variables.get(name, self.any_variable or None), found)

    def need_server(self, host: str, port: int, found: Found) -> None:
        """Note that the block talks to a server on this machine."""
        maker = self.servers.get(str(port), self.any_server or None)
        self.note("server", f"{host}:{port}", maker, found)


def is_known(text: str) -> bool:
    """Return whether a word is written out, and stands for nothing else."""
    return (
        bool(text)
        and not set(text) & set("$`<>*?{}[]|&;\n\0…")
        and not ("..." in text or text.lower().startswith(_MADE_UP))
    )
