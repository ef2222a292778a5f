"""Tell from what a command said that the machine lacks something, and that the lesson is not wrong."""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path, PurePosixPath

from lesson_runner.document.typos import is_typo
from lesson_runner.model import Need
from lesson_runner.roles.needs.programs import BUILT_IN, EVERYWHERE

NOT_FOUND = 127
"""The exit code of a shell that does not find a command."""
LAST = 3
"""How many lines at the end of the output count, for what ends a command at once."""
LAST_OF_NETWORK = 40
"""How many lines count for hosts: programs that download say more after the failure."""
LIKE = 0.8
"""How much two names have in common of which one may be a misspelling of the other, as of difflib."""
_COMMAND = re.compile(r"(?:^|: )(?P<name>[A-Za-z0-9_][\w.+-]*): (?:command )?not found$")
_MODULE = re.compile(r"ModuleNotFoundError: No module named '(?P<name>\w+)'$")
_PACKAGE = re.compile(r"No matching distribution found for (?P<name>[\w.-]+)$")
_DEVICE = re.compile(
    r"(?P<name>/dev/[\w/.-]+\w)['\"]?: No such (?:file or directory|device)|'(?P<other>/dev/[\w/.-]+)'$"
)
_DOCKER = re.compile(
    r"[Cc]annot connect to the Docker daemon|permission denied while trying to connect to the [Dd]ocker"
)
_SUDO = re.compile(
    r"^sudo: .*(?:a (?:terminal|password) is required|no tty present)|is not in the sudoers file"
)
_HOST = r"([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"
_PYTHON_SAYS = (
    "Name or service not known|Temporary failure in name|nodename nor servname"
    "|Failed to (?:resolve|establish)|Network is unreachable|timed out"
)
_NETWORK = re.compile(
    "|".join(
        (
            rf"Could not resolve (?:host(?:name)?|proxy):? '?{_HOST}",
            rf"(?:Failed|Unable|unable) to connect to {_HOST} port \d+",
            rf"getaddrinfo (?:ENOTFOUND|EAI_AGAIN) {_HOST}",
            rf"Temporary failure resolving '{_HOST}'",
            rf"unable to resolve host address .{_HOST}",
            rf"host='{_HOST}'.*(?:{_PYTHON_SAYS})",
        )
    )
)


_NO_TARGET = re.compile(r"No rule to make target")
_MAKEFILES = frozenset({"GNUmakefile", "Makefile", "makefile"})
MOST_NAMES = 2000
"""How many names in a folder are compared with that of a missing file."""
_DIGITS = re.compile(r"\d")
_WORDS = re.compile(r"[\w./~-]+")
_ABSENT = re.compile(
    r"[Nn]o such file or directory|[Nn]ot a directory|can't open file|ModuleNotFoundError|FileNotFoundError"
    r"|cannot import name|(?:command )?not found\b|does not exist|[Cc]onnection refused"
    r"|(?:[Ff]ailed|[Cc]ouldn't|[Uu]nable) to connect|Cannot find (?:module|package) '[^.]"
    r"|could not find `Cargo\.toml|does not appear to contain|[Nn]ot a git repository|no makefile found"
)
_FAULT = re.compile(
    r"^(?:E +)?(?:Assertion|Value|Type|Key|Index|Name|UnboundLocal|Attribute|ZeroDivision|Syntax|Indentation"
    r"|Recursion|Reference|Range)Error\b|\bAssertionError\b|\bfailures=|^FAILED .* - assert\b"
)
"""What a program says that is wrong itself, and a test that fails."""
_ERROR = re.compile(r"\b(?:error|fatal|failed|failures?|cannot|can't|could not|unable|denied)\b", re.I)
_ECHO = re.compile(
    r"\*\*\*.*\bError \d|^npm (?:error|ERR!)|compilation terminated|build stopped|previous errors?\b"
    r"|errors occurred|not recoverable|FAILED \(errors=|^=+ .* in [\d.]+s|command failed|complete log"
    r"|^!+ Interrupted: \d+ errors? during collection|^ERROR \S+$"
)
"""What is said after an error to say only that there was one."""


