"""
Run benchmarks and print a table.

::

    python -m benchmarks                      # all of them
    python -m benchmarks validation --json
    python -m benchmarks validation --folder my/lessons
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks import commands, documents, scale, validation

CASES = {
    "validation": validation.run,
    "start": commands.start,
    "steps": commands.steps,
    "shell-blocks": documents.shell,
    "python-blocks": documents.python,
    "scale": scale.run,
}


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("case", nargs="*", help=f"one of {', '.join(CASES)}; all of them if left out")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--turns", type=int, default=7, help="how often each way is measured")
    parser.add_argument("--folder", type=Path, help="validation: lessons of your own")
    arguments = parser.parse_args()
    if unknown := set(arguments.case) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; one of {', '.join(CASES)}")
    results = []
    for name in arguments.case or CASES:
        what, timings = CASES[name](arguments.folder, max(arguments.turns, 1))
        results.append({"case": name, "what": what, "times": {item.name: item.times for item in timings}})
        if not arguments.json:
            sys.stdout.write(f"{name}: {what}; {_machine()}\n")
            for item in timings:
                ratio = item.median / timings[0].median
                sys.stdout.write(f"  {item.name:<24} {item.median * 1000:8.0f} ms  {ratio:5.2f}\n")
    if arguments.json:
        sys.stdout.write(json.dumps({"machine": _machine(), "results": results}, indent=2) + "\n")


def _machine() -> str:
    parts = [f"Python {platform.python_version()}", f"markdown-it-py {version('markdown-it-py')}"]
    return ", ".join([*parts, platform.machine(), f"{os.cpu_count()} cores"])


main()
