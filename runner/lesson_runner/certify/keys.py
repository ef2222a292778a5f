"""Ed25519 keys: creating and storing them, and which keys are trusted."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import stat
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from lesson_runner.files.folders import config_folder
from lesson_runner.files.plain import read_plain, real, write_atomically
from lesson_runner.model.errors import LessonError
from lesson_runner.model.hints import did_you_mean

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_PEM = re.compile(
    r"\s*-----BEGIN ((?:PUBLIC|PRIVATE) KEY)-----[A-Za-z0-9+/=\s]+-----END \1-----\s*", re.ASCII
)
MAX_KEY_BYTES = 16 * 1024
"""Upper limit; a key in PEM has about 120 bytes, and a file of the key store about twice as many."""
_P = 2**255 - 19
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_WEAK = frozenset({0, 1, _ORDER_8, _P - _ORDER_8, _P - 1, _P, _P + 1})
"""The y coordinates of points of small order: anybody can forge signatures that these keys verify."""
_INSTALL = 'pip install "lesson-runner[sign]"'


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key, which verifies signatures."""

    pem: str

    @property
    def keyid(self) -> str:
        """The sha256 of the key in DER (SubjectPublicKeyInfo), in hex."""
        _need_cryptography()
        from cryptography.hazmat.primitives import serialization

        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return hashlib.sha256(self._load().public_bytes(serialization.Encoding.DER, form)).hexdigest()

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Return whether ``signature`` is this key's signature of ``data``."""
        from cryptography.exceptions import InvalidSignature

        try:
            self._load().verify(signature, data)
        except InvalidSignature:
            return False
        return True

    def _load(self) -> Ed25519PublicKey:
        return _loaded(self.pem)  # cached: one key verifies many signatures


