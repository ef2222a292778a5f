"""Keys: made, kept from others, trusted, revoked."""

from __future__ import annotations

import json
import stat
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
    assert "make one: lesson cert keys new NAME" in bench.lesson("cert", "keys", "list").out


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
