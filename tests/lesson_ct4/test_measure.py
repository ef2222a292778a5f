from __future__ import annotations

import json
import math
import random
import time
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.lesson_ct4.corpus import tiny_shakespeare

from lesson_ct4 import synthetic_play
from lesson_ct4.measuring.corpus import Corpus
from lesson_ct4.measuring.layout import layout_counts, layout_shares
from lesson_ct4.measuring.measure import COUNTS, measure_samples
from lesson_ct4.measuring.vocabulary import words

RATIOS = (
    "real_word_ratio", "repetition", "format_score", "copied_ratio", "novelty", "word_plausibility",
    "character_plausibility",
)  # fmt: skip
SMALL = """ROMEO:
But soft, the light is in the window now.
It is the east, and thou art fair.

Second Lord:
What said my lord of York?

JULIET:
Ay me, 'tis he!

Duke of York:
Speak again, bright angel, o'er my head.
"""


@pytest.fixture(scope="module")
def play() -> str:
    return synthetic_play.generate().decode("ascii")


@pytest.fixture(scope="module")
def corpus(play: str) -> Corpus:
    return Corpus.from_text(play)


@pytest.fixture(scope="module")
def small() -> Corpus:
    return Corpus.from_text(SMALL)


def measured(text: str, corpus: Corpus, prompt: str = "") -> dict[str, float]:
    return measure_samples([text], prompt, corpus)


def shares(text: str, corpus: Corpus, prompt: str = "") -> dict[str, float]:
    return layout_shares(layout_counts(text, corpus.limits, prompt=prompt), corpus.limits)


def shuffled(pieces: list[str]) -> list[str]:
    random.Random(7).shuffle(pieces)
    return pieces


# --- the corpus ---


def test_corpus_knows_words_speakers_and_alphabet(small: Corpus) -> None:
    assert {"tis", "o'er", "juliet", "thou"} <= small.words
    assert small.headings == {"ROMEO:", "JULIET:", "Second Lord:", "Duke of York:"}
    assert small.alphabet == set(SMALL)
    assert small.limits.longest_heading == len("Duke of York:")
    assert small.limits.small_words == {"of"}


@pytest.mark.slow
def test_corpus_is_built_fast(play: str) -> None:
    times = []
    for _ in range(3):
        start = time.process_time()
        Corpus.from_text(play)
        times.append(time.process_time() - start)
    assert min(times) < 4  # 1.0 s on the machine it was written on


@pytest.mark.parametrize("text", ["", "\n\n", "... 3 $ !"])
def test_a_corpus_needs_words(text: str) -> None:
    with pytest.raises(ValueError, match="no words"):
        Corpus.from_text(text)


def test_words_have_apostrophes_inside_and_no_hyphens() -> None:
    assert words("'Tis o'er--the moon-struck king's; 3 dogs' bones") == [
        "tis", "o'er", "the", "moon", "struck", "king's", "dogs", "bones",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ROMEO:", True),
        ("Second Lord:", True),
        ("Duke of York:", True),
        ("Lady:", True),
        ("romeo:", False),
        ("ROMEO: ay", False),
        ("ROMEO", False),
        ("Second lord:", False),
        ("The Second Lord of York:", False),
        ("A: B:", False),
        (":", False),
        ("", False),
    ],
)
def test_form_of_a_heading(small: Corpus, line: str, expected: bool) -> None:
    assert small.limits.is_heading(line) is expected


# --- texts with known answers ---


def test_real_and_invented_words(small: Corpus) -> None:
    metrics = measured("\nBut zorp the fair, 'tis blorp-east now", small, "ROMEO:")
    # But zorp the fair tis blorp east; "now" may be cut off.
    assert (metrics["words"], metrics["invented_words"]) == (7, 2)
    assert metrics["real_word_ratio"] == pytest.approx(5 / 7)


def test_a_word_that_the_prompt_began_is_left_out(small: Corpus) -> None:
    assert measured("qqq light now ", small, "ROME")["real_word_ratio"] == 1
    assert measured("'qq light now ", small, "ROME")["words"] == 2


def test_speakers_are_counted_and_known(small: Corpus) -> None:
    text = "\nSoft.\n\nJULIET:\nAy.\n\nZorpio:\nWhat?\n\nJULIET:"
    metrics = measured(text, small, "ROMEO:")
    assert (metrics["speaker_lines"], metrics["known_speakers"]) == (2, 1)
    assert measured("ROMEO:" + text + "\n", small)["speaker_lines"] == 4


def test_unknown_characters(small: Corpus) -> None:
    assert measured("the #light# é", small)["unknown_characters"] == 3


