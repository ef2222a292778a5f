"""Wrap the functions of plugins' actions, so that their errors name the plugin: they are not our bugs."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lesson_runner.model import Inspection, check_fields
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.action import Action
from lesson_runner.plugins.checks import Check

REPORT = "report it to whoever made the plugin, or leave that out: LESSON_PLUGINS names those that are loaded"


class FunctionNotFoundError(LookupError):
    """An action names a module or a function that is not there."""


def load(function: Callable[..., Any] | str) -> Callable[..., Any]:
    """
    Return a function of an action, imported if it is given as ``"module:function"``.

    Raises:
        FunctionNotFoundError: there is no such module or function.
        Exception: whatever the module raises when it is imported.
    """
    if not isinstance(function, str):
        return function
    module, _, name = function.partition(":")
    try:
        found: object = getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError as error:
        if not f"{module}.".startswith(f"{error.name}."):
            raise  # the module is there, and something that it imports is not
        raise FunctionNotFoundError(f"there is no module '{error.name}' ({function})") from None
    if not callable(found):
        raise FunctionNotFoundError(f"module '{module}' has no function '{name}' ({function})")
    return found


def guarded(action: Action, plugin: str) -> Action:
    """
    Return an action whose functions raise LessonError if they raise anything else or return a wrong type.

    The runner handles what ``run`` raises and returns. If ``run`` is a name that cannot be found, it raises
    FunctionNotFoundError with the plugin and the action.
    """

    def whose(name: str) -> str:
        return f"plugin '{plugin}': '{name}' of its action '{action.name}'"

    def guard(name: str, fits: Callable[[Any], bool]) -> Any:
        function = getattr(action, name)

        def call(params: Any) -> Any:
            try:
                result = load(function)(params)
                if name in ("checks", "permissions"):
                    result = list(result)
            except (LessonError, KeyboardInterrupt):
                raise
            except BaseException as error:
                raise LessonError(
                    f"{whose(name)} raised {type(error).__name__}: {error}", fix=REPORT
                ) from error
            if not fits(result):
                raise LessonError(f"{whose(name)} returned {result!r}", fix=REPORT)
            return result

        return call if function is not None else None

    def run(*arguments: Any) -> Any:
        try:
            function = load(action.run)
        except FunctionNotFoundError as error:
            raise FunctionNotFoundError(f"{whose('run')}: {error}") from None
        return function(*arguments)

    asks = callable(action.permissions)
    return replace(
        action,
        run=run,
        inspect=guard("inspect", lambda result: isinstance(result, Inspection) and not check_fields(result)),
        command=guard("command", lambda result: isinstance(result, str)),
        permissions=guard("permissions", _are_strings) if asks else action.permissions,
        checks=guard("checks", lambda result: all(isinstance(item, Check) for item in result)),
    )


def _are_strings(items: list[object]) -> bool:
    return all(isinstance(item, str) for item in items)
