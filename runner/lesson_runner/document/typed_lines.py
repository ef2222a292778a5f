"""Split the lines of a session into commands and output, by the grammar of what is typed."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol


@dataclass(frozen=True, slots=True)
class HereDocument:
    """A here-document that a line begins."""

    end: str
    """The line that ends it."""
    operator: tuple[int, int]
    """Where the operator and the word after it begin and end in the line."""


class Grammar(Protocol):
    """What a prompt reads: a shell's commands, or Python's statements."""

    @property
    def more(self) -> re.Pattern[str]:
        """The prompt before the second and later lines of a command."""

    def waits(self, lines: Sequence[str]) -> bool:
        """Return whether a person who typed these lines is asked for more."""

    def is_complete(self, lines: Sequence[str]) -> bool:
        """Return whether these lines can be a whole command."""

    def here_documents(self, lines: Sequence[str]) -> Sequence[HereDocument]:
        """Return the here-documents that the last of these lines begins, in order."""


@dataclass(slots=True)
class TypedLines:
    """The lines of a session that are typed, by their row; all others are output."""

    sizes: dict[int, int] = field(default_factory=dict)
    """The length of each line's prompt."""
    first: list[int] = field(default_factory=list)
    """The first row of each command."""
    repeated: list[int] = field(default_factory=list)
    """The rows that begin with a prompt, but are in a command above, so that they may be its output."""


RECENT = 20
"""How many commands above a line are searched for it."""


class Splitter:
    """
    One pass over the lines of a session.

    A command goes on as long as the grammar asks for more. Once it is complete, all lines up to the next
    prompt are output, whatever they look like.
    """

    def __init__(
        self, lines: Sequence[str], prompt_size: Callable[[str], int | None], grammar: Grammar
    ) -> None:
        """``prompt_size`` returns the length of the prompt that a line begins with, ``None`` without one."""
        self.lines = lines
        self.prompt_size = prompt_size
        self.grammar = grammar

    def split(self, start: int) -> TypedLines:
        """Return the lines that are typed; ``start`` is the row of the first prompt."""
        found = TypedLines()
        recent: deque[str] = deque(maxlen=RECENT)
        row = start
        while row < len(self.lines):
            line = self.lines[row]
            size = self.prompt_size(line)
            if size is None:
                row += 1
                continue
            if line[size:].strip() and _is_in(line.strip(), recent):
                found.repeated.append(row)
                row += 1
                continue
            sizes = self.command(row, size) or [size]
            found.first.append(row)
            found.sizes.update(enumerate(sizes, row))
            recent.append("\n".join(self.lines[row + at][cut:] for at, cut in enumerate(sizes)))
            row += len(sizes)
        return found

    def command(self, row: int, size: int) -> list[int] | None:
        """
        Return the length of the prompt of each line of a command; ``None`` if it does not end.

        Args:
            row: its first row.
            size: the length of the prompt there.
        """
        sizes, typed = [size], [self.lines[row][size:]]
        bare = False  # its further lines have no prompt, as in an editor
        while self.grammar.waits(typed):
            at = row + len(sizes)
            if text := self._here_documents(at, typed):
                sizes += text
                continue
            line = self.lines[at] if at < len(self.lines) else None
            prompt = None if bare or line is None else self.grammar.more.match(line)
            if prompt is None and self.grammar.is_complete(typed):
                break
            if line is None or (prompt is None and self.prompt_size(line) is not None):
                return None
            bare = bare or (prompt is None and bool(line.strip()))
            sizes.append(prompt.end() if prompt else 0)
            typed.append(line[sizes[-1] :])
        return sizes

    def _here_documents(self, at: int, typed: list[str]) -> list[int]:
        """
        Return the length of the prompt of each line of the here-documents that begin above a row.

        In ``typed``, replace their operators: the grammar does not need their text.
        """
        sizes: list[int] = []
        line = typed[-1]
        for document in self.grammar.here_documents(typed):
            begin = at + len(sizes)
            rows = self._rows_with.get(document.end, [])
            index = bisect_left(rows, begin)
            if index == len(rows):
                continue  # it has no end
            last = rows[index]
            # A terminal shows a prompt before all lines or, pasted from an editor, before none.
            prompts = self.lines[last].strip() != document.end
            for text in self.lines[begin : last + 1]:
                prompt = self.grammar.more.match(text) if prompts else None
                sizes.append(prompt.end() if prompt else 0)
            start, end = document.operator
            typed[-1] = typed[-1][:start] + "<".ljust(end - start, "_") + line[end:]
        return sizes

    @cached_property
    def _rows_with(self) -> dict[str, list[int]]:
        """The rows with each text, with or without a prompt before it."""
        rows: dict[str, list[int]] = {}
        for row, line in enumerate(self.lines):
            for text in {line.strip(), self.grammar.more.sub("", line, count=1).strip()}:
                rows.setdefault(text, []).append(row)
        return rows


def _is_in(line: str, commands: Iterable[str]) -> bool:
    """Return whether a command contains a line, up to the end of a line or of a quote."""
    return any(
        re.search(re.escape(line) + r"\s*(?:$|[\n'\"\\])", command) for command in commands if line in command
    )
