"""`python -m ttml_emulation [--numerics device|fp32] SCRIPT ARGS...`: run a script written for a board."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

USAGE = "usage: python -m ttml_emulation [--numerics device|fp32] SCRIPT ARGS..."


def main(arguments: list[str]) -> int:
    """Run the script as `__main__`, with its own `sys.argv`; 2 if the command cannot be understood."""
    numerics = "device"
    while arguments and arguments[0].startswith("-"):
        option, _, value = arguments[0].partition("=")
        arguments = arguments[1:]
        if option in ("-h", "--help"):
            print(USAGE)  # noqa: T201
            return 0
        if option != "--numerics":
            return _usage(f"unknown option {option}")
        if not value:
            if not arguments:
                return _usage("--numerics needs a value")
            value, *arguments = arguments
        numerics = value
    if numerics not in ("device", "fp32"):
        return _usage(f"--numerics is device or fp32, not {numerics}")
    if not arguments:
        return _usage("no script given")
    script = Path(arguments[0])
    if not script.is_file():
        return _usage(f"no such script: {script}")
    try:
        from .install import install
    except ImportError as error:
        return _usage(f"{error}; install the `cpu` extra")
    install("fp32" if numerics == "fp32" else "device")
    sys.argv = arguments
    sys.path[0] = str(script.resolve().parent)  # as `python SCRIPT` has it
    runpy.run_path(str(script), run_name="__main__")
    return 0


def _usage(message: str) -> int:
    print(f"ttml_emulation: {message} ({USAGE})", file=sys.stderr)  # noqa: T201
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
