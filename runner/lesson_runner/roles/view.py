"""What a rule sees of a block: the block, the text around it, its place in the lesson, and earlier blocks."""

from __future__ import annotations

import dataclasses
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lesson_runner.document.commands import is_command, names_program
from lesson_runner.document.languages import PYTHON, SHELL
from lesson_runner.document.transcripts import Typed, runs_as, shows_prompts, typed_in
from lesson_runner.document.typos import is_typo
from lesson_runner.model import MAIN_PATH, Block, BlockRole, Lesson
from lesson_runner.roles.blanks import placeholders
from lesson_runner.roles.commands import Command, ShellText, read_shell
from lesson_runner.roles.python_text import PythonText, read_python
from lesson_runner.roles.services import listens, service_key, why_service
from lesson_runner.roles.ways import Way, way_of

_LINK = re.compile(r"!?\[([^\[\]]{0,200})\]\([^()]{0,500}\)")
_MARKUP = re.compile(r"</?\w[^<>]{0,200}>|\*+|(?<!\w)_+|_+(?!\w)|`")
_SENTENCE = re.compile(r"(?<=[.!?])[\"')*]*\s+(?=[\"'(*`]*[A-Z])")
_VERSION = re.compile(r"\s*(?!sleep|seq|timeout)[\w.+-]+ (?:version )?v?\d+\.\d+[\w.-]*(?:\s|$)")
"""The name of a program with its version, as it prints it."""
_LONGEST = 2000
"""Upper limit for the characters of a paragraph that rules read: its end, or its begin if it is below."""


def plain(text: str) -> str:
    """Return a text without markup, on one line."""
    bare = _MARKUP.sub("", _LINK.sub(r"\1", text.replace("\u2019", "'")))
    return " ".join(bare.split())


@dataclass(slots=True)
class Memory:
    """What the blocks so far are and define."""

    roles: list[BlockRole] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    """The names that Python blocks to run define."""
    used_later: frozenset[int] = frozenset()
    """The positions of the Python blocks that define what a later program uses."""
    listening: set[str] = field(default_factory=set)
    """The files whose content listens for connections."""
    started: dict[tuple[str, ...], int] = field(default_factory=dict)
    """The services that blocks start, each with the line of the first."""
    first_ways: dict[tuple[str, ...], str] = field(default_factory=dict)
    """The first of several ways that the lesson shows, by what they have in common."""
    ways: list[Way | None] = field(default_factory=list)
    """The way that each block belongs to."""
    words: deque[tuple[BlockRole, list[str]]] = field(default_factory=lambda: deque(maxlen=20))
    """The words of the last shell blocks to run."""

    def add(self, view: BlockView, role: BlockRole) -> None:
        """Remember a block and its role."""
        self.roles.append(role)
        self.ways.append(view.way)
        if view.way is not None and role.role in MAIN_PATH:
            self.first_ways.setdefault(view.way.scope, view.way.label)
        if view.kind == "python" and role.role in ("run", "interactive"):
            self.names |= view.python.defined
        if role.role == "file" and role.file and listens(role.block.text):
            self.listening.add(role.file.rpartition("/")[2])
        if view.kind == "shell" and role.role in MAIN_PATH:
            self.words.append((role, [word for command in view.commands for word in command.words]))
            for command in view.commands:
                if why_service(command, self.listening):
                    self.started.setdefault(service_key(command), role.block.location.line)


