"""What a policy is held against, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from lesson_runner.certify.classes import Place, place_of_run
from lesson_runner.certify.rejudge import Judged


def moment(text: str) -> datetime:
    """
    Return a time of a record or a certificate.

    Raises:
        ValueError: there is no such day, or no such hour.
    """
    # Python 3.10 reads fractions of three or of six digits, and no Z.
    whole, _, rest = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{rest[:6]:0<6}").replace(tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True)
class Pass:
    """One run of the lesson, judged again."""

    record: Mapping[str, Any]
    steps: tuple[Judged, ...]

    @property
    def id(self) -> str:
        """The run's."""
        return str(self.record["run_id"])

    @property
    def place(self) -> Place:
        """Where it was made."""
        return place_of_run(self.record)


@dataclass(frozen=True, slots=True)
class Case:
    """All that a policy is held against."""

    frontmatter: Mapping[str, Any]
    """The lesson's."""
    actions: frozenset[str]
    """Those its plan uses."""
    passes: tuple[Pass, ...]


@dataclass(frozen=True, slots=True)
class RequirementResult:
    """
    One thing that a policy asks.

    Attributes:
        requirement: short and stable, such as ``fresh``.
        asked: in words.
        found: in words.
        fix: what would satisfy it; empty if it is met.
    """

    requirement: str
    asked: str
    found: str
    fix: str = ""

    @property
    def met(self) -> bool:
        """True if nothing is missing."""
        return not self.fix
