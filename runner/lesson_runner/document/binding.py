"""Find the blocks of a document that the entries of a sidecar name, and report those that are not there."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lesson_runner.document.directives import Directive
from lesson_runner.document.sidecar import Entries, Entry, describe_change, same_text
from lesson_runner.model import Block, Diagnostic

Headings = tuple[str, ...]


@dataclass(slots=True)
class Bound:
    """Where the directives of a sidecar stand in a document."""

    on: dict[int, list[Directive]] = field(default_factory=lambda: defaultdict(list))
    """Those of each fence, by its index."""
    above: dict[int, list[Directive]] = field(default_factory=lambda: defaultdict(list))
    """Those without a block that stand above a fence, by its index."""
    below: dict[Headings, list[Directive]] = field(default_factory=lambda: defaultdict(list))
    """Those without a block that stand at the end of a section."""
    whole: list[Directive] = field(default_factory=list)
    """Those for the whole document."""
    problems: list[Diagnostic] = field(default_factory=list)
    moved: dict[int, int] = field(default_factory=dict)
    """The index of the fence that an outdated entry is most likely about, by the entry's number from 0."""


def numbered(blocks: Sequence[Block]) -> Iterator[tuple[tuple[Headings, int], int]]:
    """Yield the headings of each fence and its number below them, and its index."""
    counts: Counter[Headings] = Counter()
    for index, block in enumerate(blocks):
        counts[block.headings] += 1
        yield (block.headings, counts[block.headings]), index


def bind(sidecar: Entries, blocks: Sequence[Block], headings: Sequence[Headings], path: Path) -> Bound:
    """
    Return where the entries of a sidecar stand.

    A block is found by its place and its text. If only a heading above it was renamed, a warning says so; if
    it changed or moved, an error shows how.

    Args:
        blocks: the fences of the document.
        headings: the paths of all its headings.
    """
    bound = Bound(problems=list(sidecar.problems))
    places = dict(numbered(blocks))
    titles = {(), *headings}
    waiting: list[tuple[int, Entry]] = []
    for number, entry in enumerate(sidecar.entries):
        index = places.get((entry.heading, entry.fence or 0))
        if entry.text is None:
            _place(entry, index, titles, bound, path)
        elif index is not None and same_text(entry.text, blocks[index].text):
            bound.on[index].append(entry.directive)
        else:
            waiting.append((number, entry))
    taken = set(bound.on)
    for number, entry in waiting:
        same = [
            n for n, block in enumerate(blocks) if n not in taken and same_text(entry.text or "", block.text)
        ]
        index = places.get((entry.heading, entry.fence or 0))
        if same or index is not None:
            bound.moved[number] = same[0] if len(same) == 1 or index is None else index
        if len(same) == 1 and entry.heading not in titles:
            bound.on[same[0]].append(entry.directive)
            now = _named(blocks[same[0]].headings)
            message = f"there is no heading {_named(entry.heading)}; its block is now below {now}"
            bound.problems.append(_reported("sidecar-renamed", entry, message, path))
        else:
            bound.problems.append(_missing(entry, blocks, same, index, titles, path))
    _check_single(bound)
    return bound


def _place(entry: Entry, index: int | None, titles: set[Headings], bound: Bound, path: Path) -> None:
    """Place an entry without a block."""
    if entry.directive.word == "ignore":
        bound.whole.append(entry.directive)
    elif entry.fence is None and entry.heading in titles:
        bound.below[entry.heading].append(entry.directive)
    elif index is not None:
        bound.above[index].append(entry.directive)
    else:
        what = f"fence {entry.fence} below " if entry.heading in titles else "heading "
        message = f"{path} has no {what}{_named(entry.heading)}"
        bound.problems.append(_reported("sidecar-unbound", entry, message, path))


def _missing(
    entry: Entry,
    blocks: Sequence[Block],
    same: Sequence[int],
    index: int | None,
    titles: set[Headings],
    path: Path,
) -> Diagnostic:
    """Return the error about an entry whose block is not where it says, or has another text."""
    if same:
        found = {key: n for key, n in numbered(blocks) if n in same}
        now = " or ".join(
            f"fence {number} below {_named(titles_)} (line {blocks[n].location.line - 1})"
            for (titles_, number), n in found.items()
        )
        return _reported("sidecar-changed", entry, f"its block has moved: it is now {now}", path)
    if index is not None:
        change = describe_change((entry.text or "").rstrip("\n"), blocks[index].text.rstrip("\n"))
        line = blocks[index].location.line - 1
        return _reported("sidecar-changed", entry, f"its block (line {line}) has changed: {change}", path)
    what = f"no fence {entry.fence} below" if entry.heading in titles else "no heading"
    message = f"{path} has {what} {_named(entry.heading)}, and no block with this text"
    return _reported("sidecar-unbound", entry, message, path)


def _check_single(bound: Bound) -> None:
    """Report blocks with several directives, of which only ``ignore`` may stand beside another."""
    for index, found in bound.on.items():
        others = [item for item in found if item.word != "ignore"]
        for item in others[1:]:
            message = f"there is another '{others[0].word}' for this block on line {others[0].location.line}"
            bound.problems.append(
                Diagnostic("sidecar-conflict", "error", message, item.location, "keep one of them")
            )
            bound.on[index].remove(item)


def _reported(rule: str, entry: Entry, message: str, path: Path) -> Diagnostic:
    fix = f"if the directive still fits: lesson annotate {path} --sidecar --write"
    if rule == "sidecar-unbound":
        fix = "correct the entry, or remove it"
    return Diagnostic(
        rule,
        "warning" if rule == "sidecar-renamed" else "error",
        f"'{entry.directive.word}' entry: {message}",
        entry.directive.location,
        fix,
    )


def _named(headings: Headings) -> str:
    return " > ".join(f"'{title}'" for title in headings) if headings else "the top of the document"
