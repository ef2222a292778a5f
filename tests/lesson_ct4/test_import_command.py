"""``lesson ct4 import`` as a user runs it, and what can be done with the result."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.lesson_ct4 import upstream_files as theirs

from lesson_ct4.training.checkpoint import load_checkpoint, save_checkpoint
from lesson_runner.cli import invoke


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LESSON_WORKSPACE", raising=False)
    return tmp_path


@dataclass
class Done:
    """Output of a command."""

    stdout: str
    stderr: str


Lesson = Callable[..., Done]


@pytest.fixture
def lesson(capsys: pytest.CaptureFixture[str]) -> Lesson:
    """Runs ``lesson ct4 …`` in this process."""

    def run(*arguments: str, code: int = 0) -> Done:
        capsys.readouterr()
        returned = invoke(["ct4", *arguments])
        done = Done(*capsys.readouterr())
        assert returned == code, done.stdout + done.stderr
        return done

    return run


def process(*arguments: str, code: int) -> Done:
    """Run ``lesson ct4 …`` in a separate process."""
    command = [sys.executable, "-m", "lesson_runner", "ct4", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return Done(done.stdout, done.stderr)


def checkpoints(here: Path) -> list[str]:
    return sorted(path.name for path in here.glob(".lesson/files/checkpoints/*"))


@pytest.mark.parametrize(
    ("file", "arguments", "saved"),
    [
        ("shakespeare_final.pkl", [], "shakespeare.safetensors"),
        ("shakespeare.pkl_final.pkl", [], "shakespeare.safetensors"),
        ("shakespeare_step_500.pkl", [], "shakespeare_step_500.safetensors"),
        ("shakespeare_final.pkl", ["--model_save_path", "mine"], "mine.safetensors"),
        ("shakespeare_final.pkl", ["--model_save_path=checkpoints/mine.pkl"], "mine.safetensors"),
        ("model", [], "model.safetensors"),
    ],
)
def test_what_it_is_called(lesson: Lesson, here: Path, file: str, arguments: list[str], saved: str) -> None:
    theirs.written(here / file, theirs.first_version())

    done = lesson("import", file, *arguments)

    assert checkpoints(here) == [saved]
    assert done.stdout == (
        "NanoGPT of 1 layers, 32 wide, 1 heads, 32 characters at once; 17,888 parameters after 1,500 steps\n"
        f"Checkpoint saved: {here}/.lesson/files/checkpoints/{saved}  [imported]\n"
    )
    assert done.stderr == ""


def test_in_a_separate_process(here: Path) -> None:
    theirs.written(here / "x_final.pkl", theirs.first_version())

    assert "Checkpoint saved: " in process("import", "x_final.pkl", code=0).stdout
    assert checkpoints(here) == ["x.safetensors"]


def test_for_a_program(lesson: Lesson, here: Path) -> None:
    theirs.written(here / "x_final.pkl", theirs.later_version())
    result = json.loads(lesson("import", "x_final.pkl", "--json", "--workspace", "elsewhere").stdout)

    assert result["checkpoint"] == str(here / "elsewhere" / "files" / "checkpoints" / "x.safetensors")
    assert Path(result["checkpoint"]).is_file()
    assert (result["status"], result["step"], result["labels"]) == ("passed", 1500, ["imported"])
    assert "learning_rate" in result["imported_from"]["unknown"]
    assert result["imported_from"]["upstream"]["training"]["scheduler_type"] == "warmup_linear"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "there is no such file"),
        (b"", "it is empty"),
        (theirs.pickled(theirs.first_version())[:-9], "it is cut short"),
        (b"\x80\x04cposix\nsystem\n(X\x0a\x00\x00\x00touch harmtR.", "it refers to posix.system"),
        (theirs.first_version(model_state={}), "it has 0 parameters"),
    ],
)
def test_nothing_is_written_for_a_refused_file(here: Path, content: Any, message: str) -> None:
    if content is not None:
        theirs.written(here / "x.pkl", content)

    done = process("import", "x.pkl", code=2)

    assert done.stderr.startswith(f"error: x.pkl cannot be imported: {message}")
    assert "\nfix: " in done.stderr
    assert {path.name for path in here.iterdir()} <= {"x.pkl"}


def test_a_checkpoint_of_ones_own_is_not_replaced(lesson: Lesson, here: Path) -> None:
    theirs.written(here / "x_final.pkl", theirs.first_version())
    lesson("import", "x_final.pkl")
    lesson("import", "x_final.pkl")  # overwriting with the same content is allowed
    target = here / ".lesson/files/checkpoints/x.safetensors"
    save_checkpoint(target, replace(load_checkpoint(target), session={"name": "emulated"}))
    trained = lesson("import", "x_final.pkl", code=2)
    target.write_bytes(b"something of the user's")

    done = lesson("import", "x_final.pkl", code=2)

    assert "already exists, and it was not imported" in trained.stderr
    assert "already exists, and it was not imported" in done.stderr
    assert target.read_bytes() == b"something of the user's"


def test_without_a_file(lesson: Lesson, here: Path) -> None:
    assert "CHECKPOINT.pkl" in lesson("import", code=2).stderr
    assert (
        "~nobody-of-this-name/x.pkl cannot be imported"
        in lesson("import", "~nobody-of-this-name/x.pkl", code=2).stderr
    )


@pytest.mark.torch
@pytest.mark.parametrize("kind", ["first", "later", "tied", "no bias", "stream"])
def test_it_generates(lesson: Lesson, here: Path, kind: str) -> None:
    pytest.importorskip("torch")
    state = theirs.weights()
    if kind == "tied":
        state.pop("NanoGPT/tok_emb/weight")
    made: dict[str, Callable[[], Any]] = {
        "first": theirs.first_version,
        "later": theirs.later_version,
        "tied": lambda: theirs.later_version(tying=theirs.WeightTying.Enabled, weights=state),
        "no bias": lambda: theirs.later_version(model={"bias": False}, weights=theirs.weights(bias=False)),
        "stream": theirs.stream,
    }
    theirs.written(here / "x_final.pkl", made[kind]())
    lesson("import", "x_final.pkl")

    line = ["generate", "--max_new_tokens", "7", "--backend", "emulated", "--model_path"]
    done = lesson(*line, "x")

    assert done.stdout.startswith("ROMEO:")
    assert len(done.stdout) == len("ROMEO:") + 7 + 1
    assert done.stderr.splitlines()[1:] == ["[emulated, imported]"]
    # On the command line, a path means that file first.
    assert "lesson ct4 import" in lesson(*line, "x_final.pkl", code=2).stderr
    (here / "x_final.pkl").unlink()
    assert lesson(*line, "x_final.pkl").stdout == done.stdout


@pytest.mark.torch
def test_a_model_writes_the_same_after_a_journey_through_their_format(lesson: Lesson, here: Path) -> None:
    pytest.importorskip("torch")
    from lesson_ct4.training.checkpoint import load_checkpoint

    (here / "text.txt").write_text(theirs.TEXT)
    size = "--n_layer 1 --n_embd 32 --n_head 1 --sequence_length 32 --batch_size 2 --max_steps 20"
    lesson(
        "train", "--data_path", "text.txt", "--backend", "emulated", *size.split(), "--learning_rate", "0.01"
    )
    ours = load_checkpoint(here / ".lesson/files/checkpoints/nanogpt.safetensors")
    state = {name: values.astype(np.float32) for name, values in ours.parameters.items()}
    theirs.written(here / "back_final.pkl", theirs.first_version(weights=state))
    lesson("import", "back_final.pkl")

    line = ["generate", "--max_new_tokens", "20", "--backend", "emulated", "--model_path"]

    assert lesson(*line, "back").stdout == lesson(*line, "nanogpt").stdout


@pytest.mark.torch
def test_with_its_text_what_it_writes_is_measured(lesson: Lesson, here: Path) -> None:
    pytest.importorskip("torch")
    theirs.written(here / "x_final.pkl", theirs.first_version())
    data = here / ".lesson/files/data"
    data.mkdir(parents=True)
    (data / "play.txt").write_text(theirs.TEXT)
    (data / "other.txt").write_text(theirs.TEXT + "é")

    refused = lesson("import", "x_final.pkl", "--data_path", "other.txt", code=2)
    assert "has 37 different characters; they differ from the 36 of the text" in refused.stderr
    assert "does not exist" in lesson("import", "x_final.pkl", "--data_path", "missing.txt", code=2).stderr
    assert checkpoints(here) == []

    lesson("import", "x_final.pkl", "--data_path", "play.txt")
    line = ["generate", "--model_path", "x", "--max_new_tokens", "30", "--backend", "emulated", "--json"]
    result = json.loads(lesson(*line).stdout)
    assert result["labels"] == ["emulated", "imported", "other dataset"]
    assert "unknown_characters" in result["metrics"]


@pytest.mark.torch
def test_it_cannot_be_resumed(lesson: Lesson, here: Path) -> None:
    pytest.importorskip("torch")
    (here / "text.txt").write_text(theirs.TEXT)
    theirs.written(here / "x_final.pkl", theirs.first_version(step=5))
    lesson("import", "x_final.pkl")
    size = "--n_layer 1 --n_embd 32 --n_head 1 --sequence_length 32 --batch_size 2 --max_steps 9"

    done = lesson(
        "train", "--data_path", "text.txt", "--backend", "emulated", *size.split(), "--resume", "x", code=2
    )

    assert "error: cannot resume: the checkpoint has no optimizer state\n" in done.stderr
