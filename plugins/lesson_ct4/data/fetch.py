"""
Get the training text of the lesson, and verify its digest.

The sources are, in this order: a file on this machine, the cache, the network, and, if the network is
unreachable, a synthetic play of the same size. A text with a wrong digest stops the search.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lesson_ct4.data.download import Limits, NoAnswerError, Progress, WrongAnswerError, download
from lesson_runner.execute.redaction.secrets import holds_private_key
from lesson_runner.files.folders import cache_folder
from lesson_runner.files.plain import read_plain, write_atomically
from lesson_runner.model.errors import LessonError
from lesson_runner.model.hints import fix_for

URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
SHA256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
BYTES = 1_115_394
"""URL, digest and size of tiny Shakespeare, the text of the published lesson."""
NAME = "shakespeare.txt"
ANY = "any"
"""Instead of a digest: accept any text."""
LARGEST = 256 * 1024 * 1024
"""Maximum size in bytes of a text that is not pinned; the memory needed is several times that."""

Source = Literal["user", "cache", "download", "synthetic"]
Fallback = Literal["auto", "never", "only"]


class WrongTextError(Exception):
    """Another text was found; the message compares sizes and digests."""


@dataclass(frozen=True, slots=True)
class Pin:
    """The text to get."""

    url: str = URL
    sha256: str = SHA256
    """Digest in hex, or :data:`ANY`."""
    size: int = BYTES
    """Size in bytes; ignored if any text is accepted."""

    @property
    def any(self) -> bool:
        """True if every text is accepted."""
        return self.sha256 == ANY

    def problem(self, data: bytes, where: str) -> str | None:
        """Return how ``data`` differs from the expected text; ``None`` if it does not."""
        if self.any:
            return _not_text(data, where)
        actual = hashlib.sha256(data).hexdigest()
        if actual == self.sha256:
            return None
        return (
            f"{where} is not the pinned text\n"
            f"  expected {self.size} bytes, sha256 {self.sha256}\n"
            f"  actual   {len(data)} bytes, sha256 {actual}{self._hint(data)}"
        )

    def _hint(self, data: bytes) -> str:
        if len(data) < self.size:
            if data.lstrip()[:1] == b"<":
                return "\n  it is a web page"
            missing = self.size - len(data)
            return f"\n  it is {missing} byte{'s' if missing != 1 else ''} short"
        if hashlib.sha256(data.replace(b"\r\n", b"\n")).hexdigest() == self.sha256:
            return "\n  its lines end with CRLF, as on Windows; with LF it would be the right text"
        if data.startswith(b"\xef\xbb\xbf"):
            return "\n  it begins with a byte order mark that an editor added"
        return ""


@dataclass(frozen=True, slots=True)
class Given:
    """A file on this machine: its name as given, and its content."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """The text, and where it came from."""

    data: bytes
    source: Source
    origin: str
    """The file, URL or reason, for display."""
    notes: tuple[str, ...] = field(default=())

    @property
    def sha256(self) -> str:
        """Digest of the text, in hex."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def pinned(self) -> bool:
        """True if this is the text of the published lesson, regardless of the requested digest."""
        return self.sha256 == SHA256


def find_text(
    pin: Pin,
    *,
    given: Given | None = None,
    fallback: Fallback = "auto",
    cache: Path | None = None,
    reuse: bool = True,
    limits: Limits | None = None,
    progress: Progress | None = None,
    synthetic: Callable[[], bytes] | None = None,
) -> Found:
    """
    Return the text from the first source that has it.

    Args:
        given: a file on this machine; if given, it is the only source.
        fallback: ``auto``: use the synthetic play if the network is unreachable; ``never``: fail instead;
            ``only``: use the synthetic play without trying the network.
        cache: the folder with earlier downloads, by digest.
        reuse: take the text from there; it is always saved there.
        synthetic: generates the synthetic play.

    Raises:
        LessonError: ``given`` contains a private key, or no source has the text.
        WrongTextError: a file or a server has another text.
    """
    if given:
        return _given(pin, given)
    if fallback == "only":
        return _play(synthetic, "--fallback only")
    cache = cache or cache_folder()
    # The digest is in the name, so that lessons do not overwrite each other's texts.
    kept = cache / f"{pin.sha256[:16]}.txt"
    notes = []
    if reuse and not pin.any and kept.is_file():
        try:
            data = read_plain(kept, LARGEST)
        except OSError:  # a bad block, or another user's file
            data = b""
        if pin.problem(data, str(kept)) is None:
            return Found(data, "cache", str(kept))
        notes.append(f"the cached copy {kept} was damaged; downloading again")
    try:
        data = _downloaded(pin, limits, progress)
    except NoAnswerError as error:
        if fallback == "never":
            raise LessonError(
                f"{pin.url} cannot be reached: {error}",
                fix="download it elsewhere and pass --param dataset=FILE, or allow --param fallback=auto",
            ) from None
        return _play(synthetic, f"{pin.url} cannot be reached ({error})", notes)
    if not pin.any:
        try:
            write_atomically(kept, data)
        except OSError as error:
            notes.append(f"not cached for the next run: {kept}: {error.strerror}")
    return Found(data, "download", pin.url, tuple(notes))


def _given(pin: Pin, given: Given) -> Found:
    if holds_private_key(given.data):
        raise LessonError(
            f"the data set {given.name} holds a private key, and a run stores the text as evidence",
            fix="train on another text, or remove the key from it",
        )
    if problem := pin.problem(given.data, given.name):
        raise WrongTextError(f"{problem}; to train on your own text: --param sha256=any")
    return Found(given.data, "user", given.name)


def _downloaded(pin: Pin, limits: Limits | None, progress: Progress | None) -> bytes:
    target = Path(tempfile.gettempdir())
    try:
        with tempfile.TemporaryDirectory(prefix="lesson-") as folder:
            target = Path(folder) / "download"
            data = _downloaded_to(target, pin, limits, progress)
    except OSError as error:
        raise LessonError(
            f"{target}: {pin.url} cannot be written there: {error.strerror or error}",
            fix=fix_for(error) or "set TMPDIR to another folder for temporary files",
        ) from None
    if problem := pin.problem(data, pin.url):
        raise WrongTextError(problem)
    return data


def _downloaded_to(target: Path, pin: Pin, limits: Limits | None, progress: Progress | None) -> bytes:
    # Larger than the text, so that the error message has the size of a longer file.
    limit = LARGEST if pin.any else 2 * pin.size + 1024 * 1024
    try:
        download(pin.url, target, limit=limit, progress=progress, limits=limits)
    except WrongAnswerError as error:
        got = target.read_bytes() if target.is_file() else b""
        raise WrongTextError(
            f"{pin.url}: {error}\n"
            f"  expected {pin.size} bytes, sha256 {pin.sha256}\n"
            f"  actual   {len(got)} bytes, sha256 {hashlib.sha256(got).hexdigest()}"
        ) from None
    return target.read_bytes()


def _not_text(data: bytes, where: str) -> str | None:
    try:
        return None if data.decode("utf-8").strip() else f"{where} is empty"
    except UnicodeDecodeError as error:
        return f"{where} is not UTF-8 text: byte {error.start} is {data[error.start]:#04x}"


def _play(synthetic: Callable[[], bytes] | None, why: str, notes: list[str] | None = None) -> Found:
    if synthetic is None:
        from lesson_ct4.synthetic_play import generate

        synthetic = generate
    return Found(synthetic(), "synthetic", why, tuple(notes or ()))
