"""Extract what a person types, and what is printed, from blocks that show a terminal or a Python prompt."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from lesson_runner.document.commands import looks_typed, names_program
from lesson_runner.document.grammars import PythonGrammar, ShellGrammar
from lesson_runner.document.languages import PYTHON, PYTHON_SCRIPT, PYTHON_SESSION, RUNNABLE, TERMINAL
from lesson_runner.document.prompts import MORE, WINDOWS, Prompt, prompt_of, root_prompt_of
from lesson_runner.document.prompts import PYTHON as PYTHON_PROMPT
from lesson_runner.document.typed_lines import Splitter, TypedLines
from lesson_runner.model import Block, Diagnostic, Location

_LEFT_OUT = re.compile(r"[ \t]*[\[(<]?[ \t]*(?:\.\.\.|…)[ \t]*[\])>]?[ \t]*")
_OUT = re.compile(r"[ \t]*Out\[\d+\]:[ \t]?")
_TRACEBACK = "Traceback (most recent call last):"


@dataclass(frozen=True, slots=True)
class Doubt:
    """A line of a transcript that is not clearly a command or output; it does not run."""

    row: int
    message: str
    fix: str
    severity: Literal["error", "warning"] = "error"
    """``error`` if nothing of the block can run."""

    def at(self, block: Block) -> Diagnostic:
        """Return a diagnostic for the author of the block."""
        rule = "unclear-transcript" if self.severity == "error" else "other-prompt"
        return Diagnostic(rule, self.severity, self.message, _place(block, self.row), self.fix)


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person types from a block, and what the block shows as its output."""

    text: str
    """Has as many lines as the block; lines of output are empty."""
    cut: tuple[int, ...]
    """The length of each line's prompt, which :attr:`text` leaves out."""
    transcript: bool
    """True if the commands follow prompts."""
    first: tuple[int, ...] = ()
    """In a transcript, the first row of each command."""
    output: tuple[int, ...] = ()
    """The rows that show what the commands print."""
    doubts: tuple[Doubt, ...] = ()
    """In the order of the rows."""

    raising: tuple[int, ...] = ()
    """In a Python session, the first row of each statement that is shown to raise an exception."""

    @property
    def unclear(self) -> bool:
        """True if commands and output cannot be told apart, so that nothing may run."""
        return any(doubt.severity == "error" for doubt in self.doubts)


def shows_prompts(text: str) -> bool:
    """Return whether a block without a language shows a terminal or a Python prompt."""
    return prompt_of(_first_content(text)) is not None


def runs_as(block: Block) -> Literal["shell", "python"] | None:
    """Return what can run a block, by its language or by the prompt in its first line; ``None``: nothing."""
    if block.language in PYTHON:
        notebook = block.language not in PYTHON_SCRIPT | PYTHON_SESSION
        return None if notebook and not _begins_in_python(block.text) else "python"
    if block.language not in (RUNNABLE if block.language or not shows_prompts(block.text) else ("",)):
        return None
    return "python" if _begins_in_python(block.text) else "shell"


def typed_in(block: Block) -> Typed:
    """Return what a person types from a block with commands or with Python."""
    if block.language in PYTHON or runs_as(block) == "python":
        return typed_python(block.text, session=block.language in PYTHON_SESSION)
    return typed(block.text, terminal=block.language in TERMINAL)


