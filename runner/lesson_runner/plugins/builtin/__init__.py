"""The built-in plugin, with the actions that every lesson can use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lesson_runner.plugins import hookimpl

if TYPE_CHECKING:
    from lesson_runner.plugins import Action, Event, RunContext


@hookimpl
def lesson_actions() -> Iterable[Action]:
    """Return ``shell``, ``python``, ``service``, ``file`` and ``manual``."""
    from lesson_runner.plugins.builtin.file import FILE
    from lesson_runner.plugins.builtin.manual import MANUAL
    from lesson_runner.plugins.builtin.python import PYTHON
    from lesson_runner.plugins.builtin.service import ACTION
    from lesson_runner.plugins.builtin.shell import SHELL

    return (SHELL, PYTHON, ACTION, FILE, MANUAL)


@hookimpl
def lesson_step_event(event: Event, context: RunContext) -> None:
    """At the end of a run, stop its background processes and remove the sandbox's files."""
    if event.kind == "run-finished":
        from lesson_runner.plugins.builtin.shell import clean_up

        clean_up(context)
