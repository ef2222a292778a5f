"""Keys: made, kept from others, trusted, revoked."""

from __future__ import annotations

import json
import stat
import sys
from pathlib import Path

import pytest
from tests.lesson_runner.certify.garden import Bench


def keys(bench: Bench) -> Path:
    return bench.folder / "home" / "config" / "keys"


def test_a_private_key_is_for_its_owner_alone(bench: Bench) -> None:
    assert stat.S_IMODE((keys(bench) / "me.pem").stat().st_mode) == 0o600
    assert "PRIVATE" not in (keys(bench) / "me.json").read_text()
    (keys(bench) / "me.pem").chmod(0o644)
    said = bench.certify()
    assert said.code == 2
    assert "others can read it (mode 644)" in said.err
    assert f"chmod 600 {keys(bench) / 'me.pem'}" in said.err


def test_listing(bench: Bench) -> None:
    (entry,) = bench.lesson("cert", "keys", "list", "--json").json
    assert (entry["name"], entry["own"], entry["revoked"], len(entry["keyid"])) == ("me", True, "", 64)
    assert entry["keyid"] in bench.lesson("cert", "keys", "list").out
    assert bench.lesson("cert", "keys", "list", "me").out == entry["public"]
    (keys(bench) / "me.json").unlink()
    assert "create one: lesson cert keys new NAME" in bench.lesson("cert", "keys", "list").out


@pytest.mark.parametrize("name", ["", "Me", "../me", "a b", "-a", "x" * 65])
def test_names_that_cannot_be(bench: Bench, name: str) -> None:
    said = bench.lesson("cert", "keys", "new", "--", name)
    assert (said.code, "cannot be a key's name" in said.err) == (2, True)


def test_a_name_is_given_once(bench: Bench) -> None:
    before = (keys(bench) / "me.pem").read_bytes()
    assert bench.lesson("cert", "keys", "new", "me").code == 2
    assert (keys(bench) / "me.pem").read_bytes() == before


