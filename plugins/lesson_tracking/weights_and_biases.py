"""Write Weights & Biases files offline; ``wandb sync`` uploads them if the user wants that."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

from lesson_tracking.sinks import Value

SETTINGS = {
    "mode": "offline",
    "silent": True,
    "console": "off",
    "init_timeout": 30,
    "finish_timeout": 30,
    "symlink": False,
    # Record neither the user's code nor information about this machine.
    "disable_code": True,
    "disable_git": True,
    "x_disable_machine_info": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_save_requirements": False,
}
"""See ``wandb.Settings``; times are in seconds."""
LONGEST_TAG = 64
"""Limit in characters; wandb refuses longer tags."""
EXIT_CODES = {"passed": 0, "interrupted": 130}


class WandbSink:
    """
    A sink that writes one offline run, in the folder ``wandb`` next to those of the other sinks.

    Raises:
        ImportError: wandb is not installed.
    """

    def __init__(self, folder: Path, run_id: str, project: str) -> None:
        with _environment({"WANDB_ERROR_REPORTING": "false", "WANDB_CACHE_DIR": str(folder / "cache")}):
            self._library = import_module("wandb")
            self._replaced = sys.exit, sys.excepthook
            try:
                self._run = self._library.init(
                    project=project,
                    name=run_id,
                    dir=str(folder.parent),  # wandb adds its own folder `wandb`
                    settings=self._library.Settings(**SETTINGS),
                )
            except BaseException:
                self._shut_down()
                raise
        self._name = run_id
        self._steps: set[str] = set()

    def numbers(self, step: str, at: int, values: Mapping[str, float]) -> None:
        """Write the numbers as one row; each step of the lesson has a separate step counter."""
        count = f"{step}/step"
        if step not in self._steps:
            self._steps.add(step)
            self._run.define_metric(count, hidden=True)
            self._run.define_metric(f"{step}/*", step_metric=count)
        self._run.log({count: at, **{f"{step}/{name}": value for name, value in values.items()}})

    def text(self, name: str, text: str) -> None:
        """Write a text into the run's summary."""
        self._run.summary[name] = text

    def close(self, status: str, labels: tuple[str, ...], settings: Mapping[str, Value]) -> None:
        """Write the settings, put the labels into the run's name and tags, and end wandb's process."""
        try:
            self._run.config.update({**settings, "labels": list(labels), "status": status})
            self._run.tags = tuple(label[:LONGEST_TAG] for label in labels)
            if labels:
                self._run.name = f"{self._name} [{', '.join(labels)}]"
        finally:
            try:
                self._run.finish(exit_code=EXIT_CODES.get(status, 1))
            finally:
                self._shut_down()

    def _shut_down(self) -> None:
        """End wandb's process, and restore the hooks that wandb replaces and does not restore."""
        try:
            self._library.teardown()
        finally:
            sys.exit, sys.excepthook = self._replaced


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables inside the block only, so that the lesson's steps do not see them."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