@lru_cache(maxsize=256)
def typed(text: str, *, terminal: bool = False) -> Typed:
    """
    Return the commands of a block that shows a terminal, or all of a script.

    A block shows a terminal if its first line, except for comments, has a prompt. A prompt further down may
    be part of a text that a script writes.

    Args:
        terminal: True if the block's language says that it shows a terminal; then output may come first, and
            ``#`` may be the prompt of root.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    first = _first_prompt(lines, terminal=terminal)
    if first is None:
        return _without_prompts(lines) if terminal else _script(lines)
    row, prompt = first
    if prompt.kind == WINDOWS:
        message = "this block shows PowerShell or cmd, but bash runs a step's block"
        return _script(lines, Doubt(row, message, "write the commands of bash, or a 'skip' directive"))

    def size(line: str) -> int | None:
        found = prompt_of(line)
        return found.size if found is not None and _same(found, prompt) else None

    read = _transcript(lines, Splitter(lines, size, ShellGrammar()).split(row), comments=True)
    doubts = sorted((*read.doubts, *_other_prompts(lines, prompt, read)), key=lambda doubt: doubt.row)
    return replace(read, doubts=tuple(doubts))


@lru_cache(maxsize=256)
def typed_python(text: str, *, session: bool = False) -> Typed:
    """
    Return the statements of a block that shows Python's or IPython's prompt, or all of a program.

    A block shows a prompt if its first line, except for comments, has one.

    Args:
        session: True if the block's language says that it shows a prompt; then other lines may come first.
    """
    lines = text.replace("\r\n", "\n").split("\n")

    def size(line: str) -> int | None:
        found = prompt_of(line)
        return found.size if found is not None and found.kind == PYTHON_PROMPT else None

    rows = (row for row, line in enumerate(lines) if size(line) is not None)
    first = next(rows, None)
    if first is None or not (session or _begins_in_python(text)):
        return _script(lines)
    read = _transcript(lines, Splitter(lines, size, PythonGrammar()).split(first))
    shown = (row for row in read.output if lines[row].strip() == _TRACEBACK)
    return replace(read, raising=tuple(read.first[bisect(read.first, row) - 1] for row in shown))


def as_script(block: Block) -> str:
    """Return a text from which :func:`typed` and :func:`typed_python` get the same without a language."""
    lines = block.text.split("\n")
    if runs_as(block) == "python":
        read = typed_in(block)
        start = read.first[0] if read.transcript else 0
        return "\n".join(["", *lines][:1] * start + lines[start:])
    read = typed_in(block)
    if not read.transcript or read.text == typed(block.text).text:
        return block.text
    return "\n".join(
        f"$ {line}" if row in read.first else f"> {line}" if line else ""
        for row, line in enumerate(read.text.split("\n"))
    )


def shown_output(block: Block) -> list[tuple[str, Location]]:
    """
    Return the lines that a transcript shows as output, each with its place.

    A line or a part of a line that the author left out is ``...``.
    """
    read = typed_in(block)
    lines = block.text.split("\n")
    shown: list[tuple[str, Location]] = []
    in_traceback = False
    for row in read.output:
        line = _OUT.sub("", lines[row], count=1).replace("…", "...")
        in_traceback = line.strip() == _TRACEBACK or (in_traceback and line[:1] in (" ", "\t"))
        # The places in a traceback differ from those that a person sees.
        left_out = _LEFT_OUT.fullmatch(line) or (in_traceback and line.strip() != _TRACEBACK)
        shown.append(("..." if left_out else line, _place(block, row)))
    return shown


def _first_prompt(lines: Sequence[str], *, terminal: bool) -> tuple[int, Prompt] | None:
    """Return the row of the first prompt of a shell, and the prompt."""
    before: list[str] = []
    for row, line in enumerate(lines):
        if _is_content(line):
            prompt = prompt_of(line)
            if prompt is not None and prompt.kind != PYTHON_PROMPT:
                return None if before and _is_written(lines, before) else (row, prompt)
            if not terminal:
                return None
            before.append(line)
    return None


def _is_written(lines: Sequence[str], before: Sequence[str]) -> bool:
    """Return whether the first line with a prompt is in a quote or here-document of the lines before it."""
    return ShellGrammar().waits(before) and not ShellGrammar().waits(lines)


def _without_prompts(lines: Sequence[str]) -> Typed:
    """Return what is typed in a terminal's block in which no line begins with a prompt other than ``#``."""
    rows = [row for row, line in enumerate(lines) if line.strip()]
    if not rows:
        return _script(lines)
    begin = rows[0]
    if root_prompt_of(lines[begin]) is not None and not _are_comments(lines):
        found = Splitter(lines, _root_size, ShellGrammar()).split(begin)
        read = _transcript(lines, found)
        commands = [lines[row][found.sizes[row] :] for row in found.first]
        if all(map(looks_typed, commands)) and not any(
            map(names_program, (lines[row] for row in read.output))
        ):
            return read
        message = "`# ` can begin a comment or be the prompt of root here"
        return _script(lines, Doubt(begin, message, "write `root@host:/# ` or `$ ` before each command"))
    if MORE.match(lines[begin]):
        message = "`> ` can be a prompt or output here"
        return _script(lines, Doubt(begin, message, "write `$ ` before each command"))
    if not _is_one_command(lines):
        message = "no line of this terminal begins with a prompt, so commands and output look the same"
        fix = "write `$ ` before each command, or 'bash' after the fence if there is no output"
        return _script(lines, Doubt(begin, message, fix))
    return _script(lines)