def test_somebody_elses_certificate(certified: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    public = certified.folder / "me.pub"
    public.write_text(certified.lesson("cert", "keys", "list", "me").out)
    monkeypatch.setenv("LESSON_HOME", str(certified.folder / "elsewhere"))
    refused = certified.verify()
    assert refused["check"] == "key"
    assert "not trusted here" in refused["message"]
    assert certified.verify("--key", public)["holds"]
    assert certified.lesson("cert", "keys", "trust", "them", public).code == 0
    assert certified.verify()["signer"]["name"] == "them"
    again = certified.lesson("cert", "keys", "trust", "others", public)
    assert "this key is trusted already, as 'them'" in again.err
    said = certified.certify()  # a public key signs nothing
    assert (said.code, "there is no key to sign with" in said.err) == (2, True)
    assert "only the public half is here" in certified.certify("--key", "them").err


def test_a_revoked_key_counts_no_more(certified: Bench) -> None:
    assert certified.lesson("cert", "keys", "revoke", "me", "--reason", "laptop stolen").code == 0
    refused = certified.verify()
    assert (refused["check"], "revoked: laptop stolen" in refused["message"]) == ("key", True)
    assert certified.lesson("cert", "keys", "revoke", "me", "--reason", "again").code == 2
    assert "there is no key to sign with" in certified.certify().err
    assert "the key 'me' is revoked" in certified.certify("--key", "me").err


def test_which_key_to_sign_with(bench: Bench) -> None:
    bench.lesson("cert", "keys", "new", "you")
    assert "--key NAME: one of me, you" in bench.certify().err
    assert bench.certify("--key", "you").code == 0
    assert bench.verify()["signer"]["name"] == "you"
    assert "did you mean 'you'" in bench.certify("--key", "yuo").err


RSA = """-----BEGIN PUBLIC KEY-----
MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf
9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC9AIKjbJTWit+CqvjWYzvQwECAwEAAQ==
-----END PUBLIC KEY-----
"""


@pytest.mark.parametrize("text", ["", "hello", RSA, RSA[:80]])
def test_files_that_are_no_keys(bench: Bench, text: str) -> None:
    (bench.folder / "k.pem").write_text(text)
    said = bench.lesson("cert", "keys", "trust", "them", "k.pem")
    assert said.code == 2
    assert "k.pem: is not a" in said.err
    assert bench.lesson("cert", "keys", "trust", "them", "none.pem").code == 2


@pytest.mark.parametrize("damage", ["{", "[]", '{"name": "me"}', None])
def test_a_damaged_key_file(bench: Bench, damage: str | None) -> None:
    path = keys(bench) / "me.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "keyid": "0" * 64}) if damage is None else damage)
    said = bench.lesson("cert", "keys", "list")
    assert (said.code, str(path) in said.err) == (2, True)


def test_the_beginning_of_an_id(bench: Bench) -> None:
    entry = json.loads((keys(bench) / "me.json").read_text())
    short = entry["keyid"][:8]
    assert bench.lesson("cert", "keys", "list", short).out == entry["public"]
    assert f"there is no key '{short[:7]}'" in bench.lesson("cert", "keys", "list", short[:7]).err
    (keys(bench) / "you.json").write_text(json.dumps({**entry, "name": "you"}))
    said = bench.lesson("cert", "keys", "revoke", short, "--reason", "lost")
    assert said.code == 2
    assert f"'{short}' is the beginning of several keys' ids: me, you" in said.err
    assert "give more of it" in said.err


def another_private_key(kind: str) -> bytes:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed448, ed25519

    made = ed448.Ed448PrivateKey.generate() if kind == "ed448" else ed25519.Ed25519PrivateKey.generate()
    return made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "me.pem: cannot be read: No such file or directory"),
        (b"hello", "me.pem: is not a private key in PEM: "),
        (another_private_key("ed448"), "me.pem: is not an Ed25519 key"),
        (another_private_key("ed25519"), "me.pem: is not the private half of the key 'me'"),
    ],
    ids=["missing", "text", "another kind", "another key"],
)
def test_a_private_half_that_is_none(bench: Bench, content: bytes | None, message: str) -> None:
    path = keys(bench) / "me.pem"
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    said = bench.certify()
    assert (said.code, message in said.err) == (2, True), said


def test_a_key_of_another_kind_is_not_trusted(bench: Bench) -> None:
    (bench.folder / "k.pem").write_bytes(another_private_key("ed448"))
    said = bench.lesson("cert", "keys", "trust", "them", "k.pem")
    assert (said.code, "k.pem: is not an Ed25519 key" in said.err) == (2, True)


def test_of_a_private_key_its_public_half_is_trusted(bench: Bench) -> None:
    (bench.folder / "k.pem").write_bytes(another_private_key("ed25519"))
    assert bench.lesson("cert", "keys", "trust", "them", "k.pem").code == 0
    assert "PRIVATE" not in (keys(bench) / "them.json").read_text()


def test_where_keys_cannot_be_written(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    (bench.folder / "file").write_text("")
    monkeypatch.setenv("LESSON_HOME", str(bench.folder / "file"))
    said = bench.lesson("cert", "keys", "new", "you")
    assert said.code == 2
    assert "you.pem: cannot be written: Not a directory" in said.err
    assert "set LESSON_HOME to a folder of yours" in said.err


def test_without_the_package_that_signs(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    said = bench.lesson("cert", "keys", "new", "you")
    assert (said.code, "signatures need the package cryptography" in said.err) == (2, True)
    assert "pip install" in said.err


@pytest.mark.parametrize("y", [0, 1, 2**255 - 20, 2**255 - 18, 1 + 2**255])
def test_a_key_for_which_anybody_can_sign(bench: Bench, y: int) -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    key = Ed25519PublicKey.from_public_bytes(y.to_bytes(32, "little"))
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    (bench.folder / "weak.pub").write_bytes(key.public_bytes(serialization.Encoding.PEM, form))
    said = bench.lesson("cert", "keys", "trust", "weak", "weak.pub")
    assert (said.code, "a key for which anybody can sign" in said.err) == (2, True), said
