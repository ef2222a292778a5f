"""What a generated text shows that a model has learned: structure, vocabulary, repetition, copying.

Pure functions on texts: the same numbers come out when a step is judged and when a certificate is verified.
Every ratio lies in [0, 1]; a metric that is not defined for a text is left out, never NaN.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite

from lesson_ct4.measuring.vocabulary import COPY_LENGTH, Corpus, layout, words

__all__ = ["COPY_LENGTH", "REPEAT_WINDOW", "Corpus", "measure_sample", "merge"]

REPEAT_WINDOW = 100
"""Words back to which a sequence of three words counts as repeated."""
_WEIGHTS = {
    "real_word_ratio": "words",
    "repetition": "words",
    "format_score": "characters",
    "copied_ratio": "characters",
}


def measure_sample(text: str, prompt: str, corpus: Corpus) -> dict[str, float]:
    """Return the metrics of one generated text; the prompt, if the text begins with it, is not measured.

    Args:
        text: what was generated, with or without the prompt before it.
        prompt: what generation started from, or "".
        corpus: what the model was trained on.

    Returns:
        ``characters``: length of what is measured.
        ``words``: its words (letters, with apostrophes inside; hyphens separate). A word that the prompt
        began and a last word with nothing after it, which may be cut off, are left out.
        ``invented_words``: words that do not occur in the corpus, in any case of letters.
        ``real_word_ratio``: 1 - invented_words / words; left out without words.
        ``repetition``: of the sequences of three words, the share that began within the `REPEAT_WINDOW`
        words before too; left out with fewer than three words.
        ``speaker_lines``: lines with the form of a speaker heading (see `Limits.is_heading`).
        ``known_speakers``: those that are a heading in the corpus.
        ``format_score``: mean of the shares of `layout`, each rescaled to
        (share - chance) / (corpus - chance) and clipped to [0, 1], where corpus and chance are the shares of
        the corpus and of its characters in random order: the corpus scores 1, shuffled characters about 0.
        Left out if no share is defined.
        ``copied_ratio``: share of the characters in passages of `COPY_LENGTH` or more that stand in the
        corpus; left out for an empty text.
        ``unknown_characters``: characters that do not occur in the corpus.
    """
    rest = text.removeprefix(prompt)
    metrics: dict[str, float] = {
        "characters": len(rest),
        "unknown_characters": sum(character not in corpus.alphabet for character in rest),
    }
    if rest:
        metrics["copied_ratio"] = corpus.copied(rest) / len(rest)
    metrics.update(_vocabulary(_whole_words(rest, prompt), corpus))
    metrics.update(_structure(rest, prompt, corpus))
    return metrics


def _whole_words(rest: str, prompt: str) -> list[str]:
    """Return the words of ``rest`` less one that the prompt began and one that may be cut off."""
    start, end = 0, len(rest)
    if _is_letter(prompt[-1:]):
        while start < end and (_is_letter(rest[start]) or rest[start] == "'"):
            start += 1
    while end > start and (_is_letter(rest[end - 1]) or rest[end - 1] == "'"):
        end -= 1
    return words(rest[start:end])


def _is_letter(character: str) -> bool:
    """Return whether a character is one that words are made of; ``isalpha`` thinks otherwise of ``²``."""
    return bool(words(character))


def _vocabulary(found: list[str], corpus: Corpus) -> dict[str, float]:
    invented = sum(word not in corpus.words for word in found)
    metrics: dict[str, float] = {"words": len(found), "invented_words": invented}
    if found:
        metrics["real_word_ratio"] = 1 - invented / len(found)
    if len(found) >= 3:
        seen: dict[tuple[str, ...], int] = {}
        repeats = 0
        for place, triple in enumerate(zip(found, found[1:], found[2:], strict=False)):
            repeats += triple in seen and place - seen[triple] <= REPEAT_WINDOW
            seen[triple] = place
        metrics["repetition"] = repeats / (len(found) - 2)
    return metrics


def _structure(rest: str, prompt: str, corpus: Corpus) -> dict[str, float]:
    begun = bool(prompt) and not prompt.endswith("\n")
    own = rest.split("\n")[begun:-1]  # complete lines that the prompt did not begin
    spoken = [line for line in own if corpus.limits.is_heading(line)]
    metrics: dict[str, float] = {
        "speaker_lines": len(spoken),
        "known_speakers": sum(line in corpus.headings for line in spoken),
    }
    scores = []
    for name, value in layout(rest, corpus.limits, prompt=prompt).items():
        chance, best = corpus.chance.get(name, 0.0), corpus.layout.get(name, 0.0)
        if best > chance:
            scores.append(min(1.0, max(0.0, (value - chance) / (best - chance))))
    if scores:
        metrics["format_score"] = sum(scores) / len(scores)
    return metrics


def merge(samples: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Pool the metrics of several samples: counts are added, ratios averaged by words or by characters.

    A sample that lacks a ratio does not enter that ratio; one that no sample has is left out. ``samples``
    counts the samples. Values that are not finite are ignored.
    """
    pooled: dict[str, float] = {"samples": 0}
    weighted: dict[str, tuple[float, float]] = {}
    for sample in samples:
        pooled["samples"] += 1
        for name, value in sample.items():
            if not isfinite(value):
                continue
            if name in _WEIGHTS:
                weight = sample.get(_WEIGHTS[name], 0)
                total, weights = weighted.get(name, (0.0, 0.0))
                weighted[name] = total + value * weight, weights + weight
            elif name != "samples":
                pooled[name] = pooled.get(name, 0) + value
    for name, (total, weights) in weighted.items():
        if weights > 0:
            pooled[name] = min(1.0, total / weights)
    return pooled