def _root_size(line: str) -> int | None:
    found = root_prompt_of(line)
    return found.size if found is not None else None


def _are_comments(lines: Sequence[str]) -> bool:
    """Return whether lines with ``#`` are comments: they look like prose, and the others like commands."""
    comments = [line[size:] for line in lines if (size := _root_size(line)) is not None]
    other = _first_content("\n".join(lines))
    return looks_typed(other) and all(map(_is_prose, comments)) and not any(map(looks_typed, comments))


def _is_prose(text: str) -> bool:
    return text[:1].isupper() or len(text.split()) > 2 or text.rstrip()[-1:] in (".", ":", "")


def _is_one_command(lines: Sequence[str]) -> bool:
    """Return whether a script is one command, with or without comments around it."""
    rows = [row for row, line in enumerate(lines) if _is_content(line)]
    sizes = Splitter(lines, lambda _: None, ShellGrammar()).command(rows[0], 0) if rows else []
    return len(rows) <= 1 or (sizes is not None and rows[-1] < rows[0] + len(sizes))


def _other_prompts(lines: Sequence[str], prompt: Prompt, read: Typed) -> Iterator[Doubt]:
    """Yield the lines of output that look like commands after another prompt than the block's."""
    for row in read.output:
        line = lines[row]
        found = prompt_of(line)
        if found is None or found.kind in ("%", WINDOWS):
            found = root_prompt_of(line)
            if found is None or not names_program(line[found.size :]):
                continue
        if found.margin == prompt.margin and not _same(found, prompt) and line[found.size :].strip():
            message = "this line begins with another prompt than the block: it counts as output"
            yield Doubt(
                row, message, "if it is a command, write the prompt of the others before it", "warning"
            )


def _same(found: Prompt, prompt: Prompt) -> bool:
    """
    Return whether two prompts can be from the same terminal.

    Output may look like a prompt: it can be indented, or begin with ``%`` or ``$`` (``% Total`` of curl), or
    with an address. The prompt of another user or machine is that of ``ssh`` or ``docker run``: what
    follows it must not run here.
    """
    return (found.margin, found.kind, found.owner) == (prompt.margin, prompt.kind, prompt.owner)


def _transcript(lines: Sequence[str], found: TypedLines, *, comments: bool = False) -> Typed:
    """Return what was found; ``comments``: a line with ``#`` above a command is a comment, not output."""
    first, output = set(found.first), list[int]()
    above_command = False
    for row in range(len(lines) - 1, found.first[0] - 1, -1):
        if row in found.sizes:
            above_command = row in first
        elif lines[row].strip():
            above_command = above_command and comments and not _is_content(lines[row])
            output += [] if above_command else [row]
    repeated = [
        Doubt(
            row,
            "this line begins with a prompt, but a command above contains it: it counts as output",
            "if it is a command, put it in a block of its own",
            "warning",
        )
        for row in found.repeated
    ]
    return Typed(
        "\n".join(line[found.sizes[row] :] if row in found.sizes else "" for row, line in enumerate(lines)),
        tuple(found.sizes.get(row, 0) for row in range(len(lines))),
        True,
        tuple(found.first),
        tuple(reversed(output)),
        tuple(repeated),
    )


def _script(lines: Sequence[str], *doubts: Doubt) -> Typed:
    return Typed("\n".join(lines), (0,) * len(lines), transcript=False, doubts=doubts)


def _begins_in_python(text: str) -> bool:
    prompt = prompt_of(_first_content(text))
    return prompt is not None and prompt.kind == PYTHON_PROMPT


def _first_content(text: str) -> str:
    return next(filter(_is_content, text.split("\n")), "")


def _is_content(line: str) -> bool:
    """Return whether a line is neither blank nor a comment."""
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _place(block: Block, row: int) -> Location:
    start = block.location
    return Location(start.path, start.line + row, start.column)
