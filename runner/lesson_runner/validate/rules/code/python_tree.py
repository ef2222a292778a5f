"""Python blocks as syntax trees, parsed once for all rules."""

from __future__ import annotations

import ast
import re
import warnings
from dataclasses import dataclass

from lesson_runner.document.languages import PYTHON
from lesson_runner.document.transcripts import typed_in, typed_python
from lesson_runner.model import Lesson, Location
from lesson_runner.validate.rules.code.blocks import Code, blocks

LONGEST = 64_000
"""Upper limit for the characters of a block that is parsed."""
_PLACEHOLDER = re.compile(r"<(?![^<>]* (?:and|or|in|if) )[A-Za-z][\w./:|-]*(?: [\w./:|-]+)*>")
_MAGIC = re.compile(
    r"^([ \t]*)(?:[\w., ]+=[ \t]*)?(?:[!%][A-Za-z!%./$~{]|\?[A-Za-z]|[\w.]+\?{1,2}[ \t]*$).*",
    re.MULTILINE,
)
_HEADER = re.compile(
    r"(?P<margin>[ \t]*)"
    r"(?:(?:def|class|if|for|while|with|else|elif|try|except|finally|async|match|case)\b|\))"
    r".*:[ \t]*(?:#.*)?$"
)
_OTHER_LANGUAGE = re.compile(r"\s*%%(?!time|timeit|capture|prun|memit)\w")


@dataclass(frozen=True, slots=True)
class Python:
    """A Python block and its syntax tree."""

    code: Code
    lines: tuple[str, ...]
    """The lines that were parsed."""
    cut: tuple[int, ...]
    """How many characters were removed from the start of each line."""
    tree: ast.Module | None = None
    """``None`` if the block does not parse, or was not parsed."""
    error: SyntaxError | None = None
    """Why it does not parse; ``None`` if it was not parsed."""

    def place(self, line: int, column: int) -> Location:
        """Return the place in the document of a node (line from 1, column in bytes from 0)."""
        row = min(max(line, 1), len(self.lines)) - 1
        before = self.lines[row].encode("utf-8", "replace")[: max(column, 0)].decode("utf-8", "replace")
        return self.code.place(row, self.cut[row] + len(before))


_latest: list[tuple[Lesson, tuple[Python, ...]]] = []


def pythons(lesson: Lesson) -> tuple[Python, ...]:
    """Return the Python blocks of a lesson; the last lesson's blocks are cached."""
    for known, found in _latest:
        if known is lesson:
            return found
    found = tuple(_read(code) for code in blocks(lesson, PYTHON, "python"))
    _latest[:] = [(lesson, found)]
    return found


def _read(code: Code) -> Python:
    typed = typed_in(code.block)
    lines = typed.text.split("\n")
    python = Python(code, tuple(lines), typed.cut)
    if len(code.block.text) > LONGEST or (not code.run and _OTHER_LANGUAGE.match(code.block.text)):
        return python
    tree, error = parse(typed.text, runs=code.run)
    if error is None or code.run:
        return Python(code, python.lines, python.cut, tree, error)
    lines, cut = _shown(code.block.text)
    tree, error = parse("\n".join(lines))
    return Python(code, tuple(lines), tuple(cut), tree, error)


def _shown(text: str) -> tuple[list[str], list[int]]:
    """Return a block's lines without prompts, margins, magics and gaps, and how much was cut from each."""
    typed = typed_python(text, session=True)
    lines, cut = typed.text.split("\n"), typed.cut
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    text = "\n".join(line[margin:] for line in lines)
    text = _PLACEHOLDER.sub(lambda match: "_" * len(match[0]), _MAGIC.sub(r"\1pass", text)).replace("…", "_")
    return _with_bodies(text.split("\n")), [before + margin for before in cut]


def _with_bodies(lines: list[str]) -> list[str]:
    """Add a body to each ``def`` or the like that has only a comment, or nothing."""
    lines = list(lines)
    for row, line in enumerate(lines):
        header = _HEADER.match(line)
        if header is None:
            continue
        margin = header["margin"]
        inside = row + 1
        while inside < len(lines) and lines[inside].lstrip()[:1] in ("", "#"):
            inside += 1
        if inside == len(lines):
            lines[row] = _with_pass(line)
        elif len(lines[inside]) - len(lines[inside].lstrip()) <= len(margin):
            if lines[inside].strip() in ("...", "_"):
                lines[inside] = f"{margin} {lines[inside].strip()}"
            elif any(between.lstrip().startswith("#") for between in lines[row + 1 : inside]):
                lines[row] = _with_pass(line)
    return lines


def _with_pass(header: str) -> str:
    head, _, comment = header.rpartition("#") if header.rstrip()[-1:] != ":" else (header, "", "")
    return f"{head.rstrip()} pass" + (f"  #{comment}" if comment else "")


def parse(text: str, *, runs: bool = False) -> tuple[ast.Module | None, SyntaxError | None]:
    """Return the tree of a script, or its error, or neither; ``runs`` also compiles it as a program."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            tree = ast.parse(text)
            if runs:
                compile(tree, "<block>", "exec", dont_inherit=True)
        except SyntaxError as error:
            return None, error
        except (ValueError, RecursionError, MemoryError, OverflowError):
            return None, None
    return tree, None
