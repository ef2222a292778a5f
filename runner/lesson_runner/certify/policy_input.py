"""The input of a policy check, and its results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from lesson_runner.certify.classes import Place, place_of_run
from lesson_runner.certify.rejudge import RejudgedStep


def parse_time(text: str) -> datetime:
    """
    Return the time that a record or a certificate writes as text.

    Raises:
        ValueError: no such day or hour exists.
    """
    # Python 3.10 reads only fractions of three or six digits, and no Z.
    whole, _, rest = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{rest[:6]:0<6}").replace(tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class Pass:
    """One rejudged run of the lesson."""

    record: Mapping[str, Any]
    steps: tuple[RejudgedStep, ...]

    @property
    def id(self) -> str:
        """The run's id."""
        return str(self.record["run_id"])

    @property
    def place(self) -> Place:
        """Its class and hardware."""
        return place_of_run(self.record)


@dataclass(frozen=True, slots=True)
class PolicyInput:
    """Everything that a policy is checked against."""

    frontmatter: Mapping[str, Any]
    """The lesson's frontmatter."""
    actions: frozenset[str]
    """The actions that its plan uses."""
    passes: tuple[Pass, ...]


@dataclass(frozen=True, slots=True)
class RequirementResult:
    """
    One requirement of a policy, and whether it is met.

    Attributes:
        requirement: a short, stable name, such as ``fresh``.
        asked: what the policy asks, in words.
        found: what the runs show, in words.
        fix: how to meet it; empty if it is met.
    """

    requirement: str
    asked: str
    found: str
    fix: str = ""

    @property
    def met(self) -> bool:
        """True if the runs meet it."""
        return not self.fix
