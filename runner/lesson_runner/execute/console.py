"""Blocks that show a terminal: commands behind a ``$`` prompt, with what they print between them."""

from __future__ import annotations

import re

PROMPT = "$ "
CONTINUED = "> "
HEREDOC = re.compile(r"(?<!<)<<-?\s*(['\"]?)([A-Za-z_]\w*)\1")


def commands(script: str) -> str:
    """
    Return the commands of a block that shows a terminal, and any other block as it is.

    What is left out leaves an empty line, so that line numbers in messages stay those of the lesson.
    """
    lines = script.split("\n")
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    if not first.startswith(PROMPT):
        return script
    kept: list[str] = []
    end: str | None = None  # the word that ends a here-document
    inside = False  # the line before was part of a command
    for line in lines:
        command: str | None = None
        if line.startswith(PROMPT):
            command = line[len(PROMPT) :]
        elif inside and line.startswith(CONTINUED):
            command = line[len(CONTINUED) :]
        elif end is not None or (inside and kept[-1].endswith("\\")):
            command = line
        inside = command is not None
        kept.append(command or "")
        if end is None and command and (opened := HEREDOC.search(command)):
            end = opened[2]
        elif end is not None and kept[-1].strip() == end:
            end = None
    return "\n".join(kept)
