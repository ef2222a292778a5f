"""
Signed envelopes (DSSE 1.0) and bundles of them (in-toto: one envelope per line).

``cryptography`` makes the signatures. The envelope takes forty lines of our own, because securesystemslib
and sigstore tie it to their own kinds of keys; tests check that securesystemslib and this module read each
other's bundles.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lesson_runner.certify.keys import PrivateKey, PublicKey
from lesson_runner.files.canonical import parse_strict_json

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_BUNDLE_BYTES = 16 * 1024 * 1024
MAX_ENTRIES = 16
"""Limit for the lines of a bundle and the signatures of a line, since each of them is verified."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature and the id of its key."""

    keyid: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload and its signatures."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]

    def signed_by(self, key: PublicKey) -> bool:
        """Return whether this key signed exactly this payload and type."""
        signed = pre_authentication_encoding(self.payload_type, self.payload)
        return any(key.verifies(item.value, signed) for item in self.signatures)


class BrokenEnvelopeError(Exception):
    """A line of a bundle is not an envelope; the message says which line, and why."""


def pre_authentication_encoding(payload_type: str, payload: bytes) -> bytes:
    """Return the bytes to sign: ``DSSEv1``, then type and payload, each after its length (DSSE 1.0, PAE)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def sign(payload: bytes, key: PrivateKey) -> Envelope:
    """Return a signed envelope with ``payload``, an in-toto statement."""
    value = key.sign(pre_authentication_encoding(PAYLOAD_TYPE, payload))
    return Envelope(payload, PAYLOAD_TYPE, (Signature(key.public.keyid, value),))


def write_bundle(envelopes: Iterable[Envelope]) -> bytes:
    """Return envelopes as JSON Lines."""
    return b"".join(json.dumps(_as_json(item), separators=(",", ":")).encode() + b"\n" for item in envelopes)


def read_bundle(data: bytes) -> list[Envelope]:
    """
    Return the envelopes of a bundle.

    Raises:
        BrokenEnvelopeError: the bundle is empty or too large, or a line is not an envelope.
    """
    if len(data) > MAX_BUNDLE_BYTES:
        raise BrokenEnvelopeError(f"it has {len(data)} bytes; expected at most {MAX_BUNDLE_BYTES}")
    lines = [(number, line) for number, line in enumerate(data.split(b"\n"), 1) if line.strip()]
    if not lines:
        raise BrokenEnvelopeError("it is empty")
    found = [_parse(line, number) for number, line in lines[:MAX_ENTRIES]]
    if len(lines) > MAX_ENTRIES:
        raise BrokenEnvelopeError(f"it has {len(lines)} lines; expected at most {MAX_ENTRIES}")
    return found


def _as_json(item: Envelope) -> dict[str, Any]:
    signatures = [{"keyid": one.keyid, "sig": _encode(one.value)} for one in item.signatures]
    return {"payloadType": item.payload_type, "payload": _encode(item.payload), "signatures": signatures}


def _parse(line: bytes, number: int) -> Envelope:
    try:
        data = parse_strict_json(line)
    except ValueError as error:
        raise BrokenEnvelopeError(f"line {number} is not JSON: {error}") from None
    if not isinstance(data, Mapping):
        raise BrokenEnvelopeError(f"line {number} is not an envelope: expected an object")
    kind, signatures = data.get("payloadType"), data.get("signatures")
    if kind != PAYLOAD_TYPE:
        raise BrokenEnvelopeError(f"line {number}: payloadType is not {PAYLOAD_TYPE}")
    if not isinstance(signatures, Sequence) or isinstance(signatures, str) or not signatures:
        raise BrokenEnvelopeError(f"line {number}: no signatures")
    if len(signatures) > MAX_ENTRIES:
        raise BrokenEnvelopeError(
            f"line {number}: {len(signatures)} signatures; expected at most {MAX_ENTRIES}"
        )
    found = []
    for item in signatures:
        if not isinstance(item, Mapping) or not isinstance(item.get("keyid", ""), str):
            raise BrokenEnvelopeError(f"line {number}: an entry of signatures is not an object with a keyid")
        found.append(Signature(str(item.get("keyid", "")), _decode(item.get("sig"), number, "sig")))
    return Envelope(_decode(data.get("payload"), number, "payload"), PAYLOAD_TYPE, tuple(found))


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode(text: Any, number: int, name: str) -> bytes:
    """Return decoded base64, in the standard or the URL-safe alphabet: DSSE allows both."""
    if not isinstance(text, str):
        raise BrokenEnvelopeError(f"line {number}: {name} is missing")
    try:
        data = base64.b64decode(text.replace("-", "+").replace("_", "/").encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError, ValueError):
        raise BrokenEnvelopeError(f"line {number}: {name} is not base64") from None
    if text not in (_encode(data), base64.urlsafe_b64encode(data).decode("ascii")):
        # Some bits of the last character carry no data; different ones mean that the file was changed.
        raise BrokenEnvelopeError(f"line {number}: {name} is not canonical base64")
    return data
