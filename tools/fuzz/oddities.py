"""Odd bytes, patterns, values and keys that mutations put into documents."""

from __future__ import annotations

LARGEST = 200_000
"""The largest size of a mutated document in bytes; other tests check that larger ones are refused."""
ODD = (
    *(b"\0", b"\r", b"\r\n", b"\t", b"\x0b", b"\x0c", b"\x1b[2J", b"\x1b]0;title\x07", b"\x9b31m", b"\x7f"),
    *(
        "\ufeff",
        "\u2028",
        "\x85",
        "\u202e",
        "\u2066",
        "\u2069",
        "\x9b2J",
        "\ufffe",
        "\U0010ffff",
        "e\u0301" * 40,
    ),
    *(
        b"\xed\xa0\x80",
        b"\xff\xfe",
        b"\xc0\xaf",
        b"\xf4\x90\x80\x80",
        "âœ…",
        "İ",
        "ß",
        "\U0001d7d9",
        "\u00a0",
    ),
    *(b"<script>alert(1)</script>", b"</style>", b'" onload="x', b"javascript:x", b"]]>", b"<!--", b"-->"),
    *(b"../../etc/passwd", b"~/x", b"$(reboot)", b"%s%n", b"{{7*7}}", b"ghp_" + b"aB3dE5gH7jK9mN1pQ2rS" * 2),
)
PATTERNS = ("a{99999999999}", "(" * 900 + ")" * 900, "(?a)(?u)x", "[", "(?P<1>x)", "(a+)+$", "(?<=a+)b", "\\")
VALUES = (
    *(f"'{pattern}'" for pattern in PATTERNS),
    *(
        "",
        "~",
        "null",
        "true",
        "[]",
        "{}",
        "[[]]",
        "{a: {b: 1}}",
        "0",
        "-1",
        "1e999",
        "-1e999",
        ".nan",
        ".inf",
    ),
    *(
        "0x" + "f" * 80,
        "1" * 290,
        "1" * 400,
        "2026-02-30",
        "2026-01-01",
        "9999-12-31T23:59:59Z",
        "1:30",
        "no",
    ),
    *(
        "!!bool x",
        "!!binary '*'",
        "!!set {a}",
        "!!omap [a: 1]",
        "!!timestamp x",
        "!!python/object:os.system x",
    ),
    *("!!int 1.5", "!!float x", "! x", "!a!b c", "!<tag:x> 1", "&a [*a]", "*gone", "<<", "|", ">-", "'", '"'),
    *(
        "[" * 30,
        "{a: " * 30,
        "x" * 3_000,
        "'" + "🎉" * 200 + "'",
        '"\\ud800"',
        '"\\x00"',
        '"\\u202e"',
        "- - - - 1",
    ),
)
KEYS = (
    "? [a]",
    "1",
    "true",
    "~",
    "''",
    "a b",
    "<<",
    "&k",
    "*k",
    "__class__",
    "x" * 300,
    "id",
    "with",
    "profiles",
)
