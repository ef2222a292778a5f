"""
An index of the certificates in some folders, by lesson and target.

There may be half a million of them, fifty for each lesson on each board, and only one decides the status. So
indexing only peeks into each file; signatures, schema and digests are checked when a certificate is needed.
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
class OpenedCertificate:
    """A certificate with a good signature."""

    bundle: Path
    certificate: Certificate


@dataclass(slots=True)
class CertificateIndex:
    """
    The certificates in some folders, by lesson and target.

    Attributes:
        refused: certificates that do not count, and why; those that were never opened are not listed.
    """

    trusted: Mapping[str, KnownKey] = field(default_factory=dict)
    refused: dict[Path, str] = field(default_factory=dict)
    _bundles: dict[tuple[str, str], list[tuple[str, str, str]]] = field(default_factory=dict)
    """Time, path and policy digest of each, by lesson and target; all of it unverified."""

    def pairs(self) -> Iterable[tuple[str, str]]:
        """Return the pairs of lesson and target that may have certificates."""
        return self._bundles.keys()

    def open_latest_first(
        self, lesson: str, target: str, policies: Collection[str] = ()
    ) -> Iterator[OpenedCertificate]:
        """
        Yield certificates that trusted keys signed, the latest first, without judging their evidence again.

        Args:
            policies: policy digests; after the first certificate, only those signed under one of these are
                opened.
        """
        found_one = False
        for _, path, policy in sorted(self._bundles.get((lesson, target), ()), reverse=True):
            if found_one and policy not in policies:
                continue
            bundle = Path(path)
            try:
                certificate = open_file(bundle, self.trusted).certificate
            except RefusedError as error:
                self.refused[bundle] = str(error)
            else:
                found_one = True
                yield OpenedCertificate(bundle, certificate)

    def add(self, bundle: Path) -> None:
        """Add a bundle; one that does not look like a certificate is opened at once to find out why."""
        try:
            key, entry = _peek(bundle, read_plain(real(bundle), MAX_BUNDLE_BYTES))
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            try:
                found = open_file(bundle, self.trusted).certificate
            except RefusedError as error:
                self.refused[bundle] = str(error)
                return
            key = found.lesson_id, found.target
            entry = found.since, str(bundle), str(found.predicate["policy"]["sha256"])
        self._bundles.setdefault(key, []).append(entry)


def index_certificates(folders: Iterable[Path], trusted: Mapping[str, KnownKey]) -> CertificateIndex:
    """Return an index of the certificates below some folders."""
    index = CertificateIndex(trusted)
    for folder in folders:
        for bundle in find_certificates(folder):
            index.add(bundle)
    return index


def _peek(bundle: Path, data: bytes) -> tuple[tuple[str, str], tuple[str, str, str]]:
    """
    Return the lesson and target that a bundle names, and its time, path and policy digest, unverified.

    Raises:
        ValueError, LookupError, TypeError, AttributeError: the bundle is not a certificate.
    """
    for line in reversed(data.splitlines()):  # our statement is written last
        statement = parse_json(base64.b64decode(parse_json(line)["payload"]))
        if statement["predicateType"] == CERTIFICATION:
            predicate = statement["predicate"]
            time = min(str(item["finished"]) for item in predicate["passes"])
            policy = sys.intern(str(predicate["policy"]["sha256"]))  # there are few policies
            return (str(predicate["lesson"]["id"]), str(predicate["target"])), (time, str(bundle), policy)
    raise ValueError("the bundle has no certification")
