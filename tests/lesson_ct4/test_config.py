"""The settings of a training run, and the messages for invalid values."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from lesson_ct4.config import RECIPES, TrainConfig, config_from
from lesson_runner.model.errors import LessonError


def test_the_defaults_are_the_lessons_model() -> None:
    config = TrainConfig(max_steps=1)

    assert (config.n_layer, config.n_embd, config.n_head, config.sequence_length) == (6, 384, 6, 256)


def test_the_published_recipe_is_what_the_defaults_are() -> None:
    assert TrainConfig(max_steps=7) == config_from({"max_steps": 7, "recipe": "published"})


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_sets_every_flag_the_others_set(recipe: str) -> None:
    assert set(RECIPES["published"]) == set(RECIPES[recipe])


def test_a_flag_wins_over_the_recipe() -> None:
    config = config_from({"recipe": "tuned", "learning_rate": 2e-3, "max_steps": 10})

    assert (config.learning_rate, config.beta2, config.recipe) == (2e-3, 0.99, "tuned")


def test_a_configuration_survives_json() -> None:
    config = config_from({"recipe": "tuned", "num_epochs": 3, "clip_grad_norm": 0.7, "bias": False})

    assert config == config_from(json.loads(json.dumps(config.to_json())))


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("max_steps", 0),
        ("max_steps", 1.5),
        ("max_steps", True),
        ("num_epochs", -1),
        ("steps_per_epoch", 0),
        ("batch_size", 0),
        ("sequence_length", 100),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("learning_rate", 2),
        ("clip_grad_norm", 0),
        ("validation_fraction", 0.9),
        ("seed", -1),
        ("seed", 2**32),
        ("n_layer", 0),
        ("n_embd", 100),
        ("dropout", 1.0),
        ("bias", 1),
        ("warmup_steps", -1),
        ("decay", "cosine"),
        ("min_lr_ratio", 1.1),
        ("beta1", 1.0),
        ("beta2", -0.1),
        ("epsilon", 0),
        ("weight_decay", -0.01),
        ("numerics", "fp16"),
    ],
)
def test_a_wrong_value_names_the_flag_and_what_it_must_be(flag: str, value: Any) -> None:
    with pytest.raises(LessonError, match=f"--{flag} is") as caught:
        config_from({"max_steps": 10, flag: value})

    assert f"--{flag} must be" in str(caught.value.fix)


def test_heads_must_cut_the_width_into_whole_tiles() -> None:
    with pytest.raises(LessonError, match="--n_head 5") as caught:
        TrainConfig(max_steps=1, n_embd=384, n_head=5)

    assert "1, 2, 3, 4, 6, 12" in str(caught.value.fix)


def test_a_length_is_required() -> None:
    with pytest.raises(LessonError, match="length of the training") as caught:
        TrainConfig()

    assert "--max_steps" in str(caught.value.fix)


def test_an_unknown_flag_names_the_nearest() -> None:
    with pytest.raises(LessonError, match="--learning_rat ") as caught:
        config_from({"max_steps": 1, "learning_rat": 1e-3})

    assert caught.value.fix == "did you mean --learning_rate?"


def test_an_unknown_recipe_lists_the_known() -> None:
    with pytest.raises(LessonError) as caught:
        config_from({"max_steps": 1, "recipe": "best"})

    assert "published, tuned" in str(caught.value.fix)


@pytest.mark.parametrize(
    ("length", "steps"),
    [
        ({"max_steps": 70}, 70),
        ({"num_epochs": 10, "steps_per_epoch": 100}, 1000),
        ({"num_epochs": 2}, 2 * 981),  # 1,003,854 / (4 * 256) = 980.3
        ({"max_steps": 70, "num_epochs": 10, "steps_per_epoch": 100}, 70),
        ({"max_steps": 7000, "num_epochs": 10, "steps_per_epoch": 100}, 1000),
    ],
)
def test_the_number_of_steps(length: dict[str, int], steps: int) -> None:
    assert config_from(length).steps(1_003_854)[0] == steps


def test_a_length_given_twice_is_explained() -> None:
    _, note = TrainConfig(max_steps=70, num_epochs=1, steps_per_epoch=100).steps(10_000)

    assert note is not None
    assert "70 steps, the smaller" in note


def test_importing_recipes_and_schedules_loads_no_heavy_library() -> None:
    code = (
        "import sys, lesson_ct4.config, lesson_ct4.training.schedule, lesson_ct4.data.tokenizer;"
        "print({'numpy', 'torch', 'safetensors'} & set(sys.modules))"
    )

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stdout == "set()\n"


def test_whole_numbers_are_written_as_the_field_is() -> None:
    config = config_from({"max_steps": 5, "dropout": 0, "learning_rate": 1, "clip_grad_norm": 1})

    assert json.dumps(config.to_json()) == json.dumps(
        config_from({"max_steps": 5, "dropout": 0.0, "learning_rate": 1.0, "clip_grad_norm": 1.0}).to_json()
    )
