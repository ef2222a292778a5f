"""The prompts that a terminal, Python and IPython show before what a person types."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PROMPT = re.compile(
    r"(?P<margin>[ \t]*)(?:\([^()\n]{1,40}\) ?){0,2}"  # (venv)
    r"(?:(?P<sign>[$%❯])|"  # noqa: RUF001
    r"\[?(?P<user>[\w.\-]{1,40}@[\w.\-]{1,60})[^$#%\n]{0,80}(?:[$#]|(?<!\d)%)|"  # user@host:~/folder$
    r"(?P<shell>(?:ba|z|k|da)?sh-)\d[\d.]{0,9}[$#%]|"  # bash-5.1$
    r"(?P<machine>[\w.\-]{1,60}:)[~/][\w./\-]{0,80}(?: [\w.\-]{1,40})? ?[$%]|"  # Laptop:~ user$
    r"(?:~(?:/[\w./\-]{0,80})?|/[\w./\-]{0,80}) ?[$%]"  # ~/folder $
    r")(?:[ \t]+|$)"
)
_ROOT = re.compile(r"(?P<margin>[ \t]*)(?:[/~][\w./\-]{0,80} )?#(?:[ \t]+|$)")
_WINDOWS = re.compile(
    r"[ \t]*(?:\([^()\n]{1,40}\) ?)?(?:PS(?: [A-Za-z]:[^>\n]{0,120})?|[A-Za-z]:\\[^>\n]{0,120})>"
)
_PYTHON = re.compile(r"(?P<margin>[ \t]*)(?:>>>|In \[\d+\]:)(?: |$)")
MORE = re.compile(
    r"[ \t]*(?:(?:quote|dquote|bquote|heredoc|pipe|cmdand|cmdor|cmdsubst|subsh|cursh|math|array|for|while"
    r"|until|if|then|else|elif|case|select|function) ?){0,8}>(?:[ \t]|$)"
)
"""The shell's prompt before the second and later lines of a command; that of zsh says what is open."""
MORE_PYTHON = re.compile(r"[ \t]*\.{3,}:?(?: |$)")
"""Python's prompt before the second and later lines of a statement."""
WINDOWS, ROOT, HOST, PYTHON = "windows", "root", "host", "python"


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt at the beginning of a line."""

    size: int
    """Its length, with the blanks around it."""
    margin: str
    """The blanks before it."""
    kind: str
    """
    The sign, such as ``$``, if it is alone or after the name of an environment; ``host`` if a user, machine,
    folder or shell is before it; ``root`` for ``#`` alone; ``python``; ``windows``.
    """
    owner: str = ""
    """The user and machine, the machine or the shell that it names; empty if it names none of them."""


def prompt_of(line: str) -> Prompt | None:
    """Return the prompt that a line begins with; a line with ``#`` alone is a comment here."""
    if match := _PROMPT.match(line):
        owner = match["user"] or match["shell"] or match["machine"] or ""
        return Prompt(match.end(), match["margin"], match["sign"] or HOST, owner)
    if match := _PYTHON.match(line):
        return Prompt(match.end(), match["margin"], PYTHON)
    if match := _WINDOWS.match(line):
        return Prompt(match.end(), "", WINDOWS)
    return None


def root_prompt_of(line: str) -> Prompt | None:
    """Return the prompt that a line begins with if ``#`` is the prompt of root there, not a comment."""
    match = _ROOT.match(line)
    return Prompt(match.end(), match["margin"], ROOT) if match else None
