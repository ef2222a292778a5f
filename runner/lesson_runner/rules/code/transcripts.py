"""What a person types in a block that shows a terminal, a Python prompt or a notebook."""

from __future__ import annotations

import re

from lesson_runner.execute.console import HEREDOC

_PROMPT = re.compile(
    r"[ \t]*(?:\([\w.\- ]{1,40}\) ?)?"  # (venv)
    r"(?:[\w.\-]{1,40}@[\w.\-]{1,60}[^$#%\n]{0,80}[$#%]|[$%❯])(?:[ \t]+|$)"  # noqa: RUF001  # user@host:~/folder$
)
_HAS_PROMPT = re.compile(rf"^{_PROMPT.pattern}", re.MULTILINE)
_CONTINUED = re.compile(r"[ \t]*>(?:[ \t]|$)")
_PYTHON = re.compile(r"[ \t]*(?:>>>|\.\.\.|In \[\d+\]:|\.{3,}:)(?: |$)")
_STRING = re.compile(r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""")
_HAS_PYTHON = re.compile(r"^[ \t]*(?:>>>|In \[\d+\]:)(?: |$)", re.MULTILINE)


def has_prompts(text: str) -> bool:
    """Whether a shell block is what stands in a terminal."""
    return _HAS_PROMPT.search(text) is not None


def typed(text: str) -> str:
    """Return the commands behind the prompts; blanks stand for prompts and output, so places stay."""
    lines: list[str] = []
    command = False  # the line before belongs to a command
    goes_on = False  # this line does, with no prompt before it
    end: str | None = None  # the word that ends a here-document
    for line in text.split("\n"):
        prompt = None if end else _PROMPT.match(line)
        if prompt is None and command:
            prompt = _CONTINUED.match(line)
        command = prompt is not None or goes_on
        kept = " " * prompt.end() + line[prompt.end() :] if prompt else line if goes_on else ""
        lines.append(kept)
        if end is None and (opened := HEREDOC.search(kept)):
            end = opened[2]
        elif end is not None and kept.strip() == end:
            end = None
        goes_on = end is not None or (command and kept.endswith("\\"))
    return "\n".join(lines)


def typed_python(text: str) -> tuple[list[str], list[int]]:
    """Return the lines behind Python prompts, if there are any, and how much was cut off before each."""
    lines = text.split("\n")
    if not _HAS_PYTHON.search(text):
        return lines, [0] * len(lines)
    kept: list[str] = []
    cut: list[int] = []
    open_ = 0  # brackets; inside them not everybody writes the second prompt
    for line in lines:
        prompt = _PYTHON.match(line)
        goes_on = prompt is None and open_ > 0
        kept.append(line[prompt.end() :] if prompt else line if goes_on else "")
        cut.append(prompt.end() if prompt else 0)
        code = _STRING.sub("", kept[-1])
        before = 0 if prompt and ">>>" in prompt[0] else open_
        open_ = before + sum(map(code.count, "([{")) - sum(map(code.count, ")]}"))
    return kept, cut
