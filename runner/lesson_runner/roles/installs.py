"""Which commands install, remove or select programs for all work on the machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from lesson_runner.roles.commands import Command
from lesson_runner.roles.outside import is_of_machine

_SELECTS: dict[str, frozenset[str]] = {
    "rustup": frozenset({"default", "update", "install", "uninstall", "add", "remove", "set", "self"}),
    "nvm": frozenset({"install", "uninstall", "alias", "unalias"}),
    "fnm": frozenset({"install", "uninstall", "default"}),
    "n": frozenset({"lts", "latest", "stable", "rm"}),
    "pyenv": frozenset({"install", "uninstall", "global"}),
    "rbenv": frozenset({"install", "uninstall", "global"}),
    "asdf": frozenset({"install", "uninstall", "global", "plugin", "plugin-add"}),
    "volta": frozenset({"install", "uninstall", "pin"}),
    "sdk": frozenset({"install", "uninstall", "default"}),
    "corepack": frozenset({"enable", "disable"}),
    "xcode-select": frozenset({"--install", "--switch", "-s"}),
    "softwareupdate": frozenset({"-i", "--install"}),
}
"""Managers of toolchains that the user shares with every run, and their words that change these."""
_CONDA = frozenset({"conda", "mamba", "micromamba"})
_BREAKS = "--break-system-packages"
_BUILDS = frozenset({"make", "gmake", "cmake", "meson", "configure", "autogen.sh", "ninja"})
_PLACE = re.compile(
    r"(?:--prefix|-DCMAKE_INSTALL_PREFIX(?::PATH)?|PREFIX|prefix|DESTDIR|--destdir)=(?P<path>\S+)"
)


def installs(command: Command, text: str, earlier: Iterable[Sequence[str]]) -> str:
    """
    Return why a command changes what is installed for all work; empty if it does not.

    Args:
        text: the block.
        earlier: the words of the blocks before it.
    """
    program, words = command.program, {*command.words[1:]}
    if words & {"--help", "--version"}:
        return ""
    if words & _SELECTS.get(program, frozenset()):
        return f"'{program}' changes the tools of all projects of the user"
    if program == "uv" and "--system" in words and "pip" in words:
        return "it changes the Python of the machine"
    if _is_pip(command):
        return _why_pip(command)
    everything = [word for block in earlier for word in block]
    if program in _CONDA:
        return _why_conda(command, [*everything, *text.split()])
    return _why_make(command, [*everything, *text.split()])


def _is_pip(command: Command) -> bool:
    by_name = re.fullmatch(r"pip[\d.]*", command.program) is not None
    module = re.match(r"python[\d.]*$", command.program) and command.words[1:3] == ("-m", "pip")
    return by_name or bool(module)


def _why_pip(command: Command) -> str:
    if not {"install", "uninstall"} & {*command.arguments}:
        return ""
    other = is_of_machine(command.words[0])
    return "it changes the Python of the machine" if other or _BREAKS in command.words else ""


def _why_conda(command: Command, words: Sequence[str]) -> str:
    """Return why a command changes an environment of conda that the lesson has not made."""
    changes = {*command.arguments[:2]} & {"install", "remove", "uninstall", "update", "upgrade"}
    if not changes or {"create", "activate"} & {*words}:
        return ""
    return f"'{command.program}' changes an environment that the lesson has not made"


def _why_make(command: Command, words: Sequence[str]) -> str:
    program, own = command.program, {*command.words[1:]}
    by_target = program in ("make", "gmake", "ninja") and own & {"install", "uninstall"}
    if not (
        (by_target and (_BUILDS | {"PREFIX", "DESTDIR"}) & {*map(_head, _without_install(words))})
        or (program == "cmake" and "--install" in own)
        or (program == "meson" and "install" in command.arguments[:1])
    ):
        return ""
    places = [found["path"].strip("\"'") for word in words if (found := _PLACE.match(word.strip("\"'")))]
    values = [after for word, after in pairwise(words) if word in ("--prefix", "--destdir")]
    if any(not is_of_machine(place) for place in (*places, *values)):
        return ""
    return f"'{program}' installs for the whole machine"


def _head(word: str) -> str:
    """Return a program without its folder, or the name of a variable that is set."""
    return word.partition("=")[0].rpartition("/")[2]


def _without_install(words: Sequence[str]) -> list[str]:
    """Return the words, without the program of each that installs."""
    following = [*words[1:], ""]
    return [word for word, after in zip(words, following, strict=True) if after != "install"]
