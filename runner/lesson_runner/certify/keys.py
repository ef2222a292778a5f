"""Ed25519 keys: making them, keeping them, and whose signatures count here."""

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
"""An Ed25519 key in PEM has about 120 bytes, and a file of the key store as many more."""
_P = 2**255 - 19
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_WEAK = frozenset({0, 1, _ORDER_8, _P - _ORDER_8, _P - 1, _P, _P + 1})
"""The y of points of small order: as public keys they verify signatures that anybody can make."""
_INSTALL = 'pip install "lesson-runner[sign]"'


@dataclass(frozen=True, slots=True)
class PublicKey:
    """What verifies signatures."""

    pem: str

    @property
    def keyid(self) -> str:
        """The sha256, in hex, of the key as DER (SubjectPublicKeyInfo)."""
        _need_cryptography()
        from cryptography.hazmat.primitives import serialization

        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return hashlib.sha256(self._load().public_bytes(serialization.Encoding.DER, form)).hexdigest()

    def verifies(self, signature: bytes, data: bytes) -> bool:
        """Return whether ``signature`` is this key's of ``data``."""
        from cryptography.exceptions import InvalidSignature

        try:
            self._load().verify(signature, data)
        except InvalidSignature:
            return False
        return True

    def _load(self) -> Ed25519PublicKey:
        return _loaded(self.pem)  # a key that is kept verifies many signatures


@lru_cache(maxsize=64)
def _loaded(pem: str) -> Ed25519PublicKey:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = serialization.load_pem_public_key(pem.encode())
    assert isinstance(key, Ed25519PublicKey)  # read_public lets no other kind in
    return key


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """What makes signatures."""

    key: Ed25519PrivateKey
    name: str = ""

    @property
    def public(self) -> PublicKey:
        """The half that everybody may have."""
        from cryptography.hazmat.primitives import serialization

        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return PublicKey(self.key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())

    def sign(self, data: bytes) -> bytes:
        """Return the signature of ``data``: 64 bytes (RFC 8032)."""
        return self.key.sign(data)


@dataclass(frozen=True, slots=True)
class KnownKey:
    """
    A key this user knows.

    Attributes:
        name: what this user calls it.
        keyid: see :attr:`PublicKey.keyid`.
        public: as PEM.
        own: the private half is here too.
        revoked: why its signatures do not count any more; empty while they do.
    """

    name: str
    keyid: str
    public: str
    own: bool = False
    revoked: str = ""


