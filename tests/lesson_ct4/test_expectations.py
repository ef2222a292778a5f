"""The lesson's expectations of texts: a play passes, imitations do not."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from lesson_ct4 import synthetic_play
from lesson_ct4.measuring.corpus import Corpus
from lesson_ct4.measuring.measure import measure_samples
from lesson_ct4.measuring.vocabulary import words
from lesson_runner.document.lessons import load_lesson
from lesson_runner.run.judge import Produced, judge

LESSON = Path(__file__).parents[2] / "lessons/ct4-finetuning-basics.md"
FACTS = {"dataset": {"text": "synthetic"}}
STEPS = ("text-1", "text-2", "text-3", "text-4", "compare")
SAMPLES, LENGTH = 8, 200


@pytest.fixture(scope="module")
def parts() -> tuple[str, str]:
    """The known part of the play, and the held-out part."""
    play = synthetic_play.generate().decode("ascii")
    cut = play.rindex("\n\n", 0, len(play) * 9 // 10) + 2
    return play[:cut], play[cut:]


@pytest.fixture(scope="module")
def corpus(parts: tuple[str, str]) -> Corpus:
    return Corpus.from_text(parts[0])


def broken(step: str, texts: list[str], corpus: Corpus) -> set[str]:
    """Return the metrics of the texts that do not meet the expectations of the lesson's step."""
    document, _ = load_lesson(LESSON)
    (found,) = (each for each in document.steps if each.id == step)
    metrics = measure_samples(texts, "ROMEO:", corpus)
    judged = [item for item in found.expect if item.matcher == "metric"]
    assert judged
    return {
        item.argument["name"]
        for item in judged
        for verdict in judge([item], Produced(metrics=metrics), FACTS)
        if not verdict.passed
    }


def speeches(text: str, seed: int) -> list[str]:
    """Return texts that begin after a speaker's name, as with the lesson's prompt."""
    starts = [at + 1 for at in range(len(text) - LENGTH - 1) if text[at : at + 2] == ":\n"]
    return [text[start : start + LENGTH] for start in random.Random(seed).sample(starts, SAMPLES)]


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_a_play_that_was_not_copied_is_as_expected_at_every_stage(
    step: str, parts: tuple[str, str], corpus: Corpus
) -> None:
    for seed in range(5):
        assert broken(step, speeches(parts[1], seed), corpus) == set()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    "circle", ["wither with the ", "the ", "wither", "\n", "I am the one who was not there, "]
)
def test_a_text_that_runs_in_circles_is_found_out(step: str, circle: str, corpus: Corpus) -> None:
    """Releases of tt-metal before v0.67.0 generate such text."""
    text = ("\nWhat, " + circle * LENGTH)[:LENGTH]
    assert "repetition" in broken(step, [text] * SAMPLES, corpus)


@pytest.mark.parametrize("step", STEPS[:4])
def test_letters_in_random_order_are_found_out(step: str, parts: tuple[str, str], corpus: Corpus) -> None:
    letters = random.Random(1).sample(parts[0], SAMPLES * LENGTH)
    texts = ["".join(letters[at::SAMPLES]) for at in range(SAMPLES)]
    wrong = broken(step, texts, corpus)
    assert wrong & {"character_plausibility", "real_word_ratio"}
    assert ("format_score" in wrong) == (step != "text-1")


def test_words_in_random_order_are_not_yet_a_play(parts: tuple[str, str], corpus: Corpus) -> None:
    shuffled = random.Random(1).sample(words(parts[0]), SAMPLES * 50)
    texts = [" ".join(shuffled[at::SAMPLES])[:LENGTH] for at in range(SAMPLES)]
    assert {"format_score"} <= broken("text-4", texts, corpus)


def test_what_was_learned_by_heart_is_not_fluent(parts: tuple[str, str], corpus: Corpus) -> None:
    assert broken("text-4", speeches(parts[0], 1), corpus) == {"copied_ratio"}


@pytest.mark.parametrize("name", ["ct4-finetuning-basics", "ct5-multi-device-training"])
def test_times_are_claimed_of_boards_alone(name: str) -> None:
    """A machine with a board can emulate one on request: its seconds are those of a processor."""
    document, _ = load_lesson(LESSON.with_name(f"{name}.md"))
    timed = [claim for step in document.steps for claim in step.claims if claim.argument.get("unit")]
    assert timed
    for claim in timed:
        assert claim.conditions["facts"] == {"backend.name": "ttml"}
        assert claim.conditions["hardware"]
