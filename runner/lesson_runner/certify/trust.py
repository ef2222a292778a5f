"""Whether a bundle is signed by somebody whose word counts here, before anything in it is believed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lesson_runner.certify.envelope import MAX_BUNDLE_BYTES, BrokenEnvelopeError, Envelope, read_bundle
from lesson_runner.certify.keys import KnownKey, PublicKey
from lesson_runner.certify.statement import (
    CERTIFICATION,
    BrokenStatementError,
    Certificate,
    certified_digest,
    predicate_type,
    read_certificate,
)
from lesson_runner.files.plain import read_plain, real

_KEYID = re.compile(r"[0-9a-f]{64}|")  # DSSE lets a signature leave it out


class RefusedError(Exception):
    """
    A certificate that does not count.

    Args:
        check: what was looked at when it was refused, such as ``signature``.
        message: what is wrong.
        fix: what to do about it, if anything.
    """

    def __init__(self, check: str, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.check = check
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate whose signatures are good."""

    certificate: Certificate
    signer: KnownKey
    others: tuple[bytes, ...] = ()
    """The other statements of the bundle: what it says to other tools."""


def open_file(bundle: Path, trusted: Mapping[str, KnownKey]) -> Signed:
    """
    Return what a bundle in a file certifies.

    Raises:
        RefusedError: as :func:`open_bundle`, or it cannot be read.
    """
    try:
        data = read_plain(real(bundle), MAX_BUNDLE_BYTES)
    except OSError as error:
        raise RefusedError("envelope", f"it cannot be read: {error.strerror or error}") from None
    return open_bundle(data, trusted)


def open_bundle(data: bytes, trusted: Mapping[str, KnownKey]) -> Signed:
    """
    Return what a bundle certifies, if every line of it is signed by one trusted key.

    Args:
        trusted: the keys that count, by id; a revoked one among them does not.

    Raises:
        RefusedError: it is damaged or changed, its signer is not trusted, or its lines belong to several.
    """
    try:
        envelopes = read_bundle(data)
    except BrokenEnvelopeError as error:
        raise RefusedError("envelope", f"the bundle was changed or damaged: {error}") from None
    for number, envelope in enumerate(envelopes, 1):
        if not all(_KEYID.fullmatch(item.keyid) for item in envelope.signatures):
            message = f"line {number}: a keyid is not the sha256 of a key (64 hex digits)"
            raise RefusedError("envelope", message)
    named = {item.keyid for envelope in envelopes for item in envelope.signatures}
    if len(named) != 1:
        raise RefusedError("envelope", f"its lines are signed by {len(named)} keys; one was expected")
    keyid = named.pop()
    signer = trusted.get(keyid)
    if signer is None:
        fix = "get the public key from the signer, then: lesson cert keys trust NAME FILE"
        raise RefusedError(
            "key", f"it is signed by a key that is not trusted here: {keyid or '(no id)'}", fix
        )
    if signer.revoked:
        raise RefusedError(
            "key", f"it is signed by '{signer.name}', a key that was revoked: {signer.revoked}"
        )
    _check_signatures(envelopes, PublicKey(signer.public))
    return _certificate(envelopes, signer)


def _check_signatures(envelopes: list[Envelope], key: PublicKey) -> None:
    good = [envelope.signed_by(key) for envelope in envelopes]
    for number, (envelope, is_good) in enumerate(zip(envelopes, good, strict=True), 1):
        if is_good:
            continue
        if any(len(item.value) != 64 for item in envelope.signatures):
            raise RefusedError("signature", f"line {number}: the signature is not one of Ed25519 (64 bytes)")
        other = _named_by_others(envelopes, good)
        digest = hashlib.sha256(envelope.payload).hexdigest()
        if other is not None and other == digest:
            raise RefusedError("signature", f"line {number}: the signature was changed; its payload was not")
        if other is not None:
            raise RefusedError("envelope", f"line {number}: the payload was changed after it was signed")
        message = f"line {number}: the signature is not of this payload: one of them was changed"
        raise RefusedError("signature", message)


def _named_by_others(envelopes: list[Envelope], good: list[bool]) -> str | None:
    """Return the digest of the certification that a line with a good signature names."""
    for envelope, is_good in zip(envelopes, good, strict=True):
        if is_good:
            try:
                return certified_digest(envelope.payload)
            except (BrokenStatementError, AttributeError, KeyError, TypeError):
                continue
    return None


def _certificate(envelopes: list[Envelope], signer: KnownKey) -> Signed:
    try:
        kinds = [predicate_type(envelope.payload) for envelope in envelopes]
        ours = [item for item, kind in zip(envelopes, kinds, strict=True) if kind == CERTIFICATION]
        if len(ours) != 1:
            raise BrokenStatementError(f"{len(ours)} statements of {CERTIFICATION}; one was expected")
        digest = hashlib.sha256(ours[0].payload).hexdigest()
        others = tuple(envelope.payload for envelope in envelopes if envelope is not ours[0])
        if any(certified_digest(payload) != digest for payload in others):
            raise BrokenStatementError("a line belongs to another certificate")
        return Signed(read_certificate(ours[0].payload), signer, others)
    except BrokenStatementError as error:
        raise RefusedError("statement", f"what is signed is no certificate: {error}") from None
    except (AttributeError, KeyError, TypeError):
        raise RefusedError("statement", "what is signed is no certificate: it has another shape") from None