class KeyStore:
    """
    The keys in a folder: ``<name>.json`` for each that is known, ``<name>.pem`` (mode 600) for one's own.

    Args:
        folder: by default ``keys`` in the configuration folder; created when something is written.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = config_folder() / "keys" if folder is None else folder

    def known(self) -> list[KnownKey]:
        """
        Return all keys, by name.

        Raises:
            LessonError: a file is damaged, or others could have written it.
        """
        paths = sorted(self.folder.glob("*.json"))
        if paths:
            check_owner(self.folder)
        return [self._read(path) for path in paths]

    def _read(self, path: Path) -> KnownKey:
        check_owner(path)
        fix = "remove it, and trust the key again"
        try:
            key = KnownKey(**json.loads(read_plain(real(path), MAX_KEY_BYTES)))
            if not (isinstance(key.own, bool) and isinstance(key.revoked, str)):
                raise TypeError("it has values of other types")
            public = read_public(key.public, str(path))
            good = public.keyid == key.keyid and key.name == path.stem and _NAME.fullmatch(key.name)
        except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise LessonError(f"{path}: is damaged: {error}", fix=fix) from None
        if not good:
            raise LessonError(f"{path}: the key is not what its name and id say", fix=fix)
        return replace(key, public=public.pem)

    def trusted(self) -> Mapping[str, KnownKey]:
        """Return the keys by id; revoked ones too, for their signatures must be told from unknown ones."""
        return {key.keyid: key for key in self.known()}

    def new(self, name: str) -> KnownKey:
        """
        Make a key; its private half goes into a file that only this user can read.

        Raises:
            LessonError: the name is taken, or is none; the folder cannot be written.
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
        Let a key's signatures count; ``where`` it was read is for messages.

        Raises:
            LessonError: it is known already, or the name is taken or is none.
        """
        for key in self.known():
            if key.keyid == public.keyid:
                state = "revoked" if key.revoked else "trusted"
                raise LessonError(f"{where}: this key is {state} already, as '{key.name}'")
        self._check_free(name)
        return self._keep(KnownKey(name, public.keyid, public.pem))

    def revoke(self, name: str, reason: str) -> KnownKey:
        """
        Let a key's signatures count no more, also those it made before.

        Raises:
            LessonError: there is no such key, or it was revoked.
        """
        key = self.find(name)
        if key.revoked:
            raise LessonError(f"the key '{name}' is revoked already: {key.revoked}")
        return self._keep(replace(key, revoked=reason))

    def find(self, name: str) -> KnownKey:
        """
        Return a key by its name, or the beginning of its id.

        Raises:
            LessonError: there is none.
        """
        known = self.known()
        found = [key for key in known if key.name == name] or [
            key for key in known if len(name) >= 8 and key.keyid.startswith(name)
        ]
        if len(found) == 1:
            return found[0]
        if len(found) > 1:
            names = ", ".join(key.name for key in found)
            raise LessonError(
                f"'{name}' is the beginning of several keys' ids: {names}", fix="give more of it"
            )
        fix = did_you_mean(name, [key.name for key in known])
        raise LessonError(f"there is no key '{name}'", fix=fix or "'lesson cert keys list' lists them")

    def own(self, name: str | None) -> PrivateKey:
        """
        Return the key to sign with: the one named, or the only one that is this user's own.

        Raises:
            LessonError: there is none, there are several, it is revoked, or others can read it.
        """
        _need_cryptography()
        if name is None:
            candidates = [key for key in self.known() if key.own and not key.revoked]
            if len(candidates) != 1:
                names = ", ".join(key.name for key in candidates)
                fix = f"--key NAME: one of {names}" if candidates else "make one: lesson cert keys new NAME"
                said = "there are several keys to sign with" if candidates else "there is no key to sign with"
                raise LessonError(said, fix=fix)
            name = candidates[0].name
        key = self.find(name)
        if key.revoked:
            raise LessonError(
                f"the key '{key.name}' is revoked: {key.revoked}", fix="sign with another: --key NAME"
            )
        if not key.own:
            raise LessonError(
                f"of the key '{key.name}' only the public half is here", fix="--key NAME: one of your own"
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
                raise LessonError(f"there is a key '{name}' already: {path}", fix="choose another name")

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
                fix="set LESSON_HOME to a folder of yours",
            ) from None


def read_public(pem: str, where: str) -> PublicKey:
    """
    Return the public key in a PEM text, written as we write it; of a private one, its public half.

    Raises:
        LessonError: it is not an Ed25519 key, or there is more in the text than one key.
    """
    _need_cryptography()
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    block = _PEM.fullmatch(pem)
    if block is None:
        message = f"{where}: is not a key in PEM" + (", or not that alone" if "-----BEGIN" in pem else "")
        raise LessonError(message, fix="name a file with one public Ed25519 key and nothing around it")
    try:
        data, private = pem.strip().encode(), block[1] == "PRIVATE KEY"
        key = (
            serialization.load_pem_private_key(data, None)
            if private
            else serialization.load_pem_public_key(data)
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise LessonError(
            f"{where}: is not a key in PEM", fix="name the file of a public Ed25519 key"
        ) from None
    if isinstance(key, Ed25519PrivateKey):
        return PrivateKey(key).public
    if not isinstance(key, Ed25519PublicKey):
        raise LessonError(f"{where}: is not an Ed25519 key", fix="make one with: lesson cert keys new NAME")
    if int.from_bytes(key.public_bytes_raw(), "little") & ~(1 << 255) in _WEAK:
        raise LessonError(f"{where}: is a key for which anybody can sign", fix="do not trust who sent it")
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return PublicKey(key.public_bytes(serialization.Encoding.PEM, form).decode())


def read_public_file(file: Path, where: str) -> PublicKey:
    """
    Return the public key in a file; see :func:`read_public`.

    Raises:
        LessonError: it cannot be read or is not such a key; the message begins with ``where``.
    """
    try:
        text = read_plain(real(file), MAX_KEY_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise LessonError(f"{where}: cannot be read: {error.strerror or error}") from None
    return read_public(text, where)


def check_owner(path: Path) -> None:
    """
    Make sure that nobody but this user, or root, can have written a file or what is in a folder.

    Raises:
        LessonError: others can write it, or it belongs to another user.
    """
    if os.name != "posix":
        return
    try:
        facts = path.stat()
    except OSError as error:
        raise LessonError(f"{path}: cannot be read: {error.strerror or error}") from None
    if facts.st_uid not in (os.geteuid(), 0):
        message = f"{path}: belongs to another user (uid {facts.st_uid}), so its keys do not count"
        raise LessonError(message, fix=f"chown {os.geteuid()} {shlex.quote(str(path))}, after looking at it")
    mode = stat.S_IMODE(facts.st_mode)
    if mode & 0o022:
        message = f"{path}: others can write it (mode {mode:o}), so its keys do not count"
        raise LessonError(message, fix=f"chmod go-w {shlex.quote(str(path))}, after looking at it")


def read_private(path: Path, name: str = "") -> PrivateKey:
    """
    Return the private key in a PEM file that only its owner can read.

    Raises:
        LessonError: it is missing, is not one, or others can read it.
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
        raise LessonError(f"{path}: others can read it (mode {mode:o})", fix=f"chmod 600 {path}")
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
        raise LessonError("signatures need the package cryptography", fix=_INSTALL) from None
