"""Resolve the blocks of a lesson to action calls: from ``uses:``, from a plugin, else shell or Python."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from lesson_runner.document.languages import PYTHON, RUNNABLE, TYPED_IN
from lesson_runner.document.steps import SERVICE
from lesson_runner.document.transcripts import as_script, runs_as, shows_prompts, typed_in
from lesson_runner.model import ActionCall, Block, BlockRole, Diagnostic, Lesson, Location, Step
from lesson_runner.plugins.action import X_BLOCK, Action
from lesson_runner.plugins.manager import Interpretation, Plugins
from lesson_runner.roles import roles_of
from lesson_runner.roles.needs import with_needs
from lesson_runner.roles.ready import ready_of
from lesson_runner.run.names import profiles_of
from lesson_runner.run.recognise import Choices, Recognition, recognise
from lesson_runner.run.recognised_steps import join_checks


def known_profiles(lesson: Lesson, plugins: Plugins) -> list[str]:
    """Return the profiles that a lesson declares, else those of the actions that it uses."""
    return profiles_of(lesson, {} if lesson.runner.get("profiles") else used_actions(lesson, plugins))


def used_actions(lesson: Lesson, plugins: Plugins) -> Mapping[str, Action]:
    """Return the actions that the steps of a lesson use, by name."""
    actions = plugins.actions()
    steps = lesson.steps or recognise_steps(lesson, plugins).lesson.steps
    names = {call.action for step in steps for call in resolve_block(step, lesson, plugins)[0].calls}
    return {name: action for name, action in actions.items() if name in names}


def recognise_steps(lesson: Lesson, plugins: Plugins, choices: Choices | None = None) -> Recognition:
    """
    Recognise the steps of a lesson without directives, with all plugins.

    Args:
        choices: what the user gave; ``None``: nothing.
    """

    problems: list[Diagnostic] = []

    def interpret(block: Block, lesson: Lesson) -> Sequence[ActionCall]:
        interpretation = plugins.interpret_block(block, lesson)
        problems.extend(interpretation.diagnostics)
        return interpretation.calls

    found = recognise(lesson, roles_in(lesson, plugins), interpret, plugins.actions(), choices or Choices())
    return dataclasses.replace(found, problems=(*problems, *found.problems))


def roles_in(lesson: Lesson, plugins: Plugins) -> tuple[BlockRole, ...]:
    """Return the roles of a lesson's blocks by all rules; remembered for the lesson."""
    found: tuple[BlockRole, ...] = plugins.once(
        lesson, "roles", lambda: roles_of(lesson, plugins.block_rules())
    )
    return found


def needs_in(lesson: Lesson, blocks: tuple[BlockRole, ...], plugins: Plugins) -> tuple[BlockRole, ...]:
    """Return blocks with what they need; remembered for the lesson."""
    found: tuple[BlockRole, ...] = plugins.once(
        lesson,
        blocks,
        lambda: with_needs(lesson, blocks, plugins.block_needs, partial(_effects_of_link, plugins)),
    )
    return found


def resolve_block(
    step: Step, lesson: Lesson, plugins: Plugins
) -> tuple[Interpretation, Sequence[Diagnostic]]:
    """
    Return the action calls of a step: from ``uses:``, else from a plugin, else shell or Python.

    A recognised step without ``uses`` comes from a plugin. A declared step executes what its block says: if a
    plugin would only run checks instead, shell or Python runs the block.
    """
    if step.kind == "manual":
        return Interpretation("", (ActionCall("manual", {}, step.location),)), []
    block = step.block
    if step.uses is not None:
        source = block.text.rstrip("\n") if block else ""
        action = plugins.actions().get(step.uses)
        params, doubts = block_params(block, action) if block and action else ({}, [])
        if step.recognised:
            doubts = []
        if step.uses == SERVICE and block and (ready := ready_of(block, lesson)):
            params["ready"] = ready
        return Interpretation("", (ActionCall(step.uses, params, step.location, source),)), doubts
    if block is None:  # the parser binds every other directive to a block
        return Interpretation("", ()), []
    interpretation = plugins.interpret_block(block, lesson)
    # Those of a recognised step are reported when it is recognised.
    problems = [] if step.recognised else list(interpretation.diagnostics)
    if interpretation.calls and (step.recognised or not only_verifies(interpretation.calls, block, plugins)):
        calls = join_checks(interpretation.calls, plugins.actions())
        problems += [item for call in calls for item in call.diagnostics]
        return Interpretation(interpretation.plugin, tuple(calls)), problems
    name = runs_as(block)
    if name is not None and not step.recognised:
        call = ActionCall(name, {"script": as_script(block)}, block.location, block.text.rstrip("\n"))
        return Interpretation("", (call,)), [*problems, *_doubts(block)]
    return Interpretation("", ()), [*problems, _unknown_language(step, block)]


def block_params(block: Block, action: Action) -> tuple[dict[str, Any], Sequence[Diagnostic]]:
    """
    Return the parameters that an action takes from the block of a step that names it, and what is unclear.

    The action's schema marks such a parameter with ``x-block``: ``commands`` stands for what the block types
    in, without prompts and output, and ``text`` for all of it.
    """
    marked = {name: part.get(X_BLOCK) for name, part in action.schema.get("properties", {}).items()}
    texts = {"commands": as_script(block), "text": block.text}
    params = {name: texts[mark] for name, mark in marked.items() if mark in texts}
    return params, _doubts(block) if "commands" in marked.values() else []


def _unknown_language(step: Step, block: Block) -> Diagnostic:
    kind = f"of language '{block.language}'" if block.language else "without a language"
    message = f"step '{step.id}': no action runs a block {kind}"
    fix = f"write one of {', '.join(sorted(RUNNABLE))} after the fence, or name an action with 'uses:'"
    if block.language in PYTHON:
        fix = "write 'python' after the fence, and the statements without prompts and output"
    elif block.language in TYPED_IN:
        fix = "write 'bash' after the fence if bash can run it, or name an action with 'uses:'"
    elif not block.language and shows_prompts(block.text):
        fix = "write 'console' after the fence if it shows a shell, or name an action with 'uses:'"
    start = block.location
    fence = start if block.hidden else Location(start.path, start.line - 1, start.column)
    return Diagnostic("unknown-language", "error", message, fence, fix)


def _doubts(block: Block) -> list[Diagnostic]:
    """Return diagnostics about the lines of a transcript that are not clearly commands or output."""
    return [doubt.at(block) for doubt in typed_in(block).doubts]


def only_verifies(calls: Sequence[ActionCall], block: Block, plugins: Plugins) -> bool:
    """Return True if shell or Python could run the block, but one of the calls only runs checks."""
    actions = plugins.actions()
    found = (actions.get(call.action) for call in calls)
    return runs_as(block) is not None and any(action is not None and action.checks for action in found)


def _effects_of_link(plugins: Plugins, block: Block, lesson: Lesson) -> tuple[str, tuple[str, ...]]:
    """Return the shell commands that a command link stands for, and what its other actions write."""
    actions = plugins.actions()
    scripts: list[str] = []
    written: list[str] = []
    for call in plugins.interpret_block(block, lesson).calls:
        action = actions.get(call.action)
        if isinstance(script := call.params.get("script"), str):
            scripts.append(script)
        elif action is not None and action.inspect is not None:
            with contextlib.suppress(Exception):  # the step's plan reports it
                written += action.inspect({**action.defaults, **call.params}).writes
    return "\n".join(scripts), tuple(path for path in written if path.startswith(("~/", "/")))
