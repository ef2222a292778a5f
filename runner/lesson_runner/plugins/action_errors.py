"""Wrap the callbacks of actions, so that their errors name the plugin and not the runner."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lesson_runner.model import Inspection, check_fields
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.action import Action
from lesson_runner.plugins.checks import Check
from lesson_runner.plugins.plugin_errors import FIX


class FunctionNotFoundError(LookupError):
    """An action names a module or a function that does not exist."""


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
            raise  # the module exists, but something that it imports does not
        raise FunctionNotFoundError(f"there is no module '{error.name}' ({function})") from None
    if not callable(found):
        raise FunctionNotFoundError(f"module '{module}' has no function '{name}' ({function})")
    return found


def wrap_action(action: Action, plugin: str) -> Action:
    """
    Return an action whose callbacks raise only LessonError, also if they return a wrong type.

    ``run`` is different: the runner handles what it raises and returns. If ``run`` is a name that cannot be
    found, it raises FunctionNotFoundError with the plugin and the action.
    """

    def describe(name: str) -> str:
        return f"plugin '{plugin}': '{name}' of its action '{action.name}'"

    def wrap(name: str, is_valid: Callable[[Any], bool]) -> Any:
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
                    f"{describe(name)} raised {type(error).__name__}: {error}", fix=FIX
                ) from error
            if not is_valid(result):
                raise LessonError(f"{describe(name)} returned {result!r}", fix=FIX)
            return result

        return call if function is not None else None

    def run(*arguments: Any) -> Any:
        try:
            function = load(action.run)
        except FunctionNotFoundError as error:
            raise FunctionNotFoundError(f"{describe('run')}: {error}") from None
        return function(*arguments)

    computed = callable(action.permissions)
    return replace(
        action,
        run=run,
        inspect=wrap("inspect", lambda result: isinstance(result, Inspection) and not check_fields(result)),
        command=wrap("command", lambda result: isinstance(result, str)),
        permissions=wrap("permissions", _are_strings) if computed else action.permissions,
        checks=wrap("checks", lambda result: all(isinstance(item, Check) for item in result)),
    )


def _are_strings(items: list[object]) -> bool:
    return all(isinstance(item, str) for item in items)
