from __future__ import annotations

import hashlib
import math
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from tests.lesson_ct4.corpus import tiny_shakespeare

from lesson_ct4 import synthetic_play
from lesson_ct4.synthetic_play.forms import adverb, article, compared, elided, noun, quality, verb


@pytest.fixture(scope="module")
def play() -> str:
    return synthetic_play.generate().decode("ascii")


def test_size_alphabet_and_digest_are_the_promised_ones(play: str) -> None:
    assert len(play) == synthetic_play.SIZE == 1_115_394
    assert "".join(sorted(set(play))) == synthetic_play.ALPHABET
    assert len(synthetic_play.ALPHABET) == 65
    assert hashlib.sha256(play.encode()).hexdigest() == synthetic_play.SHA256


@pytest.mark.slow
def test_the_text_does_not_depend_on_the_hash_seed() -> None:
    program = "from lesson_ct4.synthetic_play import generate; generate()"
    plugins = Path(synthetic_play.__file__).parents[1]
    for seed in ("1", "2"):
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": str(plugins)}
        subprocess.run([sys.executable, "-c", program], env=environment, check=True)


def test_a_text_that_comes_out_different_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic_play, "SHA256", "0" * 64)
    with pytest.raises(RuntimeError, match="digest"):
        synthetic_play.generate.__wrapped__()


def test_every_speech_has_a_heading_and_lines(play: str) -> None:
    speeches = play.rstrip("\n").split("\n\n")
    headings = Counter(speech.split("\n")[0] for speech in speeches)
    assert 6_000 < len(speeches) < 8_000
    assert 120 < len(headings) < 320
    assert all(re.fullmatch(r"[A-Z][A-Za-z ]*:", heading) for heading in headings)
    assert any(heading.isupper() for heading in headings)
    assert any(re.fullmatch(r"(First|Second) [A-Z][a-z]+:", heading) for heading in headings)
    assert all(speech.count("\n") >= 1 and speech[-1] in ".?!" for speech in speeches)
    # The lesson's prompts use these two names.
    assert headings["ROMEO:"] > 50
    assert headings["JULIET:"] > 50


def test_most_lines_begin_with_a_capital_and_none_is_long(play: str) -> None:
    lines = [line for line in play.split("\n") if line]
    assert 0.85 < sum(line.lstrip("'")[0].isupper() for line in lines) / len(lines) < 0.97
    assert max(map(len, lines)) <= 70
    assert "  " not in play


def test_words_are_many_and_distributed_like_those_of_a_language(play: str) -> None:
    counts = [count for _, count in Counter(re.findall(r"[a-z]+(?:'[a-z]+)*", play.lower())).most_common()]
    assert 5_000 < len(counts) < 15_000
    # Zipf: the slope of log frequency over log rank lies around -1.
    ranks = [1, 3, 10, 30, 100, 300, 1000]
    x, y = [math.log(rank) for rank in ranks], [math.log(counts[rank - 1]) for rank in ranks]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / sum(
        (a - mean_x) ** 2 for a in x
    )
    assert -1.2 < slope < -0.6
    assert sum(count == 1 for count in counts) > 500


def test_rare_characters_are_rare(play: str) -> None:
    assert (play.count("3"), play.count("$"), play.count("&")) == (27, 1, 3)


def test_verbs_agree_with_their_subjects(play: str) -> None:
    wrong = r"\b(thou (is|are|has|have|do|will)|I (is|are|art|hath|hast)|(you|we|they) (am|is|art|hath))\b"
    assert not re.search(wrong, play)
    assert not re.search(r"\ba [aeio]|\ban [bcdfgjklmnpqrstvwz]", play)
    for form in ("'tis", "'Tis", "o'er", "I'll", "thou art", "hath", "dost"):
        assert form in play


def test_scenes_have_topics(play: str) -> None:
    """Words of a topic cluster: their counts vary far more between passages than by chance."""
    blocks = [play[start : start + 20_000] for start in range(0, len(play) - 20_000, 20_000)]
    for word in ("ship", "sword", "judge", "flower"):
        counts = [len(re.findall(rf"\b{word}s?\b", block)) for block in blocks]
        mean = sum(counts) / len(counts)
        assert sum((count - mean) ** 2 for count in counts) / len(counts) > 3 * mean


@pytest.mark.slow
def test_it_is_about_as_hard_as_tiny_shakespeare(play: str) -> None:
    real, made = bits_per_character(tiny_shakespeare()), bits_per_character(play)
    assert 0.75 * real < made < 1.25 * real


def bits_per_character(text: str, order: int = 5) -> float:
    """Train an interpolated (Witten-Bell) n-gram on the first 90 %, test it on the rest."""
    cut = len(text) * 9 // 10
    tables: list[dict[str, Counter[str]]] = []
    for length in range(order + 1):
        table: dict[str, Counter[str]] = {}
        for end in range(length, cut):
            table.setdefault(text[end - length : end], Counter())[text[end]] += 1
        tables.append(table)
    totals = [{context: counts.total() for context, counts in table.items()} for table in tables]
    bits = 0.0
    for end in range(cut, len(text)):
        probability = 1 / 65
        for length in range(order + 1):
            context = text[end - length : end]
            if context not in tables[length]:
                break
            counts, total = tables[length][context], totals[length][context]
            probability = (counts.get(text[end], 0) + len(counts) * probability) / (total + len(counts))
        bits -= math.log2(probability)
    return bits / (len(text) - cut)


@pytest.mark.parametrize(
    ("entry", "forms"),
    [
        ("love", ("love", "loves", "loveth", "lovest", "loved", "loved", "loving")),
        ("carry", ("carry", "carries", "carrieth", "carriest", "carried", "carried", "carrying")),
        ("stop", ("stop", "stops", "stoppeth", "stoppest", "stopped", "stopped", "stopping")),
        ("give/gave/given", ("give", "gives", "giveth", "givest", "gave", "given", "giving")),
        ("die", ("die", "dies", "dieth", "diest", "died", "died", "dying")),
        ("go/went/gone", ("go", "goes", "goeth", "goest", "went", "gone", "going")),
        ("agree", ("agree", "agrees", "agreeth", "agreest", "agreed", "agreed", "agreeing")),
        ("kneel/knelt/knelt", ("kneel", "kneels", "kneeleth", "kneelest", "knelt", "knelt", "kneeling")),
    ],
)
def test_verb_forms(entry: str, forms: tuple[str, ...]) -> None:
    assert tuple(verb(entry)) == forms


def test_other_forms() -> None:
    assert [noun(entry).plural for entry in ("wife/wives", "city", "day", "church", "honour~")] == [
        "wives", "cities", "days", "churches", "",
    ]  # fmt: skip
    assert [adverb(word) for word in ("noble", "heavy", "dull", "sweet", "pale")] == [
        "nobly", "heavily", "dully", "sweetly", "palely",
    ]  # fmt: skip
    assert [quality(word) for word in ("sweet", "heavy")] == ["sweetness", "heaviness"]
    assert [compared(word, "er") for word in ("big", "noble", "heavy", "faithful")] == [
        "bigger", "nobler", "heavier", "more faithful",
    ]  # fmt: skip
    assert [elided(word) for word in ("called", "moved", "wanted", "fed", "slain")] == [
        "call'd", "mov'd", "wanted", "fed", "slain",
    ]  # fmt: skip
    assert [article(word) for word in ("owl", "honest man", "usurer", "king")] == ["an", "an", "a", "a"]
