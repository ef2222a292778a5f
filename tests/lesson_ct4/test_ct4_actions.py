"""Training and generating as steps of a run, with a tiny model."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from lesson_ct4 import synthetic_play
from lesson_ct4.actions import workspace_files
from lesson_ct4.actions.table import ACTIONS
from lesson_ct4.config import RECIPES, TrainConfig
from lesson_ct4.measuring.evidence import measure_action
from lesson_ct4.names import STATE
from lesson_runner.files.evidence import Evidence
from lesson_runner.model import Block, Event, Inspection, Location, Outcome, Step
from lesson_runner.model.errors import LessonError, TimedOutError
from lesson_runner.plugins.action import Action
from lesson_runner.plugins.action_errors import load
from lesson_runner.plugins.context import RunContext, StepContext

pytestmark = pytest.mark.torch

BY_NAME = {action.name: action for action in ACTIONS}
TEXT = "ROMEO:\nBut soft, what light through yonder window breaks?\n\nJULIET:\nAy me!\n\n" * 40
TINY = {
    "n_layer": 1,
    "n_embd": 32,
    "n_head": 1,
    "sequence_length": 32,
    "batch_size": 2,
    "dropout": 0.0,
    "max_steps": 12,
    "model_save_path": "checkpoints/tiny.pkl",
}

Do = Callable[..., tuple[Outcome, StepContext]]


@pytest.fixture
def data(run: RunContext) -> Path:
    path = run.workspace.files / "data" / "shakespeare.txt"
    path.parent.mkdir(parents=True)
    path.write_text(TEXT)
    return path


@pytest.fixture
def do(step: Callable[..., StepContext]) -> Do:
    """Runs an action with its defaults, like the runner."""

    def do(name: str, id: str = "one", **params: Any) -> tuple[Outcome, StepContext]:  # noqa: A002
        action = BY_NAME[name]
        values = {**action.defaults, **(TINY if name == "ct4.train" else {}), **params}
        context = step(id, name, **values)
        return load(action.run)(values, context), context

    return do


def measured(context: StepContext) -> dict[str, float]:
    return measure_action(context.step.action, Evidence(context.evidence, context.run.shared_evidence))


# --- properties of the actions -----------------------------------------------------------------


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_schemas_take_their_own_defaults_presets_and_profiles(action: Action) -> None:
    validator = jsonschema.Draft202012Validator(dict(action.schema))
    jsonschema.Draft202012Validator.check_schema(dict(action.schema))
    layers: list[Any] = [action.defaults, *action.profiles.values()]
    layers += [values for preset in action.presets.values() for values in preset.values()]

    for layer in layers:
        assert list(validator.iter_errors(dict(layer))) == []
    assert action.schema["additionalProperties"] is False
    assert not validator.is_valid({"no_such_parameter": 1})


def test_training_takes_every_field_of_the_configuration() -> None:
    fields = {field.name for field in dataclasses.fields(TrainConfig)}

    assert fields <= set(BY_NAME["ct4.train"].schema["properties"])


@pytest.mark.parametrize(
    ("name", "params", "paths"),
    [
        ("ct4.fetch-dataset", {}, Inspection(writes=("dataset:shakespeare.txt",))),
        (
            "ct4.train",
            {"data_path": "~/x/y.txt", "model_save_path": "~/c/a.pkl"},
            Inspection(("dataset:x/y.txt", "dataset:y.txt"), ("checkpoint:c/a", "checkpoint:a")),
        ),
        (
            "ct4.train",
            {"resume": "b.pkl"},
            Inspection(("dataset:shakespeare.txt", "checkpoint:b"), ("checkpoint:nanogpt",)),
        ),
        (
            "ct4.generate",
            {"model_path": "c/a.pkl_final.pkl"},
            Inspection(("checkpoint:c/a",)),
        ),
    ],
)
def test_paths(name: str, params: dict[str, Any], paths: Inspection) -> None:
    action = BY_NAME[name]
    assert action.inspect is not None

    found = action.inspect({**action.defaults, **params})
    assert (found.reads, found.writes) == (paths.reads, paths.writes)


def test_commands() -> None:
    def command(name: str, **params: Any) -> str:
        action = BY_NAME[name]
        assert action.command is not None
        return action.command({**action.defaults, **params})

    assert command("ct4.train", max_steps=3) == (
        "lesson ct4 train --data_path data/shakespeare.txt --model_save_path nanogpt"
        " --max_steps 3 --recipe published"
    )
    assert command("ct4.generate", prompt="A B:") == (
        "lesson ct4 generate --prompt 'A B:' --model_path nanogpt --max_new_tokens 300 --temperature 0.8"
    )
    assert command("ct4.fetch-dataset").startswith("wget https://raw.githubusercontent.com/karpathy/")
    assert command("ct4.fetch-dataset", dataset="my text") == "cp 'my text' shakespeare.txt"


# --- training ----------------------------------------------------------------------------------


def test_training_tells_the_lessons_story(do: Do, data: Path, run: RunContext, events: list[Event]) -> None:
    outcome, context = do("ct4.train")

    said = "\n".join(context.lines)
    assert f"Dataset size: {len(TEXT)} characters" in said
    assert "  Layers: 1" in said
    assert "  Training steps: 12" in said
    assert "[Step 12/12] Loss: " in said
    assert "Training complete!" in said
    assert "checkpoints/tiny.safetensors" in said
    assert sum(line.startswith("[Step") for line in context.lines) <= 12

    progress = [event.data for event in events if event.kind == "progress"]
    assert [item["done"] for item in progress] == list(range(1, 13))
    assert {"total", "loss", "tokens_per_second", "seconds_left"} <= progress[-1].keys()

    assert outcome.labels == ("emulated", "other dataset")
    assert outcome.facts["backend"]["name"] == "emulated"
    assert outcome.facts["dataset"]["sha256"] == hashlib.sha256(TEXT.encode()).hexdigest()
    metrics = measured(context)
    assert metrics["steps"] == 12
    assert metrics["final_loss"] > 0
    assert metrics["validation_loss"] > 0
    assert (run.workspace.files / "checkpoints" / "tiny.safetensors").is_file()


def test_a_recipe_says_what_was_set_otherwise(do: Do, data: Path) -> None:
    preset = {**RECIPES["tuned"], "recipe": "tuned", "max_steps": 1, "batch_size": 4}
    _, as_it_is = do("ct4.train", "one", **preset)
    _, changed = do("ct4.train", "two", **{**preset, "batch_size": 2, "clip_grad_norm": None, "beta2": 0.9})

    assert "  Recipe: tuned" in as_it_is.lines
    assert "  Recipe: tuned, but batch_size 2, beta2 0.9, clip_grad_norm none" in changed.lines


def test_stages_share_their_steps_and_the_session(do: Do, data: Path, run: RunContext) -> None:
    do("ct4.train", "stage-1", max_steps=4)
    opened = run.store[STATE].session
    _, context = do("ct4.train", "stage-2", max_steps=6)

    assert run.store[STATE].session is opened
    assert measured(context)["reused_steps"] == 4
    assert (run.workspace.root / "checkpoint-cache").is_dir()


def test_another_mesh_or_numerics_is_another_session(do: Do, data: Path, run: RunContext) -> None:
    do("ct4.train", "stage-1", max_steps=1)
    opened = run.store[STATE].session
    outcome, _ = do("ct4.train", "stage-2", max_steps=1, numerics="fp32")

    assert run.store[STATE].session is not opened
    assert outcome.facts["backend"]["numerics"] == "fp32"
    do("ct4.generate", "sample", model_path="tiny.pkl", max_new_tokens=1)
    assert run.store[STATE].numerics == "fp32"


def test_resuming(do: Do, data: Path) -> None:
    do("ct4.train", "first", max_steps=3, model_save_path="first.pkl")
    _, context = do("ct4.train", "then", max_steps=5, resume="first.pkl_final.pkl")

    assert measured(context)["reused_steps"] == 3
    with pytest.raises(LessonError, match="contradict"):
        do("ct4.train", "odd", resume="first.pkl", fresh=True)


def test_training_stops_in_time(do: Do, data: Path, step: Callable[..., StepContext]) -> None:
    params = {**BY_NAME["ct4.train"].defaults, **TINY}
    context = step("late", "ct4.train", **params)
    context.step = dataclasses.replace(context.step, timeout=1)
    context.deadline = 0.0

    with pytest.raises(TimedOutError):
        load(BY_NAME["ct4.train"].run)(params, context)


def test_synthetic_text_is_labelled(do: Do, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic_play, "SHA256", hashlib.sha256(TEXT.encode()).hexdigest())

    trained, _ = do("ct4.train", max_steps=1)
    sampled, _ = do("ct4.generate", "two", model_path="tiny", max_new_tokens=1)

    assert trained.labels == sampled.labels == ("emulated", "synthetic dataset")


def test_where_a_dataset_came_from_is_kept_and_nothing_else(
    do: Do, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sha256 = hashlib.sha256(TEXT.encode()).hexdigest()
    fact = {
        "name": "s.txt",
        "source": "cache",
        "url": "http://x/",
        "sha256": sha256,
        "bytes": 1,
        "pinned": True,
        "text": "shakespeare",
    }
    data.with_suffix(".json").write_text(json.dumps(fact))
    outcome, _ = do("ct4.train", "zero", max_steps=1)
    assert outcome.facts["dataset"] == {**fact, "bytes": len(TEXT), "pinned": False, "text": "other"}
    assert outcome.labels == ("emulated", "other dataset")

    monkeypatch.setattr("lesson_ct4.data.fetch.SHA256", sha256)
    outcome, _ = do("ct4.train", "one", max_steps=1)
    assert (outcome.facts["dataset"]["pinned"], outcome.labels) == (True, ("emulated",))

    data.with_suffix(".json").write_text(json.dumps({**fact, "sha256": "of another"}))
    assert do("ct4.train", "two", max_steps=1)[0].facts["dataset"]["source"] == "user"


# --- generating --------------------------------------------------------------------------------


def test_generating(do: Do, data: Path, run: RunContext, events: list[Event]) -> None:
    do("ct4.train", "train")
    outcome, context = do(
        "ct4.generate", "sample", model_path="tiny.pkl_final.pkl", max_new_tokens=20, samples=2
    )

    stored = json.loads((context.evidence / "samples.json").read_text())
    checkpoint = run.workspace.files / "checkpoints" / "tiny.safetensors"
    assert stored["checkpoint"] == {
        "name": "tiny",
        "step": 12,
        "sha256": hashlib.sha256(checkpoint.read_bytes()).hexdigest(),
    }
    assert [len(text) for text in stored["samples"]] == [20, 20]
    assert "\n".join(context.lines) == "ROMEO:" + stored["samples"][0]
    assert (run.shared_evidence / stored["corpus"]).read_text() == TEXT
    assert measured(context)["samples"] == 2
    assert measured(context)["characters"] == 40
    progress = [event for event in events if event.kind == "progress" and event.step == "sample"]
    assert [event.data["done"] for event in progress] == list(range(1, 21))
    assert outcome.labels == ("emulated", "other dataset")


def test_a_later_run_can_start_at_generating(do: Do, data: Path, run: RunContext) -> None:
    do("ct4.train", "train", max_steps=1)
    run.folder = run.workspace.runs / "2"
    _, context = do("ct4.generate", "sample", model_path="tiny", max_new_tokens=5)

    assert not (context.evidence.parent / "corpus").exists()
    assert (run.workspace.runs / "1" / "evidence" / "_shared").is_dir()
    name = json.loads((context.evidence / "samples.json").read_text())["corpus"]
    assert (run.shared_evidence / name).read_text() == TEXT


def test_a_prompt_with_unknown_characters_is_refused_before_a_device_opens(
    do: Do, data: Path, run: RunContext
) -> None:
    """A lesson shows it in a separate process, while the run has the board open."""
    do("ct4.train", "train", max_steps=1)
    workspace_files.close_session(run)

    with pytest.raises(LessonError, match=r"'\['"):
        do("ct4.generate", "sample", model_path="tiny", prompt="[Enter ")

    assert STATE not in run.store


# --- missing files -----------------------------------------------------------------------------


def steps_of_a_lesson() -> tuple[Step, ...]:
    place = Location(Path("lesson.md"), 1)
    block = Block("bash", "python train_nanogpt.py --model_save_path c/tiny.pkl --num_epochs 1", place)
    return (
        Step("dataset", "step", place, None, uses="ct4.fetch-dataset"),
        Step("stage-1", "step", place, block),
    )


def test_what_is_missing_names_the_step_that_makes_it(do: Do, run: RunContext) -> None:
    run.lesson = dataclasses.replace(run.lesson, steps=steps_of_a_lesson())

    with pytest.raises(LessonError, match=r"shakespeare\.txt is not in the workspace") as no_data:
        do("ct4.train")
    with pytest.raises(LessonError, match="no checkpoint for 'x/tiny") as no_checkpoint:
        do("ct4.generate", "two", model_path="x/tiny.pkl_final.pkl")
    with pytest.raises(LessonError, match="no checkpoint for 'c/tiny") as no_folder:
        do("ct4.generate", "three", model_path="~/c/tiny.pkl_final.pkl")

    assert no_data.value.fix == "run step 'dataset' first"
    assert no_checkpoint.value.fix == "train it first, and save it with that name"  # c/tiny is another one
    assert no_folder.value.fix == "run step 'stage-1' first"


def test_without_such_a_step_it_says_what_to_do(do: Do) -> None:
    with pytest.raises(LessonError) as caught:
        do("ct4.train")

    assert "--data_path FILE" in str(caught.value.fix)


def test_closing_twice_is_closing_once(do: Do, data: Path, run: RunContext) -> None:
    do("ct4.train", max_steps=1)

    workspace_files.close_session(run)
    workspace_files.close_session(run)

    assert STATE not in run.store
