"""Permissions of lessons from elsewhere: which ones steps need, and which ones the user has granted."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lesson_runner.execute.inputs import READ, Inputs
from lesson_runner.files.folders import config_folder
from lesson_runner.files.plain import MAX_JSON_BYTES, read_plain, real, write_atomically
from lesson_runner.files.untrusted import parse_json
from lesson_runner.model import Lesson, PlannedStep
from lesson_runner.model.errors import LessonError
from lesson_runner.plugins.action import Action
from lesson_runner.plugins.context import merge
from lesson_runner.run.digests import content_digest
from lesson_runner.run.record import now
from lesson_runner.run.selection import SYSTEM

NETWORK = "network"
PERMISSIONS: Mapping[str, str] = {
    "shell": "run its own commands on this machine, as you",
    NETWORK: "download from",
    READ: "read",
    SYSTEM: "run the steps that change this machine",
}
"""Permissions and what they allow. Followed by an address or a path, one covers only that."""
FILE = "allowed.json"
VERSION = 1


def kind_of(permission: str) -> str:
    """Return the kind of a permission: its name without the address or path."""
    return permission.partition(" ")[0]


def is_granted(permission: str, granted: Collection[str]) -> bool:
    """Return whether a permission was granted, by itself or for its whole kind."""
    return permission in granted or kind_of(permission) in granted


def describe_permission(permission: str) -> str:
    """Describe what a permission allows."""
    kind, _, what = permission.partition(" ")
    usual = {NETWORK: "addresses that it names", READ: "files outside its folder"}
    return " ".join(filter(None, (PERMISSIONS.get(kind, kind), what or usual.get(kind, ""))))


def permissions_needed(step: PlannedStep, action: Action, inputs: Inputs) -> frozenset[str]:
    """
    Return the permissions that a step needs.

    Values that the user gives with ``--param`` need no permission, nor do the lesson's own files.

    Raises:
        LessonError: the step names an invalid path.
    """
    ask = action.permissions
    if not callable(ask):
        return frozenset(ask)
    given = merge(*(layer.params for layer in step.layers if layer.name.startswith("--param")))
    own = {name: value for name, value in step.params.items() if name not in given}
    usual = {name: value for name, value in action.defaults.items() if name in given}
    asked = frozenset(ask({**own, **usual}))
    wanted = frozenset(_resolved(asked, inputs, param=False))
    if not inputs.fresh_params:  # --param values from a record need permission too
        wanted = wanted.union(_resolved(frozenset(ask(step.params)) - asked, inputs, param=True))
    return wanted


def _resolved(asked: Iterable[str], inputs: Inputs, *, param: bool) -> Iterator[str]:
    """Yield permissions with real paths, without files that need no permission."""
    for permission in asked:
        kind, _, name = permission.partition(" ")
        if kind != READ:
            yield permission
        elif not inputs.needs_no_permission(place := inputs.resolve(name, param=param)):
            yield f"{READ} {place}"


@dataclass(frozen=True, slots=True)
class LessonPermissions:
    """
    The permissions that the user granted to one lesson at a prompt.

    Attributes:
        digest: digest of the lesson's content, see :func:`lesson_runner.run.digests.content_digest`.
        lesson: its id.
        path: its file.
        permissions: each with the time it was granted, in UTC.
    """

    digest: str
    lesson: str
    path: str
    permissions: Mapping[str, str]


@dataclass(slots=True)
class PermissionStore:
    """
    The granted permissions, in a file that only this user can read or write.

    Attributes:
        path: by default ``allowed.json`` in the configuration folder.
        problem: why an existing file was ignored; empty if it was read.
    """

    path: Path = field(default_factory=lambda: config_folder() / FILE)
    problem: str = ""
    _kept: dict[str, LessonPermissions] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path | None = None) -> PermissionStore:
        """Read the file; one that is damaged, or that others can write, is ignored."""
        memory = cls() if path is None else cls(path)
        try:
            facts = memory.path.stat()
            if facts.st_uid != os.geteuid() or stat.S_IMODE(facts.st_mode) & 0o022:
                memory.problem = "others can write it"
                return memory
            memory._kept = {
                item.digest: item
                for item in _parsed(parse_json(read_plain(real(memory.path), MAX_JSON_BYTES)))
            }
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            memory.problem = f"it cannot be read: {reason or type(error).__name__}"
        except (AttributeError, KeyError, TypeError):
            memory.problem = "it is damaged"
        return memory

    def all(self) -> list[LessonPermissions]:
        """Return all entries, sorted by lesson."""
        return sorted(self._kept.values(), key=lambda item: (item.lesson, item.path, item.digest))

    def granted(self, lesson: Lesson) -> frozenset[str]:
        """Return the permissions granted to a lesson with exactly this content."""
        known = self._kept.get(content_digest(lesson))
        return frozenset(known.permissions) if known else frozenset()

    def allowed_earlier(self, lesson: Lesson, permission: str) -> str:
        """Return when another version of the lesson, in the same file, got a permission; empty if never."""
        path, own = str(lesson.path.absolute()), content_digest(lesson)
        times = [
            item.permissions[permission]
            for item in self._kept.values()
            if item.path == path and item.digest != own and permission in item.permissions
        ]
        return max(times, default="")

    def remember(self, lesson: Lesson, permissions: frozenset[str]) -> None:
        """
        Store permissions granted to a lesson; those of an older version in the same file are removed.

        Raises:
            LessonError: the file cannot be written.
        """
        digest, path = content_digest(lesson), str(lesson.path.absolute())
        given = {**dict.fromkeys(sorted(permissions), now())}
        known = self._kept.get(digest)
        kept = {key: item for key, item in self._kept.items() if item.path != path}
        kept[digest] = LessonPermissions(
            digest, lesson.id, path, {**given, **(known.permissions if known else {})}
        )
        self._write(kept)

    def forget(self, digests: list[str]) -> None:
        """
        Remove the permissions of lessons.

        Raises:
            LessonError: the file cannot be written.
        """
        self._write({key: item for key, item in self._kept.items() if key not in digests})

    def _write(self, kept: dict[str, LessonPermissions]) -> None:
        lessons = {
            item.digest: {"lesson": item.lesson, "path": item.path, "permissions": dict(item.permissions)}
            for item in kept.values()
        }
        text = json.dumps({"version": VERSION, "lessons": lessons}, indent=2, ensure_ascii=False)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self.problem and self.path.exists():  # keep a damaged file: the user may want to look at it
                self.path.replace(self.path.with_name(f"{self.path.name}.damaged"))
            write_atomically(self.path, text + "\n", 0o600)
        except OSError as error:
            raise LessonError(
                f"{self.path}: cannot be written: {error.strerror or error}",
                fix="set LESSON_HOME to a folder you can write",
            ) from None
        self._kept, self.problem = kept, ""


def _parsed(data: Any) -> list[LessonPermissions]:
    """Parse the data of the file; wrong data raises KeyError, TypeError, AttributeError or ValueError."""
    if data["version"] != VERSION:
        raise ValueError(f"it has version {data['version']}; this program reads version {VERSION}")
    found = []
    for digest, entry in data["lessons"].items():
        permissions = {
            name: time for name, time in entry["permissions"].items() if kind_of(name) in PERMISSIONS
        }
        texts = (entry["lesson"], entry["path"], *permissions.values())
        if not all(isinstance(text, str) for text in texts):
            raise TypeError
        found.append(LessonPermissions(digest, entry["lesson"], entry["path"], permissions))
    return found
