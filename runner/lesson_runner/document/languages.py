"""Languages of code blocks: the word after the opening fence."""

from __future__ import annotations

TERMINAL = frozenset({"console", "shell-session", "shellsession"})
"""Languages of blocks that show a terminal: commands after prompts, and output."""
SHELL = frozenset({"bash", "sh", "shell", "zsh"}) | TERMINAL
"""Languages of blocks with shell commands."""
PYTHON = frozenset({"python", "py", "python3", "pycon", "ipython"})
"""Languages of blocks with Python, a Python prompt or a notebook."""
