"""A secret is found in any encoding; the tests decode with code independent of the runner."""

from __future__ import annotations

import base64
import codecs
import html
import json
import quopri
import random
import re
import shlex
import string
import time
import urllib.parse
from collections.abc import Callable, Iterator

import pytest

from lesson_runner.execute.lines import OutputCollector
from lesson_runner.execute.redaction.redactor import REDACTED, Redactor

RANDOM = random.Random(5)
# Python warns about backslashes that escape nothing.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
ALNUM = string.ascii_letters + string.digits


def made_up(length: int, alphabet: str = ALNUM) -> str:
    return "".join(RANDOM.choice(alphabet) for _ in range(length - 2)) + "7q"


SECRETS = {
    "plain": made_up(32),
    "base64": made_up(20) + "+/" + made_up(20) + "==",
    "punctuation": "p/s" + made_up(8) + "&<>%?" + made_up(6),
    "quotes": made_up(8) + "'\"\\`$" + made_up(8),
    "spaces": made_up(10) + " " + made_up(10) + "/x",
    "hexadecimal": made_up(30, "0123456789abcdef") + "ab",
    "escapes": "a%41" + made_up(9) + "\\n&amp;x",
    "accents": "Schlüssel-" + made_up(10) + "-ß€",
}
Coding = Callable[[str, random.Random], str]


def some(text: str, randomly: random.Random, escape: Callable[[int], str]) -> str:
    """Escape some of the characters, and all special ones."""
    return "".join(
        escape(byte) if randomly.random() < 0.5 or not chr(byte).isalnum() or byte > 127 else chr(byte)
        for byte in text.encode()
    )


def coloured(text: str, randomly: random.Random) -> str:
    kinds = (
        *(
            "\x1b[31m",
            "\x1b[0m",
            "\x1b[K",
            "\x1b[38;5;12m",
            "\x1b]0;title\x07",
            "\x1b]8;;x\x1b\\",
            "\x1bPx\x1b\\",
        ),
        *(
            "\x1b(B",
            "\x0e",
            "\0",
            "\x07",
            "\x9b31m",
            "\u200b",
            "\xad",
            "\u2060",
            "\ufeff",
            "x\b",
            "\x1b[3\x001m",
        ),
    )
    return "".join(
        character + (randomly.choice(kinds) if randomly.random() < 0.6 else "") for character in text
    )


CODINGS: dict[str, Coding] = {
    "as it is": lambda text, _: text,
    "quote": lambda text, _: urllib.parse.quote(text),
    "quote all": lambda text, _: urllib.parse.quote(text, safe=""),
    "quote plus": lambda text, _: urllib.parse.quote_plus(text),
    "quote some": lambda text, r: urllib.parse.quote(text, safe="".join(r.sample(string.punctuation, 12))),
    "quote lower": lambda text, _: re.sub("%..", lambda m: m[0].lower(), urllib.parse.quote(text)),
    "percent": lambda text, r: some(text, r, lambda byte: f"%{byte:02x}"),
    "json": lambda text, _: json.dumps(text),
    "json unicode": lambda text, _: json.dumps(text, ensure_ascii=False).replace("/", "\\/"),
    "json escapes": lambda text, r: "".join(
        f"\\u{ord(c):04x}" if r.random() < 0.5 or c in '"\\' else c for c in text
    ),
    "html": lambda text, _: html.escape(text),
    "html decimal": lambda text, _: "".join(f"&#{ord(c)};" for c in text),
    "html hexadecimal": lambda text, r: "".join(
        f"&#x{ord(c):X};" if r.random() < 0.7 or c in "&" else c for c in text
    ),
    "shell": lambda text, _: shlex.quote(text),
    "shell backslashes": lambda text, _: re.sub(r"([^\w])", r"\\\1", text, flags=re.ASCII),
    "repr": lambda text, _: repr(text),
    "bytes": lambda text, _: repr(text.encode()),
    "octal": lambda text, r: some(text, r, lambda byte: f"\\{byte:03o}"),
    "hexadecimal escapes": lambda text, r: some(text, r, lambda byte: f"\\x{byte:02x}"),
    "hexadecimal": lambda text, _: text.encode().hex(),
    "hexadecimal, colons": lambda text, _: text.encode().hex(":").upper(),
    "hexadecimal, blanks": lambda text, _: text.encode().hex(" ", 2),
    "base64": lambda text, r: base64.b64encode(
        b"#" * r.randint(0, 3) + text.encode() + b"#" * r.randint(0, 3)
    ).decode(),
    "base64 of addresses": lambda text, _: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 in lines": lambda text, _: base64.encodebytes(f"{'x' * 50}{text}".encode()).decode().strip(),
    "base64 of JSON": lambda text, _: base64.b64encode(json.dumps({"token": text}).encode()).decode(),
    "base64 of UTF-16": lambda text, _: base64.b64encode(text.encode("utf-16-le")).decode(),
    "base32": lambda text, _: base64.b32encode(text.encode()).decode(),
    "quoted-printable": lambda text, _: quopri.encodestring(text.encode()).decode().strip(),
    "UTF-16": lambda text, _: "\0".join(text),
    "colours": coloured,
    "wrapped": lambda text, r: "\n".join(re.findall(f"(?s).{{1,{r.randint(4, 12)}}}", text)),
}
# Not promised for text that is not ASCII: see docs/security.md.
ASCII_ONLY = {
    "base64 of JSON",
    "base64 of UTF-16",
    "UTF-16",
    "hexadecimal, blanks",
    "hexadecimal, colons",
    "base32",
}


