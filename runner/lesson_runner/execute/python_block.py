"""
Run Python blocks of a lesson as if they were typed in: a program for the Python of the terminal.

``python_block.py BLOCK`` runs one block. ``python_block.py --serve FOLDER`` is a session, in which blocks share
their names: it runs the blocks that the pipe ``request`` in the folder names, each with the files for its output
and errors (``out`` and ``err``), and writes their exit codes to the pipe ``reply``.

A block is a JSON object: ``script`` is the file with its source, ``lesson`` the lesson's file, and ``line`` the
line of the lesson on which the block begins. ``raising`` is null for a program. For statements after Python's
prompt, whose values are shown, it lists the lines of those that are expected to raise.

Modules in the current folder can be imported, and tracebacks name the lines of the lesson. Must work with old
versions of Python, and without the runner: the Python of the terminal may be any.
"""

# mypy: disable-error-code="no-untyped-def, no-untyped-call, attr-defined"
# ruff: noqa: E501

import ast
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


def run(module, block):
    """Run a block in a module."""
    script, lesson = block["script"], block["lesson"]
    sys.argv[:] = [script]
    module.__dict__["__file__"] = script
    source = "\n" * (block["line"] - 1) + Path(script).read_text("utf-8")
    linecache.cache[lesson] = (len(source), None, source.splitlines(True), lesson)
    if block["raising"] is None:
        exec(compile(source, lesson, "exec"), module.__dict__)
        return
    for statement in compile(source, lesson, "exec", ast.PyCF_ONLY_AST).body:
        try:
            exec(compile(ast.Interactive([statement]), lesson, "single"), module.__dict__)
        except Exception:
            if statement.lineno not in block["raising"]:
                raise
            show(*sys.exc_info())


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
            block = json.loads(pipe.readline())
        connect(1, block["out"])
        connect(2, block["err"] if Path(block["err"]).exists() else block["out"])
        ended, code = False, 0
        try:
            run(module, block)
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
        run(new_main(), json.loads(sys.argv[1]))
