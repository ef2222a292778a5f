"""
Run a file as a person would type it in at Python's prompt: the values of expressions are shown.

The file is the first argument. The others are lines, from 1: the statements that begin there are expected to
raise an exception. After any other exception the session ends.
"""


def _run() -> None:
    # Imported here, so that the statements do not see these names.
    import ast
    import sys
    import traceback
    from pathlib import Path

    path, expected = sys.argv[1], set(map(int, sys.argv[2:]))
    sys.argv[:] = [""]
    try:
        statements = ast.parse(Path(path).read_text("utf-8"), path).body
    except SyntaxError as error:
        traceback.print_exception(SyntaxError, error, None)
        sys.exit(1)
    names = sys.modules["__main__"].__dict__
    del names["_run"]
    for statement in statements:
        try:
            exec(compile(ast.Interactive([statement]), path, "single", dont_inherit=True), names)
        except Exception as error:
            trace = error.__traceback__
            traceback.print_exception(type(error), error, trace and trace.tb_next)
            if statement.lineno not in expected:
                sys.exit(1)


_run()
