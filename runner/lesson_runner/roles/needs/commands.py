"""What one command needs, and what it makes, from its words."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping

from lesson_runner.model import Need
from lesson_runner.roles.needs import packages
from lesson_runner.roles.needs.programs import (
    BUILT_IN,
    EVERYWHERE,
    EXTRACT,
    IN_PROJECT,
    LINUX,
    MACOS,
    PROJECT_FILES,
    READ_FILES,
    RUN_FILES,
    STARTS_PROJECT,
)
from lesson_runner.roles.needs.python import read_python
from lesson_runner.roles.needs.urls import need_url
from lesson_runner.roles.needs.words import Command
from lesson_runner.roles.needs.world import Found, World, is_known

_KEEP_FILES = (EVERYWHERE | packages.INSTALLERS.keys() | LINUX) - {
    "python",
    "python3",
    "bash",
    "sh",
    "npx",
    "make",
} | {
    *("git", "docker", "curl", "wget", "jq", "tree", "unzip", "hf", "huggingface-cli", "open"),
}
"""Programs whose words say which files they make."""
_NAME = re.compile(r"[A-Za-z0-9_][\w.+-]*")
_PORT = re.compile(r"(?:--port[= ]|-p[ =]?|--bind[= ]\S*?:|--addr[= ]\S*?:|http\.server )(\d{2,5})\b")
_OUTPUTS = (
    "-o",
    "--output",
    "--out",
    "--output-dir",
    "--out-dir",
    "--output_dir",
    "--save",
    "--save-dir",
    "--local-dir",
)
"""Options whose value is a file or a folder that a program makes."""
_READ_OPTIONS = frozenset({"docker", "docker-compose", "podman", "kubectl", "helm", "psql"})
"""Programs that read the files after ``-f`` and the like."""
_ENTERS = {**dict.fromkeys(("make", "ninja", "git", "tar"), "-C"), "cmake": "--build"}
"""Programs that work in the folder after an option."""
_NO_PROJECT = frozenset({"git", "docker", "podman", "kubectl", "conda", "mamba", "gh", "terraform"})
_NUMBER = re.compile(r"[+-]?\d+[a-zA-Z]?")
_CURL_VALUES = (*(f"-{letter}" for letter in "AbcdeFHmotuwxX"), "--output", "--header", "--data", "--request")
_HAS_SUFFIX = re.compile(r"/|\.\w{1,5}$")


def read_command(command: Command, world: World, found: Found) -> None:
    """Note what a command needs in ``found``, and what it makes in the world."""
    if "sudo" in command.before or "doas" in command.before:
        found.machine.setdefault(Need("sudo"))
    if not command.words or not is_known(command.words[0]):
        return
    name = command.name
    if any(word.startswith(("/proc/", "/sys/")) for word in command.words[1:]) or name in LINUX:
        found.machine.setdefault(Need("linux"))
    if name in MACOS:
        found.machine.setdefault(Need("macos"))
    if "/" in command.words[0]:
        world.need_file(command.words[0], found)
    elif name in ("docker", "docker-compose"):
        found.machine.setdefault(Need("docker"))
    elif name not in BUILT_IN | EVERYWHERE | MACOS and _NAME.fullmatch(name):
        world.need_command(name, found)
    handler = _HANDLERS.get(name)
    if handler is not None:
        handler(command, world, found)
    elif name in packages.INSTALLERS:
        packages.INSTALLERS[name](command, world, found)
    elif name in READ_FILES:
        for word in command.plain:
            if not _NUMBER.fullmatch(word):
                world.need_file(word, found)
    elif name in RUN_FILES:
        _run_file(command, world, found)
    elif name in EXTRACT:
        _extract(command, world, found)
    for folder in command.options(_ENTERS[name]) if name in _ENTERS else ():
        world.need_file(folder, found)
    first = next(iter(command.plain), "")
    alone = first not in ("install", "i") or len(command.plain) == 1
    if name in PROJECT_FILES and first in IN_PROJECT and alone:
        world.need_file(PROJECT_FILES[name], found)
    if first in STARTS_PROJECT and name not in _NO_PROJECT:
        for made in command.plain[1:3] or (".",):
            world.make(made, opaque=True)
    if name in _READ_OPTIONS and (name != "docker" or first == "compose"):
        for file in command.options("-f", "--file", "--env-file", "--values"):
            world.need_file(file, found)
    for option in _OUTPUTS:
        if name not in ("ssh", "grep", "curl", "wget") and (value := command.option(option)):
            world.make(value, opaque=True)
    if name not in _KEEP_FILES and name not in BUILT_IN:
        world.stirred = True
    for port in _PORT.findall(" ".join(command.words)):
        if name not in ("docker", "ssh", "curl", "nc", "psql", "mysql", "redis-cli"):
            world.servers.setdefault(port, world.block)


def _change_folder(command: Command, world: World, found: Found) -> None:
    target = command.plain[0] if command.plain else "~" if len(command.words) == 1 else ""
    world.need_file(target, found)
    world.folder = world.resolve(target)


def _source(command: Command, world: World, found: Found) -> None:
    for word in command.plain[:1]:
        world.need_file(word, found)
    world.unsettled, world.any_variable = True, world.block


def _make(command: Command, world: World, found: Found) -> None:  # noqa: ARG001
    for word in command.plain:
        world.make(word)


def _copy(command: Command, world: World, found: Found) -> None:
    *sources, target = command.plain or ("",)
    if command.name != "ln":
        for word in sources:
            world.need_file(word, found)
    world.make(target, opaque=True)
    for word in sources:
        world.make(posixpath.join(target, posixpath.basename(word)))


def _change_mode(command: Command, world: World, found: Found) -> None:
    for word in command.plain[1:]:
        world.need_file(word, found)


def _search(command: Command, world: World, found: Found) -> None:
    for word in command.plain[1:]:
        if _HAS_SUFFIX.search(word) and not set(word) & set("\\^(,"):
            world.need_file(word, found)


def _git(command: Command, world: World, found: Found) -> None:
    words = command.after(
        "-C", "-c", "-b", "--branch", "--depth", "-o", "--origin", "-j", "--jobs", "--filter", "--reference"
    )
    if words[:1] == ["clone"] and len(words) > 1:
        url = words[1]
        if not need_url(url, world, found) and "/" in url:
            world.need_file(url, found)
        name = posixpath.basename(url.rstrip("/")).removesuffix(".git")
        world.make(words[2] if len(words) > 2 else name, opaque=True)
    elif words[:1] == ["init"] and len(words) > 1:
        world.make(words[1])
    elif words[:2] == ["worktree", "add"] and len(words) > 2:
        world.make(words[2], opaque=True)


def _fetch(command: Command, world: World, found: Found) -> None:
    words = command.after(*(_CURL_VALUES if command.name == "curl" else ("-O", "-P", "-o")))
    urls = [word for word in words if need_url(word, world, found, bare=command.name == "curl")]
    if command.name == "curl":
        target = command.option("-o", "--output")
        named = any(
            word == "--remote-name" or re.fullmatch(r"-[a-zA-Z]*O[a-zA-Z]*", word) for word in command.words
        )
    else:
        target = command.option("-O", "--output-document")
        folder = command.option("-P", "--directory-prefix")
        named = not target
        if folder:
            world.make(folder, opaque=True)
    if target:
        world.make(target)
    elif named:
        for url in urls:
            world.make(posixpath.basename(url.partition("?")[0]))


def _extract(command: Command, world: World, found: Found) -> None:
    for word in command.plain:
        if re.search(r"\.(?:tar|t?gz|zip|xz|bz2|7z|tgz)(?:\.\w+)?$", word):
            creates = command.name == "tar" and re.match(r"-?[a-z]*c", (*command.words, "", "")[1])
            if creates:
                world.make(word)
                return
            world.need_file(word, found)
    folder = command.option("-C", "-d", "--directory")
    world.make(folder or ".", opaque=True)


def _run_file(command: Command, world: World, found: Found) -> None:
    words = list(command.words[1:])
    if command.name.startswith("python"):
        if (code := command.option("-c")) is not None:
            read_python(code, world, found)
            return
        if (module := command.option("-m")) is not None:
            at = words.index(module) if module in words else 0
            _run_module(module, Command(command.before, (module, *words[at + 1 :])), world, found)
            return
    if command.plain and (words[0] == command.plain[0] or words[0] in ("-u", "-x", "-e", "-O", "-B")):
        world.need_file(command.plain[0], found)


def _run_module(module: str, command: Command, world: World, found: Found) -> None:
    """Note what ``python -m MODULE`` needs and makes."""
    if module == "pip":
        packages.pip(command, world, found)
    elif module in ("venv", "virtualenv"):
        _make_environment(command, world, found)
    elif module == "http.server":
        world.servers.setdefault(next(iter(command.plain), "8000"), world.block)
    if module not in ("pip", "venv", "ensurepip"):
        world.need_module(module, found)


def _make_environment(command: Command, world: World, found: Found) -> None:  # noqa: ARG001
    for word in command.plain[-1:]:
        world.make(word, opaque=True)


def _docker(command: Command, world: World, found: Found) -> None:
    words = command.plain
    if words[:1] == ("pull",) and len(words) > 1:
        registry, slash, _ = words[1].partition("/")
        host = registry if slash and ("." in registry or ":" in registry) else "registry-1.docker.io"
        found.machine.setdefault(Need("network", host.partition(":")[0]))
    for published in command.options("-p", "--publish"):
        if ":" in published:
            world.servers.setdefault(published.split(":")[-2], world.block)
    for device in command.options("--device", "-v", "--volume"):
        place = device.partition(":")[0]
        if place.startswith("/dev/"):
            world.need_file(place, found)


def _download(command: Command, world: World, found: Found) -> None:  # noqa: ARG001
    if command.plain[:1] in (("download",), ("upload",)):
        found.machine.setdefault(Need("network", "huggingface.co"))


def _ssh(command: Command, world: World, found: Found) -> None:  # noqa: ARG001
    remote = [word for word in command.plain if "@" in word]
    for word in remote or (command.plain[:1] if command.name == "ssh" else ()):
        host = word.partition(":")[0].rpartition("@")[2]
        if "." in host and is_known(host):
            found.machine.setdefault(Need("network", host))


def _load_driver(command: Command, world: World, found: Found) -> None:  # noqa: ARG001
    world.make("/dev", opaque=True)


def _unsettle(command: Command, world: World, found: Found) -> None:  # noqa: ARG001
    world.unsettled, world.any_variable = True, world.block


_HANDLERS: Mapping[str, Callable[[Command, World, Found], None]] = {
    "cd": _change_folder,
    "pushd": _change_folder,
    "source": _source,
    ".": _source,
    "eval": _unsettle,
    "module": _unsettle,
    "insmod": _load_driver,
    "modprobe": _load_driver,
    "mkdir": _make,
    "touch": _make,
    "tee": _make,
    "cp": _copy,
    "mv": _copy,
    "ln": _copy,
    "chmod": _change_mode,
    "grep": _search,
    "sed": _search,
    "awk": _search,
    "jq": _search,
    "git": _git,
    "curl": _fetch,
    "wget": _fetch,
    "http": _fetch,
    "docker": _docker,
    "virtualenv": _make_environment,
    "hf": _download,
    "huggingface-cli": _download,
    "ssh": _ssh,
    "scp": _ssh,
}