def test_copied_passages(small: Corpus) -> None:
    passage = "the light is in the window now."
    assert measured(passage, small)["copied_ratio"] == 1
    within = measured("zzzzz" + passage + "qqqq", small)
    assert within["copied_ratio"] == len(passage) / 40
    assert within["longest_copied"] == len(passage)
    assert measured(SMALL[3:22], small)["longest_copied"] == 0  # 19 characters
    assert measured(SMALL[3:23], small)["longest_copied"] == 20


def test_a_copied_passage_is_plausible_and_not_new(play: str, corpus: Corpus) -> None:
    """Memorized and fluent text look alike except for copying and novelty."""
    metrics = measured(play[5_000:5_400], corpus)
    assert metrics["copied_ratio"] == 1
    assert metrics["longest_copied"] == 400
    assert metrics["novelty"] < 0.05
    assert metrics["word_plausibility"] > 0.95


def test_novelty_counts_sequences_of_four_words(small: Corpus) -> None:
    # Of: but soft the light, soft the light in, the light in the, light in the window.
    assert measured("But soft, the light in the window.", small)["novelty"] == 3 / 4


def test_word_plausibility_counts_neighbours(small: Corpus) -> None:
    # Known: the-light, light-is. Not known: is-bright. By chance: none in a corpus so small.
    assert measured("the light is bright.", small)["word_plausibility"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("period", range(1, 21))
def test_a_loop_of_words_repeats(corpus: Corpus, play: str, period: int) -> None:
    """However long a cycle is, up to twenty words; the lesson's texts have about forty words."""
    loop = " ".join(words(play)[:period]) + " "
    assert measured((loop * 200)[:400], corpus)["repetition"] > 0.7
    assert measured((loop * 200)[:200], corpus)["repetition"] > 0.3


@pytest.mark.parametrize("loop", ["wither with the ", "wither", "a", "\n", "...?", "ROMEO:\nI am.\n\n"])
def test_loops_of_any_kind_repeat(corpus: Corpus, loop: str) -> None:
    assert measured(loop * 200, corpus)["repetition"] > 0.9
    assert measured((loop * 200)[:200], corpus)["repetition"] > 0.7


def test_what_returns_only_after_long_does_not_repeat(corpus: Corpus, play: str) -> None:
    passage = play[: play.index(" ", 2_000)]
    assert measured(passage + passage, corpus)["repetition"] < 0.05


def test_the_corpus_itself(corpus: Corpus, play: str) -> None:
    metrics = measured(play[: play.rindex("\n\n", 0, 200_000) + 2], corpus)
    assert metrics["real_word_ratio"] == metrics["word_plausibility"] == metrics["copied_ratio"] == 1
    assert metrics["character_plausibility"] > 0.98
    assert metrics["format_score"] > 0.95
    assert metrics["repetition"] < 0.02
    assert metrics["unknown_characters"] == metrics["novelty"] == 0
    assert metrics["speaker_lines"] == metrics["known_speakers"] > 1_000


def test_the_corpus_in_pieces_as_short_as_the_lessons_texts(corpus: Corpus, play: str) -> None:
    """Cut anywhere, sixteen at a time: the score of a perfect model."""
    cuts = random.Random(1)
    for _ in range(20):
        starts = [cuts.randrange(len(play) - 200) for _ in range(16)]
        metrics = measure_samples([play[start : start + 200] for start in starts], "", corpus)
        assert metrics["format_score"] > 0.7
        assert metrics["character_plausibility"] > 0.9
        assert metrics["word_plausibility"] > 0.9
        assert metrics["repetition"] < 0.1


@pytest.mark.slow
def test_shuffled_characters(corpus: Corpus, play: str) -> None:
    text = "".join(shuffled(list(play)))
    metrics = measure_samples([text[at : at + 800] for at in range(0, 40_000, 800)], "", corpus)
    assert metrics["real_word_ratio"] < 0.15
    assert metrics["format_score"] < 0.1
    assert metrics["character_plausibility"] < 0.05
    assert metrics["word_plausibility"] < 0.05
    assert metrics["speaker_lines"] <= 2
    assert metrics["novelty"] == 1
    assert metrics["repetition"] == metrics["copied_ratio"] == metrics["longest_copied"] == 0


def test_shuffled_words(corpus: Corpus, play: str) -> None:
    """Words of a language in random order: all real, some pairs by chance, nothing copied or repeated."""
    metrics = measured(" ".join(shuffled(words(play))[:5_000]), corpus)
    assert metrics["real_word_ratio"] == 1
    assert metrics["format_score"] == 0
    assert 0.1 < metrics["word_plausibility"] < 0.4
    assert metrics["novelty"] > 0.99
    assert metrics["repetition"] < 0.01
    assert metrics["copied_ratio"] < 0.05


@pytest.mark.slow
def test_another_part_of_the_play_scores_like_the_part_that_is_known(play: str) -> None:
    """The reference for everything that copying could fake: a text of the author that was not trained on."""
    cut = play.rindex("\n\n", 0, len(play) * 9 // 10) + 2
    metrics = measured(play[cut:], Corpus.from_text(play[:cut]))
    assert metrics["real_word_ratio"] > 0.95
    assert metrics["format_score"] > 0.9
    assert metrics["character_plausibility"] > 0.95
    assert 0.5 < metrics["word_plausibility"] < 0.7
    assert metrics["copied_ratio"] < 0.2
    assert metrics["novelty"] > 0.9


@cache
def followers(text: str, order: int) -> dict[str, list[str]]:
    """Return what follows each sequence of ``order`` characters in ``text``, as often as it does."""
    after: dict[str, list[str]] = {}
    for end in range(order, len(text)):
        after.setdefault(text[end - order : end], []).append(text[end])
    return after


def chained(text: str, order: int, prompt: str, seed: int) -> str:
    """Return 1,500 characters from a Markov chain on the characters of ``text``."""
    chance, after = random.Random(seed).random, followers(text, order)
    made = prompt
    while len(made) < 1500:
        options = after.get(made[-order:], ["\n"])
        made += options[int(chance() * len(options))]
    return made


def check_that_metrics_rise_with_order(text: str) -> None:
    corpus, prompt = Corpus.from_text(text), text[: text.index("\n") + 1]
    pooled = {
        order: measure_samples(
            [chained(text, order, prompt, seed).removeprefix(prompt) for seed in range(4)], prompt, corpus
        )
        for order in (1, 3, 5)
    }
    for low, high in ((1, 3), (3, 5)):
        for name in ("real_word_ratio", "known_speakers", "word_plausibility"):
            assert pooled[low][name] < pooled[high][name]
    assert pooled[1]["format_score"] < pooled[5]["format_score"] - 0.2
    assert pooled[1]["known_speakers"] == 0
    assert pooled[5]["real_word_ratio"] > 0.9


@pytest.mark.slow
def test_metrics_rise_with_the_order_of_a_chain(play: str) -> None:
    check_that_metrics_rise_with_order(play[:300_000])


def test_metrics_rise_with_the_order_of_a_chain_on_tiny_shakespeare() -> None:
    check_that_metrics_rise_with_order(tiny_shakespeare()[:300_000])


def test_tiny_shakespeare_itself() -> None:
    text = tiny_shakespeare()
    corpus = Corpus.from_text(text)
    metrics = measured(text[:100_000].rpartition("\n\n")[0] + "\n\n", corpus)
    assert len(corpus.headings) == 309
    assert metrics["real_word_ratio"] == metrics["word_plausibility"] == 1
    assert metrics["character_plausibility"] > 0.98
    assert metrics["format_score"] > 0.95
    assert metrics["repetition"] < 0.05


# --- the layout ---


def test_layout_shares(small: Corpus) -> None:
    text = "The light.\nis here now\n\nROMEO:\nAy.\n\nno heading, and no end\n\n"
    assert shares(text, small) == {
        "capitals": 3 / 5, "lengths": 4 / 5, "openings": 1 / 3, "headings": 1, "endings": 1 / 3,
    }  # fmt: skip


def test_a_heading_stands_between_a_blank_line_and_a_speech(small: Corpus) -> None:
    assert shares("ROMEO:\nAy.\n\nJULIET:\nAy.\n", small)["headings"] == 1
    assert shares("ROMEO:\nAy.\nJULIET:\nAy.\n", small)["headings"] == 1 / 2
    assert shares("ROMEO:\nAy.\n\nJULIET:\n\nAy.\n", small)["headings"] == 1 / 2
    assert shares("ROMEO:\nAy.\n\nJULIET:\n", small)["headings"] == 1  # the next line is unknown
    assert "headings" not in shares("Ay.\nNo.\n", small)


def test_one_blank_line_stands_between_speeches(small: Corpus) -> None:
    assert shares("ROMEO:\nAy.\n\nJULIET:\nAy.\n", small)["openings"] == 1
    assert shares("ROMEO:\nAy.\n\n\n\nJULIET:\nAy.\n", small)["openings"] == 2 / 4


def test_layout_leaves_out_what_a_short_text_cannot_show(small: Corpus) -> None:
    assert shares("The light", small) == {}
    assert shares(" soft.\nThe light is fair.\nAnd", small, "ROMEO:\nBut") == {"capitals": 1, "lengths": 1}


def test_a_text_without_lines_or_speeches_has_no_layout(small: Corpus) -> None:
    assert shares("the light " * 50, small) == {"lengths": 0, "openings": 0, "endings": 0}
    assert set(shares("\n" * 500, small).values()) == {0}


def test_short_texts_without_a_speech_are_no_play_together(small: Corpus) -> None:
    """No single text is long enough; all of them together are."""
    text = "The light is fair.\nIt is the east.\n"
    assert measured(text, small, "ROMEO:\n")["format_score"] == 1
    assert measure_samples([text] * 40, "ROMEO:\n", small)["format_score"] == pytest.approx(2 / 4)


# --- edges ---


@pytest.mark.parametrize("text", ["", "\n", "\n\n\n\n", "3 $ ... !", "a", "ROMEO"])
def test_poor_texts(small: Corpus, text: str) -> None:
    metrics = measured(text, small)
    assert set(COUNTS) <= set(metrics)
    assert metrics["words"] == 0
    assert not {"real_word_ratio", "repetition", "novelty", "word_plausibility"} & set(metrics)
    assert ("copied_ratio" in metrics) is bool(text)


def test_one_word(small: Corpus) -> None:
    metrics = measured("light ", small)
    assert metrics["real_word_ratio"] == 1
    assert not {"repetition", "novelty", "word_plausibility"} & set(metrics)


@pytest.mark.parametrize("kind", ["itself", "loop", "shuffled", "spaces"])
def test_a_long_text_is_measured_fast(corpus: Corpus, play: str, kind: str) -> None:
    text = {
        "itself": play[:100_000],
        "loop": "wither with the " * 6_250,
        "shuffled": "".join(shuffled(list(play[:100_000]))),
        "spaces": " " * 100_000,
    }[kind]
    start = time.process_time()
    measured(text, corpus)
    assert time.process_time() - start < 2  # 0.1 to 0.3 s on the machine it was written on


def test_a_corpus_that_repeats_itself_does_not_slow_it_down() -> None:
    sentence = "It is a tale told over and over again, and this is it.\n"
    corpus = Corpus.from_text(sentence * 400)
    start = time.process_time()
    assert measured(sentence * 1_800, corpus)["copied_ratio"] == 1
    assert time.process_time() - start < 3


play_like = st.one_of(
    st.text(),
    st.text("ab:R\n'- .é3"),
    st.lists(st.sampled_from([*SMALL.split("\n"), "\n", "\n\n", "qx ", "the "])).map("\n".join),
)


@given(texts=st.lists(play_like, max_size=3), prompt=play_like)
def test_any_texts_can_be_measured(small: Corpus, texts: list[str], prompt: str) -> None:
    metrics = measure_samples(texts, prompt, small)
    assert set(metrics) <= {*RATIOS, *COUNTS, "samples", "longest_copied"}
    assert all(math.isfinite(value) for value in metrics.values())
    assert all(0 <= metrics[name] <= 1 for name in RATIOS if name in metrics)
    assert all(metrics[name] >= 0 and metrics[name] == int(metrics[name]) for name in COUNTS)
    assert metrics["known_speakers"] <= metrics["speaker_lines"]
    assert metrics["longest_copied"] <= max(map(len, texts), default=0)
    assert (metrics["longest_copied"] > 0) == (metrics.get("copied_ratio", 0) > 0)
    json.dumps(metrics, allow_nan=False)


@pytest.mark.slow
@given(text=play_like.filter(words), sample=play_like)
def test_any_corpus_with_words_will_do(text: str, sample: str) -> None:
    corpus = Corpus.from_text(text)
    metrics = measured(sample, corpus)
    assert all(0 <= metrics[name] <= 1 for name in RATIOS if name in metrics)
    own = measured(text, corpus)
    assert own["invented_words"] == own["unknown_characters"] == 0
    assert own.get("novelty", 0) == 0


# --- several samples ---


def test_several_texts_are_counted_together(small: Corpus) -> None:
    texts = ["\nthe light is zorp.\n\nJULIET:\n", " zorp zorp ", "", "\nthe light is in the window now.\n"]
    metrics = measure_samples(texts, "ROMEO:", small)
    alone = [measured(text, small, "ROMEO:") for text in texts]
    assert metrics["samples"] == 4
    for name in COUNTS:
        assert metrics[name] == sum(one[name] for one in alone)
    assert metrics["real_word_ratio"] == 1 - metrics["invented_words"] / metrics["words"]
    assert metrics["longest_copied"] == alone[-1]["longest_copied"] > 20


def test_no_texts(small: Corpus) -> None:
    metrics = measure_samples([], "ROMEO:", small)
    assert metrics == {"samples": 0, "longest_copied": 0, **dict.fromkeys(COUNTS, 0)}


@given(st.permutations(["\nAy.\n\nJULIET:\nThe light", " soft, qx.\n", "\n\n\n", "the light is in the"]))
def test_the_order_of_texts_does_not_matter(small: Corpus, texts: list[str]) -> None:
    assert measure_samples(texts, "", small) == pytest.approx(measure_samples(sorted(texts), "", small))
