"""The words of one command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lesson_runner.roles.needs.world import is_known


@dataclass(frozen=True, slots=True)
class Command:
    """A simple command, without ``sudo`` and the like before it."""

    before: tuple[str, ...]
    """The names of those."""
    words: tuple[str, ...]
    """The words as the program gets them; variables are not expanded."""

    @property
    def name(self) -> str:
        """The program's name, without its folder; empty if there is none."""
        return self.words[0].rpartition("/")[2] if self.words else ""

    @property
    def plain(self) -> tuple[str, ...]:
        """The words after the name that are no options."""
        return tuple(word for word in self.words[1:] if not word.startswith("-"))

    def after(self, *valued: str) -> list[str]:
        """Return the words that are no options, and no values of those named."""
        found, skips = [], False
        for word in self.words[1:]:
            if skips:
                skips = False
            elif word.startswith("-"):
                skips = word in valued
            else:
                found.append(word)
        return found

    def options(self, *names: str) -> Iterator[str]:
        """Yield the values of options, as in ``-o x``, ``-ox`` and ``--out=x``."""
        for index, word in enumerate(self.words[1:], 1):
            name, equals, value = word.partition("=")
            if name in names:
                following = self.words[index + 1] if index + 1 < len(self.words) else ""
                yield value if equals else following
            elif not word.startswith("--"):
                short = next((item for item in names if len(item) == 2 and word.startswith(item)), "")
                ends = next((item for item in names if len(item) == 2 and _groups(word, item[1])), "")
                if ends and index + 1 < len(self.words):
                    yield self.words[index + 1]
                elif short:
                    yield word[2:]

    def option(self, *names: str) -> str | None:
        """Return the first value of an option; ``None`` if there is none, or if it is not written out."""
        return next((value for value in self.options(*names) if is_known(value) or "-c" in names), None)


def _groups(word: str, letter: str) -> bool:
    """Return whether a group of short options (``-sSo``) ends with the letter of one that takes a value."""
    return word.startswith("-") and word[1:].isalpha() and len(word) > 2 and word.endswith(letter)
