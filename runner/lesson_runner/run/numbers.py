"""Read a number as programs print it for people, in any of the usual ways to group digits."""

from __future__ import annotations

import re

_SPACES = " \u00a0\u2009\u202f"
_SIGNS = str.maketrans({"\u2212": "-", "\u2019": "'", **dict.fromkeys(_SPACES, " ")})
_PARTS = re.compile(r"([+-]?)([\d.,' _]*\d[\d.,' _]*?)(e[+-]?\d+)?", re.IGNORECASE)
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_GROUPS = {mark: re.compile(rf"\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+") for mark in ",.' "}
_LAKHS = re.compile(r"\d{1,2}(?:,\d{2})+,\d{3}")
_UNDERSCORES = re.compile(r"\d+(?:_\d+)+")
_PLAIN = re.compile(r"\d+")


def is_like_number(text: str) -> bool:
    """Return whether a text has a digit or stands for NaN or an infinity; words do not."""
    return any(character.isdigit() for character in text) or _NOT_FINITE.fullmatch(text.strip()) is not None


def read_number(text: str) -> float:
    """
    Return the number that a text stands for.

    Digits may be in groups of three with ``,`` or ``.``, a space or an apostrophe between them, or have ``_``
    between them (``1_000``). If ``,`` and ``.`` both occur, the last one is the decimal mark. A single ``,``
    groups digits if three follow and one to three precede it, the first not 0 (``59,061``); otherwise it is
    the decimal mark (``1,85``). A single ``.`` is the decimal mark (``1.234``). A percent sign, and a comma
    or a semicolon at the end, are not part of the number: ``12%`` is 12.

    Raises:
        ValueError: it stands for no number, or it is not certain for which.
    """
    given = text.strip()
    plain = given.translate(_SIGNS).rstrip(",;").rstrip().removesuffix("%").rstrip()
    if _NOT_FINITE.fullmatch(plain):
        return float(plain)
    parts = _PARTS.fullmatch(plain)
    digits = None if parts is None else _digits(parts[2])
    if parts is None or digits is None:
        raise ValueError(f"{given!r} is not a number that can be read without doubt")
    return float(f"{parts[1]}{digits}{parts[3] or ''}")


def _digits(text: str) -> str | None:
    """Return digits with ``.`` as the decimal mark and no groups; ``None`` if they are not a number."""
    commas, points = text.count(","), text.count(".")
    if commas and points:
        mark = "," if text.rfind(",") > text.rfind(".") else "."
    elif commas + points == 1:
        mark = "." if points or not _is_group(text) else ""
        mark = "," if commas and mark else mark
    else:
        mark = ""
    whole, _, fraction = text.rpartition(mark) if mark else (text, "", "")
    if fraction and not _PLAIN.fullmatch(fraction):
        return None
    ungrouped = _ungrouped(whole, mark)
    return None if ungrouped is None else f"{ungrouped}.{fraction}" if mark else ungrouped


def _is_group(text: str) -> bool:
    return _GROUPS[","].fullmatch(text) is not None and not text.startswith("0")


def _ungrouped(whole: str, mark: str) -> str | None:
    """Return the digits before the decimal mark; ``None`` if they are not grouped as people group them."""
    if not whole or _PLAIN.fullmatch(whole):
        return whole or "0"
    if _UNDERSCORES.fullmatch(whole):
        return whole.replace("_", "")
    for separator, pattern in _GROUPS.items():
        if separator != mark and pattern.fullmatch(whole):
            return whole.replace(separator, "")
    return whole.replace(",", "") if mark != "," and _LAKHS.fullmatch(whole) else None
