"""The table of flags, and parsing arguments with it."""

from __future__ import annotations

import dataclasses
import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesson_ct4.blocks.arguments import Parsed, parse
from lesson_ct4.config import RECIPES, TrainConfig
from lesson_ct4.flags import FLAGS, command_line, flags_of


def read(line: str, command: Any = "train") -> Parsed:
    return parse(shlex.split(line), command)


def only(line: str, command: Any = "train") -> tuple[str, str | None]:
    (problem,) = read(line, command).problems
    return problem.message, problem.fix


# --- the table ---------------------------------------------------------------------------------


def test_every_field_of_the_configuration_is_a_flag() -> None:
    by_name = {flag.name: flag for flag in flags_of("train")}

    for field in dataclasses.fields(TrainConfig):
        assert by_name[field.name].default == field.default
        assert by_name[field.name].help


def test_names_and_aliases_are_unique() -> None:
    names = [name for flag in FLAGS for name in (flag.name, *flag.aliases)]

    assert len(names) == len(set(names))


def test_defaults_fit_their_own_flags() -> None:
    for flag in FLAGS:
        if flag.default is not None and not flag.switch:
            assert flag.value(str(flag.default)) == flag.default


def test_a_command_says_the_same_and_what_a_reader_asks_for() -> None:
    defaults = {flag.name: flag.default for flag in flags_of("train")}
    params = {
        **defaults,
        **RECIPES["tuned"],
        "recipe": "tuned",
        "max_steps": 3000,
        "fresh": True,
        "bias": False,
    }

    line = command_line("train", params)

    assert "--data_path ~/x/y.txt --model" in command_line("train", {"data_path": "~/x/y.txt"})
    assert line == (
        "lesson ct4 train --data_path data/shakespeare.txt --model_save_path nanogpt"
        " --max_steps 3000 --bias false --recipe tuned --fresh"
    )
    assert read(line.removeprefix("lesson ct4 train")).params == {
        "data_path": "data/shakespeare.txt",
        "model_save_path": "nanogpt",
        "max_steps": 3000,
        "bias": False,
        "recipe": "tuned",
        "fresh": True,
    }


@pytest.mark.parametrize("prompt", ["ROMEO:", "", "it's", "--x", "-h"])
def test_a_command_that_generates_shows_the_prompt(prompt: str) -> None:
    line = command_line("generate", {"prompt": prompt})

    assert line.endswith(" --model_path nanogpt --max_new_tokens 300 --temperature 0.8")
    assert read(line.removeprefix("lesson ct4 generate"), "generate").params["prompt"] == prompt


# --- parsing -----------------------------------------------------------------------------------


def test_values_have_their_types() -> None:
    parsed = read("--batch_size 4 --learning_rate 5e-4 --bias=false --fresh --recipe tuned --mesh 1x8")

    assert parsed == Parsed(
        {
            "batch_size": 4,
            "learning_rate": 5e-4,
            "bias": False,
            "fresh": True,
            "recipe": "tuned",
            "mesh": "1x8",
        },
        (),
    )


@pytest.mark.parametrize(
    ("line", "params"),
    [
        ("--batch-size 4 --max-steps 9", {"batch_size": 4, "max_steps": 9}),
        ("--epochs 3 --max-grad-norm 1", {"num_epochs": 3, "clip_grad_norm": 1.0}),
        ("--checkpoint-dir a/b --checkpoint-prefix c", {"model_save_path": "a/b/c"}),
        ("--checkpoint-dir a/b/", {"model_save_path": "a/b/model"}),
        ("--checkpoint_prefix c", {"model_save_path": "c"}),
        ("--max_steps 1 --max_steps 2", {"max_steps": 2}),
    ],
)
def test_upstreams_spellings(line: str, params: dict[str, Any]) -> None:
    assert read(line, "script") == Parsed(params, ())


@pytest.mark.parametrize(
    ("line", "message", "fix"),
    [
        ("--batch_size four", "--batch_size is 'four': expected an integer", None),
        ("--batch_size 4.5", "--batch_size is '4.5': expected an integer", None),
        ("--learning_rate fast", "--learning_rate is 'fast': expected a number", None),
        ("--learning_rate nan", "--learning_rate is 'nan': expected a number", None),
        ("--bias no", "--bias is 'no': expected true or false", None),
        ("--recipe best", "--recipe is 'best': expected one of published, tuned", None),
        ("--mesh 8", "--mesh is '8': expected rows x columns of chips, such as 1x8", None),
        ("--bach_size 4", "unknown flag --bach_size", "did you mean --batch_size?"),
        ("--lerning-rate=1", "unknown flag --lerning-rate", "did you mean --learning_rate?"),
        ("--prompt x", "unknown flag --prompt", "--prompt belongs to `lesson ct4 generate`"),
        ("--promt x", "unknown flag --promt", "did you mean --prompt? It belongs to `lesson ct4 generate`"),
        (
            "--zzz",
            "unknown flag --zzz",
            "list the flags with lesson ct4 train --help and lesson ct4 generate --help",
        ),
        ("--data_path ''", "--data_path is '': expected a name or a path", None),
        ("--batch_size", "--batch_size needs an integer", None),
        ("--learning_rate --fresh", "--learning_rate needs a number", None),
        ("--resume --fresh", "--resume needs a value", "to start from scratch, write --fresh"),
        ("--fresh=yes", "--fresh takes no value", "write --fresh"),
        ("stray", "unexpected argument 'stray'", None),
        (
            "--sequence_length 100",
            "--sequence_length is 100",
            "--sequence_length must be a multiple of 32, such as 256",
        ),
        ("--batch_size 0", "--batch_size is 0", "--batch_size must be a whole number from 1"),
    ],
)
def test_what_is_wrong_is_said(line: str, message: str, fix: str | None) -> None:
    assert only(line) == (message, fix)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--temperature -1", "--temperature is '-1': expected 0 or more"),
        ("--max_new_tokens 0", "--max_new_tokens is '0': expected 1 or more"),
        ("--top_k many", "--top_k is 'many': expected an integer"),
    ],
)
def test_generating_has_limits(line: str, message: str) -> None:
    assert only(line, "generate")[0] == message


@pytest.mark.parametrize(
    "line", ["--track_memory", "--config x.yaml", "-c x.yaml", "--no-lazy", "--workspace w", "--json"]
)
def test_what_has_no_effect_is_said(line: str) -> None:
    parsed = read(line)

    assert parsed.params == {}
    assert [problem.severity for problem in parsed.problems] == ["info"]
    assert "has no effect here" in parsed.problems[0].message


def test_a_prompt_can_be_anything() -> None:
    assert read("--prompt=--x --model_path=-y", "generate").params == {"prompt": "--x", "model_path": "-y"}
    assert read("--prompt ''", "generate").params == {"prompt": ""}


def test_problems_know_their_argument() -> None:
    problems = read("--batch_size 4 --max_steps x --bogus 1 --seed").problems

    assert [problem.index for problem in problems] == [3, 4, 6]


@given(st.lists(st.text(max_size=12) | st.sampled_from([f"--{flag.name}" for flag in FLAGS]), max_size=8))
def test_no_argument_is_too_much(args: list[str]) -> None:
    for problem in parse(args, "script").problems:
        assert 0 <= problem.index < len(args)
