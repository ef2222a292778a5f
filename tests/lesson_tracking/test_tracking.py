"""What sinks receive, and what happens if one is missing or fails."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.lesson_tracking.toy import LABELS, LESSON, LOSSES, TOKEN, Tracked, Written, toy

from lesson_runner.testing import assert_conforms, run_lesson
from lesson_tracking import plugin


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "lesson_tracking"]


def test_the_plugin_keeps_its_promises() -> None:
    assert_conforms("lesson_tracking.plugin")


def test_a_whole_run_is_written(tracked: Tracked, written: Written, caplog: pytest.LogCaptureFixture) -> None:
    record, _ = tracked("tensorboard")
    assert record["status"] == "passed"
    assert written.scalars == {
        "stage-1/loss": list(enumerate(LOSSES, 1)),
        "stage-1/learning_rate": [(1, 0.5), (2, 0.5), (3, 0.5)],
        "stage-1/tokens_per_second": [(1, 1000), (2, 2000), (3, 3000)],
        "stage-1/metrics/final_loss": [(3, LOSSES[-1])],
        "text/metrics/words": [(0, 3)],
    }
    assert "A toy" in written.texts["run/lesson"]
    assert written.texts["stage-1/status"].startswith("    passed in ")
    assert written.texts["stage-1/status"].endswith(" s [emulated, synthetic dataset]")
    assert written.texts["text/status"].endswith(" s: well written")
    assert written.texts["run/labels"].strip() == "emulated, synthetic dataset"
    assert written.hparams == {
        "lesson": "toy",
        "profile": record["profile"],
        "backend": "auto",
        "hardware": "",
        "stage-1/rate": 0.5,
        "labels": ", ".join(LABELS),
        "status": "passed",
    }
    assert len(written.summaries) == 3
    assert written.closed == 1
    assert warnings(caplog) == []


def test_long_output_is_cut_and_secrets_are_masked(tracked: Tracked, written: Written) -> None:
    tracked("tensorboard")
    text = written.texts["text/output"]
    assert text.endswith("ROMEO: But soft")
    assert "the last 4,000 characters of 5,0" in text
    assert len(text) < 4100
    assert TOKEN not in text
    assert "[redacted]" in text


def test_an_interrupted_run_is_closed(tracked: Tracked, written: Written) -> None:
    record, _ = tracked("tensorboard", "text.stop=true")
    assert record["status"] == "interrupted"
    assert written.closed == 1
    assert written.hparams["status"] == "interrupted"
    assert written.hparams["labels"] == ", ".join(LABELS)
    assert "interrupted" in written.texts["text/status"]


def test_a_broken_sink_is_switched_off_and_the_run_continues(
    tracked: Tracked, written: Written, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(tag: str, value: float, at: int) -> None:
        written.scalars.setdefault(tag, []).append((at, value))
        raise OSError("no space left")

    monkeypatch.setattr(written, "add_scalar", full)
    record, _ = tracked("tensorboard")
    assert record["status"] == "passed"
    assert warnings(caplog) == [
        "tracking: tensorboard is off for the rest of this run: OSError: no space left"
    ]
    assert written.scalars == {"stage-1/loss": [(1, LOSSES[0])]}
    assert "text/status" not in written.texts
    assert written.closed == 1


def test_a_sink_that_cannot_be_closed(
    tracked: Tracked, written: Written, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.delattr(Written, "close")
    record, _ = tracked("tensorboard")
    assert record["status"] == "passed"
    assert len(warnings(caplog)) == 1
    assert "AttributeError" in warnings(caplog)[0]


@pytest.mark.parametrize(("name", "module"), [("tensorboard", "tensorboardX"), ("wandb", "wandb")])
def test_a_package_that_is_not_installed(
    name: str,
    module: str,
    tracked: Tracked,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    record, _ = tracked(name)
    assert record["status"] == "passed"
    (warning,) = warnings(caplog)
    assert warning.startswith(f"tracking: {name} is off: ")
    assert warning.endswith(f'pip install "lesson-runner[{name}]"')


def test_an_unknown_name_does_not_affect_the_others(
    tracked: Tracked, written: Written, caplog: pytest.LogCaptureFixture
) -> None:
    record, _ = tracked(" tensorboard, ,tensorbord,tensorboard ")
    assert record["status"] == "passed"
    assert written.closed == 1
    (warning,) = warnings(caplog)
    assert "names the unknown sink 'tensorbord'" in warning
    assert 'pip install "lesson-runner[tensorboard]"' in warning


@pytest.mark.slow
def test_the_warning_goes_to_standard_error_only(tmp_path: Path) -> None:
    """The command does not set up logging, so Python's handler of last resort is used."""
    (tmp_path / "lesson.md").write_text(LESSON)
    program = (
        "import sys; from pathlib import Path; from lesson_runner.testing import run_lesson;"
        "from lesson_tracking import plugin; from tests.lesson_tracking.toy import toy;"
        "run_lesson(Path('lesson.md'), Path('.'), plugins=[plugin, toy()]);"
        "print(*sorted({'tensorboardX', 'wandb', 'lesson_tracking.tracking'} & set(sys.modules)))"
    )

    def run(names: str) -> subprocess.CompletedProcess[str]:
        path = [str(Path(__file__).parents[2]), *filter(None, sys.path)]
        code = f"import sys; sys.path[:0] = {path!r}; import os; os.environ['{plugin.VARIABLE}'] = {names!r};"
        command = [sys.executable, "-c", code + program]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=True)

    unset, unknown = run(""), run("mlflow")
    assert (unset.stdout, unset.stderr) == ("\n", "")
    assert unknown.stdout == "lesson_tracking.tracking\n"
    assert unknown.stderr.startswith("tracking: LESSON_TRACK names the unknown sink 'mlflow'; expected")
    assert unknown.stderr.count("\n") == 1


def test_without_the_variable_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(plugin.VARIABLE, raising=False)
    record = run_lesson(LESSON, tmp_path, plugins=[plugin, toy()])
    assert record["status"] == "passed"
    assert not (tmp_path / ".lesson" / "runs" / record["run_id"] / "tracking").exists()
