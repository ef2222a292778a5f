"""
Files that a lesson names: which of them its actions may read, and how they are opened.

Free are the files below the lesson's folder and those of the run. Others have to be allowed, each by its real
path, and some never are. A path is checked before anything is opened, and once more by where the opened file
is: a program in the background may exchange links in between.
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
"""The permission's name; a space and a path follow it where one file is meant."""
PSEUDO_FILES = ("/proc", "/dev", "/sys")
"""What lies there looks like files, and is devices, other processes, or this one's environment."""
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
"""Files and folders in which programs keep keys, tokens and passwords, wherever they lie."""
DATA_FOLDERS = {
    "HF_HOME": ("token", "stored_tokens"),
    "XDG_CACHE_HOME": ("huggingface/token", "huggingface/stored_tokens"),
    "XDG_DATA_HOME": ("keyrings", "kwalletd", "python_keyring"),
    **dict.fromkeys(("HUGGINGFACE_HUB_CACHE", "NUGET_PACKAGES", "WANDB_DIR"), ()),
}
"""Variables whose folders hold data sets and programs too, and what in them is a secret."""
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
"""The same, of the system."""
SHARED = ("Desktop", "Documents", "Downloads")
"""Folders of the home folder in which a lesson may lie next to everything else."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """
    What the actions of one lesson may read.

    Attributes:
        document: the lesson's file.
        own: folders of the run.
        sandbox: what commands run in; what they cannot see has to be allowed to actions as well.
        fresh_params: the values of ``--param`` were given by a person just now, not taken from a record.
    """

    document: Path
    own: tuple[Path, ...] = ()
    sandbox: Sandbox | None = None
    fresh_params: bool = True

    def resolve(self, name: str, *, param: bool = False) -> Path:
        """
        Return where a path really leads.

        Args:
            name: relative to the lesson's folder.
            param: it is a value of ``--param``, and relative to the current folder.

        Raises:
            LessonError: it cannot be the path of a file.
        """
        try:
            if "\0" in name:
                raise ValueError("there is a NUL in it")
            path = (Path.cwd() if param else self.document.absolute().parent) / Path(name).expanduser()
            written = Path(os.path.normpath(path))
            if any(written.is_relative_to(folder) for folder in PSEUDO_FILES):
                return written  # links there lead to whoever follows them
            return real(path)
        except RuntimeError:
            raise LessonError(f"{name}: there is no such user", fix="check the path") from None
        except (OSError, ValueError) as error:
            raise LessonError(f"{name!r} is not the path of a file: {error}", fix="check the path") from None

    def needs_no_permission(self, place: Path) -> bool:
        """Return whether a lesson may read what is at a real path without being allowed to."""
        if any(place.is_relative_to(real(folder)) for folder in self.own):
            return True
        folder = real(self.document.absolute().parent)
        if not place.is_relative_to(folder) or is_broad_folder(folder):
            return False
        hidden = any(part.startswith(".") for part in place.relative_to(folder).parts)
        return not hidden and not (self.sandbox and self.sandbox.hides(place))

    def open(self, name: str, granted: Collection[str], *, param: bool = False) -> BinaryIO:
        """
        Open a file that a lesson names; its ``name`` is the real path.

        Args:
            granted: the permissions of the lesson.
            param: as for :meth:`resolve`.

        Raises:
            LessonError: it may not be read, or is not a plain file.
        """
        place = self.resolve(name, param=param)
        self._check(place, granted, param=param)
        try:
            if not stat.S_ISREG(place.lstat().st_mode):  # opening a device can already do something
                raise OSError(errno.EINVAL, "it is not a plain file")
            file = open(place, "rb", opener=_open)  # noqa: SIM115 - it is returned
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
                    f"{place} belongs to another user, and the lesson names it",
                    fix="if you want that, give the file yourself: --param",
                )
        except BaseException:
            file.close()
            raise
        return file

    def _check(self, place: Path, granted: Collection[str], *, param: bool) -> None:
        if reason := why_protected(place, self.own):
            raise LessonError(f"{place} is never read: {reason}", fix="name another file")
        if (
            (param and self.fresh_params)
            or self.needs_no_permission(place)
            or not {READ, f"{READ} {place}"}.isdisjoint(granted)
        ):
            return
        raise LessonError(
            f"the lesson may not read {place}, which is outside of its folder",
            fix="--allow read lets it; or give the file yourself: --param",
        )

    def _owners(self) -> set[int]:
        """Return whose files a lesson may name: this user's, root's, and those of whoever owns the lesson."""
        owners = {os.geteuid(), 0}
        with contextlib.suppress(OSError):
            owners.add(self.document.stat().st_uid)
        return owners


def why_protected(place: Path, own: Collection[Path] = ()) -> str:
    """
    Return why no lesson may read what is at a path, whatever was allowed; empty if one may.

    Args:
        own: folders of the run, in which nothing of that kind is.
    """
    # Names differ in case alone on many file systems of macOS.
    folded = Path(str(place).casefold())
    if any(folded.is_relative_to(folder) for folder in PSEUDO_FILES):
        return f"there are no files in {'/'.join(place.parts[:2])[1:]}, only what looks like some"
    if any(place.is_relative_to(real(folder)) for folder in own):
        return ""
    if place.is_relative_to(real(config_folder())):
        return "the keys and settings of lesson-runner are there"
    parts = folded.parts[1:]
    parts = parts[1:] if parts[:1] == ("private",) else parts  # where macOS has its /etc
    for pattern in (*CREDENTIALS, *SYSTEM_CREDENTIALS):
        wanted = tuple(pattern.casefold().strip("/").split("/"))
        starts = range(1) if pattern.startswith("/") else range(len(parts))
        if any(_starts_with(parts[start:], wanted) for start in starts):
            return f"programs keep keys and passwords in {pattern}"
    for name, named in _named_by_variables():
        if place.is_relative_to(named):
            return f"the environment variable {name} says that credentials are there"
    return ""


def _starts_with(parts: tuple[str, ...], wanted: tuple[str, ...]) -> bool:
    return len(parts) >= len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))


def _named_by_variables() -> Iterator[tuple[str, Path]]:
    """Yield variables that name where secrets are kept, and the place, unless the home folder is in it."""
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
    """Return this user's home folders: HOME may name another than the system knows."""
    named = os.environ.get("HOME")
    homes = [real(Path(named))] if named else []
    with contextlib.suppress(KeyError):  # a user without a name
        homes.append(real(Path(pwd.getpwuid(os.getuid()).pw_dir)))
    return homes


def is_broad_folder(folder: Path) -> bool:
    """Return whether a folder holds more than a lesson: your home folder, one for downloads, ``/tmp``."""
    homes = _homes()
    shared = [home / name for home in homes for name in SHARED]
    with contextlib.suppress(RuntimeError):  # there is no home folder
        shared += [user_desktop_path(), user_documents_path(), user_downloads_path()]  # in any language
    temporary = [Path(name) for name in ("/tmp", "/var/tmp", tempfile.gettempdir())]
    return any(real(place).is_relative_to(folder) for place in (*homes, *shared, *temporary))


def _open(path: str, _: int) -> int:
    # Without O_NONBLOCK, opening a pipe waits for whoever writes into it.
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC)


def _place_of(handle: int, place: Path) -> Path:
    """Return where an open file is: as Linux says, or else where its path leads now."""
    try:
        return Path(os.readlink(f"/proc/self/fd/{handle}"))  # noqa: PTH115 - a Path would cost more
    except OSError:
        return real(place)
