"""Tell commands from prose and from output, by their words."""

from __future__ import annotations

import re
from collections.abc import Sequence

COMMANDS = frozenset(
    """
    [ [[ : apt apt-get awk bash brew bundle bunzip2 cargo case cat cd chmod chown clang cmake conda cp curl
    cut date declare deactivate df diff dirname dnf do docker docker-compose done du echo elif else env esac
    eval exec exit export false fi find for free function g++ gcc gh git go grep gunzip gzip head hf hostname
    huggingface-cli id if jq kill kubectl lesson less let ln local ls lsmod lspci make mamba md5sum mkdir
    mktemp modprobe mount mpirun mv nano ninja node nohup npm npx nproc openssl pip pip3 pipx podman poetry
    printf ps pwd pytest python python3 read readlink realpath return rm rmdir rsync ruby rustup scp screen
    sed select seq set sh sha256sum shasum shift sleep snap sort source ssh stat strings sudo systemctl tail
    tar tee test then time timeout tmux top touch tr trap true tt-flash tt-metalium tt-smi tt-topology typeset
    uname uniq unset until unzip uv vi vim wait watch wc wget which while whoami xargs yes yum zip zsh
    """.split()  # noqa: SIM905  # easier to read so
)
"""A line that begins with one of these is a command, not output or prose."""
LIKE_A_PATH = re.compile(r"[.~]?/|\$|[A-Za-z_]\w*\+?=|<<")
"""The first word of a command that names a program by its path, sets a variable, or reads one."""

_FIRST = re.compile(
    r"(?:[({!&|;\s]|(?:then|do|else|sudo|time|env)\s|[A-Za-z_]\w*=[^\s()\"'`]*\s)*"
    r"(?:(?P<word>[^\s;&|()]+)(?P<function>[ \t]*\(\))?)?"
)


def is_command(lines: Sequence[str], row: int) -> bool:
    """Return whether a line begins with a known command or a path, or continues such a line."""
    while row > 0 and lines[row - 1].endswith("\\"):
        row -= 1
    first = _FIRST.match(lines[row])
    if first is None or not first["word"]:
        return False
    return bool(first["function"] or first["word"] in COMMANDS or LIKE_A_PATH.match(first["word"]))


def looks_typed(line: str) -> bool:
    """Return whether a line looks like a command: a known program, a path, an assignment, or an option."""
    words = line.split()
    return bool(words) and (
        words[0] in COMMANDS
        or LIKE_A_PATH.match(words[0]) is not None
        or any(len(word) > 1 and word.startswith("-") for word in words[1:])
    )


def names_program(line: str) -> bool:
    """Return whether the first word of a line is a known program or a keyword of the shell."""
    return line.split(None, 1)[:1] != [] and line.split(None, 1)[0] in COMMANDS
