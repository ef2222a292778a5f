from __future__ import annotations

import json
import math
import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.lesson_ct4.corpus import tiny_shakespeare

from lesson_ct4 import synthetic_play
from lesson_ct4.measuring.measure import Corpus, measure_sample, merge
from lesson_ct4.measuring.vocabulary import layout, words

RATIOS = ("real_word_ratio", "repetition", "format_score", "copied_ratio")
COUNTS = ("characters", "words", "invented_words", "speaker_lines", "known_speakers", "unknown_characters")
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


def test_corpus_is_built_fast(play: str) -> None:
    times = []
    for _ in range(3):
        start = time.process_time()
        Corpus.from_text(play)
        times.append(time.process_time() - start)
    assert min(times) < 1.5  # 0.25 s on the machine it was written on


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
    metrics = measure_sample("ROMEO:\nBut zorp the fair, 'tis blorp-east now", "ROMEO:", small)
    # But zorp the fair tis blorp east; "now" may be cut off.
    assert (metrics["words"], metrics["invented_words"]) == (7, 2)
    assert metrics["real_word_ratio"] == pytest.approx(5 / 7)


def test_the_prompt_is_not_measured(small: Corpus) -> None:
    prompt = "Zorp zorp:\nqwx "
    with_it = measure_sample(prompt + "the light.\n", prompt, small)
    assert with_it == measure_sample("the light.\n", prompt, small)
    assert with_it["characters"] == 11
    assert with_it["real_word_ratio"] == 1


def test_a_word_that_the_prompt_began_is_left_out(small: Corpus) -> None:
    assert measure_sample("ROMEqqq light now ", "ROME", small)["real_word_ratio"] == 1
    assert measure_sample("'qq light now ", "ROME", small)["words"] == 2


def test_speakers_are_counted_and_known(small: Corpus) -> None:
    text = "ROMEO:\nSoft.\n\nJULIET:\nAy.\n\nZorpio:\nWhat?\n\nJULIET:"
    metrics = measure_sample(text, "ROMEO:", small)
    assert (metrics["speaker_lines"], metrics["known_speakers"]) == (2, 1)
    assert measure_sample(text + "\n", "", small)["speaker_lines"] == 4


def test_unknown_characters(small: Corpus) -> None:
    assert measure_sample("the #light# é", "", small)["unknown_characters"] == 3


def test_copied_passages(small: Corpus) -> None:
    passage = "the light is in the window now."
    assert measure_sample(passage, "", small)["copied_ratio"] == 1
    assert measure_sample("zzzzz" + passage + "qqqq", "", small)["copied_ratio"] == len(passage) / 40
    assert measure_sample(SMALL[3:22], "", small)["copied_ratio"] == 0  # 19 characters
    assert measure_sample(SMALL[3:23], "", small)["copied_ratio"] == 1  # 20


@given(start=st.integers(0, 240), length=st.integers(1, 60), before=st.text("xyz", max_size=12))
def test_copied_passages_are_found_wherever_they_stand(start: int, length: int, before: str) -> None:
    small = Corpus.from_text(SMALL)
    passage = SMALL[start : start + length]
    found = small.copied(before + "#" + passage + "#")
    assert found == (len(passage) if len(passage) >= 20 else 0)


def test_a_loop_repeats(corpus: Corpus) -> None:
    assert measure_sample("wither with the " * 40, "", corpus)["repetition"] > 0.9
    assert measure_sample("I am a man.\n" * 40, "", corpus)["repetition"] > 0.9


def test_the_corpus_itself(corpus: Corpus, play: str) -> None:
    metrics = measure_sample(play[: play.rindex("\n\n", 0, 200_000) + 2], "", corpus)
    assert metrics["real_word_ratio"] == 1
    assert metrics["format_score"] > 0.95
    assert metrics["repetition"] < 0.02
    assert metrics["copied_ratio"] == 1
    assert metrics["unknown_characters"] == 0
    assert metrics["speaker_lines"] == metrics["known_speakers"] > 1_000


def test_shuffled_characters(corpus: Corpus, play: str) -> None:
    text = "".join(shuffled(list(play)))
    metrics = merge(measure_sample(text[at : at + 800], "", corpus) for at in range(0, 40_000, 800))
    assert metrics["real_word_ratio"] < 0.15
    assert metrics["format_score"] < 0.1
    assert metrics["speaker_lines"] <= 2
    assert metrics["repetition"] == metrics["copied_ratio"] == 0


def test_shuffled_words(corpus: Corpus, play: str) -> None:
    """Words of a language in no order: all real, nothing copied at length, no repetition."""
    metrics = measure_sample(" ".join(shuffled(words(play))[:5_000]), "", corpus)
    assert metrics["real_word_ratio"] == 1
    assert metrics["format_score"] == 0
    assert metrics["repetition"] < 0.01
    assert metrics["copied_ratio"] < 0.05


