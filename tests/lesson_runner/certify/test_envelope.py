"""Other tools read our envelopes and statements, and we read theirs."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope as TheirEnvelope
from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]
from tests.lesson_runner.certify.garden import Bench

from lesson_runner.certify.envelope import (
    MAX_BUNDLE_BYTES,
    PAYLOAD_TYPE,
    BrokenEnvelopeError,
    Envelope,
    Signature,
    pre_authentication_encoding,
    read_bundle,
    sign,
    write_bundle,
)
from lesson_runner.certify.keys import PrivateKey, read_private


@pytest.fixture
def key(bench: Bench) -> PrivateKey:
    return read_private(bench.folder / "home" / "config" / "keys" / "me.pem")


def theirs(key: PrivateKey) -> SSlibKey:
    return SSlibKey.from_crypto(key.key.public_key(), keyid=key.public.keyid)


def test_the_example_of_the_standard() -> None:
    """From the DSSE protocol's text."""
    encoded = pre_authentication_encoding("http://example.com/HelloWorld", b"hello world")
    assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


def test_securesystemslib_verifies_ours(certified: Bench, key: PrivateKey) -> None:
    bundle = (certified.certificate / "certificate.intoto.jsonl").read_text()
    for line in bundle.splitlines():
        envelope = TheirEnvelope.from_dict(json.loads(line))
        assert envelope.verify([theirs(key)], 1) == {key.public.keyid: theirs(key)}
        assert envelope.payload_type == PAYLOAD_TYPE


def test_ours_verifies_securesystemslibs(key: PrivateKey) -> None:
    envelope = TheirEnvelope(b'{"a": 1}', PAYLOAD_TYPE, {})
    envelope.sign(CryptoSigner(key.key, theirs(key)))
    (read,) = read_bundle(json.dumps(envelope.to_dict()).encode())
    assert read.payload == b'{"a": 1}'
    assert read.signed_by(key.public)
    assert not read.signed_by(PrivateKey(Ed25519PrivateKey.generate()).public)


def test_in_toto_reads_our_statements(certified: Bench) -> None:
    kinds = []
    for envelope in read_bundle((certified.certificate / "certificate.intoto.jsonl").read_bytes()):
        statement = Statement.copy_from_pb(_parsed(envelope.payload))
        statement.validate()
        kinds.append(statement.pb.predicate_type)
        assert [item.name for item in statement.pb.subject] == [
            "lesson/growing",
            "plan/growing",
            "evidence/growing",
        ]
    assert kinds == [
        "https://in-toto.io/attestation/test-result/v0.1",
        "urn:lesson-runner:lesson-certification/v1",
    ]


def _parsed(payload: bytes) -> Any:
    from google.protobuf import json_format
    from in_toto_attestation.v1 import statement_pb2

    return json_format.Parse(payload, statement_pb2.Statement())


def test_what_other_tools_read(certified: Bench) -> None:
    first = read_bundle((certified.certificate / "certificate.intoto.jsonl").read_bytes())[0]
    predicate = json.loads(first.payload)["predicate"]
    assert predicate["result"] == "PASSED"
    assert (predicate["passedTests"], predicate["failedTests"]) == (["grow", "tell"], [])
    assert predicate["configuration"][1]["name"] == "policy/board"


SIGNATURES = st.tuples(st.text(max_size=9), st.binary(max_size=70))


@given(st.binary(max_size=300), st.lists(SIGNATURES, min_size=1, max_size=16))
def test_a_bundle_comes_back_as_it_was(payload: bytes, signed: list[tuple[str, bytes]]) -> None:
    envelope = Envelope(payload, PAYLOAD_TYPE, tuple(Signature(*item) for item in signed))
    assert read_bundle(write_bundle([envelope, envelope])) == [envelope, envelope]


def test_both_alphabets_of_base64(key: PrivateKey) -> None:
    line = json.loads(write_bundle([sign(b"\xff\xfe\xfb" * 9, key)]))
    line["payload"] = base64.urlsafe_b64encode(base64.b64decode(line["payload"])).decode()
    assert read_bundle(json.dumps(line).encode())[0].signed_by(key.public)


