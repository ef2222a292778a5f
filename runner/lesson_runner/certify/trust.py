"""Check that a trusted key signed a bundle, before its contents are used."""

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

_KEYID = re.compile(r"[0-9a-f]{64}|")  # optional in DSSE


class RefusedError(Exception):
    """
    A certificate that does not count.

    Args:
        check: the check that failed, such as ``signature``.
        message: what is wrong.
        fix: how to fix it, if that is possible.
    """

    def __init__(self, check: str, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.check = check
        self.fix = fix


@dataclass(frozen=True, slots=True)
class SignedCertificate:
    """A certificate with valid signatures."""

    certificate: Certificate
    signer: KnownKey
    others: tuple[bytes, ...] = ()
    """The bundle's other statements, which are for other tools."""


def open_file(bundle: Path, trusted: Mapping[str, KnownKey]) -> SignedCertificate:
    """
    Return the certificate in a bundle file.

    Raises:
        RefusedError: see :func:`open_bundle`; or the file cannot be read.
    """
    try:
        data = read_plain(real(bundle), MAX_BUNDLE_BYTES)
    except OSError as error:
        raise RefusedError("envelope", f"the bundle cannot be read: {error.strerror or error}") from None
    return open_bundle(data, trusted)


def open_bundle(data: bytes, trusted: Mapping[str, KnownKey]) -> SignedCertificate:
    """
    Return the certificate in a bundle, if the same trusted key signed every line.

    Args:
        trusted: the known keys by id; revoked ones are refused.

    Raises:
        RefusedError: the bundle is damaged or changed, or its signer is not trusted.
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
        raise RefusedError("envelope", f"its lines are signed by {len(named)} keys; expected one")
    keyid = named.pop()
    signer = trusted.get(keyid)
    if signer is None:
        fix = "get the signer's public key, then: lesson cert keys trust NAME FILE"
        raise RefusedError(
            "key", f"it is signed by a key that is not trusted here: {keyid or '(no id)'}", fix
        )
    if signer.revoked:
        raise RefusedError(
            "key", f"it is signed by the key '{signer.name}', which was revoked: {signer.revoked}"
        )
    _check_signatures(envelopes, PublicKey(signer.public))
    return _certificate(envelopes, signer)


def _check_signatures(envelopes: list[Envelope], key: PublicKey) -> None:
    good = [envelope.signed_by(key) for envelope in envelopes]
    for number, (envelope, is_good) in enumerate(zip(envelopes, good, strict=True), 1):
        if is_good:
            continue
        if any(len(item.value) != 64 for item in envelope.signatures):
            raise RefusedError("signature", f"line {number}: not an Ed25519 signature (64 bytes)")
        other = _digest_from_valid_line(envelopes, good)
        digest = hashlib.sha256(envelope.payload).hexdigest()
        if other is not None and other == digest:
            raise RefusedError("signature", f"line {number}: the signature was changed, the payload was not")
        if other is not None:
            raise RefusedError("envelope", f"line {number}: the payload was changed after it was signed")
        message = f"line {number}: the signature does not match the payload; one of them was changed"
        raise RefusedError("signature", message)


def _digest_from_valid_line(envelopes: list[Envelope], good: list[bool]) -> str | None:
    """Return the digest of the certification that a line with a valid signature refers to."""
    for envelope, is_good in zip(envelopes, good, strict=True):
        if is_good:
            try:
                return certified_digest(envelope.payload)
            except (BrokenStatementError, AttributeError, KeyError, TypeError):
                continue
    return None


def _certificate(envelopes: list[Envelope], signer: KnownKey) -> SignedCertificate:
    try:
        kinds = [predicate_type(envelope.payload) for envelope in envelopes]
        ours = [item for item, kind in zip(envelopes, kinds, strict=True) if kind == CERTIFICATION]
        if len(ours) != 1:
            raise BrokenStatementError(f"{len(ours)} statements of type {CERTIFICATION}; expected one")
        digest = hashlib.sha256(ours[0].payload).hexdigest()
        others = tuple(envelope.payload for envelope in envelopes if envelope is not ours[0])
        if any(certified_digest(payload) != digest for payload in others):
            raise BrokenStatementError("a line belongs to another certificate")
        return SignedCertificate(read_certificate(ours[0].payload), signer, others)
    except BrokenStatementError as error:
        raise RefusedError("statement", f"what is signed is not a certificate: {error}") from None
    except (AttributeError, KeyError, TypeError):
        raise RefusedError(
            "statement", "what is signed is not a certificate: its structure is different"
        ) from None
