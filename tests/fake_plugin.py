"""Plugins that a test makes up."""

from __future__ import annotations

from types import ModuleType

from lesson_runner.plugins import hookimpl


def fake_plugin(name: str, **hooks: object) -> ModuleType:
    """
    Return a module that can be loaded as the plugin ``name``.

    Args:
        hooks: by the name of the hook without ``lesson_``, the function that implements it, or the value that
            it returns: ``fake_plugin("shop", actions=[Action(...)], step_event=hear)``.
    """
    plugin = ModuleType(name)
    for hook, given in hooks.items():
        function = given if callable(given) else lambda given=given: given
        setattr(plugin, f"lesson_{hook}", hookimpl(function))
    return plugin
