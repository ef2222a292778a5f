"""
Run a Python block of a lesson as if it were typed in: a program for the Python of the terminal.

Arguments: the file with the block, the lesson's file, and the line of the lesson on which the block begins.

Modules in the current folder can be imported, and tracebacks name the lines of the lesson. Must work with old
versions of Python, and without the runner: the Python of the terminal may be any.
"""

import linecache
import os
import sys
import traceback
import types


def main():  # type: ignore[no-untyped-def]
    """Run the block."""
    script, lesson, line = sys.argv[1:4]
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120 - as in main
    sys.path[:] = [os.getcwd()] + [name for name in sys.path if name != here]  # noqa: PTH109
    sys.argv[:] = [script]
    with open(script, encoding="utf-8") as file:  # noqa: PTH123
        source = "\n" * (int(line) - 1) + file.read()
    linecache.cache[lesson] = (len(source), None, source.splitlines(True), lesson)
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=script, __builtins__=__builtins__)
    sys.modules["__main__"] = module
    try:
        code = compile(source, lesson, "exec")
    except SyntaxError as error:
        traceback.print_exception(SyntaxError, error, None)
        sys.exit(1)
    sys.excepthook = _without_this_file
    exec(code, module.__dict__)


def _without_this_file(kind, error, trace):  # type: ignore[no-untyped-def]
    traceback.print_exception(kind, error, trace and trace.tb_next.tb_next)


if __name__ == "__main__":
    main()  # type: ignore[no-untyped-call]
