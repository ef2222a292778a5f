"""Tell from what a command said that the machine lacks something, and that the lesson is not wrong."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Collection, Iterator
from pathlib import PurePosixPath

from lesson_runner.model import Need

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


_WORDS = re.compile(r"[\w./~-]+")
_ABSENT = re.compile(
    r"(?:No such file or directory|[Nn]ot a directory|command not found|: not found|does not exist"
    r"|[Cc]onnection refused)[.'\")]*$"
    r"|can't open file"
    r"|^(?:E +)?(?:ModuleNotFoundError|FileNotFoundError|ImportError|ConnectionRefusedError): "
    r"|(?:[Ff]ailed|[Cc]ouldn't|[Uu]nable) to connect"
)
_CHECKED = re.compile(r"\bassert|AssertionError")
"""A line about something that a test has checked, whatever it says."""


def lacks_something(output: str, made: Collection[Need]) -> bool:
    """
    Return whether an output says, at its end, that a file, a module, a program or a server is absent.

    Args:
        made: what the lesson has made. Its absence does not count.
    """
    own = {part for need in made for part in (PurePosixPath(need.value).name, PurePosixPath(need.value).stem)}
    lines = [line.strip() for line in output.rstrip().split("\n")[-LAST_OF_NETWORK:]]
    if any(map(_CHECKED.search, lines)):
        return False
    for line in lines:
        words = (word.rpartition("/")[2].rstrip(".") for word in _WORDS.findall(line))
        if _ABSENT.search(line) and not any(is_like(word, own) for word in words if word):
            return True
    return False


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
    for line in lines[-LAST_OF_NETWORK:]:
        if match := _NETWORK.search(line):
            host = next(filter(None, match.groups()))
            if not host[-1].isdecimal() and not host.endswith((".local", ".localhost")):
                return Need("network", host)
    return None


def _lacks(lines: list[str], exit_code: int, own: Collection[str]) -> Iterator[Need]:
    """Yield what the last lines of an output say is missing."""
    last = lines[-1] if lines else ""
    if exit_code == NOT_FOUND and (command := _COMMAND.search(last)) and not is_like(command["name"], own):
        yield Need("command", command["name"])
    own_modules = {PurePosixPath(path).stem for path in own}
    module = _MODULE.search(last)
    if module and module["name"] not in sys.stdlib_module_names and not is_like(module["name"], own_modules):
        yield Need("python", module["name"])
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
