"""Write the recognised steps of a lesson into a sidecar, and bring a sidecar up to date with its document."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lesson_runner.document.binding import bind, numbered
from lesson_runner.document.sidecar import parse_sidecar, sidecar_path
from lesson_runner.document.yaml_text import Origin, load
from lesson_runner.model import Block, Lesson
from lesson_runner.model.errors import InvalidLessonError
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run.annotate import Annotated, check_same, planned_and_written, unchanged_text
from lesson_runner.run.directive_text import Written


def make_sidecar(lesson: Lesson, plugins: Plugins, profiles: Iterable[str]) -> Annotated:
    """
    Return the text of a sidecar for a lesson that has none, with an entry for each recognised step.

    Args:
        profiles: the lesson must have the same plan with the sidecar in each of these profiles.

    Raises:
        InvalidLessonError: nothing was recognised, or the steps cannot be planned.
        LessonError: a step cannot be written as one directive, or the file has changed since it was read.
    """
    text = unchanged_text(lesson)
    plans, written = planned_and_written(lesson, plugins, profiles)
    places = {lesson.blocks[index]: place for place, index in numbered(lesson.blocks)}
    entries = [_entry(lesson, item, places) for item in sorted(written, key=lambda item: item.block.location)]
    after = _dumped({"steps": entries})
    beside = sidecar_path(Path(lesson.path.name)).name
    check_same(lesson, {lesson.path.name: text, beside: after}, plans, plugins)
    return Annotated("", after, sum(item.word != "skip" for item in written))


def updated_sidecar(lesson: Lesson) -> Annotated:
    """
    Return the text of a lesson's sidecar before and after its entries accept the changes of their blocks.

    The text stays as it is if no entry is outdated; else it is rewritten, without comments.

    Raises:
        InvalidLessonError: the sidecar cannot be read as one.
    """
    file = lesson.sidecar
    assert file is not None
    sidecar = parse_sidecar(file)
    if sidecar.problems:
        raise InvalidLessonError(list(sidecar.problems))
    visible = [block for block in lesson.blocks if not block.hidden]
    paths: list[tuple[int, str]] = []
    headings = []
    for heading in lesson.headings:
        paths = [*(item for item in paths if item[0] < heading.level), (heading.level, heading.title)]
        headings.append(tuple(title for _, title in paths))
    moved = bind(sidecar, visible, headings, lesson.path).moved
    if not moved:
        return Annotated(file.text, file.text, 0)
    data: dict[str, Any] = load(file.text, Origin(file.path, 1), most=len(file.text.encode())).data
    places = {index: place for place, index in numbered(visible)}
    for number, index in moved.items():
        (titles, fence), entry = places[index], data["steps"][number]
        entry |= {"heading": [*titles], "fence": fence, "text": visible[index].text}
    return Annotated(file.text, _dumped(data), len(moved))


def _entry(
    lesson: Lesson, item: Written, places: Mapping[Block, tuple[tuple[str, ...], int]]
) -> dict[str, Any]:
    if item.word != "run":
        titles, fence = places[item.block]
        return {"heading": [*titles], "fence": fence, "text": item.block.text, item.word: dict(item.data)}
    entry: dict[str, Any] = {"heading": [*item.block.headings]}
    starts = [block.location for block in lesson.blocks]
    index = bisect_left(starts, item.block.location)
    if index < len(starts) and lesson.blocks[index].headings == item.block.headings:
        entry["fence"] = places[lesson.blocks[index]][1]
    return {
        **entry,
        "language": item.block.language,
        "text": f"{item.block.text}\n",
        item.word: dict(item.data),
    }


def _dumped(data: Mapping[str, Any]) -> str:
    """Return YAML with texts of several lines as they are."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
            return True

        def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
            return super().increase_indent(flow, False)

    def text(dumper: Dumper, value: str) -> yaml.Node:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    made: str = yaml.dump(dict(data), Dumper=Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    return made
