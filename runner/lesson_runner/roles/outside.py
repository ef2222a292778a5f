"""What changes files of the machine: commands that write outside of the reader's home folder."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lesson_runner.roles.commands import Command
from lesson_runner.roles.rule import BlockRule
from lesson_runner.roles.view import BlockView

_SCRATCH = re.compile(r"/(?:tmp|var/tmp|dev|proc|sys)(?:/|$)")
"""Folders whose content nobody keeps, and devices."""
_TARGET_LAST = frozenset({"cp", "mv", "ln", "install", "rsync"})
_TARGETS = frozenset({"mkdir", "touch", "tee", "rm", "rmdir", "chmod", "chown"})
_BUILDERS = frozenset({"make", "gmake", "ninja", "meson", "cmake", "just"})
_ELSEWHERE = re.compile(r"(?:DESTDIR|PREFIX|prefix)=|^--(?:prefix|destdir)\b", re.IGNORECASE)


def writes_outside(view: BlockView) -> str | None:
    """A command writes to an absolute path, or installs what was built."""
    if view.kind != "shell" or not view.shell.is_shell:
        return None
    for path in (*view.shell.targets, *(path for command in view.commands for path in _written(command))):
        if path.startswith("/") and not _SCRATCH.match(path):
            return f"it writes to '{path}'"
    for command in view.commands:
        installs = "install" in command.arguments[:1] or "--install" in command.words
        if command.program in _BUILDERS and installs and not any(map(_ELSEWHERE.search, command.words)):
            return f"'{command.program}' installs for all users of the machine"
    return None


def _written(command: Command) -> Iterable[str]:
    if command.program in _TARGET_LAST:
        return command.arguments[-1:]
    return command.arguments if command.program in _TARGETS else ()


OUTSIDE = BlockRule(
    "writes-outside",
    "system",
    "The commands write to an absolute path, such as `/opt/shop`, or install what was built.",
    writes_outside,
    "```bash\ncp shop.conf /etc/shop.conf\n```\n",
    "```bash\ncp shop.conf /tmp/shop.conf\n```\n",
)