@lru_cache(maxsize=64)
def _loaded(pem: str) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = serialization.load_pem_public_key(pem.encode())
    assert isinstance(key, Ed25519PublicKey)  # read_public accepts no other kind
    return key


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key, which makes signatures."""

    key: Ed25519PrivateKey
    name: str = ""

    @property
    def public(self) -> PublicKey:
        """The public half."""
        from cryptography.hazmat.primitives import serialization

        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return PublicKey(self.key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())

    def sign(self, data: bytes) -> bytes:
        """Return the signature of ``data``: 64 bytes (RFC 8032)."""
        return self.key.sign(data)


@dataclass(frozen=True, slots=True)
class KnownKey:
    """
    A key in the user's key store.

    Attributes:
        name: the user's name for it.
        keyid: see :attr:`PublicKey.keyid`.
        public: the public half, as PEM.
        own: True if the private half is here too.
        revoked: why its signatures no longer count; empty if they do.
    """

    name: str
    keyid: str
    public: str
    own: bool = False
    revoked: str = ""


class KeyStore:
    """
    The keys in a folder: ``<name>.json`` for each key, ``<name>.pem`` (mode 600) for each private half.

    Args:
        folder: by default ``keys`` in the configuration folder; created when a key is written.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = config_folder() / "keys" if folder is None else folder

    def known(self) -> list[KnownKey]:
        """
        Return all keys, by name.

        Raises:
            LessonError: a file is damaged, or other users can write it.
        """
        paths = sorted(self.folder.glob("*.json"))
        if paths:
            check_owner(self.folder)
        return [self._read(path) for path in paths]

    def _read(self, path: Path) -> KnownKey:
        check_owner(path)
        fix = "remove it and trust the key again"
        try:
            key = KnownKey(**json.loads(read_plain(real(path), MAX_KEY_BYTES)))
            if not (isinstance(key.own, bool) and isinstance(key.revoked, str)):
                raise TypeError("a value has the wrong type")
            public = read_public(key.public, str(path))
            good = public.keyid == key.keyid and key.name == path.stem and _NAME.fullmatch(key.name)
        except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise LessonError(f"{path}: is damaged: {error}", fix=fix) from None
        if not good:
            raise LessonError(f"{path}: the key does not match its name and id", fix=fix)
        return replace(key, public=public.pem)

    def trusted(self) -> Mapping[str, KnownKey]:
        """Return the keys by id; including revoked ones, so that messages can name them."""
        return {key.keyid: key for key in self.known()}

    def new(self, name: str) -> KnownKey:
        """
        Create a key; its private half goes into a file that only this user can read.

        Raises:
            LessonError: the name is taken or invalid, or the folder cannot be written.
        """
        _need_cryptography()
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._check_free(name)
        made = Ed25519PrivateKey.generate()
        pem = made.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        public = PrivateKey(made).public
        self._write(self.folder / f"{name}.pem", pem, 0o600)
        return self._keep(KnownKey(name, public.keyid, public.pem, own=True))

    def trust(self, name: str, public: PublicKey, where: str) -> KnownKey:
        """
        Trust a key, so that its signatures count.

        Args:
            where: the file it was read from, for messages.

        Raises:
            LessonError: the key is in the store already, or the name is taken or invalid.
        """
        for key in self.known():
            if key.keyid == public.keyid:
                state = "revoked" if key.revoked else "trusted"
                raise LessonError(f"{where}: this key is already {state}, as '{key.name}'")
        self._check_free(name)
        return self._keep(KnownKey(name, public.keyid, public.pem))

    def revoke(self, name: str, reason: str) -> KnownKey:
        """
        Revoke a key, so that its signatures no longer count, including earlier ones.

        Raises:
            LessonError: there is no such key, or it is already revoked.
        """
        key = self.find(name)
        if key.revoked:
            raise LessonError(f"the key '{name}' is already revoked: {key.revoked}")
        return self._keep(replace(key, revoked=reason))

    def find(self, name: str) -> KnownKey:
        """
        Return a key by its name, or by the first 8 or more digits of its id.

        Raises:
            LessonError: there is no such key, or there are several.
        """
        known = self.known()
        found = [key for key in known if key.name == name] or [
            key for key in known if len(name) >= 8 and key.keyid.startswith(name)
        ]
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            names = ", ".join(key.name for key in found)
            raise LessonError(f"'{name}' matches the ids of several keys: {names}", fix="give more digits")
        fix = did_you_mean(name, [key.name for key in known])
        raise LessonError(f"no key is called '{name}'", fix=fix or "'lesson cert keys list' lists them")

    def own(self, name: str | None) -> PrivateKey:
        """
        Return the key to sign with: the named one, or the user's only private key.

        Raises:
            LessonError: there is no such key, there are several, it is revoked, or other users can read it.
        """
        _need_cryptography()
        if name is None:
            candidates = [key for key in self.known() if key.own and not key.revoked]
            if len(candidates) != 1:
                names = ", ".join(key.name for key in candidates)
                fix = f"--key NAME: one of {names}" if candidates else "create one: lesson cert keys new NAME"
                message = "several keys could sign this" if candidates else "there is no key to sign with"
                raise LessonError(message, fix=fix)
            name = candidates[0].name
        key = self.find(name)
        if key.revoked:
            raise LessonError(
                f"the key '{key.name}' is revoked: {key.revoked}", fix="sign with another key: --key NAME"
            )
        if not key.own:
            raise LessonError(
                f"the private half of the key '{key.name}' is not here",
                fix="sign with one of your own keys: --key NAME",
            )
        path = self.folder / f"{key.name}.pem"
        private = read_private(path, key.name)
        if private.public.keyid != key.keyid:
            raise LessonError(f"{path}: is not the private half of the key '{key.name}'")
        return private

    def _check_free(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise LessonError(
                f"'{name}' cannot be a key's name",
                fix="use lower-case letters, digits, '.', '-' and '_', at most 64",
            )
        for path in (self.folder / f"{name}.json", self.folder / f"{name}.pem"):
            if path.exists():
                raise LessonError(f"the key '{name}' exists already: {path}", fix="choose another name")

    def _keep(self, key: KnownKey) -> KnownKey:
        self._write(
            self.folder / f"{key.name}.json", (json.dumps(asdict(key), indent=2) + "\n").encode(), 0o644
        )
        return key

    def _write(self, path: Path, data: bytes, mode: int) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_atomically(path, data, mode)
        except OSError as error:
            raise LessonError(
                f"{path}: cannot be written: {error.strerror or error}",
                fix="set LESSON_HOME to a folder you can write",
            ) from None


def read_public(pem: str, where: str) -> PublicKey:
    """
    Return the public key in a PEM text; from a private key, its public half.

    Raises:
        LessonError: the text is not one Ed25519 key and nothing else.
    """
    _need_cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    block = _PEM.fullmatch(pem)
    if block is None:
        message = f"{where}: is not a key in PEM" + (", or not only a key" if "-----BEGIN" in pem else "")
        raise LessonError(message, fix="name a file with one public Ed25519 key and nothing else")
    try:
        data, private = pem.strip().encode(), block[1] == "PRIVATE KEY"
        key = (
            serialization.load_pem_private_key(data, None)
            if private
            else serialization.load_pem_public_key(data)
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise LessonError(
            f"{where}: is not a key in PEM", fix="name a file with a public Ed25519 key"
        ) from None
    if isinstance(key, Ed25519PrivateKey):
        return PrivateKey(key).public
    if not isinstance(key, Ed25519PublicKey):
        raise LessonError(f"{where}: is not an Ed25519 key", fix="create one with: lesson cert keys new NAME")
    if int.from_bytes(key.public_bytes_raw(), "little") & ~(1 << 255) in _WEAK:
        raise LessonError(
            f"{where}: is a weak key: anybody can forge its signatures", fix="do not trust the sender"
        )
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return PublicKey(key.public_bytes(serialization.Encoding.PEM, form).decode())


def read_public_file(file: Path, where: str) -> PublicKey:
    """
    Return the public key in a file; see :func:`read_public`.

    Raises:
        LessonError: the file cannot be read or is not such a key; the message starts with ``where``.
    """
    try:
        text = read_plain(real(file), MAX_KEY_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise LessonError(f"{where}: cannot be read: {error.strerror or error}") from None
    return read_public(text, where)


def check_owner(path: Path) -> None:
    """
    Make sure that only this user or root can write a file or a folder.

    Raises:
        LessonError: other users can write it, or it belongs to another user.
    """
    if os.name != "posix":
        return
    try:
        facts = path.stat()
    except OSError as error:
        raise LessonError(f"{path}: cannot be read: {error.strerror or error}") from None
    if facts.st_uid not in (os.geteuid(), 0):
        message = f"{path}: belongs to another user (uid {facts.st_uid}), so its keys do not count"
        raise LessonError(
            message, fix=f"chown {os.geteuid()} {shlex.quote(str(path))}, after checking its contents"
        )
    mode = stat.S_IMODE(facts.st_mode)
    if mode & 0o022:
        message = f"{path}: other users can write it (mode {mode:o}), so its keys do not count"
        raise LessonError(message, fix=f"chmod go-w {shlex.quote(str(path))}, after checking its contents")


def read_private(path: Path, name: str = "") -> PrivateKey:
    """
    Return the private key in a PEM file that only its owner can read.

    Raises:
        LessonError: the file is missing, is not a private key, or other users can read it.
    """
    _need_cryptography()
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        data = read_plain(real(path), MAX_KEY_BYTES)
    except OSError as error:
        raise LessonError(f"{path}: cannot be read: {error.strerror or error}") from None
    if os.name == "posix" and mode & 0o077:
        raise LessonError(f"{path}: other users can read it (mode {mode:o})", fix=f"chmod 600 {path}")
    check_owner(path)
    try:
        key = serialization.load_pem_private_key(data, None)
    except (ValueError, TypeError) as error:
        raise LessonError(f"{path}: is not a private key in PEM: {error}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise LessonError(f"{path}: is not an Ed25519 key")
    return PrivateKey(key, name)


def _need_cryptography() -> None:
    try:
        import cryptography  # noqa: F401
    except ImportError:
        raise LessonError(
            "signatures need the package 'cryptography', which is not installed", fix=_INSTALL
        ) from None
