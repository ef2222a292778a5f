"""The real libraries write to disk, and their files are read back."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from tests.lesson_tracking.toy import LABELS, LOSSES, Tracked

pytestmark = pytest.mark.slow


def test_tensorboard_reads_what_is_written(tracked: Tracked) -> None:
    pytest.importorskip("tensorboardX", reason="it writes with the `tensorboard` extra")
    reader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_accumulator",
        reason="it reads with the `tensorboard` package",
    )
    record, folder = tracked("tensorboard")
    assert record["status"] == "passed"
    found = reader.EventAccumulator(str(folder / "tensorboard")).Reload()
    losses = found.Scalars("stage-1/loss")
    assert [(item.step, item.value) for item in losses] == list(enumerate(LOSSES, 1))
    assert [item.value for item in found.Scalars("stage-1/metrics/final_loss")] == [LOSSES[-1]]
    texts = {
        tag.removesuffix("/text_summary"): found.Tensors(tag)[0].tensor_proto.string_val[0].decode()
        for tag in found.Tags()["tensors"]
    }
    assert texts["run/labels"].strip() == ", ".join(LABELS)
    assert texts["text/output"].endswith("ROMEO: But soft")
    assert texts["stage-1/status"].strip().startswith("passed in ")
    session = found.PluginTagToContent("hparams")["_hparams_/session_start_info"]
    assert ", ".join(LABELS).encode() in session
    assert b"stage-1/rate" in session


def children() -> set[str]:
    """Return the living children of this process; empty except on Linux."""
    folders = Path("/proc/self/task").glob("*/children")
    return {pid for path in folders for pid in path.read_text().split()}


def test_wandb_writes_offline_and_leaves_nothing_behind(
    tracked: Tracked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("wandb", reason="it writes with the `wandb` extra")
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))

    def surroundings() -> tuple[object, ...]:
        handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
        environment = {name: value for name, value in os.environ.items() if name.startswith("WANDB_")}
        return handlers, environment, sys.exit, sys.excepthook, sys.stdout, sys.stderr, children()

    before, threads = surroundings(), set(threading.enumerate())
    record, folder = tracked("wandb")
    assert record["status"] == "passed"
    assert surroundings() == before
    assert [thread for thread in set(threading.enumerate()) - threads if not thread.daemon] == []
    assert capfd.readouterr() == ("", "")
    assert list(home.rglob("*")) == []
    (run,) = (folder / "wandb").glob("offline-run-*/run-*.wandb")
    data = run.read_bytes()
    assert f"{record['run_id']} [emulated, synthetic dataset]".encode() in data
    for word in ("stage-1/loss", "stage-1/tokens_per_second", "stage-1/metrics/final_loss", *LABELS):
        assert word.encode() in data
    for loss in LOSSES:
        assert str(loss).encode() in data
    assert b"ROMEO: But soft" in data
