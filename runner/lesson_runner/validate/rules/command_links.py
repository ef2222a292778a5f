"""Links that run something: commands of the editor that shows the lesson, and scripts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from lesson_runner.document.command_links import CommandLink, read_command
from lesson_runner.files.plain import open_plain
from lesson_runner.model import Diagnostic, Lesson, Link, Rule, Scope
from lesson_runner.validate.rules.targets import Nearest, scheme_of

SHOW_LESSON = "tenstorrent.showLesson"
_COMMAND = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w-]+)+")
_ID = re.compile(r"^id:[ \t]*[\"']?([^\s\"'#]+)", re.MULTILINE)
_MAX_SIBLINGS = 500
_HEAD = 4096
_UNSAFE = ("javascript", "vbscript")


def check_unsafe(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001  # one form for all rules
    """Yield links that run a script, or show a page that may run one."""
    for link in lesson.links:
        scheme = scheme_of(link.target)
        page = scheme == "data" and "text/html" in link.target[:200].lower()
        if (
            scheme in _UNSAFE
            or page
            or (scheme == "data" and link.kind == "link" and "svg" in link.target[:40])
        ):
            message = f"a '{scheme}:' link runs its own code on the reader's machine"
            fix = "link to a page, or give the commands in a code block"
            yield Diagnostic("unsafe-link", "error", message, link.location, fix)


def check_commands(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:  # noqa: ARG001
    """Yield ``command:`` links that no editor can run."""
    for link in _commands(lesson):
        read = _read(link)
        if not _COMMAND.fullmatch(read.command):
            message = f"'{read.command}' is not the id of a command"
            yield _wrong(
                link, message, "write command:extension.name, such as command:tenstorrent.showLesson"
            )
        elif "?" in link.target and " " in link.target:
            message = "the arguments contain a space, which makes this plain text instead of a link"
            yield _wrong(link, message, "remove the space, or write %20")
        elif read.problem:
            message = f"the arguments of '{read.command}' are not JSON: {read.problem}"
            yield _wrong(link, message, f'write them as in command:{SHOW_LESSON}?["lesson-id"]')
        elif read.command == SHOW_LESSON and _lesson_id(read) is None:
            message = f"'{SHOW_LESSON}' needs the id of a lesson"
            fix = f'write command:{SHOW_LESSON}?["lesson-id"], or {{"lessonId":"lesson-id"}} after the ?'
            yield _wrong(link, message, fix)


def check_lessons(lesson: Lesson, scope: Scope) -> Iterable[Diagnostic]:
    """Yield links to lessons that are not validated, not a plugin's, and not in the same folder."""
    suggest = Nearest()
    for link in _commands(lesson):
        read = _read(link)
        name = _lesson_id(read) if read.command == SHOW_LESSON else None
        if name is None or name == lesson.id or name in scope.lessons:
            continue
        known = {lesson.id, *scope.lessons, *_same_folder(lesson.path)}
        if name not in known:
            near = suggest.name(name, known)
            fix = f"did you mean '{near}'?" if near else "validate it together with the lessons it links to"
            message = f"no known lesson has the id '{name}'"
            yield Diagnostic("unknown-lesson", "warning", message, link.location, fix)


def _commands(lesson: Lesson) -> Iterable[Link]:
    return (link for link in lesson.links if scheme_of(link.target) == "command")


def _read(link: Link) -> CommandLink:
    return read_command(link.target.strip().partition(":")[2])


def _lesson_id(link: CommandLink) -> str | None:
    """Return the lesson id in the arguments, which may be a string, a list or a mapping."""
    value = link.argument("lessonId") if isinstance(link.first, dict) else link.first
    return value if isinstance(value, str) and value else None


def _wrong(link: Link, message: str, fix: str) -> Diagnostic:
    return Diagnostic("command-link", "error", message, link.location, fix)


def _same_folder(path: Path) -> frozenset[str]:
    """Return the ids of the lessons in the same folder, because a lesson is often validated alone."""
    folder = path.resolve().parent
    try:
        return _ids_in(folder, folder.stat().st_mtime_ns)
    except OSError:
        return frozenset()


@lru_cache(maxsize=64)
def _ids_in(folder: Path, changed: int) -> frozenset[str]:  # noqa: ARG001  # part of the key
    found: set[str] = set()
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if entry.name.endswith(".md")][:_MAX_SIBLINGS]
    for name in names:
        found.add(name.removesuffix(".md"))
        try:
            with open_plain(folder / name) as file:  # refuses pipes and links
                head = file.read(_HEAD).decode("utf-8", "replace")
        except OSError:
            continue
        if match := _ID.search(head.replace("\r\n", "\n")):
            found.add(match[1])
    return frozenset(found)


RULES = (
    Rule("command-link", "error", "A link to a command that no editor can run.", check=check_commands),
    Rule("unknown-lesson", "warning", "A link to a lesson that is not known.", check=check_lessons),
    Rule("unsafe-link", "error", "A link that runs a script.", check=check_unsafe),
)
