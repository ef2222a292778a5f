"""Which blocks are ours, and the meaning of their commands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from lesson_ct4.blocks.interpret import interpret_block
from lesson_ct4.data.fetch import URL
from lesson_ct4.names import loaded_stems, saved_stem
from lesson_runner.model import ActionCall, Block, Location


def interpret(text: str, language: str = "bash", line: int = 10, column: int = 1) -> Sequence[ActionCall]:
    found = interpret_block(Block(language, text, Location(Path("lesson.md"), line, column)))
    assert found
    return found


def problems(text: str) -> list[str]:
    return [str(problem) for call in interpret(text) for problem in call.diagnostics]


# --- ours --------------------------------------------------------------------------------------


def test_the_published_lessons_training() -> None:
    (call,) = interpret(
        "python train_nanogpt.py \\\n"
        "  --data_path ~/tt-scratchpad/training/data/shakespeare.txt \\\n"
        "  --num_epochs 10 \\\n"
        "  --batch_size 4 \\\n"
        "  --learning_rate 5e-4 \\\n"
        "  --model_save_path ~/tt-metal/tt-train/checkpoints/shakespeare_stage1.pkl \\\n"
        "  --fresh\n"
    )

    assert call.action == "ct4.train"
    assert call.params == {
        "data_path": "~/tt-scratchpad/training/data/shakespeare.txt",
        "num_epochs": 10,
        "batch_size": 4,
        "learning_rate": 5e-4,
        "model_save_path": "~/tt-metal/tt-train/checkpoints/shakespeare_stage1.pkl",
        "fresh": True,
    }
    assert str(call.location) == "lesson.md:10:1"
    assert call.source.startswith("python train_nanogpt.py")
    assert call.source.endswith("--fresh")
    assert call.diagnostics == ()


def test_the_script_has_its_own_defaults() -> None:
    (call,) = interpret("python3 train_nanogpt.py")

    assert call.params == {"batch_size": 64, "learning_rate": 3e-4, "max_steps": 5000}


def test_our_command_has_none() -> None:
    (call,) = interpret("lesson ct4 train --max_steps 3")

    assert call.params == {"max_steps": 3}


def test_a_prompt_makes_the_script_generate() -> None:
    (call,) = interpret('python train_nanogpt.py --prompt "ROMEO:" --model_path a.pkl --batch_size 4')

    assert (call.action, call.params) == ("ct4.generate", {"prompt": "ROMEO:", "model_path": "a.pkl"})
    assert [(problem.severity, problem.message) for problem in call.diagnostics] == [
        ("info", "--batch_size has no effect when the script generates")
    ]


def test_flags_of_generating_do_nothing_when_the_script_trains() -> None:
    assert problems("python train_nanogpt.py --max_steps 3 --temperature 0.5") == [
        "lesson.md:10:1: info: --temperature has no effect when the script trains [ct4.no-effect]"
    ]


@pytest.mark.parametrize(
    "command",
    [
        "lesson ct4 train --max_steps 3",
        "python -m lesson_runner ct4 train --max_steps 3",
        "python3.10 -u ~/tt-metal/tt-train/sources/examples/nano_gpt/train_nanogpt.py --max_steps 3",
        "$TT_METAL_HOME/python_env/bin/python train_nanogpt.py --max_steps 3",
        "python tt-train/sources/examples/train/train.py --max-steps 3",
        "cd ~/tt-metal/tt-train/sources/examples/train && python train.py --max-steps 3",
        "./train_nanogpt.py --max_steps=3",
        "FOO=1 BAR='a b' python train_nanogpt.py --max_steps 3  # in a minute",
        "python train_nanogpt.py --max_steps '3'\r\n",
        'source env/bin/activate; export A=$(pwd):$B; mkdir -p x\nlesson ct4 train --max_steps "3"',
    ],
)
def test_spellings_of_the_command(command: str) -> None:
    (call,) = interpret(command)

    assert (call.action, call.params["max_steps"], call.diagnostics) == ("ct4.train", 3, ())


def test_several_commands_are_several_calls() -> None:
    calls = interpret(
        "# Stage 1\nlesson ct4 generate --prompt A\n\n"
        "# Stage 2\ncd x\n  lesson ct4 generate --prompt B\necho done"
    )

    assert [call.params["prompt"] for call in calls] == ["A", "B"]
    assert [str(call.location) for call in calls] == ["lesson.md:11:1", "lesson.md:15:3"]
    assert [call.absorbed for call in calls] == [("# Stage 1",), ("# Stage 2", "cd x", "echo done")]


def test_a_transcript() -> None:
    (call,) = interpret(
        "(venv) $ lesson ct4 train \\\n>   --max_steps 3\n[Step 3/3] Loss: 4.1\n$ ls\nfiles\n",
        "console",
        column=3,
    )

    assert (call.params, str(call.location)) == ({"max_steps": 3}, "lesson.md:10:12")


def test_downloading_the_text() -> None:
    (call,) = interpret(f"mkdir -p d\ncd d\nwget {URL} -O shakespeare.txt\nls -lh shakespeare.txt\n")

    assert (call.action, call.params) == ("ct4.fetch-dataset", {"name": "shakespeare.txt"})
    assert call.absorbed == ("mkdir -p d", "cd d", "ls -lh shakespeare.txt")
    assert interpret(f"curl -L -o s.txt {URL}")[0].params == {"name": "s.txt"}
    assert interpret(f"wget {URL}")[0].params == {"name": "input.txt"}


# --- not ours ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "lesson ct4 train --max_steps 3"),
        ("text", "lesson ct4 train --max_steps 3"),
        ("bash", ""),
        ("bash", "# lesson ct4 train"),
        ("bash", "cd $TT_METAL_HOME && git describe --tags"),
        ("bash", "source x\nexport A=1\n"),
        ("bash", "lesson ct4 train --max_steps 3\nrm -rf x"),
        ("bash", "lesson ct4 train --max_steps 3 | tee log"),
        ("bash", "cat list | lesson ct4 train --max_steps 3"),
        ("bash", "lesson ct4 train --max_steps 3 > log"),
        ("bash", "lesson ct4 train --max_steps 3\ncd x & rm -rf x"),
        ("bash", "cat <<cd\nlesson ct4 train --max_steps 3\ncd"),
        ("bash", "cat > train.sh\n$ lesson ct4 train --max_steps 3"),
        ("bash", "lesson ct4 train --max_steps 3 &"),
        ("bash", "echo x > config\nlesson ct4 train --max_steps 3"),
        ("bash", 'lesson ct4 train --data_path "$(pick)"'),
        ("bash", "for i in 1 2; do lesson ct4 train --max_steps $i; done"),
        ("bash", "lesson run other"),
        ("bash", "lesson ct4 other"),
        ("bash", "python train.py --max_steps 3"),
        ("bash", "python"),
        ("bash", "wget https://example.com/input.txt"),
        ("bash", "wget 'unclosed"),
    ],
)
def test_left_to_others(language: str, text: str) -> None:
    assert interpret_block(Block(language, text, Location(Path("lesson.md"), 1))) is None


# --- diagnostics -------------------------------------------------------------------------------


def test_problems_have_their_place() -> None:
    found = problems("lesson ct4 train \\\n  --batch_size four \\\n  --maximum_steps 1 --seed")

    assert found == [
        "lesson.md:11:16: error: --batch_size is 'four': expected an integer [ct4.wrong-type]",
        "lesson.md:12:3: error: unknown flag --maximum_steps (did you mean --max_steps?) [ct4.unknown-flag]",
        "lesson.md:12:21: error: --seed needs an integer [ct4.missing-value]",
    ]


def test_an_open_quote_is_reported_for_our_commands() -> None:
    assert problems("cd x\nlesson ct4 generate --prompt 'ROMEO:\n") == [
        "lesson.md:11:30: error: the quote ' is never closed (close it, or leave it out) [ct4.shell-syntax]"
    ]


# --- names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("saved", "loaded"),
    [
        ("~/checkpoints/shakespeare_stage1.pkl", "~/checkpoints/shakespeare_stage1.pkl_final.pkl"),
        ("checkpoints/shakespeare_final.pkl", "checkpoints/shakespeare_final.pkl_final.pkl"),
        ("stage2", "stage2_final.pkl"),
        ("stage2.pkl", "stage2.pkl"),
        ("$OUT/stage2.safetensors", "$OUT/stage2"),
        ("x_final.pkl", "x_final.pkl"),
    ],
)
def test_checkpoints_are_found_again(saved: str, loaded: str) -> None:
    assert saved_stem(saved) in loaded_stems(loaded)


def test_the_likelier_name_comes_first() -> None:
    assert loaded_stems("x/a.pkl_final.pkl") == ("x/a",)
    assert loaded_stems("a_final.pkl") == ("a", "a_final")
    assert loaded_stems("a_step_500.pkl") == ("a_step_500",)