LINE = b'{"payloadType": "application/vnd.in-toto+json", "payload": "", "signatures": [{"sig": "QQ=="}]}\n'


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "it is empty"),
        (b"{", "line 1 is not JSON"),
        (b"[" * 100_000, "line 1 is not JSON"),
        (b"[]", "line 1 is not an envelope"),
        (b"{}", "line 1: payloadType is not"),
        (b'{"payloadType": "application/vnd.in-toto+json"}', "line 1: no signatures"),
        (
            b'\n{"payloadType": "application/vnd.in-toto+json", "signatures": [1]}',
            "line 2: an entry of signatures",
        ),
        (
            b'{"payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "?"}]}',
            "line 1: sig is not base64",
        ),
        (
            b'{"payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "QR=="}]}',
            "line 1: sig is not canonical base64",
        ),
        (
            b'{"payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "QQ=="}]}',
            "line 1: payload is missing",
        ),
        (b"x" * (16 * 1024 * 1024 + 1), "expected at most"),
        (b"# a text\n" * 17, "line 1 is not JSON"),
        (LINE * 17, "it has 17 lines"),
        (
            b'{"payloadType": "application/vnd.in-toto+json", "signatures": [' + b"1," * 16 + b"1]}",
            "line 1: 17 signatures",
        ),
    ],
    ids=lambda value: str(value)[:24],
)
def test_invalid_bundles(data: bytes, message: str) -> None:
    with pytest.raises(BrokenEnvelopeError, match=message):
        read_bundle(data)


def whole(**more: Any) -> bytes:
    line = {"payloadType": PAYLOAD_TYPE, "payload": "", "signatures": [{"keyid": "k", "sig": "QQ=="}], **more}
    return json.dumps(line).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\n \n", "it is empty"),
        (b"\n1\n", "line 2 is not an envelope: expected an object"),
        (
            b"{",
            "line 1 is not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
        (whole(payloadType="x"), f"line 1: payloadType is not {PAYLOAD_TYPE}"),
        (whole(signatures=[]), "line 1: no signatures"),
        (whole(signatures="QQ=="), "line 1: no signatures"),
        (whole(signatures=1), "line 1: no signatures"),
        (whole(signatures=["k"]), "line 1: an entry of signatures is not an object with a keyid"),
        (
            whole(signatures=[{"keyid": 1, "sig": "QQ=="}]),
            "line 1: an entry of signatures is not an object with a keyid",
        ),
        (whole(signatures=[{"keyid": "k"}]), "line 1: sig is missing"),
        (whole(signatures=[{"sig": "QQ"}]), "line 1: sig is not base64"),
        (whole(payload="é"), "line 1: payload is not base64"),
        (whole(payload="Q Q=="), "line 1: payload is not base64"),
        (whole(payload="QR=="), "line 1: payload is not canonical base64"),
        (whole(payload="-+8="), "line 1: payload is not canonical base64"),
        (whole(payload=None), "line 1: payload is missing"),
        (whole(signatures=[{"sig": "QQ=="}] * 17), "line 1: 17 signatures; expected at most 16"),
        (b"\n".join([whole()] * 17), "it has 17 lines; expected at most 16"),
        (
            b" " * (MAX_BUNDLE_BYTES + 1),
            f"it has {MAX_BUNDLE_BYTES + 1} bytes; expected at most {MAX_BUNDLE_BYTES}",
        ),
        (b" " * MAX_BUNDLE_BYTES, "it is empty"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_messages_about_invalid_bundles(data: bytes, message: str) -> None:
    with pytest.raises(BrokenEnvelopeError) as caught:
        read_bundle(data)
    assert str(caught.value) == message


def test_limits_are_inclusive() -> None:
    signatures = [{"keyid": "k", "sig": "QQ=="}, {"sig": "-_8="}] * 8
    (first, *others) = read_bundle(b"\n\n".join([whole(signatures=signatures, payload="-_8=")] * 16))
    assert len(others) == 15
    assert first == Envelope(
        b"\xfb\xff", PAYLOAD_TYPE, (Signature("k", b"A"), Signature("", b"\xfb\xff")) * 8
    )
    line = write_bundle([first])
    assert line.endswith(b"}\n")
    assert b" " not in line
    assert json.loads(line)["signatures"][1] == {"keyid": "", "sig": "+/8="}


def test_a_signature_covers_payload_and_type(key: PrivateKey) -> None:
    made = sign(b"x", key)
    assert (made.payload, made.payload_type, made.signatures[0].keyid) == (
        b"x",
        PAYLOAD_TYPE,
        key.public.keyid,
    )
    more = Envelope(b"x", PAYLOAD_TYPE, (Signature("other", b"no"), *made.signatures))
    assert more.signed_by(key.public)
    assert not Envelope(b"x", "text/plain", made.signatures).signed_by(key.public)
    assert not Envelope(b"y", PAYLOAD_TYPE, made.signatures).signed_by(key.public)
    assert not Envelope(b"x", PAYLOAD_TYPE, ()).signed_by(key.public)


def test_a_bundle_needs_no_network_and_no_clock(certified: Bench, tmp_path: Path) -> None:
    """The payload is canonical JSON, so that any tool can reproduce it byte for byte."""
    from lesson_runner.files.canonical import canonical

    for envelope in read_bundle((certified.certificate / "certificate.intoto.jsonl").read_bytes()):
        assert canonical(json.loads(envelope.payload)) == envelope.payload
