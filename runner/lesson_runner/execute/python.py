"""Start Python so that it imports nothing from the current folder, which may not be trusted."""

from __future__ import annotations

import sys

# With -c, sys.path starts with the current folder; the flag -P that prevents it needs Python 3.11.
_SAFE = "import sys; sys.path[:1] = filter(None, sys.path[:1]); "


def python_code(code: str, *words: str, python: str = sys.executable) -> list[str]:
    """Return the command that runs ``code`` with ``words`` as its arguments."""
    return [python, "-c", _SAFE + code, *words]


def python_module(name: str, *words: str) -> list[str]:
    """Return the command that runs a module like ``python -m``."""
    return python_code(
        f"import runpy; runpy.run_module({name!r}, run_name='__main__', alter_sys=True)", *words
    )
