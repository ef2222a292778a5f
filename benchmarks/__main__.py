"""
Run benchmarks and print tables that compare each with what a user would otherwise use, in one run.

::

    python -m benchmarks                      # all of them
    python -m benchmarks training --steps 5
    python -m benchmarks validation --folder my/lessons --json

A case is a module with a function ``options``, which adds the case's own arguments, and a function ``run``,
which measures and yields tables; it also needs one entry below.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import (
    certificates,
    commands,
    documents,
    generation,
    machine,
    output,
    scale,
    training,
    validation,
)
from benchmarks.cases import Case, OneTable
from benchmarks.turns import Result

CASES: Mapping[str, Case] = {
    "training": training,
    "generation": generation,
    "validation": validation,
    "start": OneTable(commands.start),
    "steps": OneTable(commands.steps),
    "shell-blocks": OneTable(documents.shell),
    "python-blocks": OneTable(documents.python),
    "output": OneTable(output.run),
    "scale": OneTable(scale.run),
    "certificates": OneTable(certificates.run),
}


def main(argv: Sequence[str]) -> None:
    """Read the arguments, measure, and print."""
    given = argv[0] if argv and not argv[0].startswith("-") else None
    if given is not None and given not in CASES:
        _parser(None).error(f"no such case: {given}; one of {', '.join(CASES)}")
    if given is None:
        _parser(None).parse_args(argv)
    where, results = machine.describe(), []
    for name in CASES if given is None else [given]:
        options = _parser(name).parse_args(argv[given is not None :])
        options.turns = max(options.turns, 1)
        for result in CASES[name].run(options):
            results.append(_plain(name, result))
            if not options.json:
                if len(results) == 1:
                    sys.stdout.write("; ".join(f"{what}: {is_}" for what, is_ in where.items()) + "\n")
                _print(name, result)
    if options.json:
        sys.stdout.write(json.dumps({"machine": where, "results": results}, indent=2) + "\n")


def _parser(case: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks {case or '[CASE]'}",
        description=__doc__ if case is None else CASES[case].__doc__,
        epilog=f"CASE is one of {', '.join(CASES)}; default: all of them" if case is None else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--turns", type=int, default=7, help="how many times each variant is measured")
    if case is not None:
        CASES[case].options(parser)
    return parser


def _plain(case: str, result: Result) -> dict[str, Any]:
    times = {item.name: item.times for item in result.timings}
    return {"case": case, "what": result.what, "times": times, "notes": list(result.notes)}


def _print(case: str, result: Result) -> None:
    wide = max(len(item.name) for item in result.timings)
    rate = f"{result.rate + '/s':>12}" if result.rate else ""
    sys.stdout.write(f"\n{case}: {result.what}\n")
    sys.stdout.write(f"  {'':<{wide}}   median ms   lowest ms   ratio{rate}\n")
    for item in result.timings:
        ratio = item.median / result.timings[0].median
        rate = f"{1 / item.median:12.1f}" if result.rate else ""
        times = f"{item.median * 1000:12.2f}{min(item.times) * 1000:12.2f}{ratio:8.2f}"
        sys.stdout.write(f"  {item.name:<{wide}}{times}{rate}\n")
    for note in result.notes:
        sys.stdout.write(f"  {note}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
