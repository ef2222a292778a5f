"""
Split a shell block into commands and words, and remember where each word stands.

:mod:`shlex` does the splitting of a line but knows no positions, and a command in a lesson runs over many
lines. What is understood: quotes, backslashes, continued lines, comments, and the separators newline, ``;``
and ``&&``. Everything else with a meaning to the shell makes the block one that only a shell can run.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Container, Sequence
from dataclasses import dataclass, field

from lesson_runner.model import Block

SHELL_LANGUAGES = frozenset({"bash", "sh", "shell", "zsh", "console", "shell-session", "shellsession"})
"""Languages of blocks with shell commands; the last three are of transcripts."""
PYTHON = re.compile(r"(?:.*/)?python(3(\.\d+)?)?")
"""The program a command runs if that is Python."""
FIRST = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\n)*")
"""Empty lines and comments before a block's first command."""
PROMPT = re.compile(r"^(\([^)\n]*\) ?)?[$%] ", re.MULTILINE)


LONGEST = 64_000
"""Characters of a block that are split into words; nobody types in as much."""


class ShellSyntaxError(Exception):
    """A quote that is not closed; ``line`` and ``column`` count from 1."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


@dataclass(frozen=True, slots=True)
class Word:
    """A word with quotes and backslashes resolved; ``$`` and ``~`` are left as they are."""

    text: str
    line: int
    column: int


@dataclass(slots=True)
class ShellCommand:
    """A simple command, or (without words) a comment."""

    words: list[Word] = field(default_factory=list)
    start: int = 0
    end: int = 0
    """The command is ``text[start:end]``."""
    operators: str = ""
    """What in it needs a shell: pipes, redirections, substitutions."""


TOKENS = re.compile(
    r"""(?P<continued>\\\n)
      | (?P<blank>[ \t]+)
      | (?P<end>\n|;|&&)
      | (?P<shell>[|&<>()`]|\$\()
      | (?P<single>'[^']*')
      | (?P<double>"(?:[^"\\]|\\.)*")
      | (?P<open>['"])
      | (?P<escaped>\\.)
      | (?P<text>[^\s;|&<>()`'"\\$]+|\$|\\)""",
    re.VERBOSE | re.DOTALL,
)


def split(text: str) -> list[ShellCommand]:
    """
    Return the commands and comments of a block, in order; of one that is longer than :data:`LONGEST`, a
    single command without words, which only a shell can run.

    Raises:
        ShellSyntaxError: a quote is never closed.
    """
    if len(text) > LONGEST:
        return [ShellCommand(end=len(text), operators="&")]
    commands, comments = [ShellCommand()], []
    lines = _Lines(text)
    word: list[str] | None = None  # the parts of the word that has begun
    begin = (0, 0)
    operators: list[str] = []
    index = 0

    def finish() -> None:
        """Take the word that has ended into its command; joined once, for it can have a million parts."""
        nonlocal word
        if word is not None:
            commands[-1].words.append(Word("".join(word), *begin))
            word = None

    def next_command() -> None:
        nonlocal operators
        finish()
        commands[-1].operators = "".join(operators)
        commands.append(ShellCommand())
        operators = []

    while index < len(text):
        if text[index] == "#" and word is None:
            end = text.find("\n", index)
            end = len(text) if end < 0 else end
            comments.append(ShellCommand(start=index, end=end))
            index = end
            continue
        token = TOKENS.match(text, index)
        if token is None:  # other white space, such as a form feed
            index += 1
            finish()
            continue
        kind, value = token.lastgroup, token.group()
        if kind == "open":
            raise ShellSyntaxError(f"the quote {value} is never closed", *lines.place(index))
        if kind == "end":
            next_command()
        elif kind == "blank":
            finish()
        elif kind == "shell":
            finish()
            operators.append(value)
            if value == "|":  # what follows is a command of its own, and not a plain one either
                next_command()
                operators.append(value)
        elif kind != "continued":
            command = commands[-1]
            if word is None:
                command.start = command.start if command.words else index
                word, begin = [], lines.place(index)
            word.append(_meaning(kind, value))
            command.end = token.end()
            if kind == "double" and re.search(r"(?<!\\)(?:`|\$\()", value):
                operators.append("$(")
        index = token.end()
    next_command()
    found = [command for command in commands if command.words or command.operators] + comments
    return sorted(found, key=lambda command: command.start)


def commands_of(block: Block) -> tuple[str, list[ShellCommand]] | None:
    """Return what a person types in a block, and its commands; ``None`` if it is no readable shell."""
    if block.language not in SHELL_LANGUAGES:
        return None
    text = typed_text(block.text)
    try:
        return text, split(text)
    except ShellSyntaxError:
        return None


def is_preparation(words: Sequence[str], harmless: Container[str]) -> bool:
    """
    Return whether a command only prepares the shell or looks, so that nothing is missed without it.

    ``source`` runs a whole script; only that of a virtual environment is known to do no more than that.
    """
    if words and words[0] in ("source", "."):
        return len(words) == 2 and words[1].rpartition("/")[2] == "activate"
    return not words or words[0] in harmless


def typed_text(text: str) -> str:
    """
    Blank out ``$ `` prompts, and in a transcript everything that is not typed; positions stay.

    A transcript begins with a prompt: one further down may be in a text that a script writes.
    """
    text = text.replace("\r\n", "\n")
    begin = FIRST.match(text)
    if begin is None or not PROMPT.match(text, begin.end()):
        return text
    lines, typed = [], False
    for line in text.split("\n"):
        prompt = PROMPT.match(line)
        more = line.startswith("> ") and typed
        size = prompt.end() if prompt else 2 if more else 0
        if prompt or typed:
            line = " " * size + line[size:]
            typed = line.rstrip().endswith("\\")
        else:
            line = ""
        lines.append(line)
    return "\n".join(lines)


def _meaning(kind: str | None, value: str) -> str:
    if kind == "single":
        return value[1:-1]
    if kind == "double":
        return re.sub(r'\\(["\\$`])', r"\1", value[1:-1].replace("\\\n", ""))
    return value[1:] if kind == "escaped" else value


class _Lines:
    """Where the lines of a text begin, found once: a block can have a hundred thousand words."""

    def __init__(self, text: str) -> None:
        self.starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def place(self, index: int) -> tuple[int, int]:
        """Return the line and the column of a character, both from 1."""
        line = bisect(self.starts, index)
        return line, index - self.starts[line - 1] + 1
