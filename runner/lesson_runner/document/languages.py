"""Languages of code blocks: what the text after an opening fence says."""

from __future__ import annotations

import re

TERMINAL = frozenset({"console", "shell-session", "shellsession", "sh-session", "bash-session", "terminal"})
"""Languages of blocks that show a terminal: commands after prompts, and output."""
SHELL = frozenset({"bash", "sh", "shell", "zsh"}) | TERMINAL
"""Languages of blocks with shell commands."""
PYTHON_SCRIPT = frozenset({"python", "py", "python3"})
"""Languages of blocks with a Python program, or statements after Python prompts."""
PYTHON_SESSION = frozenset({"pycon", "python-console", "python-repl"})
"""Languages of blocks that show Python's prompt: statements after prompts, and output."""
PYTHON = PYTHON_SCRIPT | PYTHON_SESSION | {"ipython", "ipython3"}
"""Languages of blocks with Python, a Python prompt or a notebook."""
RUNNABLE = (SHELL - {"zsh"}) | PYTHON_SCRIPT | PYTHON_SESSION
"""Languages of blocks that a step can run; zsh is not among them, because bash runs shell blocks."""
TYPED_IN = SHELL | PYTHON | {"fish", "ksh", "dash"}
"""Languages of blocks that a reader types in, whether or not a step can run them."""

_WITH_ARGUMENT = re.compile(r"^\{(?:code|code-block|code-cell|sourcecode|prompt)\}[ \t]*(?=\w)")
_CLASS = re.compile(r"(?<![^\s{])\.(?P<name>[\w+#-]+)|\blang(?:uage)?=[\"']?(?P<value>[\w+#-]+)")
_WORD = re.compile(r"\{?[ \t]*(?:lang(?:uage)?[-=])?\.?(?P<name>[\w+#.-]+)")


def language_of(info: str) -> str:
    """
    Return the language that the text after an opening fence names, in lower case; empty if it names none.

    It is the first word, without what some tools attach to it: ``bash{1,3}``, ``bash,ignore``, ``sh:run.sh``.
    Also understood: ``{.bash .copy}`` (Pandoc), ``{bash}`` (R Markdown), ``{code-block} bash`` (MyST).
    """
    info = _WITH_ARGUMENT.sub("", info.strip(), count=1).lower()
    if info.startswith("{") and (attribute := _CLASS.search(info.partition("}")[0])):
        return attribute["name"] or attribute["value"]
    found = _WORD.match(info)
    return found["name"] if found else info.split()[0] if info else ""
