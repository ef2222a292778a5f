"""Languages of code blocks: the word after the opening fence."""

from __future__ import annotations

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
