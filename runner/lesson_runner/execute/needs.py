"""Find out which needs of a step the machine and the terminal do not meet."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from lesson_runner.execute.environment import command_environment
from lesson_runner.execute.network import answers, unreachable
from lesson_runner.execute.sandbox import Sandbox
from lesson_runner.model import Hardware, Need
from lesson_runner.model.errors import LessonError

PATIENCE = 10.0
"""Seconds that docker, sudo, or the terminal may take to answer."""
_IN_TERMINAL = ("command", "env", "file", "python")
_FOLDER_OF_HOME = "~/"
_FIND_MODULES = """\
import sys
from importlib.machinery import PathFinder
for name in sys.argv[1:]:
    found = name in sys.builtin_module_names
    if not found:
        try:
            spec = PathFinder.find_spec(name)
        except Exception:
            spec = None
        # A folder of that name in the current folder is not yet the module.
        found = spec is not None and (spec.origin is not None or list(spec.submodule_search_locations or ()) \
!= [__import__("os").path.join(__import__("os").getcwd(), name)])
    print(int(found), end="")
"""
"""Prints 1 or 0 for each module named as an argument, without importing it."""


@dataclass(slots=True)
class Surroundings:
    """Where a step runs: a machine, and a terminal on it."""

    ask: Callable[[str], str]
    """
    Evaluates a script in a copy of the terminal, and returns the line it prints.

    Raises:
        LessonError: the terminal cannot be started.
        OSError: its folder cannot be written.
        TimeoutError: it did not answer in time.
    """
    hardware: Sequence[Hardware] = ()
    """What plugins detected."""
    emulated: bool = False
    """True if no board may be used."""
    undetected: Sequence[str] = ()
    """Why plugins could not detect hardware."""
    sandbox: Sandbox | None = None
    """The sandbox that commands run in."""
    withheld: Collection[str] = ()
    """The environment variables that commands do not get."""
    known: dict[Need, str] = field(default_factory=dict)
    """What was found about hosts, docker and sudo: they are asked once a run."""


def unmet_needs(needs: Iterable[Need], here: Surroundings) -> dict[Need, str]:
    """
    Return the needs that are not met, each with what is wrong: ``which is not installed``.

    The terminal stays as it is. What cannot be found out counts as met, so that the step itself reports it.
    """
    wanted = list(dict.fromkeys(needs))
    _ask_network([need for need in wanted if need.kind == "network" and need not in here.known], here)
    missing = set(_missing_in_terminal(wanted, here))
    found = {
        need: _wrong_in_terminal(need, here) if need in missing else _wrong(need, here) for need in wanted
    }
    return {need: problem for need, problem in found.items() if problem}


def name_of(need: Need) -> str:
    """Return what a need is called in a message: ``the command git``."""
    return _NAMES[need.kind].format(need.value, "" if need.value == "1" else "s")


_NAMES = {
    "board": "a board",
    "chips": "{0} chip{1}",
    "network": "the network",
    "linux": "Linux",
    "macos": "macOS",
    "docker": "Docker",
    "sudo": "sudo",
    "command": "the command {0}",
    "python": "the Python module {0}",
    "package": "the package {0}, of which pip finds no version for this Python",
    "env": "the variable {0}",
    "file": "{0}",
    "server": "a server at {0}",
}


def _missing_in_terminal(needs: Sequence[Need], here: Surroundings) -> Iterable[Need]:
    """Yield the needs that the terminal does not meet."""
    isolated = here.sandbox is not None and not here.sandbox.network
    kinds = (*_IN_TERMINAL, "server") if isolated else _IN_TERMINAL
    asked = sorted((need for need in needs if need.kind in kinds), key=lambda need: need.kind == "python")
    if not asked:
        return
    with contextlib.suppress(LessonError, OSError):  # the step will say so
        for need, answer in zip(asked, here.ask(script_for(asked)).strip(), strict=False):
            if answer == "0":
                yield need


def script_for(needs: Sequence[Need]) -> str:
    """Return bash commands that print 1 or 0 for each need; those for Python modules must come last."""
    tests = [f"if {_test(need)}; then builtin printf 1; else builtin printf 0; fi" for need in needs]
    modules = [need.value for need in needs if need.kind == "python"]
    tests = tests[: len(tests) - len(modules)]
    if modules:
        own = shlex.quote(sys.executable)
        python = f'"$(builtin type -P python || builtin type -P python3 || builtin echo {own})"'
        tests.append(shlex.join(["PYTHON", "-c", _FIND_MODULES, *modules]).replace("PYTHON", python, 1))
    return "\n".join(tests)


def _test(need: Need) -> str:
    if need.kind == "command":
        return f"builtin type -t -- {shlex.quote(need.value)} >/dev/null"
    if need.kind == "env":
        return f"[[ -n ${{{need.value}+x}} ]]"
    if need.kind == "server":
        host, _, port = need.value.rpartition(":")
        return f"(builtin exec 9<>/dev/tcp/{host}/{port})"
    if need.value == "~" or need.value.startswith(_FOLDER_OF_HOME):
        return f'[[ -e "$HOME"/{shlex.quote(need.value[2:])} ]]'
    return f"[[ -e {shlex.quote(need.value)} ]]"


def _wrong_in_terminal(need: Need, here: Surroundings) -> str:
    if need.kind == "env":
        withheld = need.value in here.withheld
        return f"which is withheld (--env {need.value} passes it on)" if withheld else "which is not set"
    return {"file": "which does not exist", "server": "and none answers"}.get(
        need.kind, "which is not installed"
    )


def _wrong(need: Need, here: Surroundings) -> str:
    """Return what is wrong with a need of the machine; empty if it is met, or another kind."""
    if need.kind in ("board", "chips"):
        return _wrong_hardware(int(need.value or 1) if need.kind == "chips" else 1, need.kind, here)
    if need.kind in ("linux", "macos"):
        wanted = "linux" if need.kind == "linux" else "darwin"
        return (
            ""
            if sys.platform == wanted
            else f"and this machine runs {_SYSTEMS.get(sys.platform, sys.platform)}"
        )
    if need.kind == "network":
        return here.known.get(need, "")
    if need.kind in ("docker", "sudo"):
        if need not in here.known:
            here.known[need] = _wrong_program(need.kind, here)
        return here.known[need]
    if need.kind == "server" and (here.sandbox is None or here.sandbox.network):
        host, _, port = need.value.rpartition(":")
        return "" if answers(host, int(port)) else "and none answers"
    return ""


_SYSTEMS = {"linux": "Linux", "darwin": "macOS"}


def _wrong_hardware(wanted: int, kind: str, here: Surroundings) -> str:
    if here.emulated:
        return "and --backend emulated uses none"
    devices = sum(item.devices for item in here.hardware if item.usable)
    if devices >= wanted:
        return ""
    if devices:
        return f"and this machine has {devices}"
    mocks = [item.detected_by for item in here.hardware if item.kind == "mock"]
    if mocks:
        return f"and a mock device does not count ({mocks[0]})"
    none = "none was found" if kind == "board" else "no board was found"
    return (
        f"and {none}: {'; '.join(here.undetected)}"
        if here.undetected
        else "and there is none in this machine"
    )


def _ask_network(needs: Sequence[Need], here: Surroundings) -> None:
    """Find out which hosts can be reached."""
    if here.sandbox is not None and not here.sandbox.network:
        here.known |= dict.fromkeys(needs, "and the sandbox has none (--allow network enables it)")
        return
    closed = unreachable([need.value for need in needs]) if needs else set()
    for need in needs:
        wrong = f"and {need.value} cannot be reached" if need.value else "and this machine has none"
        here.known[need] = wrong if need.value in closed else ""


def _wrong_program(name: str, here: Surroundings) -> str:
    """Return why docker or sudo cannot be used; empty if it can."""
    if here.sandbox is not None:
        return "and the sandbox has none"
    if shutil.which(name) is None:
        return "which is not installed"
    command = (
        ["sudo", "-n", "true"] if name == "sudo" else ["docker", "version", "--format", "{{.Server.Version}}"]
    )
    try:
        done = subprocess.run(
            command,
            env=command_environment(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return f"which does not answer: {' '.join(command)}"
    if not done.returncode:
        return ""
    return "which asks for a password" if name == "sudo" else "whose daemon does not answer"
