"""What programs that install packages need, and what they make."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from lesson_runner.model import Need
from lesson_runner.roles.needs.programs import COMMANDS, MODULES
from lesson_runner.roles.needs.urls import need_url
from lesson_runner.roles.needs.words import Command
from lesson_runner.roles.needs.world import Found, World

_REQUIREMENT = re.compile(r"([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?(?:[=<>!~;@ ].*)?")
_INSTALLS = frozenset({"install", "i", "add", "update", "upgrade", "ci", "global", "tool", "create"})
_ARCHIVE = re.compile(r"\.(?:whl|tar\.gz|zip)$")


def pip(command: Command, world: World, found: Found) -> None:
    """Note the index of packages, and the modules and programs that ``pip install`` makes."""
    words = command.after(
        "-r", "--requirement", "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f", "-t"
    )
    if words[:1] not in (["install"], ["download"], ["wheel"]):
        return
    for path in command.options("-r", "--requirement"):
        world.need_file(path, found)
        world.any_module = world.block
    local = "--no-index" in command.words
    for word in words[1:]:
        if word.startswith((".", "/", "~")) or (_ARCHIVE.search(word) and "://" not in word):
            world.need_file(re.sub(r"\[.*\]$", "", word), found)
            world.any_module = world.block
        elif "://" in word or "git+" in word:
            need_url(word.partition("git+")[2] or word, world, found)
            world.any_module = world.block
        elif match := _REQUIREMENT.fullmatch(word):
            name = match[1].lower().replace("_", "-")
            world.modules.setdefault(MODULES.get(name, name.replace("-", "_")), world.block)
            _programs(name, world)
    index = command.option("-i", "--index-url")
    if not local and not (index and need_url(index, world, found)):
        found.machine.setdefault(Need("network", "pypi.org"))


def _uv(command: Command, world: World, found: Found) -> None:
    plain = command.plain
    if plain[:1] == ("pip",):
        pip(Command((), command.words[1:]), world, found)
    elif plain[:1] == ("venv",):
        world.make(plain[1] if len(plain) > 1 else ".venv", opaque=True)
    elif plain[:1] in (("add",), ("sync",), ("tool",)):
        found.machine.setdefault(Need("network", "pypi.org"))
        world.any_module = world.block
        for name in plain[1:]:
            _programs(name, world)


def _pipx(command: Command, world: World, found: Found) -> None:
    if command.plain[:1] in (("install",), ("run",)):
        found.machine.setdefault(Need("network", "pypi.org"))
        for name in command.plain[1:]:
            _programs(name, world)


def _from(host: str) -> Callable[[Command, World, Found], None]:
    def install(command: Command, world: World, found: Found) -> None:
        if command.plain[:1] and command.plain[0] in _INSTALLS:
            found.machine.setdefault(Need("network", host))
            for name in command.plain[1:]:
                _programs(name, world)

    return install


def _conda(command: Command, world: World, found: Found) -> None:
    if command.plain[:1] in (("install",), ("create",)):
        found.machine.setdefault(Need("network", "conda.anaconda.org"))
        world.any_module = world.block
    elif command.plain[:1] == ("activate",):
        world.unsettled = True


def _npm(command: Command, world: World, found: Found) -> None:
    if command.name == "npx" or (command.plain[:1] and command.plain[0] in _INSTALLS):
        found.machine.setdefault(Need("network", "registry.npmjs.org"))
        world.make("node_modules", opaque=True)
        if command.name != "npx":
            for name in command.plain[1:]:
                _programs(name.rpartition("/")[2].partition("@")[0] or name, world)
    if command.plain[:1] in (("init",), ("create",)):
        world.make("package.json")


def _programs(package: str, world: World) -> None:
    for name in COMMANDS.get(package, (package,)):
        world.commands.setdefault(name, world.block)


INSTALLERS: Mapping[str, Callable[[Command, World, Found], None]] = {
    "pip": pip,
    "pip3": pip,
    "uv": _uv,
    "pipx": _pipx,
    "conda": _conda,
    "mamba": _conda,
    "npm": _npm,
    "npx": _npm,
    "pnpm": _npm,
    "yarn": _npm,
    "cargo": _from("static.crates.io"),
    "gem": _from("rubygems.org"),
    **{name: _from("") for name in ("apt", "apt-get", "yum", "dnf", "apk", "zypper", "snap", "brew", "go")},
}
"""What each program that installs packages needs and makes."""
