"""Published lessons without directives: planned, run and annotated with the real plugins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.lesson_ct4.corpus import published_lesson

from lesson_ct4 import plugin as ct4
from lesson_ct4.data.fetch import URL
from lesson_runner.document.schema.validator import load_schema, validator_for
from lesson_runner.plugins.manager import Plugins
from lesson_runner.testing import ModuleEntryPoint, lesson_text, plan_lesson, run_lesson
from lesson_tenstorrent import plugin as tenstorrent

Lesson = Callable[..., Any]
POINTS = [ModuleEntryPoint(ct4, "ct4"), ModuleEntryPoint(tenstorrent, "tenstorrent")]
GENERATE = "python train_nanogpt.py --prompt 'A' --model_path ~/x/{}.pkl_final.pkl --max_new_tokens 5"

SHAPED = f"""
# Fine-tuning Basics

## Prerequisites and Environment Setup

**Check your version:**
```bash
cd $TT_METAL_HOME && git describe --tags
```

#### 1. Update tt-metal Submodules (CRITICAL!)

```bash
cd $TT_METAL_HOME
git submodule update --init --recursive --force
```

#### 2. Install Required Python Packages

```bash
pip install requests
```

**Optional but recommended:**
```bash
pip install pyyaml    # For config loading
```

### Troubleshooting Prerequisites

```bash
pip uninstall -y ttnn
```

## Step 1: Install tt-train

[\U0001f4e6 Install tt-train](command:tenstorrent.installTtTrain)

## Step 2: Get the Text

**Download the dataset:**

```bash
mkdir -p ~/data
cd ~/data
wget {URL} -O shakespeare.txt
ls -lh shakespeare.txt
# Should be ~1.1MB
```

**Preview the data:**

```bash
head -3 shakespeare.txt
```

## Step 3: Train

**Navigate:**

```bash
cd ~/tt-metal
export TT_METAL_HOME=~/tt-metal
```

**Train it:**

```bash
python train_nanogpt.py \\
  --data_path ~/data/shakespeare.txt \\
  --num_epochs 8 \\
  --batch_size 4 \\
  --model_save_path ~/x/stage1.pkl \\
  --fresh
```

### Experiment 1: Two texts

```bash
# The first
{GENERATE.format("stage1")}

# The second
{GENERATE.format("stage1")} --temperature 1.2
```

## Next Steps

```bash
python train_nanogpt.py --num_epochs 500
```
"""
SMALL = [
    *("steps_per_epoch=1", "n_layer=1", "n_embd=32", "n_head=1", "sequence_length=32", "batch_size=2"),
    *("fallback=only", "warmup_steps=0"),
]


def plugins() -> Plugins:
    return Plugins(points=POINTS)


@pytest.mark.torch
def test_it_runs_and_its_record_says_what_it_is(tmp_path: Path) -> None:
    record = run_lesson(lesson_text(SHAPED), tmp_path, plugins=plugins(), params=SMALL, backend="emulated")

    assert [(step["id"], step["claimed_by"], step["status"]) for step in record["steps"]] == [
        ("prerequisites-and-environment", "tenstorrent", "passed"),
        ("prerequisite-1", "tenstorrent", "passed"),
        ("prerequisite-2", "tenstorrent", "passed"),
        ("step-1", "tenstorrent", "passed"),
        ("step-2", "ct4", "passed"),
        ("step-2-2", "ct4", "passed"),
        ("step-3", "ct4", "passed"),
        ("experiment-1.1", "ct4", "passed"),
        ("experiment-1.2", "ct4", "passed"),
    ]
    assert [step["title"] for step in record["steps"]][4:] == [
        *("Download the dataset", "Preview the data", "Train it", "The first", "The second"),
    ]
    assert (record["profile"], record["lesson"]["recognised"]) == ("quick", True)
    train, first = record["steps"][6:8]
    assert train["metrics"]["improvement"] > 0.1
    assert train["needs"] == ["step-2"]
    assert first["needs"] == ["step-3"]
    assert first["metrics"]["characters"] == 5
    assert [item["reason"].partition(":")[0] for item in record["not_run"]] == [
        "reference",
        "it only sets up the terminal, which no later step uses",
        "illustration",
    ]
    assert list(validator_for(load_schema("record")).iter_errors(record)) == []


def test_the_heading_says_what_the_profile_changes(lesson: Lesson, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(lesson_text(SHAPED))

    said = lesson("plan", "a.md", points=POINTS).out

    assert "n_layer 6 -> 3, n_embd 384 -> 128" in said
    assert said.count("n_layer 6 -> 3") == said.count("steps_per_epoch unset -> 8") == 1
    assert "profile quick:" not in said


def test_annotating_a_lesson_of_that_shape_keeps_its_plan(lesson: Lesson, tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text(lesson_text(SHAPED))
    check_annotated(lesson, path)
    assert "with:\n  packages: [requests, pyyaml]\n" in path.read_text()


def check_annotated(lesson: Lesson, path: Path) -> None:
    before = lesson("plan", path, "--json", points=POINTS).json
    assert lesson("annotate", path, "--write", points=POINTS).code == 0
    after = lesson("plan", path, "--json", points=POINTS).json
    assert after["plan_digest"] == before["plan_digest"]
    for key in ("id", "title", "action", "params", "needs", "expect"):
        assert [step[key] for step in after["steps"]] == [step[key] for step in before["steps"]]
    assert (before["lesson"]["recognised"], after["lesson"]["recognised"]) == (True, False)


# --- the real lesson ---

PUBLISHED = [
    "critical-setup-steps",
    *(f"prerequisite-{number}" for number in range(1, 6)),
    *("step-1", "step-2", "step-2-2", "step-3"),
    *(f"step-{number}{part}" for number in (4, 5, 6) for part in ("", "-2")),
    *(f"comparing-your-4-checkpoints.{number}" for number in range(1, 5)),
    *(f"experiment-1.{number}" for number in range(1, 4)),
    *(f"experiment-2.{number}" for number in range(1, 6)),
    *(f"experiment-3.{number}" for number in range(1, 5)),
]


@pytest.mark.parametrize("profile", ["default", "quick", "full"])
def test_the_published_lesson(tmp_path: Path, profile: str) -> None:
    plan = plan_lesson(published_lesson(), tmp_path, plugins=plugins(), profile=profile)

    assert [step.id for step in plan.steps] == PUBLISHED
    actions = [step.action.partition(".")[2] for step in plan.steps]
    counts = [actions.count(name) for name in ("check", "fetch-dataset", "preview", "train", "generate")]
    assert counts == [7, 1, 1, 4, 19]
    needs = {step.id: step.needs for step in plan.steps}
    assert needs["step-2-2"] == needs["step-6"] == ("step-2",)
    assert needs["comparing-your-4-checkpoints.1"] == needs["experiment-3.1"] == ("step-3",)
    assert needs["step-5-2"] == ("step-5",)
    assert needs["experiment-1.1"] == needs["experiment-2.5"] == ("step-6",)
    assert [item.block.location.line for item in plan.not_run] == [
        *(257, 268, 278, 287),
        426,
        *(1000, 1069, 1085),
        *(1301, 1320, 1338, 1344),
    ]
    assert [(item.rule, item.location.line) for item in plan.diagnostics] == [("ct4.unknown-character", 815)]


def test_annotating_the_published_lesson_keeps_its_plan(lesson: Lesson, tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_bytes(published_lesson().read_bytes())
    # With directives, errors that rules find in its text would stop it.
    (tmp_path / "lesson.toml").write_text('select = ["plugin-failed"]\n')

    check_annotated(lesson, path)
