"""
Load plugins safely, and call their hooks one by one.

This is the only module that uses pluggy's manager. It handles what plugins do wrong in practice: they raise
when imported, raise in a hook, return a generator that raises when it is read, or misspell a hook's name.
Such an error is recorded with its place in the plugin's code, and everything else works.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from importlib.metadata import Distribution
from itertools import islice
from typing import TYPE_CHECKING, Any, get_args

import pluggy

from lesson_runner.plugins import hookspecs
from lesson_runner.plugins.installed import PROJECT, PluginInfo, Point, distribution_of, installed_points
from lesson_runner.plugins.plugin_errors import PluginError, check_hooks, describe_error, unmet_requirement

if TYPE_CHECKING:
    from pluggy import HookImpl

BUILT_IN = ("lesson_runner.plugins.builtin",)
"""Plugins in this package; their hooks are called last."""
MAX_ITEMS = 100_000
"""Upper limit for the results of one hook; more suggests an infinite generator."""
SLOW_IMPORT = 5.0
"""Seconds; a plugin whose import takes longer is named, because every command waits for it."""
HANGS = 2.0
"""Seconds; a hook that Ctrl-C ends after this time is named."""


@dataclass(slots=True)
class HookCaller:
    """
    The loaded plugins, and how their hooks are called.

    Args:
        built_in: names of modules to load as built-in plugins.
        points: entry points to load; by default all that are installed.
    """

    built_in: Sequence[str] = BUILT_IN
    points: Sequence[Point] | None = None
    infos: dict[str, PluginInfo] = field(default_factory=dict)
    errors: dict[tuple[str, str], PluginError] = field(default_factory=dict)
    """What went wrong in plugins so far, by plugin and hook; the first error of each hook."""
    unreported: list[PluginError] = field(default_factory=list)
    """The errors that the command has not shown yet."""
    notes: list[str] = field(default_factory=list)
    """What is worth knowing about plugins that work, such as a slow import."""
    _manager: pluggy.PluginManager = field(default_factory=lambda: pluggy.PluginManager(PROJECT))

    def __post_init__(self) -> None:
        self._manager.add_hookspecs(hookspecs)
        for module in self.built_in:
            info = PluginInfo(module.rsplit(".", 1)[-1], module, None)
            self._load(info, partial(importlib.import_module, module))
        for point in installed_points() if self.points is None else self.points:
            dist, version = distribution_of(point.dist)
            origin = f"{point.value} ({dist})" if dist else point.value
            self._load(PluginInfo(point.name, origin, version), point.load, point.dist)

    def _load(self, info: PluginInfo, load: Callable[[], object], dist: Distribution | None = None) -> None:
        name = info.name
        if name in self.infos:
            what = f"another plugin has the name '{name}' already: {self.infos[name].origin}"
            self._not_loaded(replace(info, name=f"{name} ({info.origin})"), PluginError(name, "", what))
            return
        self.infos[name] = info
        hooks = {hook: value for hook, value in vars(hookspecs).items() if hook.startswith("lesson_")}
        started = time.monotonic()
        try:
            module = load()
            # Otherwise, a hook whose name is misspelt is never called.
            check_hooks(module, hooks, self._manager.parse_hookimpl_opts)
            self._manager.register(module, name=name)
            self._manager.check_pending()
        except (KeyboardInterrupt, GeneratorExit):
            raise
        # A plugin may even call sys.exit() when it is imported, which must not end the program.
        except BaseException as error:
            # register() leaves a plugin half registered when it raises.
            if self._manager.has_plugin(name):
                self._manager.unregister(name=name)
            found = describe_error(name, "", error, package=info.origin.split(".")[0])
            self._not_loaded(info, replace(found, what=f"{found.what}{unmet_requirement(dist)}"))
        seconds = time.monotonic() - started
        if seconds > SLOW_IMPORT:
            self.notes.append(f"plugin '{name}': importing {info.origin} took {seconds:.0f} s")

    def _not_loaded(self, info: PluginInfo, error: PluginError) -> None:
        self.infos[info.name] = replace(info, error=error.detail, loaded=False)
        self.errors[info.name, ""] = error
        self.unreported.append(error)

    def record_error(self, name: str, hook: str, error: BaseException, function: object) -> PluginError:
        """Record and return an error of a hook's implementation; the plugin keeps its other hooks."""
        package = str(getattr(function, "__module__", None) or "").split(".")[0]
        found = describe_error(name, hook, error, package=package, function=function)
        if (name, hook) not in self.errors:
            self.errors[name, hook] = found
            self.unreported.append(found)
            info = self.infos.get(name, PluginInfo(name, "?", None))
            both = filter(None, (info.error, found.detail))
            self.infos[name] = replace(info, error="; ".join(both))
        return found

    def hint(self, fix: str, hook: str) -> str:
        """
        Return how to fix an unknown name, with the plugins that may define it but do not work.

        Args:
            fix: the hint without them.
            hook: the hook that returns such names.
        """
        broken = [str(error) for error in self.errors.values() if error.hook in ("", hook)]
        return f"{fix}; or a plugin that does not work has it: {'; '.join(broken)}" if broken else fix

    def each(
        self, hook: str, failed: list[PluginError] | None = None, **arguments: object
    ) -> Iterator[tuple[HookImpl, Any]]:
        """
        Call a hook's implementations one by one and yield each with its result.

        One call for all would lose all results when one raises. Generators are read here, inside the
        ``try``, up to :data:`MAX_ITEMS`.

        Args:
            failed: gets the errors of the implementations that raise; the caller reports them.
        """
        for implementation in reversed(getattr(self._manager.hook, hook).get_hookimpls()):
            started = time.monotonic()
            try:
                given = {name: arguments[name] for name in implementation.argnames}
                result = implementation.function(*given.values())
                if isinstance(result, Iterable) and not isinstance(result, str | Mapping):
                    result = list(islice(result, MAX_ITEMS + 1))
                    if len(result) > MAX_ITEMS:
                        raise ValueError(f"returned more than {MAX_ITEMS:,} items")
            except KeyboardInterrupt as error:
                if time.monotonic() - started > HANGS:
                    late = TimeoutError(f"had not returned after {time.monotonic() - started:.0f} s")
                    self.blame(implementation, hook, late.with_traceback(error.__traceback__))
                raise
            except BaseException as error:  # asyncio.CancelledError, for example, is not an Exception
                found = self.blame(implementation, hook, error)
                if failed is not None:
                    failed.append(found)
                continue
            yield implementation, result

    def blame(self, implementation: HookImpl, hook: str, error: BaseException) -> PluginError:
        """Record and return an error of a hook's implementation."""
        name, function = implementation.plugin_name, implementation.function
        return self.record_error(name, hook, error, function)

    def collect(
        self, hook: str, kind: Any, *, fields: bool = True, **arguments: object
    ) -> Iterator[tuple[HookImpl, Any]]:
        """
        Yield all items of the lists that a hook's implementations return, after checking their types.

        Args:
            kind: a class, or a union of classes.
            fields: False leaves it to the caller to check the fields of the items.
        """
        from lesson_runner.model import check_fields

        for implementation, result in self.each(hook, None, **arguments):
            # A plugin that returns one object instead of a list gets an error that says so.
            for item in [] if result is None else result if isinstance(result, list) else [result]:
                if not isinstance(item, kind) or not isinstance(result, list):
                    problem: str | None = f"returned {item!r}, not a list of {_name(kind)}"
                else:
                    problem = check_fields(item) if fields else None
                if problem:
                    self.blame(implementation, hook, TypeError(problem))
                else:
                    yield implementation, item


def _name(kind: Any) -> str:
    """Return the name of a class, or the names of the classes of a union."""
    return " or ".join(item.__name__ for item in get_args(kind) or (kind,))
