"""
Write the recognised steps of a lesson into its text, as directives.

Only whole lines are added, above the blocks they describe, so a reader sees no difference. The annotated text
is planned again and returned only if its steps are the same.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lesson_runner.document.frontmatter import split
from lesson_runner.document.lessons import load_lesson, read_lesson_bytes
from lesson_runner.model import ActionCall, Block, Expectation, Lesson, Plan, PlannedStep, Step, first_error
from lesson_runner.model.errors import InvalidLessonError, LessonError
from lesson_runner.plugins.manager import Plugins
from lesson_runner.roles import COMMAND_LINK
from lesson_runner.run.plan import make_plan
from lesson_runner.run.recognise import Recognition
from lesson_runner.run.resolve_blocks import only_verifies, recognise_steps, resolve_block

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_PREFIX = re.compile(r"[ \t>]*")
_END = "-->"


@dataclass(frozen=True, slots=True)
class Annotated:
    """A lesson's text before and after, both with the line endings of the file."""

    before: str
    after: str
    steps: int


@dataclass(frozen=True, slots=True)
class _Comment:
    """A directive to write, and the line (from 1) to insert it above."""

    line: int
    rows: tuple[str, ...]


def annotate(lesson: Lesson, plugins: Plugins, profiles: Iterable[str]) -> Annotated:
    """
    Return the lesson's text with a directive for each recognised step.

    Blocks that belong to another step, or to no step, get a ``skip`` with the reason.

    Args:
        profiles: the annotated lesson must have the same plan as the original in each of these profiles.

    Raises:
        InvalidLessonError: nothing was recognised, or the steps cannot be planned.
        LessonError: a step cannot be written as one directive (the message says where and why), or the file
            has changed since it was read.
    """
    raw = read_lesson_bytes(lesson.path)
    if hashlib.sha256(raw).hexdigest() != lesson.digest:
        raise LessonError(
            f"{lesson.path}: was changed while it was being annotated", fix="run lesson annotate again"
        )
    before = raw.decode("utf-8")
    plans = [make_plan(lesson, (), plugins, profile) for profile in profiles]
    found = recognise_steps(lesson, plugins)
    for step in found.lesson.steps:
        _refuse_mixed(step, plans[0])
    comments = sorted(_comments(lesson, found, plugins), key=lambda comment: comment.line)
    after = _with_comments(before, comments)
    _check_same(lesson, after, plans, plugins)
    return Annotated(before, after, len(found.lesson.steps))


def _refuse_mixed(step: Step, plan: Plan) -> None:
    """
    Refuse a block whose commands have different expectations: a directive has one list for all of them.

    Raises:
        LessonError: the commands have different expectations.
    """
    parts = [item for item in plan.steps if step.id in (item.id, item.id.rpartition(".")[0])]
    if any(part.expect != step.expect for part in parts):
        actions = " and ".join(dict.fromkeys(part.action for part in parts))
        raise LessonError(
            f"{step.location}: one directive cannot hold different expectations for {actions}",
            fix="split the block into one for each action",
        )


def _comments(lesson: Lesson, found: Recognition, plugins: Plugins) -> Iterable[_Comment]:
    lines = lesson.text.split("\n")
    tops = _TopLevel(split(lesson.text, lesson.path).body_in_place)
    for step in found.lesson.steps:
        block = step.block
        assert block is not None  # a recognised step has one
        calls = resolve_block(step, found.lesson, plugins)[0].calls
        data = _directive(step, calls if only_verifies(calls, block, plugins) else ())
        if block.language == COMMAND_LINK:
            yield _Comment(tops.above(block), ("<!-- run", *_yaml(data), *_fence(block.text), "-->"))
        else:
            rows = ("<!-- step", *_yaml(data), "-->")
            yield _above(block, rows, lines)
    for name, blocks in found.absorbed.items():
        for block in blocks:
            if block.language == COMMAND_LINK:  # needs no skip: it is a link, not code
                continue
            yield _above(block, _skip(f"covered by step '{name}'"), lines)
    for item in found.not_covered:
        if item.block.language != COMMAND_LINK and _prefix(item.block, lines) is not None:
            yield _above(item.block, _skip(item.reason), lines)


def _directive(step: Step, explicit: Sequence[ActionCall]) -> dict[str, Any]:
    """
    Return the fields of a directive that do not follow from its block and heading.

    Args:
        explicit: calls that must be written out, because a declared step would not get them from its block.
    """
    data: dict[str, Any] = {"id": step.id}
    if step.block and step.title != step.block.headings[-1]:
        data["title"] = step.title
    if explicit:
        data["uses"] = explicit[0].action
    if params := {**(explicit[0].params if explicit else {}), **step.params}:
        data["with"] = params
    if step.expect:
        data["expect"] = [_expectation(item) for item in step.expect]
    return data


