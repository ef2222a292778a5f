"""Divide a shell script into statements, so that each can be evaluated and reported on its own."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lesson_runner.document.bash import parse

MOST_SHOWN = 80
"""Characters of a statement that messages show."""
_JOB = re.compile(r"(?<!\S)%[\w%+?-]|\bwait\b")
_SHELL = re.compile(
    r"""exec[ \t]+(?:-[a-z]+[ \t]+)*["']?(?:\$\{?SHELL\}?|(?:/\S*/)?(?:ba|z|da|k)?sh)["']?"""
    r"""(?:[ \t]+-\S+)*$"""
)
_STARTUP_FILE = re.compile(
    r"""(?:source|\.)[ \t]+(?P<file>(?:~|"?\$\{?HOME\}?"?)/"""
    r"""\.(?:bashrc|bash_profile|bash_aliases|bash_login|profile)"?)$"""
)
_SET = re.compile(r"set[ \t]+[-+][\w \t]+$")
_NO_EXECUTION = re.compile(r"set[ \t]+-(?:[a-z]*n[a-z]*|o[ \t]+noexec)$")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of a shell script: a command, a pipeline, a list, a loop, a function…"""

    line: int
    """The line of the lesson on which it begins."""
    text: str
    """As written, with its here-documents, and with ``&`` if it runs in the background."""

    @property
    def shown(self) -> str:
        """The first line, shortened, for messages."""
        first, newline, _ = self.text.strip().partition("\n")
        return f"{first[:MOST_SHOWN]} …" if newline or len(first) > MOST_SHOWN else first

    @property
    def starts_shell(self) -> bool:
        """True for ``exec bash`` and the like, which replaces the shell with a new one."""
        return _SHELL.match(self.text) is not None

    @property
    def sets_options(self) -> bool:
        """True for ``set -v`` and the like, after which bash shows what it reads."""
        return _SET.match(self.text) is not None

    @property
    def stops_reading(self) -> bool:
        """True for ``set -n``, after which a script runs nothing; an interactive bash ignores it."""
        return _NO_EXECUTION.match(self.text) is not None

    @property
    def startup_file(self) -> str:
        """The startup file of bash that it reads (``source ~/.bashrc``), as written; else empty."""
        found = _STARTUP_FILE.match(self.text)
        return found["file"] if found else ""


def statements(script: str, line: int) -> list[Statement]:
    """
    Return the statements of a script, without comments; the whole script as one if it cannot be parsed.

    Only bash knows bash: ask it whether each statement is complete, before one is evaluated on its own.

    Args:
        line: the line of the lesson on which the script begins.
    """
    tree = parse(script)
    all_of_it = [Statement(line, script)]
    if tree is None or tree.root_node.has_error:
        return all_of_it
    found: list[Statement] = []
    row = begin = -1
    for node in tree.root_node.children:
        text = script[node.start_byte : node.end_byte]
        if node.type == "&" and found:
            found[-1] = Statement(found[-1].line, f"{found[-1].text} &")
        elif node.is_named and node.type != "comment":
            # Between two lines, bash forgets the jobs that have ended; between two evaluations, the pipeline.
            jobs = node.start_point.row == row and _JOB.search(f"{found[-1].text} {text}")
            if found and (jobs or "PIPESTATUS" in text):
                found[-1] = Statement(found[-1].line, script[begin : node.end_byte])
            else:
                begin = node.start_byte
                found.append(Statement(line + node.start_point.row, text))
            row = node.start_point.row
        elif node.type not in (";", "\n", "comment"):
            return all_of_it
    return found or all_of_it
