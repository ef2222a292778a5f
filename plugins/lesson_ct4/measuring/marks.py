"""Mark the parts of a generated text that are the prompt, invented words, or copied from the corpus."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lesson_ct4.measuring.copying import joined
from lesson_ct4.measuring.corpus import Corpus
from lesson_ct4.measuring.vocabulary import WORD, whole_part

Span = tuple[int, int]
Mark = tuple[int, int, str]
"""Start, end and kind."""


def marks(prompt: str, text: str, corpus: Corpus | None = None) -> tuple[Mark, ...]:
    """Return the marked parts of ``prompt + text``, in order; they do not overlap.

    A kind is ``prompt``, ``invented`` (a word that is not in the corpus, as in `measure_samples`) or
    ``copied`` (a passage of at least `COPY_LENGTH` characters, without the invented words in it).

    Args:
        corpus: None marks only the prompt.
    """
    found = [(0, len(prompt), "prompt")] if prompt else []
    if corpus is not None:
        invented = _invented(text, prompt, corpus)
        passages = _without(joined(corpus.passages.find(text)), invented)
        copied = [span for span in (_stripped(text, *span) for span in passages) if span[0] < span[1]]
        own = [(*span, "invented") for span in invented] + [(*span, "copied") for span in copied]
        found += [(first + len(prompt), last + len(prompt), kind) for first, last, kind in sorted(own)]
    return tuple(found)


def _stripped(text: str, first: int, last: int) -> Span:
    """Return a span without leading and trailing white space, where a mark would be invisible."""
    own = text[first:last]
    return first + len(own) - len(own.lstrip()), first + len(own.rstrip())


def _invented(text: str, prompt: str, corpus: Corpus) -> list[Span]:
    start, end = whole_part(text, prompt)
    return [word.span() for word in WORD.finditer(text, start, end) if word[0].lower() not in corpus.words]


def _without(spans: Iterable[Span], holes: Sequence[Span]) -> list[Span]:
    """Return the spans minus the holes; both are sorted and do not overlap."""
    left = []
    for first, last in spans:
        for start, end in holes:
            if start < last and first < end:
                left.append((first, start))
                first = end
        left.append((first, last))
    return [(first, last) for first, last in left if first < last]
