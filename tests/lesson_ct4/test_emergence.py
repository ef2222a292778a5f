"""The stage at which a skill first appears."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lesson_ct4.measuring.captions import metrics_caption, news_caption
from lesson_ct4.measuring.emergence import PHASES, emergence, first_seen, sentence


def test_first_seen_is_where_it_stays() -> None:
    ratios = [0.9, 0.1, 0.7, 0.95]
    assert emergence([{"real_word_ratio": value} for value in ratios]) == {"vocabulary": 3}
    assert emergence([{"real_word_ratio": 0.9}, {"real_word_ratio": 0.1}]) == {"vocabulary": None}


def test_a_stage_that_was_not_measured_is_passed_over() -> None:
    assert emergence([{}, {"format_score": 0.9}, {}, {"format_score": 0.8}]) == {"structure": 2}
    assert emergence([]) == emergence([{}, {"loss": 1.0}]) == {}


def test_emergence_as_text() -> None:
    assert (
        sentence({"structure": 2, "vocabulary": 3}) == "Learned: structure by stage 2, vocabulary by stage 3."
    )
    assert (
        sentence({"structure": 1, "word order": None})
        == "Learned: structure by stage 1. Not learned: word order."
    )
    assert sentence({"word order": None}) == "Not learned: word order."
    assert sentence({}) == ""


@given(st.lists(st.dictionaries(st.sampled_from([phase.metric for phase in PHASES]), st.floats(0, 2))))
def test_from_the_stage_named_on_the_threshold_is_held(stages: list[dict[str, float]]) -> None:
    for phase in PHASES:
        found = emergence(stages).get(phase.name)
        values = [stage.get(phase.metric) for stage in stages]
        later = values[found - 1 :] if found else []
        assert all(value is None or value >= phase.at_least for value in later)
        if found is None and values and values[-1] is not None:
            assert values[-1] < phase.at_least


def test_what_a_stage_shows_that_none_before_it_did() -> None:
    young = {"character_plausibility": 0.9, "format_score": 0.6}
    older = {"character_plausibility": 0.9, "format_score": 0.1, "real_word_ratio": 0.7}

    def names(stage: dict[str, float], before: list[dict[str, float]]) -> list[str]:
        return [phase.name for phase in first_seen(stage, before)]

    assert names(young, []) == ["letters", "structure"]
    assert names(older, [young]) == ["vocabulary"]
    assert names(young, [older]) == ["structure"]
    assert names({}, []) == []


def test_captions_show_the_metrics_of_a_stage() -> None:
    metrics = {"samples": 16.0, "format_score": 0.541, "real_word_ratio": 0.365, "known_speakers": 2.0}
    assert (
        metrics_caption(metrics)
        == "All 16 texts: look of a play 0.54, real words 36%, speakers of the play 2"
    )
    assert metrics_caption({"samples": 1.0, "repetition": 0.5}) == "This text: repetition 50%"
    assert metrics_caption({}) == news_caption([], {}) == ""
    assert news_caption(first_seen(metrics, []), metrics) == (
        "New in this run: structure (look of a play 0.50 or more), speakers of the play (2)"
    )


def test_every_phase_can_be_told() -> None:
    assert news_caption(PHASES, {phase.metric: phase.at_least for phase in PHASES}).count("(") == len(PHASES)
