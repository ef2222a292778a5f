"""
Write the recognised steps of a lesson into its text, as directives.

Only whole lines are added, above the blocks they describe, so a reader sees no difference. The annotated text
is planned again and returned only if its steps are the same.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from bisect import bisect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lesson_runner.document.frontmatter import read_frontmatter, split
from lesson_runner.document.lessons import load_lesson, read_lesson_bytes
from lesson_runner.model import Block, Lesson, Plan, PlannedStep, Step, first_error
from lesson_runner.model.errors import InvalidLessonError, LessonError
from lesson_runner.plugins.manager import Plugins
from lesson_runner.roles import COMMAND_LINK
from lesson_runner.run.digests import plan_digest
from lesson_runner.run.directive_text import Written, directives_for, yaml_rows
from lesson_runner.run.plan import make_plan
from lesson_runner.run.resolve_blocks import recognise_steps

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_PREFIX = re.compile(r"[ \t>]*")


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
    Return the lesson's text with a directive for each recognised step, and with frontmatter.

    Args:
        profiles: the annotated lesson must have the same plan as the original in each of these profiles.

    Raises:
        InvalidLessonError: nothing was recognised, or the steps cannot be planned.
        LessonError: a step cannot be written as one directive (the message says where and why), or the file
            has changed since it was read.
    """
    before = unchanged_text(lesson)
    plans, written = planned_and_written(lesson, plugins, profiles)
    line, rows = frontmatter_rows(lesson)
    comments = sorted(_comments(lesson, written), key=lambda comment: comment.line)
    front = [_Comment(line, tuple(rows))] if rows else []
    mark = "\ufeff" if before.startswith("\ufeff") else ""
    after = mark + _with_comments(before.removeprefix(mark), [*front, *comments])
    check_same(lesson, {lesson.path.name: after}, plans, plugins)
    return Annotated(before, after, sum(item.word != "skip" for item in written))


def unchanged_text(lesson: Lesson) -> str:
    """
    Return the text of a lesson's file as it is.

    Raises:
        LessonError: it has changed since the lesson was read.
    """
    raw = read_lesson_bytes(lesson.path)
    if hashlib.sha256(raw).hexdigest() != lesson.digest:
        raise LessonError(
            f"{lesson.path}: was changed while it was being annotated", fix="run lesson annotate again"
        )
    return raw.decode("utf-8")


def planned_and_written(
    lesson: Lesson, plugins: Plugins, profiles: Iterable[str]
) -> tuple[list[Plan], list[Written]]:
    """
    Return the plan of a lesson in each profile, and the directives for its recognised steps.

    Raises:
        InvalidLessonError: nothing was recognised, or the steps cannot be planned.
        LessonError: a step cannot be written as one directive.
    """
    plans = [make_plan(lesson, (), plugins, profile) for profile in profiles]
    found = recognise_steps(lesson, plugins)
    if not found.lesson.steps:
        message = f"{lesson.path}: the lesson has no steps that could be written as directives"
        raise LessonError(message, fix="'lesson plan' says what each block is; write the directives yourself")
    for step in found.lesson.steps:
        if step.uses is None:
            _refuse_mixed(step, plans[0])
    return plans, list(directives_for(found, plugins))


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


def _comments(lesson: Lesson, written: Iterable[Written]) -> Iterable[_Comment]:
    lines = lesson.text.split("\n")
    tops = _TopLevel(split(lesson.text, lesson.path).body_in_place)
    for item in written:
        block = item.block
        if item.word == "run":
            yield _Comment(tops.above(block), ("<!-- run", *yaml_rows(item.data), *_fence(block.text), "-->"))
        elif item.needed or _prefix(block, lines) is not None:
            yield _above(block, (f"<!-- {item.word}", *yaml_rows(item.data), "-->"), lines)


def frontmatter_rows(lesson: Lesson) -> tuple[int, list[str]]:
    """
    Return the rows of frontmatter that a lesson with directives needs and does not have.

    Returns:
        The line, from 1, to insert them above, and the rows; none if nothing is missing.
    """
    parts = split(lesson.text, lesson.path)
    own = read_frontmatter(parts, lesson.path).data
    values = {
        "id": lesson.id,
        "title": lesson.title,
        "description": lesson.title,
        "category": "tutorial",
        "tags": [],
        "supportedHardware": ["simulator"],
    }
    missing = {key: value for key, value in values.items() if key not in own}
    rows = yaml_rows(missing) if missing else []
    if parts.yaml is None:
        return 1, ["---", *rows, "---", ""]
    return parts.first - 1, rows


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
            fix="start the block on a separate line, below the list marker, or write a sidecar: --sidecar",
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


def check_same(lesson: Lesson, texts: Mapping[str, str], plans: Iterable[Plan], plugins: Plugins) -> None:
    """
    Check that an annotated lesson has the same plans as the lesson.

    Args:
        texts: the texts of the lesson's file and of its sidecar, by their names.

    Raises:
        LessonError: the plans differ.
    """
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        for name, text in texts.items():
            (Path(folder) / name).write_bytes(text.encode("utf-8"))
        annotated, problems = load_lesson(Path(folder) / lesson.path.name)
    instead = f"lesson annotate {lesson.path} --sidecar; or " if len(texts) == 1 else ""
    for plan in plans:
        try:
            new = make_plan(annotated, problems, plugins, plan.profile)
        except InvalidLessonError as error:
            what = str((first_error(error.diagnostics) or error.diagnostics[0]).message)
        else:
            old, steps = _kept(plan), _kept(new)
            pairs = zip(old, steps, strict=False)
            differ = (one.id for one, other in pairs if _content(one) != _content(other))
            first = next(differ, plan.steps[-1].id)
            same = plan_digest(steps) == plan_digest(old)
            what = "" if same else f"the plans differ from step '{first}' on"
        if what:
            raise LessonError(
                f"{lesson.path}: the annotated lesson would not do the same: {what}",
                fix=f"{instead}write the directives yourself; 'lesson plan' shows what they need to contain",
            )


def _kept(plan: Plan) -> list[PlannedStep]:
    """
    Return the steps of a plan without what annotating changes.

    A step that can never run becomes a skipped block, and not every need can be written down.
    """
    first: dict[str, str] = {}
    other_ways: set[str] = set()
    for one in plan.lesson.steps:
        if one.choice and first.setdefault(one.choice.group, one.choice.option) != one.choice.option:
            other_ways.add(one.id)
    steps = (step for step in plan.steps if step.id not in other_ways)
    kept = (step for step in steps if not step.skip or step.role == "placeholder")
    return [dataclasses.replace(step, requires=()) for step in kept]


def _content(step: PlannedStep) -> tuple[object, ...]:
    return step.id, step.action, step.params, step.needs, step.expect
