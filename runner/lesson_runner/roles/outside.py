"""Which files of the machine, outside of the run's folder and its home folder, a command changes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from lesson_runner.roles.commands import Command

_STARTUP = re.compile(
    r"(?:~|\$\{?HOME\}?)/\.(?:bashrc|bash_profile|bash_aliases|profile|zshrc|zprofile|zshenv|ssh/\S*|gitconfig|config/\S*)$"
)
_ANOTHER_HOME = re.compile(r"~[a-z_][\w-]*(?:/|$)")
_EXAMPLE = re.compile(r"/(?:path|absolute|full|some|your)(?:/|$)")
_ALL_TEMPORARY = re.compile(r"(?:/tmp|/var/tmp|\$\{?TMPDIR\}?)/?\*?$")
_DEVICES = re.compile(r"/dev/(?:null|zero|full|tty|std(?:in|out|err)|fd/\d+|shm/.+|tcp/.+|udp/.+)$")
_TEMPORARY = re.compile(r"/tmp/|/tmp$|/var/tmp(?:/|$)|/private/tmp/")

_EACH = frozenset(
    {*("tee", "touch", "mkdir", "rmdir", "rm", "unlink", "mv", "truncate", "shred", "mkfifo", "fallocate")}
)
"""Programs that change each file that they name."""
_OWNER = frozenset({"chmod", "chown", "chgrp"})
"""Programs that change each file that they name after the first argument."""
_LAST = frozenset({"cp", "ln", "install", "rsync", "ditto"})
"""Programs that change the last file that they name."""
_VALUES = {
    "cp": ("-t", "--target-directory"),
    "mv": ("-t", "--target-directory"),
    "install": ("-t", "--target-directory"),
    "unzip": ("-d",),
    "bsdtar": ("-C", "--directory"),
    "curl": ("-o", "--output", "--output-dir"),
    "wget": ("-O", "--output-document", "-P", "--directory-prefix"),
    "pip": ("-t", "--target", "--prefix", "--root"),
    "pip3": ("-t", "--target", "--prefix", "--root"),
    "conda": ("-p", "--prefix"),
    "mamba": ("-p", "--prefix"),
    "cmake": ("--prefix",),
}
"""By program: the options that name a file or folder to write."""


def is_of_machine(path: str) -> bool:
    """Return whether a path is neither relative, nor below ``~``, nor a temporary file or harmless device."""
    if _ANOTHER_HOME.match(path):
        return True
    if not path.startswith("/") or _EXAMPLE.match(path) or _DEVICES.match(path):
        return False
    normal = str(PurePosixPath(path))
    return ".." in PurePosixPath(path).parts or not _TEMPORARY.match(normal)


def is_outside_of_run(path: str) -> bool:
    """Return whether a file to save is neither in the folder of the run nor in its home folder."""
    return path.startswith("/") or _ANOTHER_HOME.match(path) is not None


def is_outside(path: str) -> bool:
    """Return whether writing a path changes the machine, or what every new shell reads."""
    return is_of_machine(path) or _STARTUP.match(path) is not None


def deleted(command: Command) -> str:
    """Return what a command deletes with all below it, if it is outside; empty if there is nothing."""
    program, arguments = command.program, command.arguments
    if program == "rm" and {"-r", "-R", "--recursive"} & command.options:
        return _first_lost(arguments)
    removes = "-delete" in command.words or any(
        word in ("-exec", "-execdir") and command.words[at + 1 : at + 2] in (("rm",), ("unlink",))
        for at, word in enumerate(command.words)
    )
    if program == "find" and removes:
        return _first_lost(arguments[:1])
    return ""


def _first_lost(paths: Iterable[str]) -> str:
    lost = (
        path
        for path in paths
        if path.startswith(("~", "$HOME", "${HOME}")) or is_of_machine(path) or _ALL_TEMPORARY.match(path)
    )
    return next(lost, "")


def changed(command: Command) -> str:
    """Return a file outside of the run's folder that a command writes, changes or removes."""
    return next((path for path in _written(command) if is_outside(path)), "")


def _written(command: Command) -> Iterator[str]:
    program, arguments = command.program, command.arguments
    if program in _EACH:
        yield from arguments
    elif program in _OWNER:
        yield from arguments[1:]
    elif program in _LAST and len(arguments) > 1:
        yield arguments[-1]
    elif program in ("sed", "perl") and any(re.match(r"-\w*i|--in-place", word) for word in command.words):
        yield from arguments[1:] or arguments
    elif program == "dd":
        yield from (word[3:] for word in command.words if word.startswith("of="))
    elif program == "git" and "clone" in arguments[:1]:
        yield from arguments[2:3]
    elif program in ("virtualenv", "mkvirtualenv") or command.words[1:3] == ("-m", "venv"):
        yield from arguments[-1:]
    elif program == "tar" and any(
        word == "--extract" or re.match(r"-?[a-zA-Z]*x", word) for word in command.words[1:2]
    ):
        yield from values(command, ("-C", "--directory"))
    if names := _VALUES.get(program):
        yield from values(command, names)


def values(command: Command, names: Iterable[str]) -> Iterator[str]:
    """Yield the values of options of a command: ``-o X``, ``-oX``, ``-sSo X``, ``--output=X`` …"""
    words = command.words
    for at, word in enumerate(words):
        following = words[at + 1] if at + 1 < len(words) else ""
        for name in names:
            if word == name or (len(name) == 2 and re.fullmatch(rf"-[a-zA-Z]+{name[1]}", word)):
                yield following
            elif name.startswith("--") and word.startswith(f"{name}="):
                yield word.partition("=")[2]
            elif len(name) == 2 and re.match(rf"{name}[/~]", word):
                yield word[2:]