def decoded(text: str, depth: int = 3) -> Iterator[str]:
    """Yield the decodings of a text, made with the decoders of the standard library."""
    yield text
    if not depth:
        return
    made = {
        urllib.parse.unquote(text),
        urllib.parse.unquote_plus(text),
        html.unescape(text),
        re.sub(r"\s*\n\s*", "", text),
        re.sub(
            r"\x1b\[[\d;]*[A-Za-z]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b[(P].?|[\0-\x08\x0e-\x1f\x9b\xad\u200b\u2060\ufeff\ufffd]",
            "",
            text,
        ),
        text.replace("'\\''", "'").replace("'\"'\"'", "'"),
        re.sub(r"\\(\W)", r"\1", text),
        quopri.decodestring(text.encode("utf-8", "replace")).decode("utf-8", "replace"),
    }
    for way in ("unicode_escape", "escape"):
        try:
            if way == "escape":
                made.add(codecs.escape_decode(text.encode())[0].decode("utf-8", "replace"))
            else:
                made.add(text.encode("latin-1", "backslashreplace").decode(way))
        except (ValueError, UnicodeError):
            pass
    for run in re.findall(r"[A-Za-z0-9+/_=\n-]{8,}", text):
        flat = re.sub(r"[\n=]", "", run).replace("-", "+").replace("_", "/")
        for first in range(4):
            part = flat[first:]
            made.add(
                base64.b64decode(part[: len(part) // 4 * 4]).decode("utf-8", "replace").replace("\0", "")
            )
    for run in re.findall(r"[0-9A-Fa-f][0-9A-Fa-f :\n]{7,}", text):
        flat = re.sub("[ :\n]", "", run)
        made |= {bytes.fromhex(flat[n:][: len(flat[n:]) // 2 * 2]).decode("utf-8", "replace") for n in (0, 1)}
    for run in re.findall("[A-Z2-7]{8,}=*", text):
        if len(run) % 8 == 0:
            made.add(base64.b32decode(run).decode("utf-8", "replace"))
    for other in made - {text, ""}:
        yield from decoded(other, depth - 1)


def shows(text: str, secret: str) -> bool:
    """Return whether a text or one of its decodings holds a secret."""
    return any(secret in found for found in decoded(text))


def judged(name: str, codings: tuple[str, ...], seed: int) -> str | None:
    """Return what is wrong with the redaction of an encoded secret, if anything."""
    randomly = random.Random(f"{name}{codings}{seed}")
    secret = SECRETS[name]
    text = secret
    for coding in codings:
        text = CODINGS[coding](text, randomly)
    around = randomly.choice(("{}", "token: {} end", "a=1&t={}&b=2", '{{"x": "{}"}}', "100% {}\nnext"))
    said = around.format(text)
    redactor = Redactor([secret, made_up(20)])
    if shows(redactor.text(said), secret):
        return f"text: {said!r} became {redactor.text(said)!r}"
    if len(codings) > 1 and {"wrapped", "base64 in lines", "quoted-printable"}.intersection(codings):
        return None  # encoded text in short lines is found only in whole texts
    rows: list[str] = []
    lines = OutputCollector(rows.append, redactor=redactor)
    data = said.encode("utf-8", "surrogateescape")
    while data:
        size = randomly.randint(1, 40)
        lines.feed(data[:size])
        data = data[size:]
    lines.feed(b"", final=True)
    if shows("\n".join(rows), secret) or shows(lines.text(), secret):
        return f"lines: {said!r} became {rows!r}"
    return None


CODINGS_OF_TEXT = ("as it is", "json", "html", "shell", "repr", "quote", "base64")


def chosen(codings: tuple[str, ...], name: str) -> bool:
    """Return whether the redactor promises to find a secret with this encoding."""
    if len(codings) > 1 and (name in ("accents", "escapes") or codings in NOT_FOUND):
        return False
    return name != "accents" or not ASCII_ONLY.intersection(codings)


NOT_FOUND = {
    ("UTF-16", "base64 of UTF-16"),
    ("base64 in lines", "shell backslashes"),
    # Decoded data counts as text if it has six text characters in a row.
    *(
        (inner, outer)
        for inner in ("colours", "wrapped")
        for outer in CODINGS
        if outer not in CODINGS_OF_TEXT
    ),
}


@pytest.mark.parametrize("coding", CODINGS)
def test_a_secret_is_found_however_it_is_encoded(coding: str) -> None:
    wrong = [
        problem
        for name in SECRETS
        if chosen((coding,), name)
        for seed in range(2)
        if (problem := judged(name, (coding,), seed)) is not None
    ]
    assert wrong == []


@pytest.mark.slow
@pytest.mark.parametrize("outer", CODINGS)
def test_a_secret_is_found_in_nested_encodings(outer: str) -> None:
    wrong = [
        problem
        for name in SECRETS
        for inner in CODINGS
        if chosen((inner, outer), name)
        for seed in range(2)
        if (problem := judged(name, (inner, outer), seed)) is not None
    ]
    assert wrong == []


def test_ordinary_output_is_unchanged() -> None:
    redactor = Redactor(SECRETS.values())
    text = (
        "Step 1: loss 2.0, 50% of C:\\new\\table &amp; 'it''s' 0x7f aGVsbG8gd29ybGQ= 68656c6c6f\n\tdone ✓ é\n"
    )
    assert redactor.text(text) == text


@pytest.mark.parametrize(
    "piece",
    [
        "\x00",
        "%25",
        "\\",
        "&amp;",
        "\n",
        " ",
        "'",
        "漢",
        "\x1b[",
        "\x1b]",
        "\x9d",
        "=\n",
        "A2",
        "41",
        "SUlJ",
        "\\x",
        "0x",
        SECRETS["plain"][:4],
        SECRETS["plain"][:-1],
    ],
)
def test_hostile_text_takes_no_time(piece: str) -> None:
    text = (piece * 100_000)[:100_000]
    redactor = Redactor(SECRETS.values())
    began = time.process_time()
    redactor.text(text)
    redactor.partial_start(text)
    assert time.process_time() - began < 5


def log(rows: int) -> str:
    """Return log lines full of escapes."""
    return "\n".join(
        json.dumps({"step": row, "path": 'C:\\new\\path "quoted" é\n', "url": f"/?a%20b%2Fc&d={row}"})
        for row in range(rows)
    )


@pytest.mark.slow
def test_a_log_full_of_escapes_takes_no_time() -> None:
    def seconds(text: str, redactor: Redactor) -> float:
        began = time.process_time()
        assert redactor.text(text) == text
        return time.process_time() - began

    for values in ((), (SECRETS["plain"],), tuple(made_up(24) for _ in range(200))):
        redactor = Redactor(values)
        plain = "step 12: loss 1.2345 tokens per second 12345\n" * (len(log(2000)) // 45)
        assert seconds(log(2000), redactor) < 40 * seconds(plain, redactor) + 0.2  # once it was 300 times


@pytest.mark.slow
@pytest.mark.parametrize("coding", CODINGS)
def test_a_secret_is_found_in_a_log_full_of_escapes(coding: str) -> None:
    for name in ("plain", "punctuation"):
        secret = SECRETS[name]
        for outer in ("json", "quote all"):
            codings = (coding, outer)
            if not chosen(codings, name):
                continue
            text = secret
            for one in codings:
                text = CODINGS[one](text, random.Random(f"{name}{codings}"))
            shown = Redactor([secret]).text(f"{log(30)}\n{text}\n{log(30)}")
            assert REDACTED in shown, (name, codings, text)


def test_keys_and_numbers() -> None:
    secret, pin = SECRETS["plain"], "8273645519"
    data = {
        f"{secret}.txt": {"sha256": "a" * 64},
        f"{secret[:8]}\x1b[0m{secret[8:]}.txt": None,
        "kind": secret,
        "sha256": secret,
        "env": {"X": secret},
        "facts": {"pin": int(pin), "bytes": 7},
        "id": f"x-{secret}",
    }
    shown = Redactor([secret, pin]).data(data)
    assert shown == {
        f"{REDACTED}.txt": {"sha256": "a" * 64},
        f"{REDACTED}.txt-2": None,
        "kind": REDACTED,
        "sha256": REDACTED,
        "env": {"X": REDACTED},
        "facts": {"pin": None, "bytes": 7},
        "id": f"x-{REDACTED}",
    }