class BlockView:
    """
    A block of a lesson, as rules see it.

    Attributes:
        block: the block; a ``command:`` link is a block in the language ``command-link``.
        lesson: the lesson.
        number: which fence of the document it is, counted from 1; 0 for a link.
        memory: what is known of the blocks before it.
    """

    def __init__(self, block: Block, lesson: Lesson, number: int, memory: Memory) -> None:
        self.block = block
        self.lesson = lesson
        self.number = number
        self.memory = memory

    @property
    def earlier(self) -> Sequence[BlockRole]:
        """The roles of all blocks before it, in the order of the document."""
        return self.memory.roles

    @cached_property
    def sections(self) -> tuple[str, ...]:
        """The headings above the block as plain text, outermost first, without the title of the document."""
        headings = self.block.headings
        title = next((item.title for item in self.lesson.headings if item.level == 1), None)
        return tuple(map(plain, headings[1:] if headings[:1] == (title,) else headings))

    @cached_property
    def lead(self) -> str:
        """The paragraph directly above as plain text; empty if there is none."""
        return plain(self.block.lead[-_LONGEST:])

    @cached_property
    def request(self) -> str:
        """The last sentence of :attr:`lead`, which says what to do with the block."""
        return _SENTENCE.split(self.lead)[-1] if self.lead else ""

    @cached_property
    def below(self) -> str:
        """The paragraph directly below as plain text; empty if there is none."""
        return plain(self.block.below[:_LONGEST])

    @cached_property
    def previous(self) -> BlockRole | None:
        """The block before it in the same section, links left out; ``None`` if it is the first there."""
        last = next((item for item in reversed(self.earlier[-8:]) if item.number), None)
        return last if last is not None and last.block.headings == self.block.headings else None

    @cached_property
    def lines(self) -> list[str]:
        """The lines that are not blank."""
        return [line for line in self.block.text.splitlines() if line.strip()]

    @cached_property
    def kind(self) -> str:
        """``shell`` or ``python`` if its language, its prompts or all its lines say so; else its language."""
        language = self.block.language
        if language in SHELL:
            return "python" if runs_as(self.block) == "python" else "shell"
        if language in PYTHON:
            return "python"
        if language in ("", "text", "plaintext", "txt", "output") and shows_prompts(self.block.text):
            return runs_as(dataclasses.replace(self.block, language="")) or language
        return "shell" if not language and self._is_typed_in() else language

    def _is_typed_in(self) -> bool:
        """Return whether each line of a block is a known command, and the first names a program."""
        code = [row for row, line in enumerate(self.lines) if not line.lstrip().startswith("#")]
        known = bool(code) and names_program(self.lines[code[0]])
        if code and _VERSION.match(self.lines[code[0]]):
            return False
        return known and all(is_command(self.lines, row) for row in code)

    @cached_property
    def typed(self) -> Typed | None:
        """What a person types from it; ``None`` unless it is shell or Python."""
        if self.kind not in ("shell", "python"):
            return None
        if self.block.language in SHELL | PYTHON:
            return typed_in(self.block)
        language = "" if shows_prompts(self.block.text) else "bash"
        return typed_in(dataclasses.replace(self.block, language=language))

    @cached_property
    def placeholders(self) -> tuple[str, ...]:
        """The texts that a reader fills in, in their order."""
        return placeholders(self.kind, self.typed.text, f"{self.lead} {self.below}") if self.typed else ()

    @cached_property
    def way(self) -> Way | None:
        """Which of several ways it belongs to; ``None`` if nothing says so."""
        return way_of(self.block.headings, self.sections, self.block.tab, self.lead)

    @cached_property
    def shell(self) -> ShellText:
        """What a shell block says; nothing for other blocks."""
        return read_shell(self.typed.text) if self.typed and self.kind == "shell" else ShellText()

    @property
    def commands(self) -> tuple[Command, ...]:
        """The commands of a shell block, at any depth."""
        return self.shell.commands

    @cached_property
    def python(self) -> PythonText:
        """What a Python block says; nothing for other blocks."""
        return read_python(self.typed.text) if self.typed and self.kind == "python" else PythonText()

    @cached_property
    def undefined(self) -> frozenset[str]:
        """The names that Python uses and no block to run defines, except for misspelt ones of those."""
        known = self.memory.names | self.python.defined
        missing = self.python.missing - known
        return frozenset(name for name in missing if not is_typo(name, known))