def lacks_something(output: str, made: Collection[Need], folder: Path | None = None) -> bool:
    """
    Return whether the last error of an output is that a file, a module, a program or a server is absent.

    Args:
        made: what the lesson has made. Its absence does not count.
        folder: where the command ran. What is called almost like a file there does not count either.
    """
    own = {part for need in made for part in (PurePosixPath(need.value).name, PurePosixPath(need.value).stem)}
    for line in reversed(output.rstrip().split("\n")[-LAST_OF_NETWORK:]):
        if _FAULT.search(line.strip()):
            return False
        if _NO_TARGET.search(line) and folder is not None and not _MAKEFILES & _names_in(folder):
            return True
        if _ABSENT.search(line):
            words = [word.rstrip(".") for word in _WORDS.findall(line)]
            command = _COMMAND.search(line)
            misspelt = command and is_misspelt(Need("command", command["name"]))
            return not misspelt and not any(_is_own(word, own, folder) for word in words)
        if _ERROR.search(line) and not _ECHO.search(line):
            return False
    return False


def _is_own(word: str, own: Collection[str], folder: Path | None) -> bool:
    """Return whether a word of a message is called almost like something that the lesson has made."""
    name = word.rpartition("/")[2]
    if not name or is_like(name, own):
        return bool(name)
    path = PurePosixPath(os.path.normpath(folder / word)) if folder is not None else None
    inside = path is not None and folder is not None and path.is_relative_to(folder)
    return inside and path is not None and is_like_file(name, Path(path.parent))


def is_like_file(name: str, folder: Path) -> bool:
    """Return whether a folder has a file of almost this name; those that differ in numbers do not count."""
    numbered = _DIGITS.sub("", name)
    return is_like(name, {item for item in _names_in(folder) if _DIGITS.sub("", item) != numbered})


def _names_in(folder: Path) -> frozenset[str]:
    """Return the names in a folder, at most :data:`MOST_NAMES`; none if it cannot be read."""
    try:
        with os.scandir(folder) as found:
            return frozenset(item.name for item in islice(found, MOST_NAMES))
    except (OSError, ValueError):
        return frozenset()


def missing_from(output: str, exit_code: int | None, made: Collection[Need]) -> Need | None:
    """
    Return what a failed command lacked; ``None`` if it may have failed because of the lesson.

    Args:
        output: what the command printed.
        made: what the lesson makes itself. A lack of that, or of what is spelt almost like it, is the fault
            of the lesson; so is a server of this machine that does not answer.
    """
    if not exit_code:
        return None
    lines = [line.strip() for line in output.rstrip().split("\n")]
    own = {need.value for need in made}
    found = next(_lacks(lines[-LAST:], exit_code, own), None)
    if found is not None:
        return found
    if any(_FAULT.search(line) for line in lines[-LAST:]):
        return None
    for line in lines[-LAST_OF_NETWORK:]:
        if match := _NETWORK.search(line):
            host = next(filter(None, match.groups()))
            if not host[-1].isdecimal() and not host.endswith((".local", ".localhost")):
                return Need("network", host)
    return None


def _lacks(lines: list[str], exit_code: int, own: Collection[str]) -> Iterator[Need]:
    """Yield what the last lines of an output say is missing."""
    last = lines[-1] if lines else ""
    if exit_code == NOT_FOUND and (command := _COMMAND.search(last)):
        name = command["name"]
        if not is_like(name, own) and not is_misspelt(Need("command", name)):
            yield Need("command", name)
    own_modules = {PurePosixPath(path).stem for path in own}
    module = _MODULE.search(last)
    if module and module["name"] not in sys.stdlib_module_names and not is_like(module["name"], own_modules):
        need = Need("python", module["name"])
        if not is_misspelt(need):
            yield need
    for line in lines:
        package = _PACKAGE.search(line)
        if package:
            yield Need("package", package["name"])
        if _DOCKER.search(line):
            yield Need("docker")
        if _SUDO.search(line):
            yield Need("sudo")
        if device := _DEVICE.search(line):
            yield Need("file", device["name"] or device["other"])


def is_like(name: str, own: Collection[str]) -> bool:
    """Return whether a name is one of these, or almost."""
    return any(sorted(name) == sorted(other) for other in own) or bool(
        difflib.get_close_matches(name, own, n=1, cutoff=LIKE)
    )


def is_misspelt(need: Need) -> bool:
    """Return whether the name of a command or a module is one that every machine has, misspelt."""
    if need.kind == "command":
        return is_typo(need.value, EVERYWHERE | BUILT_IN)
    return need.kind == "python" and is_typo(need.value, sys.stdlib_module_names)
