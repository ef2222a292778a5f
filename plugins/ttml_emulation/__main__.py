"""`python -m ttml_emulation SCRIPT ARGS...`: run a script that was written for a board."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from types import TracebackType

USAGE = "usage: python -m ttml_emulation [--numerics device|fp32] [--ttml FOLDER] SCRIPT ARGS..."
INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    """Run the script as `__main__`, with its own `sys.argv`.

    Returns 2 for a usage error, and 1 if the script raised an exception, after printing its traceback.
    `--ttml` is where to import `ttml` from: a tt-metal tree, or a folder with a package `ttml`.
    """
    options = {"--numerics": "device", "--ttml": ""}
    while arguments and arguments[0].startswith("-"):
        option, _, value = arguments[0].partition("=")
        arguments = arguments[1:]
        if option in ("-h", "--help"):
            print(USAGE)  # noqa: T201
            return 0
        if option not in options:
            return _usage(f"unknown option {option}")
        if not value:
            if not arguments:
                return _usage(f"{option} needs a value")
            value, *arguments = arguments
        options[option] = value
    numerics = options["--numerics"]
    if numerics not in ("device", "fp32"):
        return _usage(f"--numerics must be device or fp32, not {numerics}")
    if not arguments:
        return _usage("no script given")
    script = Path(arguments[0])
    if not script.is_file():
        return _usage(f"no such script: {script}")
    try:
        from .install import find_package, install
    except ImportError as error:
        return _usage(f"{error}; install the `cpu` extra")
    package = find_package(Path(options["--ttml"])) if options["--ttml"] else None
    if options["--ttml"] and package is None:
        return _usage(f"--ttml: no ttml/__init__.py in {options['--ttml']}, nor below tt-train/sources/ttml")
    sys.argv = arguments
    sys.path[0] = str(script.resolve().parent)  # as with `python SCRIPT`
    install("fp32" if numerics == "fp32" else "device", package and package.resolve())
    return _run(str(script.absolute()))


def _run(script: str) -> int:
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit:
        raise
    except BaseException as error:
        error.__traceback__ = _from_script(error.__traceback__)
        sys.excepthook(type(error), error, error.__traceback__)
        return INTERRUPTED if isinstance(error, KeyboardInterrupt) else 1
    return 0


def _from_script(traceback: TracebackType | None) -> TracebackType | None:
    """Remove our own frames; nothing is left for a script that does not compile."""
    ours = {__file__, runpy.__file__, "<frozen runpy>"}
    while traceback is not None and traceback.tb_frame.f_code.co_filename in ours:
        traceback = traceback.tb_next
    return traceback


def _usage(message: str) -> int:
    print(f"ttml_emulation: {message} ({USAGE})", file=sys.stderr)  # noqa: T201
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
