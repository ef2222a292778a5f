"""What each command works out again because it is a process of its own, worked out once for all tests."""

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
    """Keep what cannot change while tests run: commands, versions of packages. No file waits for the disk."""
    load, params = commands._Later.load, utils.get_params_from_function
    loaded: dict[tuple[str, str | None], Any] = {}

    def load_once(command: Any) -> Any:
        if not command.target.startswith("lesson_runner."):
            return load(command)  # a plugin that a test makes up may have the name of another
        key = (command.target, command.name)
        if key not in loaded:
            loaded[key] = load(command)
        return loaded[key]

    def params_of(function: Callable[..., Any]) -> dict[str, Any]:
        return {} if function is commands._not_loaded else params(function)

    patch.setattr(commands._Later, "load", load_once)
    patch.setattr(typer.main, "get_params_from_function", params_of)
    patch.setattr(record, "version", cache(version))
    patch.setattr(os, "fsync", lambda file: None)
