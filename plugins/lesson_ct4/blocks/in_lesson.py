"""Interpret blocks that depend on the rest of the lesson: previews of its text, prompts for its models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lesson_ct4.blocks.interpret import ABSORBED, interpret_block
from lesson_ct4.data.fetch import NAME, URL
from lesson_ct4.names import base_name
from lesson_runner.document.shell import shell_commands
from lesson_runner.plugins import ActionCall, Block, Diagnostic, Lesson
from lesson_tenstorrent.blocks import is_preparation

MAX_DIGITS = 9
"""Most digits of a number of lines; Python refuses to parse thousands."""
LINES = 10
"""The number of lines that ``head`` shows by default."""


def interpret_in_lesson(block: Block, lesson: Lesson) -> Sequence[ActionCall] | None:
    """Return the calls of :func:`interpret_block`, with their prompts checked; or previews of the text."""
    calls = interpret_block(block)
    if calls is None:
        return _previews(block, lesson)
    return [_with_prompt_checked(call, lesson) for call in calls]


_known_texts: dict[int, tuple[Lesson, set[str]]] = {}
"""The result of :func:`_texts` for the last lesson; the lesson is kept so that its ``id()`` is not reused."""


def _texts(lesson: Lesson) -> set[str]:
    """Return the names under which the lesson saves its text."""
    if id(lesson) not in _known_texts:
        _known_texts.clear()
        _known_texts[id(lesson)] = lesson, _find_texts(lesson)
    return _known_texts[id(lesson)][1]


def _find_texts(lesson: Lesson) -> set[str]:
    names = {str(step.params.get("name", NAME)) for step in lesson.steps if step.uses == "ct4.fetch-dataset"}
    blocks = [block for block in lesson.blocks if URL in block.text]
    calls = [call for block in blocks for call in interpret_block(block) or ()]
    return names | {str(call.params["name"]) for call in calls if call.action == "ct4.fetch-dataset"}


def _with_prompt_checked(call: ActionCall, lesson: Lesson) -> ActionCall:
    """Add a warning to a call whose prompt has characters that the lesson's text lacks."""
    if call.action != "ct4.generate":
        return call
    from lesson_ct4.synthetic_play import ALPHABET  # both texts have this alphabet

    unknown = set(str(call.params.get("prompt", ""))) - set(ALPHABET)
    if not unknown or not _texts(lesson):
        return call
    shown = " and ".join(sorted(map(repr, unknown)))
    message = (
        f"the prompt {call.params['prompt']!r} contains {shown}, which does not occur in the lesson's text"
    )
    fix = "use only characters of the text: a model knows no others"
    problem = Diagnostic("ct4.unknown-character", "warning", message, call.location, fix)
    return replace(call, diagnostics=(*call.diagnostics, problem))


def _previews(block: Block, lesson: Lesson) -> Sequence[ActionCall] | None:
    """Return a call for each ``head`` of the lesson's text, if the block does nothing else."""
    if "head" not in block.text:
        return None
    calls: list[ActionCall] = []
    for command in shell_commands(block) or ():
        words = command.words
        if command.operators or not is_preparation(words, ABSORBED):
            return None
        if words[:1] == ("head",):
            found = _parse_head(words[1:])
            if found is None:
                return None
            name, lines = found
            params = {"name": name, "lines": lines}
            calls.append(ActionCall("ct4.preview", params, command.location, command.source))
    return calls if calls and {call.params["name"] for call in calls} <= _texts(lesson) else None


def _parse_head(arguments: Sequence[str]) -> tuple[str, int] | None:
    """Return the file that ``head`` shows and the number of lines; ``None`` for any other use."""
    lines, files = str(LINES), []
    words = iter(arguments)
    for word in words:
        if word in ("-n", "--lines"):
            lines = next(words, "")
        elif word.startswith("-"):
            lines = word.removeprefix("--lines=").removeprefix("-n").removeprefix("-")
        else:
            files.append(base_name(word))
    if len(files) != 1 or not lines.isdecimal() or len(lines) > MAX_DIGITS or int(lines) < 1:
        return None
    return files[0], int(lines)
