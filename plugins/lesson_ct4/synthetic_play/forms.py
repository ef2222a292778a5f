"""The morphology of the synthetic play: forms of nouns, verbs and adjectives."""

from __future__ import annotations

from typing import NamedTuple

_VOWELS = "aeiou"
_DOUBLING = frozenset((
    "commit", "forget", "compel", "prefer", "repel", "rebel", "admit", "permit", "submit", "begin", "counsel",
    "revel", "travel", "worship", "acquit",
))  # fmt: skip

_AN = ("hour", "honest", "honour", "heir")
_A = ("one", "use", "usu", "uni", "eu")


class Noun(NamedTuple):
    """A noun; ``plural`` is empty for a mass noun."""

    singular: str
    plural: str


class Verb(NamedTuple):
    """The forms of a verb: give, gives, giveth, givest, gave, given, giving."""

    base: str
    third: str
    third_old: str
    second: str
    past: str
    participle: str
    gerund: str


def article(phrase: str) -> str:
    """Return "a" or "an", depending on the first sound of ``phrase``."""
    if phrase.startswith(_A):
        return "a"
    return "an" if phrase[0] in _VOWELS or phrase.startswith(_AN) else "a"


def _ends_consonant_y(stem: str) -> bool:
    return stem.endswith("y") and stem[-2] not in _VOWELS


def _plural(stem: str) -> str:
    if _ends_consonant_y(stem):
        return stem[:-1] + "ies"
    return stem + ("es" if stem.endswith(("s", "x", "z", "ch", "sh")) else "s")


def _doubles(stem: str) -> bool:
    """Return whether the last consonant doubles before a vowel (stop: stopped, but look: looked)."""
    if stem in _DOUBLING:
        return True
    if len(stem) < 3 or stem[-1] in _VOWELS + "wxy" or stem[-2] not in _VOWELS or stem[-3] in _VOWELS:
        return False
    return sum(letter in _VOWELS for letter in stem) == 1


def _suffixed(stem: str, suffix: str) -> str:
    """Join a stem and a suffix that begins with a vowel (love + ed, carry + est, stop + ing)."""
    if stem.endswith("e") and not (suffix == "ing" and stem.endswith(("ee", "oe", "ye"))):
        if suffix == "ing" and stem.endswith("ie"):
            return stem[:-2] + "ying"
        return stem[:-1] + suffix
    if _ends_consonant_y(stem) and suffix != "ing":
        return stem[:-1] + "i" + suffix
    return stem + (stem[-1] if _doubles(stem) else "") + suffix


def noun(entry: str) -> Noun:
    """Return the forms of a noun, given its entry in the word lists."""
    if entry.endswith("~"):
        return Noun(entry[:-1], "")
    stem, _, plural = entry.partition("/")
    return Noun(stem, plural or _plural(stem))


def verb(entry: str) -> Verb:
    """Return the forms of a verb, given its entry in the word lists."""
    parts = entry.split("/")
    base = parts[0]
    regular = _suffixed(base, "ed")
    past, participle = (parts[1], parts[2]) if len(parts) == 3 else (regular, regular)
    third = base + "es" if base in ("go", "do") else _plural(base)
    return Verb(
        base, third, _suffixed(base, "eth"), _suffixed(base, "est"), past, participle, _suffixed(base, "ing")
    )


def adverb(adjective: str) -> str:
    """Return the adverb of an adjective (noble: nobly, heavy: heavily)."""
    if adjective.endswith("le") and adjective[-3] not in _VOWELS:
        return adjective[:-1] + "y"
    if adjective.endswith("ll") or adjective == "true":
        return adjective.replace("true", "tru") + ("y" if adjective.endswith("ll") else "ly")
    return adjective[:-1] + "ily" if _ends_consonant_y(adjective) else adjective + "ly"


def quality(adjective: str) -> str:
    """Return the abstract noun of an adjective (sweet: sweetness, heavy: heaviness)."""
    return adjective[:-1] + "iness" if _ends_consonant_y(adjective) else adjective + "ness"


def compared(adjective: str, suffix: str) -> str:
    """Return the comparative ("er") or superlative ("est"); long adjectives take "more" or "most"."""
    groups = sum(
        a in _VOWELS and b not in _VOWELS for a, b in zip(adjective, adjective[1:] + "-", strict=True)
    )
    if groups > 1 and not _ends_consonant_y(adjective) and not adjective.endswith("e"):
        return ("more " if suffix == "er" else "most ") + adjective
    return _suffixed(adjective, suffix)


def elided(participle: str) -> str:
    """Return the verse form of a regular past (call'd for called), or the word itself."""
    stem = participle[:-2]
    regular = participle.endswith("ed") and stem[-1] not in "tdie" and any(vowel in stem for vowel in _VOWELS)
    return stem + "'d" if regular else participle
