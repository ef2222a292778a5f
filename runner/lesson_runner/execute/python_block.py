"""
Run Python blocks of a lesson as if they were typed in: a program for the Python of the terminal.

``python_block.py FILE LESSON LINE`` runs one block: the file with its source, the lesson's file, and the line of
the lesson on which the block begins. ``python_block.py --serve FOLDER`` is a session, in which blocks share
their names: it runs the blocks that the pipe ``request`` in the folder names, each with the files for its output
and errors, and writes their exit codes to the pipe ``reply``.

Modules in the current folder can be imported, and tracebacks name the lines of the lesson. Must work with old
versions of Python, and without the runner: the Python of the terminal may be any.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call"
# ruff: noqa: E501

import json
import linecache
import os
import sys
import traceback
import types
from pathlib import Path


def new_main():
    """Return an empty module ``__main__``, and make modules in the current folder importable."""
    here = str(Path(__file__).parent)
    sys.path[:] = [str(Path.cwd()), *(name for name in sys.path if name != here)]
    module = types.ModuleType("__main__")
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = module
    return module


def run(module, script, lesson, line):
    """Run a block in a module."""
    sys.argv[:] = [script]
    module.__dict__["__file__"] = script
    source = "\n" * (line - 1) + Path(script).read_text("utf-8")
    linecache.cache[lesson] = (len(source), None, source.splitlines(True), lesson)
    exec(compile(source, lesson, "exec"), module.__dict__)


def show(kind, error, trace):
    """Print a traceback without the frames of this file."""
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    traceback.print_exception(kind, error, trace)


def connect(number, path):
    """Send what is written to a descriptor to a file."""
    with Path(path).open("wb", 0) as file:
        os.dup2(file.fileno(), number)


def serve(folder):
    """Run blocks that share their names, until one exits."""
    module = new_main()
    while True:
        with Path(folder, "request").open(encoding="utf-8") as pipe:
            script, lesson, line, out, err = json.loads(pipe.readline())
        connect(1, out)
        connect(2, err if Path(err).exists() else out)
        ended, code = False, 0
        try:
            run(module, script, lesson, line)
        except SystemExit as error:
            ended, code = True, error.code if isinstance(error.code, int) else int(error.code is not None)
        except BaseException:
            show(*sys.exc_info())
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        connect(1, os.devnull)
        connect(2, os.devnull)
        Path(folder, "reply").write_text(f"{code}\n")
        if ended:
            return


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(sys.argv[2])
    else:
        sys.excepthook = show
        run(new_main(), sys.argv[1], sys.argv[2], int(sys.argv[3]))
