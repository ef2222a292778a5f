"""Read a whole lesson: bytes, frontmatter, body, steps."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from lesson_runner.document import parser
from lesson_runner.document import steps as step_schema
from lesson_runner.document.frontmatter import read_frontmatter, split
from lesson_runner.document.schema.validator import check, load_schema
from lesson_runner.document.sidecar import Entries, find_sidecar, parse_sidecar, read_sidecar
from lesson_runner.document.yaml_text import KeyPath, YamlText
from lesson_runner.files.plain import read_plain, real
from lesson_runner.model import Diagnostic, Json, Lesson, Location, first_error
from lesson_runner.model.errors import InvalidLessonError, LessonError

MAX_LESSON_BYTES = 2_000_000
"""Upper limit for a lesson, because parsing time grows with its size."""
MARKDOWN = (".md", ".markdown")
"""The file name endings of lessons, in lower case."""
MAX_LINES = 50_000
"""Upper limit for lines, because short lines take the parser longer than long ones."""


def load_lesson(path: Path, overlay: Path | None = None) -> tuple[Lesson, list[Diagnostic]]:
    """
    Parse and check a lesson document, and its sidecar.

    Args:
        overlay: a folder with sidecars, where the lesson's is searched for before it is beside the lesson.

    Returns:
        The lesson, as far as it can be parsed, and all diagnostics, in the order of the file; then those of
        the sidecar.

    Raises:
        LessonError: there is no such file, or it cannot be read.
        InvalidLessonError: it or its sidecar is not UTF-8 text, or too large, or the sidecar cannot be read.
    """
    raw = read_lesson_bytes(path)
    try:
        text = _with_plain_line_ends(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        before = _with_plain_line_ends(raw[: error.start].decode("utf-8"))
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        message, fix = f"byte 0x{raw[error.start]:02x} is not UTF-8", "save the file as UTF-8"
        place = Location(path, line, column)
        raise InvalidLessonError([Diagnostic("not-utf-8", "error", message, place, fix)]) from None
    lines = text.count("\n") + 1
    if lines > MAX_LINES:
        message = f"{lines} lines; a lesson has at most {MAX_LINES}"
        raise InvalidLessonError([_too_large(message, path)])
    parts = split(text, path)
    front = read_frontmatter(parts, path)
    beside = find_sidecar(path, overlay)
    sidecar = parse_sidecar(read_sidecar(beside)) if beside else None
    body = parser.parse(parts, path, sidecar)
    declared = step_schema.build(body.directives)
    data: Json = front.data
    positions = front.positions
    problems = [*front.diagnostics, *body.diagnostics, *declared.problems]
    if not first_error(front.diagnostics):
        broken = [item for item in body.diagnostics if item.severity == "error"]
        places = [*(item.location for item in body.directives), *(item.location for item in broken)]
        positions = {**(sidecar.positions if sidecar else {}), **front.positions}
        data = {**(sidecar.frontmatter if sidecar else {}), **front.data}
        data, wrong = _checked_frontmatter(
            data, positions, path, strict=any(place.path == path for place in places)
        )
        if parts.yaml is None:  # a document without frontmatter misses nothing
            wrong = [item for item in wrong if item.rule != "missing-key"]
        problems += [*wrong, *(_clashes(front, sidecar) if sidecar else ())]
    digest = hashlib.sha256(raw).hexdigest()
    blocks, steps, skipped = tuple(body.blocks), tuple(declared.steps), tuple(declared.skipped)
    lesson = Lesson(
        path,
        text,
        data,
        positions,
        blocks,
        steps,
        skipped,
        digest,
        headings=tuple(body.headings),
        links=tuple(body.links),
        anchors=frozenset(body.anchors),
        ignores=tuple(declared.ignores),
        links_complete=body.links_complete,
        unseen=tuple(body.unseen),
        sidecar=sidecar.file if sidecar else None,
    )
    return lesson, sorted(problems, key=lambda item: _place_in(path, item))


def _place_in(path: Path, item: Diagnostic) -> tuple[bool, int, int]:
    return item.location.path != path, item.location.line, item.location.column


def _checked_frontmatter(
    data: Json, positions: Mapping[KeyPath, Location], path: Path, *, strict: bool
) -> tuple[Json, list[Diagnostic]]:
    """
    Return the frontmatter, and the diagnostics about its keys and values.

    Args:
        strict: the document has directives. Others may have frontmatter for another program, so there only
            an error in ``runner`` or in a sidecar is one; other values that are wrong here are left out, with
            a warning.
    """
    whole = {(): Location(path, 1), **positions}
    found = list(check(data, load_schema("lesson"), whole, what="frontmatter", unknown_key="warning"))
    if strict:
        return data, found
    keys = {place: key[0] for key, place in sorted(positions.items(), key=str) if key}
    own = {item for item in found if keys.get(item.location) == "runner" or item.location.path != path}
    wrong = {keys.get(item.location) for item in found if item.rule == "wrong-value" and item not in own}
    kept = {key: value for key, value in data.items() if key not in wrong}
    return kept, [item if item in own or item.severity != "error" else _warning(item) for item in found]


def _clashes(front: YamlText, sidecar: Entries) -> Iterable[Diagnostic]:
    """Yield errors about keys that both the document's frontmatter and its sidecar have."""
    for key in sidecar.frontmatter:
        if key in front.data:
            message = f"the document's frontmatter has '{key}' too, on line {front.positions[(key,)].line}"
            yield Diagnostic(
                "sidecar-conflict", "error", message, sidecar.positions[(key,)], "remove it here"
            )


def _warning(item: Diagnostic) -> Diagnostic:
    return dataclasses.replace(item, severity="warning")


def _too_large(message: str, path: Path) -> Diagnostic:
    return Diagnostic("too-large", "error", message, Location(path, 1), "split the lesson")


def _with_plain_line_ends(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def read_lesson_bytes(path: Path) -> bytes:
    """
    Return the bytes of a lesson file.

    Raises:
        LessonError: it does not exist, is not a file, cannot be read, or is a link to another kind of file.
        InvalidLessonError: it is too large.
    """
    target = real(path)
    # A folder from a stranger may contain such a link, and diagnostics quote lines of the file.
    if path.suffix.lower() in MARKDOWN and target.suffix.lower() not in MARKDOWN and target.exists():
        raise LessonError(
            f"{path}: is a link to {target}, which is not a Markdown file", fix="remove the link"
        )
    try:
        if path.is_dir():  # raises OSError for a name that is too long
            raise LessonError(f"{path}: is a folder, not a lesson", fix="name the .md file")
        size = path.stat().st_size
        if size > MAX_LESSON_BYTES:
            message = f"{size} bytes; a lesson has at most {MAX_LESSON_BYTES}"
            raise InvalidLessonError([_too_large(message, path)])
        return read_plain(target, MAX_LESSON_BYTES)
    except FileNotFoundError:
        raise LessonError(f"{path}: no such file") from None
    except OSError as error:
        raise LessonError(f"{path}: cannot be read: {error.strerror or error}") from None
