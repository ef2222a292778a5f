"""The same flags on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from lesson_ct4 import plugin
from lesson_ct4.flags import flags_of
from lesson_runner.model.errors import LessonError

TEXT = "ROMEO:\nBut soft, what light through yonder window breaks?\n\nJULIET:\nAy me!\n\n" * 40
TINY = (
    "--n_layer 1 --n_embd 32 --n_head 1 --sequence_length 32 --batch-size=2 --max_steps 3 --backend emulated"
)


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command("other")(lambda: None)
    plugin.lesson_add_commands(app)
    return app


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my text.txt").write_text(TEXT)
    return tmp_path


def call(app: typer.Typer, *args: str) -> Any:
    return CliRunner().invoke(app, ["ct4", *args], catch_exceptions=False)


@pytest.mark.torch
def test_commands_outside_a_lesson(app: typer.Typer, here: Path) -> None:
    trained = call(app, "train", "--data_path", "my text.txt", "--track_memory", *TINY.split())
    assert trained.exit_code == 0
    assert trained.stdout.startswith("NanoGPT Training  [emulated, other dataset]\n")
    assert "[Step 3/3]" in trained.stdout
    assert "--track_memory has no effect here" in trained.stderr
    assert (here / ".lesson" / "files" / "checkpoints" / "nanogpt.safetensors").is_file()

    generated = call(app, "generate", "--max_new_tokens", "5", "--json", "--backend=emulated")
    result = json.loads(generated.stdout)
    assert (result["status"], result["metrics"]["characters"]) == ("passed", 5)
    assert result["output"].startswith("ROMEO:")
    assert result["labels"] == ["emulated", "other dataset"]

    shown = call(app, "generate", "--max_new_tokens", "5")
    saved = here / ".lesson" / "files" / "checkpoints" / "nanogpt.safetensors"
    said = f"Checkpoint: {saved}\n[emulated, other dataset]\n"
    assert (shown.stdout, shown.stderr) == (result["output"] + "\n", said)

    elsewhere = saved.rename(here / "elsewhere.safetensors")
    again = call(
        app, "generate", "--model_path", str(elsewhere), "--max_new_tokens=5", "--workspace", "w", "--json"
    )
    assert json.loads(again.stdout)["output"] == result["output"]


@pytest.mark.torch
def test_flags_override_a_recipe(app: typer.Typer) -> None:
    line = f"train --recipe tuned --dropout 0.1 {TINY} --json"
    result = json.loads(call(app, *line.split(), "--data_path", "my text.txt").stdout)

    assert (result["params"]["learning_rate"], result["params"]["dropout"]) == (1e-3, 0.1)


@pytest.mark.parametrize(
    ("line", "message", "fix"),
    [
        ("train --bach_size 4", "unknown flag --bach_size", "did you mean --batch_size?"),
        ("train --batch_size four", "--batch_size is 'four': expected an integer", None),
        ("train --max_steps", "--max_steps needs an integer", None),
        ("train --backend gpu", "--backend is 'gpu': expected one of auto, ttml, emulated", None),
        ("train --workspace", "--workspace needs a value", None),
        ("train", "the length of the training is not set", "add --max_steps or --num_epochs"),
        ("generate --max_steps 3", "unknown flag --max_steps", "--max_steps belongs to `lesson ct4 train`"),
        ("generate", "there is no checkpoint for 'nanogpt'", "train it first, and save it with that name"),
    ],
)
def test_what_is_wrong_is_an_error_with_a_cure(
    app: typer.Typer, line: str, message: str, fix: str | None
) -> None:
    with pytest.raises(LessonError) as caught:
        call(app, *line.split())

    assert str(caught.value).startswith(message)
    assert caught.value.fix == fix


@pytest.mark.torch
def test_repeating_a_command_trains_again(app: typer.Typer, here: Path) -> None:
    line = ["train", "--data_path", "my text.txt", "--fresh", "--json", *TINY.split()]

    first, again = (json.loads(call(app, *line).stdout) for _ in range(2))

    assert first["metrics"]["reused_steps"] == again["metrics"]["reused_steps"] == 0
    assert not list(here.rglob("checkpoint-cache"))


@pytest.mark.parametrize("place", ["/proc/x", "/etc/passwd", "taken", "~nobody-of-that-name/" + "x" * 300])
def test_a_workspace_that_cannot_be_used_is_no_bug(app: typer.Typer, here: Path, place: str) -> None:
    (here / "taken" / "by-hand" / "evidence" / "train" / "a folder").mkdir(parents=True)

    with pytest.raises(LessonError, match=r"the workspace .* cannot be used") as caught:
        call(app, "train", "--max_steps", "3", "--workspace", place)

    assert caught.value.exit_code == 2
    assert "--workspace FOLDER" in str(caught.value.fix)


@pytest.mark.parametrize("flag", ["--data_path", "--workspace"])
def test_an_empty_value_is_an_error(app: typer.Typer, flag: str) -> None:
    with pytest.raises(LessonError, match=f"{flag} is '': expected a name or a path"):
        call(app, "train", "--max_steps", "3", flag, "")


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--max_steps", "3", "-h"]])
@pytest.mark.parametrize("command", ["train", "generate"])
def test_help_shows_every_flag(
    app: typer.Typer, command: Any, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")

    shown = call(app, command, *arguments).stdout

    for name in [*(flag.name for flag in flags_of(command)), "workspace", "backend", "json"]:
        assert f"--{name} " in shown
