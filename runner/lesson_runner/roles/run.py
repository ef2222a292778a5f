"""What runs as it stands, and the rule for what no other rule knows."""

from __future__ import annotations

from lesson_runner.document.languages import SHELL
from lesson_runner.roles.candidates import COMMAND_LINK
from lesson_runner.roles.rule import BlockRule
from lesson_runner.roles.view import BlockView


def shell_commands(view: BlockView) -> str | None:
    """A shell block."""
    return "it is commands of a shell" if view.kind == "shell" and view.block.language in SHELL else None


def prompts(view: BlockView) -> str | None:
    """A block with prompts."""
    if view.kind in ("shell", "python") and view.typed is not None and view.typed.transcript:
        return "it shows what a person types after prompts"
    return None


def commands_without_language(view: BlockView) -> str | None:
    """A block without a language, with nothing but commands."""
    if view.block.language or view.kind != "shell" or view.typed is None or view.typed.transcript:
        return None
    return "each of its lines is a command"


def complete_python(view: BlockView) -> str | None:
    """A whole program."""
    text = view.python
    if view.kind == "python" and text.is_complete and text.shows and not view.undefined:
        return "it is a whole program that shows something"
    return None


def used_later(view: BlockView) -> str | None:
    """Definitions for a later program."""
    if view.kind == "python" and len(view.memory.roles) in view.memory.used_later:
        return "a program below uses what it defines"
    return None


def link(view: BlockView) -> str | None:
    """A command link, which only plugins know."""
    return "no plugin says what this link does" if view.kind == COMMAND_LINK else None


SHELL_COMMANDS = BlockRule(
    "shell",
    "run",
    "Commands in a fence of a shell, which no other rule knows better, are a step.",
    shell_commands,
    "```bash\nmake\n```\n",
    '```json\n{"make": 1}\n```\n',
)
PROMPTS = BlockRule(
    "prompts",
    "run",
    "A person types what is after the prompts.",
    prompts,
    "```\n$ make\n```\n",
    "```\nmake: done\n```\n",
)
BARE = BlockRule(
    "bare-commands",
    "run",
    "Each line of a fence without a language is a known command.",
    commands_without_language,
    "```\ngit add .\ngit push\n```\n",
    "```\ngit was here\nbut now it is gone\n```\n",
)
USED_LATER = BlockRule(
    "used-later",
    "run",
    "Python defines what a whole program further below uses, as a cell of a notebook does.",
    used_later,
)
PYTHON = BlockRule(
    "whole-program",
    "run",
    "Python defines or imports all that it uses, leaves nothing out, and shows something.",
    complete_python,
    "```python\nfor size in (1, 2):\n    print(size)\n```\n",
    "```python\nsize = 3\n```\n",
)
LINK = BlockRule(
    "unknown-link",
    "illustration",
    "Only a plugin knows what a `command:` link does.",
    link,
)
