"""What the formats share: safe text, counts, values and times as text, facts about steps."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from lesson_runner.execute.redaction.secrets import mask
from lesson_runner.model import LEFT_OUT
from lesson_runner.report.text import command_rows, number, safe

LONGEST = 100_000
"""Characters of a text that a report shows; the record has all of it."""
STATUSES = ("passed", "failed", "error", "skipped", "not-reached", "planned")
CLAIM_RESULTS = ("reproduced", "better", "worse", "not evaluated")
# Unicode's noncharacters: XML 1.0 cannot contain two of them, and all are errors in HTML.
_ENDS_OF_PLANES = "".join(f"{chr(end - 1)}{chr(end)}" for end in range(0xFFFF, 0x110000, 0x10000))
_NONCHARACTERS = re.compile(f"[\ufdd0-\ufdef{_ENDS_OF_PLANES}]")


def printable(text: object) -> str:
    """
    Return a text that XML 1.0, HTML and UTF-8 can all contain: no escapes, no control characters.

    A text longer than :data:`LONGEST` is cut.
    """
    return _NONCHARACTERS.sub("\ufffd", safe(shortened(str(text), LONGEST)))


def public(text: object) -> str:
    """Return :func:`printable` text without access tokens, since people share reports."""
    return mask(printable(text))


def shortened(text: str, limit: int) -> str:
    """Return the beginning of a text of more than ``limit`` characters, and how many are left out."""
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text) - limit:,} more characters)"


def counts(values: Iterable[str], order: Iterable[str]) -> str:
    """Return how often each value occurs, such as ``21 passed, 2 skipped``."""
    found = Counter(values)
    return ", ".join(f"{found[name]} {name}" for name in order if found[name])


def step_counts(record: Mapping[str, Any]) -> str:
    """Return how many steps passed, failed and so on, and how many the user left out."""
    named = ("left out" if left_out(step) else str(step["status"]) for step in record["steps"])
    return counts(named, (*STATUSES, "left out")) or "no steps"


def left_out(step: Mapping[str, Any]) -> bool:
    """Return whether the user's selection left a step out."""
    return str(step["message"]).startswith(LEFT_OUT)


def claims_of(record: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Return each claim with its step."""
    return [(step, claim) for step in record["steps"] for claim in step["claims"]]


def claim_counts(record: Mapping[str, Any]) -> str:
    """Return how many of the lesson's claims have each result; empty if it makes none."""
    return counts((str(claim["result"]) for _, claim in claims_of(record)), CLAIM_RESULTS)


def unmet(step: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the verdicts of a step's expectations that were not met."""
    return [verdict for verdict in step["verdicts"] if not verdict["passed"]]


def command_of(step: Mapping[str, Any]) -> list[str]:
    """Return the lines of the command that a step ran."""
    return command_rows(str(step.get("command", "")), step["action"])


def went_wrong(step: Mapping[str, Any]) -> bool:
    """Return whether a step, optional or not, failed or ended with an error."""
    return step["status"] in ("failed", "error")


def value(item: Any) -> str:
    """Return a value of a record for people: numbers with four digits, lists and objects as JSON."""
    if isinstance(item, bool) or item is None:
        return {True: "yes", False: "no", None: "none"}[item]
    if isinstance(item, int | float):
        return number(item)
    return item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)


def cell(item: Any) -> str:
    """Return a cell of a plugin's table; nothing for ``None``."""
    return "" if item is None else value(item)


def moment(stamp: str | None) -> str:
    """Return a record's time to the second, such as ``2026-11-23 15:04:05 UTC``."""
    return f"{stamp[:10]} {stamp[11:19]} UTC" if stamp else ""


def milliseconds(stamp: str) -> int:
    """Return a record's time in milliseconds since 1970; 0 if it is not a valid time."""
    try:
        return round(datetime.fromisoformat(stamp.replace("Z", "+00:00")).timestamp() * 1000)
    except ValueError:
        return 0
