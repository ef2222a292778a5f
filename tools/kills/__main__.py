"""
Kill real runs at random moments, and check that each gives the right result when resumed, bit for bit.

::

    python -m tools.kills --kills 50 --seed 1
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tools.kills.harness import Trial, alone, killed


def main() -> int:
    """Kill, resume, and compare; return how many runs had a different result."""
    parser = argparse.ArgumentParser(prog="python -m tools.kills", description=__doc__.strip().split("\n")[0])
    parser.add_argument("--kills", type=int, default=50, help="runs to kill")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="decides the moments")
    options = parser.parse_args()
    sys.stdout.write(f"seed {options.seed}\n")
    draw, began = random.Random(options.seed), time.monotonic()
    trials: list[Trial] = []
    with tempfile.TemporaryDirectory() as name:
        expected, seconds = alone(Path(name, "alone"))
        sys.stdout.write(f"uninterrupted, the run takes {seconds:.1f} s\n")
        while len(trials) < options.kills:
            number = len(trials) + 1
            folder = Path(name, str(number))
            trial = killed(folder, number, expected, seconds, draw)
            if trial.kills or trial.wrong:  # otherwise it was faster than the uninterrupted run
                trials.append(trial)
            torn = f", {trial.torn} bytes of its events lost" if trial.torn else ""
            result = "; ".join(trial.wrong) or "as if left alone"
            sys.stdout.write(f"{number}: killed at {', '.join(trial.kills)}{torn}: {result}\n")
            sys.stdout.flush()
            shutil.rmtree(folder)
    good = sum(not trial.wrong for trial in trials)
    places = Counter(place for trial in trials for place in trial.kills)
    where = ", ".join(f"{place} {count}" for place, count in places.most_common())
    sys.stdout.write(
        f"{good} of {len(trials)} came out as if left alone, in {time.monotonic() - began:.0f} s\n"
    )
    sys.stdout.write(f"kills: {sum(places.values())} ({where})\n")
    return len(trials) - good


if __name__ == "__main__":
    sys.exit(min(main(), 100))
