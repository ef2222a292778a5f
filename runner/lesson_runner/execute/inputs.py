"""
Decide which of the files that a lesson names its actions may read, and open them.

Files below the lesson's folder and files of the run need no permission. Others need permission, each by its
real path; some may never be read. The path is checked before the file is opened, and the real path of the
open file is checked again: a background process may change links in between.
"""

from __future__ import annotations

import contextlib
import errno
import fnmatch
import os
import pwd
import stat
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from platformdirs import user_desktop_path, user_documents_path, user_downloads_path

from lesson_runner.execute.environment import is_credential
from lesson_runner.execute.sandbox import HIDDEN, Sandbox
from lesson_runner.files.folders import config_folder
from lesson_runner.files.plain import real
from lesson_runner.model.errors import LessonError

READ = "read"
"""The permission's name; for one file, it is followed by a space and the path."""
PSEUDO_FILES = ("/proc", "/dev", "/sys")
"""Folders with devices, processes and environments instead of ordinary files."""
CREDENTIALS = (
    *(".ssh", ".aws", ".azure", ".gnupg", ".kube", ".docker", ".oci", ".password-store", ".pki"),
    *(".netrc", "_netrc", ".git-credentials", ".npmrc", ".yarnrc.yml", ".pypirc", ".pgpass", ".my.cnf"),
    *(".vault-token", ".terraform.d", ".boto", ".s3cfg", ".gem/credentials", ".cargo/credentials*"),
    *(".huggingface/token", ".cache/huggingface/token", ".cache/huggingface/stored_tokens", ".kaggle"),
    *(".config/gcloud", ".config/gh", ".config/glab-cli", ".config/git/credentials", ".config/op"),
    *(".config/containers/auth.json", ".config/rclone", ".config/lesson-runner", ".m2/settings*.xml"),
    *(".config/google-chrome*", ".config/chromium", ".config/BraveSoftware", ".config/microsoft-edge*"),
    *(".mozilla", ".thunderbird", ".local/share/keyrings", ".local/share/kwalletd", "Library/Keychains"),
    *("Library/Cookies", "Library/Application Support/Google", "Library/Application Support/Firefox"),
    *("Library/Application Support/lesson-runner", "Library/Safari", ".gradle/gradle.properties"),
    *("id_rsa", "id_dsa", "id_ecdsa", "id_ecdsa_sk", "id_ed25519", "id_ed25519_sk"),
)
"""Files and folders in which programs keep keys, tokens and passwords, wherever they are."""
DATA_FOLDERS = {
    "HF_HOME": ("token", "stored_tokens"),
    "XDG_CACHE_HOME": ("huggingface/token", "huggingface/stored_tokens"),
    "XDG_DATA_HOME": ("keyrings", "kwalletd", "python_keyring"),
    **dict.fromkeys(("HUGGINGFACE_HUB_CACHE", "NUGET_PACKAGES", "WANDB_DIR"), ()),
}
"""Variables whose folders also hold data sets and programs, and the secrets in these folders."""
SYSTEM_CREDENTIALS = (
    *(
        "/etc/shadow*",
        "/etc/gshadow*",
        "/etc/sudoers*",
        "/etc/ssh/*key*",
        "/etc/ssl/private",
        "/etc/wireguard",
    ),
    *("/etc/krb5.keytab", "/etc/NetworkManager/system-connections", "/run/secrets", "/var/run/secrets"),
    *("/run/credentials", "/tmp/krb5cc_*", "/etc/letsencrypt", "/etc/kubernetes", "/etc/pki/tls/private"),
)
"""Files and folders of the system that hold secrets."""
SHARED = ("Desktop", "Documents", "Downloads")
"""Folders in the home folder where a lesson may be next to unrelated files."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """
    The files that the actions of one lesson may read.

    Attributes:
        document: the lesson's file.
        own: folders of the run.
        sandbox: the sandbox of commands; actions need permission to read files that it hides.
        fresh_params: the user has just given the values of ``--param``; they do not come from a record.
    """

    document: Path
    own: tuple[Path, ...] = ()
    sandbox: Sandbox | None = None
    fresh_params: bool = True

    def resolve(self, name: str, *, param: bool = False) -> Path:
        """
        Return the real path of a file.

        Args:
            name: a path relative to the lesson's folder.
            param: the path is a value of ``--param``, and relative to the current folder.

        Raises:
            LessonError: the path is invalid.
        """
        try:
            if "\0" in name:
                raise ValueError("it contains a NUL character")
            path = (Path.cwd() if param else self.document.absolute().parent) / Path(name).expanduser()
            written = Path(os.path.normpath(path))
            if any(written.is_relative_to(folder) for folder in PSEUDO_FILES):
                return written  # links there depend on the process that follows them
            return real(path)
        except RuntimeError:
            raise LessonError(f"{name}: this user does not exist", fix="check the path") from None
        except (OSError, ValueError) as error:
            raise LessonError(f"{name!r} is not a valid path: {error}", fix="check the path") from None

    def needs_no_permission(self, place: Path) -> bool:
        """Return whether a lesson may read a real path without a permission."""
        if any(place.is_relative_to(real(folder)) for folder in self.own):
            return True
        folder = real(self.document.absolute().parent)
        if not place.is_relative_to(folder) or is_broad_folder(folder):
            return False
        hidden = any(part.startswith(".") for part in place.relative_to(folder).parts)
        return not hidden and not (self.sandbox and self.sandbox.hides(place))

    def open(self, name: str, granted: Collection[str], *, param: bool = False) -> BinaryIO:
        """
        Open a file that a lesson names; ``name`` of the result is the real path.

        Args:
            granted: the permissions of the lesson.
            param: as for :meth:`resolve`.

        Raises:
            LessonError: the file may not be read, or is not a plain file.
        """
        place = self.resolve(name, param=param)
        self._check(place, granted, param=param)
        try:
            if not stat.S_ISREG(place.lstat().st_mode):  # opening a device can have effects
                raise OSError(errno.EINVAL, "it is not a plain file")
            file = open(place, "rb", opener=_open)  # noqa: SIM115 - the caller closes it
        except OSError as error:
            raise LessonError(f"{place} cannot be read: {error.strerror}", fix=f"check {name}") from None
        try:
            facts = os.fstat(file.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise LessonError(f"{place} cannot be read: it is not a plain file", fix=f"check {name}")
            actual = _place_of(file.fileno(), place)
            if actual != place:
                self._check(actual, granted, param=param)
            if not (param and self.fresh_params) and facts.st_uid not in self._owners():
                raise LessonError(
                    f"{place} belongs to another user, and only the lesson names it",
                    fix="to use it anyway, pass the file yourself with --param",
                )
        except BaseException:
            file.close()
            raise
        return file

    def _check(self, place: Path, granted: Collection[str], *, param: bool) -> None:
        if reason := why_protected(place, self.own):
            raise LessonError(f"{place} is never read: {reason}", fix="use another file")
        if (
            (param and self.fresh_params)
            or self.needs_no_permission(place)
            or not {READ, f"{READ} {place}"}.isdisjoint(granted)
        ):
            return
        raise LessonError(
            f"the lesson may not read {place}, which is outside its folder",
            fix="add --allow read, or pass the file yourself with --param",
        )

    def _owners(self) -> set[int]:
        """Return the users whose files a lesson may name: this user, root, and the owner of the lesson."""
        owners = {os.geteuid(), 0}
        with contextlib.suppress(OSError):
            owners.add(self.document.stat().st_uid)
        return owners


def why_protected(place: Path, own: Collection[Path] = ()) -> str:
    """
    Return why no lesson may read a path, with any permission; empty if a lesson may.

    Args:
        own: folders of the run, which contain no secrets of programs.
    """
    # Many file systems of macOS ignore case.
    folded = Path(str(place).casefold())
    if any(folded.is_relative_to(folder) for folder in PSEUDO_FILES):
        return f"{'/'.join(place.parts[:2])[1:]} does not contain ordinary files"
    if any(place.is_relative_to(real(folder)) for folder in own):
        return ""
    if place.is_relative_to(real(config_folder())):
        return "this folder holds the keys and settings of lesson-runner"
    parts = folded.parts[1:]
    parts = parts[1:] if parts[:1] == ("private",) else parts  # macOS has /etc in /private
    for pattern in (*CREDENTIALS, *SYSTEM_CREDENTIALS):
        wanted = tuple(pattern.casefold().strip("/").split("/"))
        starts = range(1) if pattern.startswith("/") else range(len(parts))
        if any(_starts_with(parts[start:], wanted) for start in starts):
            return f"programs keep keys and passwords in {pattern}"
    for name, named in _named_by_variables():
        if place.is_relative_to(named):
            return f"according to the environment variable {name}, it holds credentials"
    return ""


def _starts_with(parts: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    return len(parts) >= len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))


def _named_by_variables() -> Iterator[tuple[str, Path]]:
    """Yield variables that name places of secrets, with each place that does not contain a home folder."""
    homes = _homes()
    for name, value in os.environ.items():
        if name in HIDDEN or is_credential(name, value):
            for place in value.removeprefix("FILE:").split(os.pathsep):
                if not place.startswith("/"):
                    continue
                for kept in DATA_FOLDERS.get(name, ("",)):
                    found = real(Path(place) / kept)
                    if not any(home.is_relative_to(found) for home in homes):
                        yield name, found


def _homes() -> list[Path]:
    """Return this user's home folders: HOME may differ from the one that the system knows."""
    named = os.environ.get("HOME")
    homes = [real(Path(named))] if named else []
    with contextlib.suppress(KeyError):  # a user without a name
        homes.append(real(Path(pwd.getpwuid(os.getuid()).pw_dir)))
    return homes


def is_broad_folder(folder: Path) -> bool:
    """Return whether a folder holds unrelated files, like a home folder, downloads or ``/tmp``."""
    homes = _homes()
    shared = [home / name for home in homes for name in SHARED]
    with contextlib.suppress(RuntimeError):  # there is no home folder
        shared += [user_desktop_path(), user_documents_path(), user_downloads_path()]  # localised names
    temporary = [Path(name) for name in ("/tmp", "/var/tmp", tempfile.gettempdir())]
    return any(real(place).is_relative_to(folder) for place in (*homes, *shared, *temporary))


def _open(path: str, _: int) -> int:
    # Without O_NONBLOCK, opening a pipe waits for a writer.
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC)


def _place_of(handle: int, place: Path) -> Path:
    """Return the real path of an open file: from Linux, elsewhere from where its path leads now."""
    try:
        return Path(os.readlink(f"/proc/self/fd/{handle}"))  # noqa: PTH115 - faster than Path
    except OSError:
        return real(place)