def _expectation(item: Expectation) -> dict[str, Any]:
    when = {"when": dict(item.when)} if item.when else {}
    return {item.matcher: item.argument, **when}


def _skip(reason: str) -> tuple[str, ...]:
    return ("<!-- skip", *_yaml({"reason": reason}), "-->")


def _yaml(data: Mapping[str, Any]) -> list[str]:
    """Return YAML as directives are written: one key per line, with its value on the same line."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
            return super().increase_indent(flow, False)

        def serialize(self, node: Any) -> None:
            node.flow_style = False
            for _, value in node.value:
                rows = value.value if isinstance(value, yaml.SequenceNode) else ()
                if any(isinstance(row, yaml.MappingNode) for row in rows):  # expectations
                    for part in (value, *rows):
                        part.flow_style = False
            super().serialize(node)

    def quoted(dumper: Dumper, text: str) -> yaml.Node:
        style = '"' if _END in text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, quoted)
    options: dict[str, Any] = {"sort_keys": False, "allow_unicode": True, "width": 10_000}
    text: str = yaml.dump(dict(data), Dumper=Dumper, default_flow_style=None, **options)
    return text.replace(_END, r"--\x3E").rstrip("\n").split("\n")


def _fence(text: str) -> tuple[str, ...]:
    return (f"```{COMMAND_LINK}", *text.split("\n"), "```")


def _above(block: Block, rows: tuple[str, ...], lines: list[str]) -> _Comment:
    """
    Return a comment above a block, in the block's container.

    Raises:
        LessonError: the block starts on the line of its list marker, so the line above is outside the list.
    """
    prefix = _prefix(block, lines)
    if prefix is None:
        raise LessonError(
            f"{block.location.path}:{block.location.line - 1}: a directive cannot be put above this block",
            fix="start the block on a separate line, below the list marker",
        )
    return _Comment(block.location.line - 1, tuple(f"{prefix}{row}".rstrip() for row in rows))


def _prefix(block: Block, lines: list[str]) -> str | None:
    """Return the indent before a block's fence; ``None`` if there is other text before it."""
    before = lines[block.location.line - 2][: block.location.column - 1]
    return before if _PREFIX.fullmatch(before) else None


class _TopLevel:
    """Where the top-level elements of a document start: a comment between them changes nothing."""

    def __init__(self, body: str) -> None:
        from markdown_it import MarkdownIt

        parser = MarkdownIt("commonmark").enable("table").disable("inline")
        tokens = [item for item in parser.parse(body) if item.level == 0 and item.map]
        self.starts = [item.map[0] + 1 for item in tokens if item.map]
        self.ends = [item.map[1] + 1 for item in tokens if item.map]
        self.kinds = [item.type for item in tokens]

    def above(self, block: Block) -> int:
        """Return the line to insert a hidden block above, in the section of the link that it replaces."""
        index = max(bisect(self.starts, block.location.line) - 1, 0)
        return self.ends[index] if self.kinds[index] == "heading_open" else self.starts[index]


def _with_comments(text: str, comments: Iterable[_Comment]) -> str:
    """Return the text with the comments inserted, with the same line endings."""
    lines = _LINE.findall(text)
    end = next((line[len(line.rstrip("\r\n")) :] for line in lines if line.endswith(("\r", "\n"))), "\n")
    written: list[str] = []
    done = 0
    for comment in comments:
        written += lines[done : comment.line - 1]
        written += [f"{row}{end}" for row in comment.rows]
        done = comment.line - 1
    return "".join([*written, *lines[done:]])


def _check_same(lesson: Lesson, text: str, plans: Iterable[Plan], plugins: Plugins) -> None:
    """
    Check that an annotated text has the same plans as the lesson.

    Raises:
        LessonError: the plans differ.
    """
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / lesson.path.name
        path.write_bytes(text.encode("utf-8"))
        annotated, problems = load_lesson(path)
    for plan in plans:
        try:
            new = make_plan(annotated, problems, plugins, plan.profile)
        except InvalidLessonError as error:
            what = str((first_error(error.diagnostics) or error.diagnostics[0]).message)
        else:
            pairs = zip(plan.steps, new.steps, strict=False)
            first = next((old for old, other in pairs if _content(old) != _content(other)), plan.steps[-1])
            what = "" if new.digest == plan.digest else f"the plans differ from step '{first.id}' on"
        if what:
            raise LessonError(
                f"{lesson.path}: the annotated lesson would not do the same: {what}",
                fix="write the directives yourself; 'lesson plan' shows what they need to contain",
            )


def _content(step: PlannedStep) -> tuple[object, ...]:
    return step.id, step.action, step.params, step.needs, step.expect
