"""The functions of plugins' actions, which name the plugin when they go wrong: it is no bug of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from lesson_runner.checks import Check
from lesson_runner.errors import LessonError
from lesson_runner.model import Action, Paths

REPORT = "report it to whoever made the plugin, or leave that out: LESSON_PLUGINS names those that are loaded"


def guarded(action: Action, plugin: str) -> Action:
    """
    Return an action whose functions are looked after; ``run`` is, by whoever runs the step.

    The functions raise LessonError instead of whatever they raise, and when they return something else than
    they promise.
    """

    def guard(name: str, fits: Callable[[Any], bool]) -> Any:
        function = getattr(action, name)

        def call(*arguments: Any) -> Any:
            whose = f"plugin '{plugin}': '{name}' of its action '{action.name}'"
            try:
                result = function(*arguments)
                if name in ("checks", "asks"):
                    result = list(result)
            except (LessonError, KeyboardInterrupt):
                raise
            except BaseException as error:
                raise LessonError(f"{whose} raised {type(error).__name__}: {error}", fix=REPORT) from error
            if not fits(result):
                raise LessonError(f"{whose} returned {result!r}", fix=REPORT)
            return result

        return call if function is not None else None

    return replace(
        action,
        check=guard("check", lambda result: result is None or isinstance(result, str)),
        paths=guard("paths", lambda result: isinstance(result, Paths)),
        command=guard("command", lambda result: isinstance(result, str)),
        merge=guard("merge", lambda result: isinstance(result, Mapping)),
        asks=guard("asks", lambda result: all(isinstance(item, str) for item in result)),
        checks=guard("checks", lambda result: all(isinstance(item, Check) for item in result)),
    )
