"""Work that every process of ``lesson`` repeats, done once for all tests in this process."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from typing import Any

import pytest
import typer.main
from typer import utils

from lesson_runner.cli import commands
from lesson_runner.run import record


def share(patch: pytest.MonkeyPatch) -> None:
    """Cache what cannot change during tests (commands, versions), and do not wait for the disk."""
    load, params = commands._LazyCommand.load, utils.get_params_from_function
    loaded: dict[tuple[str, str | None], Any] = {}

    def load_once(command: Any) -> Any:
        if not command.target.startswith("lesson_runner."):
            return load(command)  # fake plugins of different tests may have the same name
        key = (command.target, command.name)
        if key not in loaded:
            loaded[key] = load(command)
        return loaded[key]

    def params_of(function: Callable[..., Any]) -> dict[str, Any]:
        return {} if function is commands._not_loaded else params(function)

    patch.setattr(commands._LazyCommand, "load", load_once)
    patch.setattr(typer.main, "get_params_from_function", params_of)
    patch.setattr(record, "version", cache(version))
    patch.setattr(os, "fsync", lambda file: None)