def test_another_part_of_the_play_scores_like_the_part_that_is_known(play: str) -> None:
    cut = play.rindex("\n\n", 0, len(play) * 9 // 10) + 2
    metrics = measure_sample(play[cut:], "", Corpus.from_text(play[:cut]))
    assert metrics["real_word_ratio"] > 0.95
    assert metrics["format_score"] > 0.9
    assert metrics["copied_ratio"] < 0.2


def chained(text: str, order: int, prompt: str, seed: int) -> str:
    """Return 1,500 characters from a Markov chain on the characters of ``text``."""
    chance = random.Random(seed).random
    after: dict[str, list[str]] = {}
    for end in range(order, len(text)):
        after.setdefault(text[end - order : end], []).append(text[end])
    made = prompt
    while len(made) < 1500:
        options = after.get(made[-order:], ["\n"])
        made += options[int(chance() * len(options))]
    return made


def check_that_metrics_rise_with_order(text: str) -> None:
    corpus, prompt = Corpus.from_text(text), text[: text.index("\n") + 1]
    pooled = {
        order: merge(measure_sample(chained(text, order, prompt, seed), prompt, corpus) for seed in range(4))
        for order in (1, 3, 5)
    }
    for low, high in ((1, 3), (3, 5)):
        for name in ("real_word_ratio", "known_speakers"):
            assert pooled[low][name] < pooled[high][name]
    assert pooled[1]["format_score"] < pooled[5]["format_score"] - 0.2
    assert pooled[1]["known_speakers"] == 0
    assert pooled[5]["real_word_ratio"] > 0.9


def test_metrics_rise_with_the_order_of_a_chain(play: str) -> None:
    check_that_metrics_rise_with_order(play[:300_000])


def test_metrics_rise_with_the_order_of_a_chain_on_tiny_shakespeare() -> None:
    check_that_metrics_rise_with_order(tiny_shakespeare()[:300_000])


def test_tiny_shakespeare_itself() -> None:
    text = tiny_shakespeare()
    corpus = Corpus.from_text(text)
    metrics = measure_sample(text[:100_000].rpartition("\n\n")[0] + "\n\n", "", corpus)
    assert len(corpus.headings) == 309
    assert metrics["real_word_ratio"] == 1
    assert metrics["format_score"] > 0.95
    assert metrics["repetition"] < 0.05


# --- the layout ---


def test_layout_shares(small: Corpus) -> None:
    text = "The light.\nis here now\n\nROMEO:\nAy.\n\nno heading, and no end\n\n"
    assert layout(text, small.limits) == {
        "capitals": 3 / 5, "lengths": 4 / 5, "openings": 1 / 3, "endings": 1 / 3,
    }  # fmt: skip


def test_layout_leaves_out_what_a_short_text_cannot_show(small: Corpus) -> None:
    assert layout("The light", small.limits) == {}
    assert layout(" soft.\nThe light is fair.\nAnd", small.limits, prompt="ROMEO:\nBut") == {
        "capitals": 1, "lengths": 1,
    }  # fmt: skip


def test_layout_of_a_text_without_lines_or_speeches_is_none(small: Corpus) -> None:
    assert layout("the light " * 50, small.limits) == {"lengths": 0, "openings": 0, "endings": 0}
    assert set(layout("\n" * 500, small.limits).values()) == {0}


# --- edges ---


@pytest.mark.parametrize("text", ["", "\n", "\n\n\n\n", "3 $ ... !", "a", "ROMEO"])
def test_poor_texts(small: Corpus, text: str) -> None:
    metrics = measure_sample(text, "", small)
    assert set(COUNTS) <= set(metrics)
    assert metrics["words"] == 0
    assert "real_word_ratio" not in metrics
    assert "repetition" not in metrics
    assert ("copied_ratio" in metrics) is bool(text)


play_like = st.one_of(
    st.text(),
    st.text("ab:R\n'- .é3"),
    st.lists(st.sampled_from([*SMALL.split("\n"), "\n", "\n\n", "qx ", "the "])).map("\n".join),
)


@given(text=play_like, prompt=play_like, with_prompt=st.booleans())
def test_any_text_can_be_measured(small: Corpus, text: str, prompt: str, with_prompt: bool) -> None:
    metrics = measure_sample(prompt + text if with_prompt else text, prompt, small)
    assert set(metrics) <= {*RATIOS, *COUNTS}
    assert all(math.isfinite(value) for value in metrics.values())
    assert all(0 <= metrics[name] <= 1 for name in RATIOS if name in metrics)
    assert all(metrics[name] >= 0 and metrics[name] == int(metrics[name]) for name in COUNTS)
    assert metrics["known_speakers"] <= metrics["speaker_lines"]
    json.dumps(metrics, allow_nan=False)


@given(text=play_like.filter(words), sample=play_like)
def test_any_corpus_with_words_will_do(text: str, sample: str) -> None:
    corpus = Corpus.from_text(text)
    metrics = measure_sample(sample, "", corpus)
    assert all(0 <= metrics[name] <= 1 for name in RATIOS if name in metrics)
    own = measure_sample(text, "", corpus)
    assert own["invented_words"] == own["unknown_characters"] == 0


# --- several samples, several stages ---


def test_merge_weighs_by_words_and_characters() -> None:
    merged = merge(
        [
            {"words": 30, "characters": 100, "real_word_ratio": 1.0, "format_score": 0.5, "speaker_lines": 2},
            {"words": 10, "characters": 300, "real_word_ratio": 0.2, "format_score": 0.9, "speaker_lines": 1},
            {"words": 0, "characters": 0, "speaker_lines": 0},
        ]
    )
    assert merged == pytest.approx(
        {
            "samples": 3,
            "words": 40,
            "characters": 400,
            "real_word_ratio": 0.8,
            "format_score": 0.8,
            "speaker_lines": 3,
        }
    )


def test_merge_of_nothing_and_of_what_is_not_finite() -> None:
    assert merge([]) == {"samples": 0}
    assert merge([{"words": 2, "real_word_ratio": math.nan, "invented_words": math.inf}]) == {
        "samples": 1,
        "words": 2,
    }
    assert merge([{"real_word_ratio": 0.5}]) == {"samples": 1}  # nothing to weigh it by


@given(st.lists(play_like, max_size=4))
def test_merged_ratios_stay_ratios(small: Corpus, texts: list[str]) -> None:
    metrics = [measure_sample(text, "", small) for text in texts]
    merged = merge(metrics)
    assert merged["samples"] == len(texts)
    assert merged.get("words", 0) == sum(sample["words"] for sample in metrics)
    assert all(0 <= merged[name] <= 1 for name in RATIOS if name in merged)
