"""``--sandbox`` and ``--env``: what commands of a lesson may touch, and which variables they get."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lesson_runner.execute.sandbox import Sandbox


@dataclass(frozen=True, slots=True)
class Guard:
    """
    What commands are kept from.

    Attributes:
        passed: variables that they get although they look like credentials.
        sandbox: what they run in; ``None``: as the user, with all that the user may do.
    """

    passed: frozenset[str] = frozenset()
    sandbox: Sandbox | None = None

    def with_network(self, allowed: bool) -> Guard:
        """Return the same, with or without network; without a sandbox there always is."""
        if self.sandbox is None:
            return self
        return dataclasses.replace(self, sandbox=dataclasses.replace(self.sandbox, network=allowed))


def open_guard(env: Iterable[str] | None, *, sandbox: bool) -> Guard:
    """
    Return what the options ask for.

    Raises:
        LessonError: a variable is not there, or no sandbox can be made here.
    """
    from lesson_runner.execute.environment import check_passed
    from lesson_runner.execute.sandbox import open_sandbox

    return Guard(check_passed(env or ()), open_sandbox() if sandbox else None)
