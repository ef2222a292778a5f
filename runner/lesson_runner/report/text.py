"""Small pieces of text: durations, numbers, and output made safe for a terminal."""

from __future__ import annotations

import json
import math
import re
from typing import Any

_SEQUENCE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
# Besides control characters, halves of surrogate pairs: no encoding can print them. And what turns the
# direction of writing, so that a text looks as if it said something else: CVE-2021-42574, "Trojan Source".
_UNSEEN = r"\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL = re.compile(rf"[\x00-\x08\x0b-\x1f{_UNSEEN}]")
_UNSEEN_IN_JSON = re.compile(f"[{_UNSEEN}]")


def safe(text: str) -> str:
    """Return ``text`` without terminal escapes: a lesson or a model must not move the cursor."""
    return _CONTROL.sub("�", _SEQUENCE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def json_text(data: Any) -> str:
    """
    Return ``data`` as JSON for people and programs: what a terminal would obey is written as escapes.

    So are halves of surrogate pairs, which a file's name may hold and UTF-8 cannot.

    Raises:
        ValueError: a number in it is not finite.
    """
    text = json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False)
    return _UNSEEN_IN_JSON.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def duration(seconds: float) -> str:
    """Return a time such as ``0.4 s``, ``12 s``, ``3 min 05 s`` or ``2 h 10 min``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def number(value: float | None) -> str:
    """Return a metric as people read it: four significant digits, thousands apart."""
    if isinstance(value, int):
        return f"{value:,}"
    if value is None or not math.isfinite(value):
        return "not finite"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.4g}"
