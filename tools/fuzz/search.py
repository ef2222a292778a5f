"""Making hostile documents with hypothesis, giving each to its command, and keeping bad results."""

from __future__ import annotations

import hashlib
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from tools.fuzz import folders, mutations
from tools.fuzz.doors import Answer, Doors
from tools.fuzz.oddities import LARGEST

BATCH = 500
"""The number of documents that hypothesis makes at a time; it remembers these, so that none is repeated."""
TRIES = 300
"""How many times a document with a bad result is reduced."""
SHARES = {
    "lesson": 5,
    "directive": 5,
    "frontmatter": 3,
    "record": 3,
    "signed": 2,
    "checkpoint": 2,
    "bundle": 2,
    "folder": 3,
}
"""The weight of a kind; all others have 1."""
MUTATIONS: Mapping[str, Sequence[mutations.Mutation]] = {
    **dict.fromkeys(("lesson", "directive"), mutations.MARKDOWN),
    **dict.fromkeys(("frontmatter", "policy", "settings"), mutations.YAML),
    **dict.fromkeys(("record", "events", "evidence", "bundle"), mutations.JSON),
    "signed": (mutations.change_signed, mutations.change_signed, *mutations.JSON),
    "checkpoint": (mutations.change_checkpoint, mutations.change_checkpoint, *mutations.GENERAL),
    "folder": (folders.change,),
}


@dataclass(frozen=True, slots=True)
class Harm:
    """A document with a bad result."""

    kind: str
    data: bytes
    choice: int
    answer: Answer

    @property
    def sign(self) -> str:
        """What distinguishes it from others: where it went wrong, or otherwise how."""
        places = re.findall(r'File ".*?([\w-]+/[\w.-]+\.py)", line (\d+)', self.answer.trace)
        return f"{self.kind}: {places[-1] if places else re.sub(r'[0-9]+', 'N', self.answer.problem)[:80]}"


@dataclass(slots=True)
class Tally:
    """The results of a search."""

    tried: Counter[str] = field(default_factory=Counter)
    """Documents by kind."""
    codes: Counter[str] = field(default_factory=Counter)
    """Results, by kind and exit code."""
    harms: dict[str, Harm] = field(default_factory=dict)
    distinct: set[bytes] = field(default_factory=set)
    slowest: tuple[float, str] = (0.0, "none")
    """Seconds of processor time, and the kind."""

    @property
    def total(self) -> int:
        """How many documents were tried."""
        return sum(self.tried.values())


def search(
    doors: Doors,
    originals: Mapping[str, Sequence[bytes]],
    documents: int,
    start: int,
    note: Path | None = None,
) -> Tally:
    """
    Try mutated documents.

    Args:
        originals: the documents to mutate, by kind.
        documents: how many.
        start: the seed; the same one makes the same documents of the same originals.
        note: where each document is written before it is tried, in case the interpreter itself crashes.
    """
    tally, batch = Tally(), 0
    while tally.total < documents:
        _batch(min(BATCH, documents - tally.total), f"{start}/{batch}", doors, originals, tally, note)
        batch += 1
        if batch % 10 == 0 and note is not None:
            print(f"{tally.total:,} documents, {len(tally.harms)} with bad results", flush=True)
    return tally


def _batch(
    size: int,
    start: str,
    doors: Doors,
    originals: Mapping[str, Sequence[bytes]],
    tally: Tally,
    note: Path | None,
) -> None:
    kinds = [kind for kind in originals for _ in range(SHARES.get(kind, 1))]

    @seed(start)
    @settings(
        database=None,
        deadline=None,
        max_examples=size,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(kinds), st.randoms(use_true_random=True))
    def one(kind: str, random: Random) -> None:
        data = mutated(originals[kind], MUTATIONS[kind], random)
        choice = random.randrange(2**32)
        if note is not None:
            note.write_bytes(data)
        began = time.process_time()
        answer = doors.try_document(kind, data, choice)
        tally.slowest = max(tally.slowest, (time.process_time() - began, kind))
        tally.tried[kind] += 1
        tally.codes[f"{kind} {answer.code}"] += 1
        tally.distinct.add(hashlib.sha256(kind.encode() + data).digest()[:12])
        if answer.problem:
            harm = Harm(kind, data, choice, answer)
            tally.harms.setdefault(harm.sign, harm)

    one()


def mutated(originals: Sequence[bytes], ways: Sequence[mutations.Mutation], random: Random) -> bytes:
    """Return one of the originals after a few mutations; if possible, the result differs from it."""
    original, other = random.choice(originals), random.choice(originals)
    data = original
    for number in range(8):
        data = random.choice(ways)(data, other, random)[:LARGEST]
        if data != original and random.random() < 0.5 + number / 10:
            break
    return data


def minimise(harm: Harm, doors: Doors) -> Harm:
    """Return a smaller document with the same bad result."""

    def harmful(data: bytes) -> Harm | None:
        answer = doors.try_document(harm.kind, data, harm.choice)
        found = Harm(harm.kind, data, harm.choice, answer)
        return found if answer.problem and found.sign == harm.sign else None

    left, smallest = TRIES, harm
    for pieces in (_lines, _bytes):
        size = max(1, len(pieces(smallest.data)) // 2)
        while size and left > 0:
            smallest, left = _without(smallest, pieces, size, harmful, left)
            size //= 2
    return smallest


def _without(
    harm: Harm,
    pieces: Callable[[bytes], list[bytes]],
    size: int,
    harmful: Callable[[bytes], Harm | None],
    left: int,
) -> tuple[Harm, int]:
    """Remove runs of ``size`` pieces, one after the other, if the bad result stays the same."""
    place = 0
    while left > 0 and place < len(parts := pieces(harm.data)):
        found = harmful(b"".join(parts[:place] + parts[place + size :]))
        left -= 1
        if found is None:
            place += size
        else:
            harm = found
    return harm, left


def _lines(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


def _bytes(data: bytes) -> list[bytes]:
    return [data[place : place + 1] for place in range(len(data))]
