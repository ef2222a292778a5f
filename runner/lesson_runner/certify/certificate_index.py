"""
The certificates of some folders: what each calls itself, and what it is once it is opened.

There may be half a million of them, fifty for each lesson on each board, of which one decides. So they are
looked into to be sorted, and only those that may decide are opened: signatures, schema, digests.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lesson_runner.certify.envelope import MAX_BUNDLE_BYTES
from lesson_runner.certify.keys import KnownKey
from lesson_runner.certify.statement import CERTIFICATION, Certificate
from lesson_runner.certify.store import find_certificates
from lesson_runner.certify.trust import RefusedError, open_file
from lesson_runner.files.plain import read_plain, real
from lesson_runner.files.untrusted import parse_json


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate with a good signature."""

    bundle: Path
    certificate: Certificate


@dataclass(slots=True)
class Holdings:
    """
    Certificates, by lesson and target.

    Attributes:
        refused: those that do not count, and why; what was never opened is not among them.
    """

    trusted: Mapping[str, KnownKey] = field(default_factory=dict)
    refused: dict[Path, str] = field(default_factory=dict)
    _bundles: dict[tuple[str, str], list[tuple[str, str, str]]] = field(default_factory=dict)
    """Time, path and policy's digest of each, by what it says it is for; nothing of that is believed."""

    def pairs(self) -> Iterable[tuple[str, str]]:
        """Return the lessons and targets that there may be certificates for."""
        return self._bundles.keys()

    def opened(self, lesson: str, target: str, policies: Collection[str] = ()) -> Iterator[Held]:
        """
        Yield certificates that trusted keys signed, the latest first; evidence is not judged again.

        Args:
            policies: digests; after the first certificate, only those under one of these may still decide.
        """
        none_yet = True
        for _, path, policy in sorted(self._bundles.get((lesson, target), ()), reverse=True):
            if not none_yet and policy not in policies:
                continue
            bundle = Path(path)
            try:
                certificate = open_file(bundle, self.trusted).certificate
            except RefusedError as error:
                self.refused[bundle] = str(error)
            else:
                none_yet = False
                yield Held(bundle, certificate)

    def add(self, bundle: Path) -> None:
        """Sort in what calls itself a certificate; what does not is opened at once, to say what is wrong."""
        try:
            key, entry = _look_into(bundle, read_plain(real(bundle), MAX_BUNDLE_BYTES))
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            try:
                found = open_file(bundle, self.trusted).certificate
            except RefusedError as error:
                self.refused[bundle] = str(error)
                return
            key = found.lesson_id, found.target
            entry = found.since, str(bundle), str(found.predicate["policy"]["sha256"])
        self._bundles.setdefault(key, []).append(entry)


def collect(folders: Iterable[Path], trusted: Mapping[str, KnownKey]) -> Holdings:
    """Return the certificates below some folders."""
    found = Holdings(trusted)
    for folder in folders:
        for bundle in find_certificates(folder):
            found.add(bundle)
    return found


def _look_into(bundle: Path, data: bytes) -> tuple[tuple[str, str], tuple[str, str, str]]:
    """
    Return the lesson and the target that a bundle names, and its time, path and policy.

    Raises:
        ValueError: it is not one; nor is what raises LookupError, TypeError or AttributeError.
    """
    for line in reversed(data.splitlines()):  # ours is the last, as we write it
        statement = parse_json(base64.b64decode(parse_json(line)["payload"]))
        if statement["predicateType"] == CERTIFICATION:
            said = statement["predicate"]
            time = min(str(item["finished"]) for item in said["passes"])
            policy = sys.intern(str(said["policy"]["sha256"]))  # there are few
            return (str(said["lesson"]["id"]), str(said["target"])), (time, str(bundle), policy)
    raise ValueError("there is no certification in it")
