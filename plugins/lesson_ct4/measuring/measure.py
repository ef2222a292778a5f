"""Metrics of generated text that show what a model has learned; ``docs/metrics.md`` defines them.

Pure functions on texts: judging a step and verifying a certificate compute the same numbers. Every ratio is
in [0, 1]. A metric that is undefined for a text is left out, never NaN.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lesson_ct4.measuring.copying import joined
from lesson_ct4.measuring.corpus import NOVEL_WORDS, Corpus
from lesson_ct4.measuring.layout import layout_counts, layout_shares
from lesson_ct4.measuring.plausibility import sequences
from lesson_ct4.measuring.repetition import repeated_characters, repeated_words
from lesson_ct4.measuring.vocabulary import whole_part, words

COUNTS = ("characters", "unknown_characters", "words", "invented_words", "speaker_lines", "known_speakers")
"""Metrics that are totals over all texts."""


def measure_samples(texts: Sequence[str], prompt: str, corpus: Corpus) -> dict[str, float]:
    """Return the metrics over all generated texts; the prompt is not measured.

    Args:
        texts: the generated texts, each without the prompt.
        prompt: the prompt, or "".
        corpus: statistics of the training text.

    Returns:
        ``samples``: number of texts.
        ``characters``: total length.
        ``unknown_characters``: characters that do not occur in the corpus.
        ``words``: words (letters, with apostrophes inside; hyphens separate). A word that the prompt began
        is left out. So is a word at the very end of a text, because it may be cut off.
        ``invented_words``: words that do not occur in the corpus, ignoring case.
        ``speaker_lines``: lines with the form of a speaker heading (see `Limits.is_heading`).
        ``known_speakers``: speaker lines that are a heading in the corpus.
        ``longest_copied``: length of the longest passage that occurs in the corpus; 0 if below 20.
        ``copied_ratio``: share of characters in passages of 20 or more characters that occur in the corpus.
        ``real_word_ratio``: 1 - invented_words / words.
        ``novelty``: share of four-word sequences that are not in the corpus.
        ``repetition``: share of three-word sequences that also occur in the previous 100 words, or of
        twenty-character sequences in the previous 500 characters, whichever is greater.
        ``character_plausibility``: mean log-probability of a character given the previous one, under the
        bigrams of the corpus, rescaled by `Corpus.rescaled`.
        ``word_plausibility``: share of adjacent word pairs that occur in the corpus, rescaled.
        ``format_score``: mean of the layout's `SHARES`, each rescaled.

        A ratio with a denominator of 0 is left out.
    """
    counts: Counter[str] = Counter()
    log_probability, longest = 0.0, 0
    for text in texts:
        copied = corpus.passages.find(text)
        longest = max([longest, *(last - first for first, last in copied)])
        counts["copied"] += sum(last - first for first, last in joined(copied))
        log_probability += corpus.characters.log_probability(text)
        counts["neighbours"] += max(len(text) - 1, 0)
        counts.update(_counted_words(text, prompt, corpus))
        counts.update(_counted_lines(text, prompt, corpus))
    metrics: dict[str, float] = {
        "samples": len(texts),
        **{name: counts[name] for name in COUNTS},
        "longest_copied": longest,
    }
    known = counts["words"] - counts["invented_words"]
    repeats = [
        _ratio(counts[name], counts[f"{name}.of"]) for name in ("repeated_words", "repeated_characters")
    ]
    shares = layout_shares(counts, corpus.limits)
    ratios = {
        "copied_ratio": _ratio(counts["copied"], counts["characters"]),
        "real_word_ratio": _ratio(known, counts["words"]),
        "novelty": _ratio(counts["fours"] - counts["known_fours"], counts["fours"]),
        "repetition": max((share for share in repeats if share is not None), default=None),
        "character_plausibility": _rescaled(
            "character_pairs", _ratio(log_probability, counts["neighbours"]), corpus
        ),
        "word_plausibility": _rescaled("word_pairs", _ratio(counts["known_pairs"], counts["pairs"]), corpus),
        "format_score": _mean([_rescaled(name, share, corpus) for name, share in shares.items()]),
    }
    return metrics | {name: value for name, value in ratios.items() if value is not None}


def _counted_words(text: str, prompt: str, corpus: Corpus) -> Counter[str]:
    start, end = whole_part(text, prompt)
    found = words(text[start:end])
    pairs, fours = sequences(found, 2), sequences(found, NOVEL_WORDS)
    counts = Counter(
        words=len(found),
        invented_words=sum(word not in corpus.words for word in found),
        pairs=len(pairs),
        known_pairs=sum(pair in corpus.pairs for pair in pairs),
        fours=len(fours),
        known_fours=sum(four in corpus.fours for four in fours),
    )
    counts["repeated_words"], counts["repeated_words.of"] = repeated_words(found)
    counts["repeated_characters"], counts["repeated_characters.of"] = repeated_characters(text)
    return counts


def _counted_lines(text: str, prompt: str, corpus: Corpus) -> Counter[str]:
    mid_line = bool(prompt) and not prompt.endswith("\n")
    own = text.split("\n")[mid_line:-1]  # complete lines that the prompt did not begin
    headings = [line for line in own if corpus.limits.is_heading(line)]
    counts = layout_counts(text, corpus.limits, prompt=prompt)
    counts["speaker_lines"] = len(headings)
    counts["known_speakers"] = sum(line in corpus.headings for line in headings)
    counts["unknown_characters"] = sum(character not in corpus.alphabet for character in text)
    return counts


def _ratio(part: float, whole: int) -> float | None:
    return part / whole if whole else None


def _rescaled(name: str, value: float | None, corpus: Corpus) -> float | None:
    return None if value is None else corpus.rescaled(name, value)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
