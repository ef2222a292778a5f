"""What goes wrong in a plugin: where it happened, and how a message describes it."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

from lesson_runner import __version__
from lesson_runner.model.hints import did_you_mean

FIX = "report it to the plugin's author, or do not load the plugin: LESSON_PLUGINS lists those to load"
_OURS = str(Path(__file__).parents[1])
_DISTRIBUTION = "lesson-runner"


@dataclass(frozen=True, slots=True)
class PluginError:
    """One thing that went wrong in a plugin."""

    plugin: str
    hook: str
    """The hook, or ``rule ID``; empty if the plugin was not loaded."""
    what: str
    """The type and message of the exception, or what was wrong with a result; one line."""
    path: Path | None = None
    """The file in the plugin's code; ``None`` if it is unknown."""
    line: int = 1

    @property
    def place(self) -> str:
        """The file and line in the plugin's code, in brackets after a blank; empty if unknown."""
        return f" ({self.path}:{self.line})" if self.path else ""

    @property
    def is_diagnosed(self) -> bool:
        """True if a diagnostic about a document says the same."""
        return self.hook.startswith("rule ") or self.hook == "lesson_interpret_block"

    @property
    def detail(self) -> str:
        """The error without the plugin's name, as records and ``lesson plugins`` show it."""
        return f"{f'in {self.hook}: ' if self.hook else ''}{self.what}{self.place}"

    @property
    def message(self) -> str:
        """The error with the plugin's name and without the place."""
        state = f"in {self.hook}" if self.hook else "it was not loaded"
        return f"plugin '{self.plugin}': {state}: {self.what}"

    def __str__(self) -> str:
        return f"{self.message}{self.place}"


class WrongHookError(TypeError):
    """
    A plugin's function does not fit the hook that it implements, or there is no such hook.

    Args:
        message: what is wrong, and how to fix it.
        function: the plugin's function.
    """

    def __init__(self, message: str, function: Callable[..., object]) -> None:
        super().__init__(message)
        self.function = function


def describe_error(
    plugin: str, hook: str, error: BaseException, *, package: str = "", function: object = None
) -> PluginError:
    """
    Return an error of a plugin with its place in the plugin's code.

    Args:
        package: the plugin's top-level package, to tell its code from that of libraries.
        function: the plugin's function; its place is used if the exception was not raised in it.
    """
    message = " ".join(str(error).split())
    place = _place_of(error, package)
    if isinstance(error, WrongHookError):
        return PluginError(plugin, hook, message, *(_definition(error.function) or ()))
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        message, place = error.msg, (Path(error.filename), error.lineno)
    what = f"{type(error).__name__}: {message}" if message else type(error).__name__
    return PluginError(plugin, hook, what, *(place or _definition(function) or ()))


def _place_of(error: BaseException, package: str) -> tuple[Path, int] | None:
    """Return the last line that an exception passed in the plugin's code, else in code that is not ours."""
    passed = [
        (frame.f_code.co_filename, line, str(frame.f_globals.get("__name__", "")))
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    theirs = [
        (Path(file), line)
        for file, line, _ in passed
        if not file.startswith((_OURS, "<frozen")) and "importlib" not in file
    ]
    own = [(Path(file), line) for file, line, name in passed if package and name.split(".")[0] == package]
    found = own or theirs
    return found[-1] if found else None


def _definition(function: object) -> tuple[Path, int] | None:
    code = getattr(inspect.unwrap(function) if callable(function) else None, "__code__", None)
    return (Path(code.co_filename), code.co_firstlineno) if code else None


def check_hooks(
    plugin: object, hooks: Mapping[str, Callable[..., object]], implemented: Callable[[object, str], Any]
) -> None:
    """
    Check the names and arguments of a plugin's hooks.

    Args:
        hooks: the specification of each hook, by name.
        implemented: returns the options of ``@hookimpl`` for an attribute of a plugin; ``None`` without it.

    Raises:
        WrongHookError: a hook does not exist, has no such argument, is a wrapper, or lacks ``@hookimpl``.
    """
    for name in dir(plugin):
        options = implemented(plugin, name)
        function: Any = getattr(plugin, name, None)
        if options is None:
            if name in hooks and inspect.isroutine(function):
                raise WrongHookError(f"{name} is not marked with @hookimpl, so it is never called", function)
            continue
        hook = options.get("specname") or name
        if hook not in hooks:
            near = did_you_mean(hook, hooks) or f"there are {', '.join(hooks)}"
            raise WrongHookError(f"there is no hook '{hook}' ({near})", function)
        if options.get("wrapper") or options.get("hookwrapper"):
            raise WrongHookError(f"{hook} is a hook wrapper; lesson hooks are plain functions", function)
        _check_arguments(hook, function, list(inspect.signature(hooks[hook]).parameters))


def _check_arguments(hook: str, function: Callable[..., object], known: list[str]) -> None:
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.default is parameter.empty and parameter.name not in known:
            near = did_you_mean(parameter.name, known)
            given = f"its arguments are {', '.join(known)}" if known else "it has no arguments"
            hint = f"{near}; {given}" if near else given
            raise WrongHookError(f"{hook} has no argument '{parameter.name}' ({hint})", function)


def unmet_requirement(dist: Distribution | None) -> str:
    """Return that a plugin's distribution requires another version of this project; empty if it does not."""
    from packaging.requirements import InvalidRequirement, Requirement

    for text in (dist.requires if dist else None) or ():
        try:
            needed = Requirement(text)
        except InvalidRequirement:
            continue
        if needed.name.lower().replace("_", "-") != _DISTRIBUTION or needed.marker or not needed.specifier:
            continue
        if not needed.specifier.contains(__version__, prereleases=True):
            return f"; it requires {_DISTRIBUTION}{needed.specifier}, and this is {__version__}"
    return ""
