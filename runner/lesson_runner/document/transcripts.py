"""Extract what a person types from blocks that show a terminal, a Python prompt or a notebook."""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, replace
from functools import cached_property

from lesson_runner.document.bash import parse, without_placeholders
from lesson_runner.document.languages import TERMINAL
from lesson_runner.model import Block

_PROMPT = re.compile(
    r"(?P<margin>[ \t]*)(?:\([^()\n]{1,40}\) ?){0,2}"  # (venv)
    r"(?:(?P<host>\[?[\w.\-]{1,40}@[\w.\-]{1,60}[^$#%\n]{0,80})(?:[$#]|(?<!\d)%)"  # user@host:~/folder$
    r"|[$%❯])(?:[ \t]+|$)"  # noqa: RUF001
)
_MORE = re.compile(r"[ \t]*>(?:[ \t]|$)")
"""The prompt before the second and later lines of a command."""
_CONTINUES = re.compile(r"(?<!\\)(?:\\\\)*\\$")
_HEREDOC = re.compile(
    r"""(?P<bracket>(?<!['"\\])\(\(|\)\))|"""
    r"""(?<!<)<<-?[ \t]*(?:(?P<quote>['"])(?P<quoted>[^'"\n]+)(?P=quote)|\\?(?P<word>[A-Za-z_][\w.-]*))"""
)
"""The start of a here-document, or a bracket of arithmetic."""
_MOST_PARSED = 16_000
"""Upper limit for characters of a block that are parsed to see whether a command is complete."""
_PYTHON = re.compile(r"[ \t]*(?:>>>|\.\.\.|In \[\d+\]:|\.{3,}:)(?: |$)")
_STRING = re.compile(r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""")
_HAS_PYTHON = re.compile(r"^[ \t]*(?:>>>|In \[\d+\]:)(?: |$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person types from a shell block."""

    text: str
    """Has as many lines as the block; lines of output are empty."""
    cut: tuple[int, ...]
    """The length of each line's prompt, which :attr:`text` leaves out."""
    transcript: bool
    """True if the commands follow prompts."""


def typed(text: str, *, terminal: bool = False) -> Typed:
    """
    Return the commands of a block that shows a terminal, or all of a script.

    A block shows a terminal if its first line, except for comments, has a prompt. A prompt further down may
    be part of a text that a script writes.

    Args:
        terminal: True if the block's language says that it shows a terminal; then output may come first.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    reader = _Reader(lines)
    first = reader.first_prompt(terminal=terminal)
    if first is None:
        return Typed("\n".join(lines), (0,) * len(lines), transcript=False)
    reader.read(*first)
    return Typed("\n".join(reader.kept), tuple(reader.cut), transcript=True)


def typed_in(block: Block) -> Typed:
    """Return what a person types from a shell block."""
    return typed(block.text, terminal=block.language in TERMINAL)


def shows_prompts(text: str) -> bool:
    """Return whether a block without a language shows a terminal or a Python prompt."""
    return typed(text).transcript or text.lstrip().startswith(">>> ")


def as_script(block: Block) -> Block:
    """Return a block whose text gives the same result from :func:`typed` without the block's language."""
    if block.language in TERMINAL and not typed(block.text).transcript:
        return replace(block, text=typed_in(block).text)
    return block


class _Reader:
    """One pass over the lines of a block."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.kept: list[str] = []
        self.cut: list[int] = []
        self._parsed = 0

    def first_prompt(self, *, terminal: bool) -> tuple[int, re.Match[str]] | None:
        """Return the row of the first prompt, and the prompt."""
        ends: deque[str] = deque()
        for row, line in enumerate(self.lines):
            if ends:
                self._close(ends, line)
            elif line.strip() and not line.lstrip().startswith("#"):
                prompt = _PROMPT.match(line)
                if prompt or not terminal:
                    return (row, prompt) if prompt else None
                ends = self._here_documents(line, row)
        return None

    def read(self, first: int, like: re.Match[str]) -> None:
        """Fill :attr:`kept` and :attr:`cut`; ``like`` is the prompt of the row ``first``."""
        ends: deque[str] = deque()  # the words that end the open here-documents
        command: list[str] = []  # the lines so far of the command that the row before belongs to
        bare = False  # its further lines have no prompt
        for row, line in enumerate(self.lines):
            prompt = None
            if row >= first and not ends:
                prompt = _prompt_like(like, line)
            if prompt:
                command, bare = [], False
            elif command and not bare:
                prompt = _MORE.match(line)
            continues = bool(ends) or bool(command and _CONTINUES.search(command[-1]))
            if command and not continues and (prompt is None or self._is_complete(command)):
                command, prompt = [], None
            elif command and prompt is None:
                bare = bool(line.strip()) or bare
            size = prompt.end() if prompt else 0
            if not prompt and not command:
                self._keep("", 0)
                continue
            self._keep(line[size:], size)
            command.append(line[size:])
            if ends:
                self._close(ends, line[size:])
            else:
                ends = self._here_documents(line[size:], row)

    @cached_property
    def _last(self) -> dict[str, int]:
        """The last row with each text, to check that a here-document has a line that ends it."""
        return {_MORE.sub("", line, count=1).strip(): row for row, line in enumerate(self.lines)}

    def _keep(self, line: str, cut: int) -> None:
        self.kept.append(line)
        self.cut.append(cut)

    def _here_documents(self, line: str, row: int) -> deque[str]:
        """Return the end words of the here-documents that a line begins, in order."""
        words: deque[str] = deque()
        arithmetic = False  # in ((1 << 2)) a number is shifted
        for match in _HEREDOC.finditer(line):
            if match["bracket"]:
                arithmetic = match["bracket"] == "(("
            elif not arithmetic and self._last.get(word := match["quoted"] or match["word"], 0) > row:
                words.append(word)
        return words

    @staticmethod
    def _close(ends: deque[str], line: str) -> None:
        if line.strip() == ends[0]:
            ends.popleft()

    def _is_complete(self, command: list[str]) -> bool:
        """Return whether a shell would run these lines without waiting for more."""
        if self._parsed > _MOST_PARSED:
            return False
        source = without_placeholders("\n".join(command))
        self._parsed += len(source)
        tree = parse(source) if self._parsed <= _MOST_PARSED else None
        return tree is not None and not tree.root_node.has_error


def _prompt_like(first: re.Match[str], line: str) -> re.Match[str] | None:
    """
    Return a line's prompt, if it can be from the same terminal as the first prompt.

    Output may look like a prompt: it can be indented, or begin with ``%`` or ``$`` (``% Total`` of curl).
    """
    found = _PROMPT.match(line)
    if found is None or found["margin"] != first["margin"]:
        return None
    return found if found["host"] or found[0].rstrip()[-1] == first[0].rstrip()[-1] else None


def typed_python(text: str) -> tuple[list[str], list[int]]:
    """Return the lines after Python prompts (all lines if there are none), and each prompt's length."""
    lines = text.split("\n")
    if not _HAS_PYTHON.search(text):
        return lines, [0] * len(lines)
    kept: list[str] = []
    cut: list[int] = []
    open_ = 0  # open brackets; inside them, some authors leave out the second prompt
    for line in lines:
        prompt = _PYTHON.match(line)
        continues = prompt is None and open_ > 0
        kept.append(line[prompt.end() :] if prompt else line if continues else "")
        cut.append(prompt.end() if prompt else 0)
        code = _STRING.sub("", kept[-1])
        before = 0 if prompt and ">>>" in prompt[0] else open_
        open_ = before + sum(map(code.count, "([{")) - sum(map(code.count, ")]}"))
    return kept, cut
