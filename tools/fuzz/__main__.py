"""
Thousands of mutated documents: ``python -m tools.fuzz --documents 100000 --seed 1 --jobs 2``.

Prints the seed, how many documents of each kind were tried, the exit codes, and every document with a bad
result, which is minimised and kept in a folder. Exits with 1 if there was one.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import resource
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tools.fuzz.search import Tally
from tools.fuzz.work import work


def main() -> int:
    """Return 1 if a document had a bad result."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("--documents", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--kind", action="append", help="only documents of this kind, such as folder")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument(
        "--keep", type=Path, default=Path("fuzz-found"), help="the folder for documents with bad results"
    )
    given = parser.parse_args()
    kept, began = given.keep.absolute(), time.monotonic()
    print(f"seed {given.seed}, {given.documents:,} documents, {given.jobs} processes", flush=True)
    each = [(given.documents + n) // given.jobs for n in range(given.jobs)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(given.jobs, context) as pool:  # it raises if a process crashes
        asked = [pool.submit(work, size, given.seed + n, kept, given.kind) for n, size in enumerate(each)]
        tallies = [item.result() for item in asked]
    return tell(tallies, kept, time.monotonic() - began)


def tell(tallies: list[Tally], kept: Path, seconds: float) -> int:
    """Print the results."""
    tried = sum((item.tried for item in tallies), Counter[str]())
    codes = sum((item.codes for item in tallies), Counter[str]())
    distinct = len(set().union(*(item.distinct for item in tallies)))
    for kind in sorted(tried):
        answers = {name.split()[1]: n for name, n in sorted(codes.items()) if name.split()[0] == kind}
        print(
            f"{kind:>12} {tried[kind]:>8,}  " + ", ".join(f"{n:,} with {code}" for code, n in answers.items())
        )
    longest, kind = max(item.slowest for item in tallies)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{sum(tried.values()):,} documents, {distinct:,} of them different, in {seconds:,.0f} s")
    print(
        f"the slowest: {longest:.1f} s of processor time ({kind}); peak memory of a process: {peak:,.0f} MB"
    )
    harms = {sign: harm for item in tallies for sign, harm in item.harms.items()}
    for sign, harm in sorted(harms.items()):
        print(f"\n{sign}\n  {harm.answer.problem}\n  {harm.data[:300]!r}")
    print(f"{len(harms)} with bad results" + (f"; kept in {kept}" if harms else ""))
    return 1 if harms else 0


if __name__ == "__main__":
    sys.exit(main())
