"""Which files outside of the run's folder a command writes or deletes."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

from lesson_runner.roles.commands import Command

STARTUP = re.compile(
    r"(?:~|\$\{?HOME\}?)/\.(?:bashrc|bash_profile|bash_aliases|profile|zshrc|zprofile|zshenv|ssh/\S*"
    r"|gitconfig|config/\S*)$"
)
"""Files of the user that every new shell or program reads."""
_INSIDE = re.compile(
    r"/(?:tmp|var/tmp|dev/(?:null|zero|u?random|full|tty|stdin|stdout|stderr|fd|shm))(?:/|$)"
)
_ALL_WRITE = frozenset(
    {"rm", "rmdir", "unlink", "shred", "truncate", "tee", "mkdir", "touch", "mv", "chmod", "chown", "chgrp"}
)
"""Commands that change each file they name."""
_LAST_WRITES = frozenset({"cp", "ln", "install", "rsync", "scp"})
"""Commands that change the last file they name."""
_TO = {
    "curl": ("-o", "--output", "--output-dir"),
    "wget": ("-O", "--output-document", "-P", "--directory-prefix"),
    "tar": ("-C", "--directory"),
    "bsdtar": ("-C", "--directory"),
    "unzip": ("-d",),
    "7z": ("-o",),
    "gpg": ("-o", "--output"),
    "pip": ("--target", "-t", "--prefix", "--root"),
    "cp": ("-t", "--target-directory"),
    "mv": ("-t", "--target-directory"),
}
"""The options that say where a program writes."""


def written_outside(command: Command) -> str:
    """Return the first path outside of the run's folder that a command changes; empty if there is none."""
    return next((path for path in _changed(command) if is_outside(path)), "")


def is_outside(path: str) -> bool:
    """Return whether a path is a startup file or is in a folder of the machine, not in ``/tmp``."""
    if STARTUP.match(path):
        return True
    return path.startswith("/") and not path.startswith(("//", "/path/to")) and _INSIDE.match(path) is None


def value_of(command: Command, options: Container[str]) -> Iterator[str]:
    """Yield the values of options: of ``-o FILE``, ``-oFILE`` and ``--output=FILE``."""
    words = command.words
    for index, word in enumerate(words):
        name, equals, value = word.partition("=")
        if equals and name in options:
            yield value
        elif word in options or (_bundled(word, options) and command.program != "pip"):
            yield from words[index + 1 : index + 2]
        elif not word.startswith("--") and word[:2] in options:
            yield word[2:]


def _bundled(word: str, options: Container[str]) -> bool:
    """Return whether the last of several one-letter options takes the next word, as in ``-fsSLo FILE``."""
    return re.fullmatch(r"-[A-Za-z]{2,8}", word) is not None and f"-{word[-1]}" in options


def _changed(command: Command) -> Iterator[str]:
    program, arguments = command.program, command.arguments
    if program in _TO and not (program in ("tar", "bsdtar") and not _unpacks(command)):
        yield from value_of(command, _TO[program])
    if program in _ALL_WRITE:
        yield from arguments
    elif program in _LAST_WRITES:
        yield from arguments[1:][-1:]
    elif program in ("sed", "perl") and any(
        re.match(r"-[nEsrp0]*i|--in-place", word) for word in command.words[1:]
    ):
        yield from arguments[1:]
    elif program == "dd":
        yield from (word[3:] for word in command.words if word.startswith("of="))
    elif program == "git" and arguments[:1] == ("clone",) and len(arguments) > 2:
        yield arguments[-1]
    elif program == "find" and ("-delete" in command.words or "rm" in command.words):
        yield from arguments[:1]


def _unpacks(command: Command) -> bool:
    mode = "".join(
        word for word in command.words[1:] if not word.startswith("--") and re.fullmatch(r"-?[A-Za-z]+", word)
    )
    return "x" in mode or "--extract" in command.words
