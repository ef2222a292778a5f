"""
Mutations that make a document hostile, for bytes, text, YAML, Markdown and JSON.

A mutation is a function of the document, of a second one to take pieces from, and of a random generator; it
returns different bytes, and never more than :data:`LARGEST`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

from tools.fuzz.oddities import KEYS, ODD, PATTERNS, VALUES

Mutation = Callable[[bytes, bytes, Random], bytes]


def flip(data: bytes, other: bytes, random: Random) -> bytes:
    """Change some bytes."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 2, 8)) if changed else 0):
        place = random.randrange(len(changed))
        changed[place] ^= random.choice((1, 2, 16, 32, 128, random.randrange(1, 256)))
    return bytes(changed)


def cut(data: bytes, other: bytes, random: Random) -> bytes:
    """Remove a piece."""
    start, end = _piece(data, random)
    return data[:start] + data[end:]


def end_early(data: bytes, other: bytes, random: Random) -> bytes:
    """Keep only the beginning."""
    return data[: random.randrange(len(data) + 1)]


def double(data: bytes, other: bytes, random: Random) -> bytes:
    """Repeat a piece, sometimes very often."""
    start, end = _piece(data, random)
    times = random.choice((2, 2, 3, 50, 2_000))
    return data[:start] + data[start:end] * times + data[end:]


def splice(data: bytes, other: bytes, random: Random) -> bytes:
    """Insert a piece of another document, or overwrite something with it."""
    (start, end), (first, last) = _piece(data, random), _piece(other, random)
    return data[:start] + other[first:last] + data[end if random.random() < 0.5 else start :]


def join(data: bytes, other: bytes, random: Random) -> bytes:
    """Begin as one document and end as another."""
    return data[: random.randrange(len(data) + 1)] + other[random.randrange(len(other) + 1) :]


def put_odd(data: bytes, other: bytes, random: Random) -> bytes:
    """Insert text that parsers, terminals and browsers misinterpret."""
    for _ in range(random.choice((1, 1, 3))):
        item = random.choice(ODD)
        place = random.randrange(len(data) + 1)
        data = data[:place] + (item.encode() if isinstance(item, str) else item) + data[place:]
    return data


def change_lines(data: bytes, other: bytes, random: Random) -> bytes:
    """Remove, repeat, swap or indent some whole lines, or take them from the other document."""
    lines, theirs = data.split(b"\n"), other.split(b"\n")
    place, length = random.randrange(len(lines)), random.choice((1, 1, 2, 5, 20))
    some = lines[place : place + length]
    ways: dict[str, Callable[[], list[bytes]]] = {
        "out": list,
        "twice": lambda: some + some,
        "back": lambda: some[::-1],
        "in": lambda: [
            random.choice((b" ", b"  ", b"    ", b"\t", b"> ", b"- ", b"1. ")) + row for row in some
        ],
        "less": lambda: [row.lstrip() for row in some],
        "theirs": lambda: theirs[(start := random.randrange(len(theirs))) : start + length],
    }
    return b"\n".join(lines[:place] + ways[random.choice(list(ways))]() + lines[place + length :])


def end_lines_otherwise(data: bytes, other: bytes, random: Random) -> bytes:
    """Use the line endings, byte order mark or encoding of another system."""
    text = data.decode("utf-8", "surrogateescape")
    ways: list[Callable[[], bytes]] = [
        lambda: data.replace(b"\n", b"\r\n"),
        lambda: data.replace(b"\n", b"\r"),
        lambda: data.replace(b"\n", b"\n\r"),
        lambda: b"\xef\xbb\xbf" * random.choice((1, 2)) + data,
        lambda: text.encode("utf-16", "replace"),
        lambda: text.encode("latin-1", "replace"),
        lambda: text.encode("utf-8", "surrogateescape").decode("cp1252", "replace").encode(),
        lambda: data.replace(b" ", b"\t"),
    ]
    return random.choice(ways)()


def value_of_yaml(data: bytes, other: bytes, random: Random) -> bytes:
    """Give a key another value, on a separate line or between braces."""
    found = list(re.finditer(rb"(?m)(?:^[ \t-]*|[{,][ \t]*)[\w.]+:[ \t]*(?P<value>[^,}\n]*)", data))
    if not found:
        return data
    match = random.choice(found)
    value = random.choice(VALUES).encode("utf-8", "replace")
    return data[: match.start("value")] + value + data[match.end("value") :]


def key_of_yaml(data: bytes, other: bytes, random: Random) -> bytes:
    """Add a key, an odd one or one that exists already."""
    found = list(re.finditer(rb"(?m)^([ \t]*)([\w.]+):[^\n]*\n", data))
    if not found:
        return data
    match, known = random.choice(found), random.choice(found)[2].decode("ascii", "replace")
    row = f"{random.choice((*KEYS, known))}: {random.choice(VALUES)}\n".encode("utf-8", "replace")
    place = random.choice((match.start(), match.end()))
    return data[:place] + match[1] + row + data[place:]


def deepen_yaml(data: bytes, other: bytes, random: Random) -> bytes:
    """Nest a value, in flow or in block style, a few or many levels deep."""
    depth = random.choice((2, 10, 19, 20, 21, 60, 400))
    flow = random.choice(("[" * depth + "]" * depth, "{a: " * depth + "1" + "}" * depth))
    block = "\n" + "\n".join(f"{' ' * (2 * level + 2)}a:" for level in range(min(depth, 60)))
    return _at(rb"(?m)^[ \t-]*[\w.]+:[ \t]*", data, random, random.choice((flow, block)))


def alias_yaml(data: bytes, other: bytes, random: Random) -> bytes:
    """Add anchors and aliases: some, too many, recursive ones, and aliases of aliases."""
    bomb = "".join(f"b{n}: &b{n} [{', '.join([f'*b{n - 1}'] * 9) or 'lol'}]\n" for n in range(1, 8))
    merged = "base: &base {id: a, expect: [{contains: a}]}\n<<: *base\n"
    rows = random.choice(("b0: &b0 [x]\n" + bomb, merged, "a: &a [*a]\n", "a: &a x\nb: *a\n", "z: *a\n" * 17))
    place = data.find(b"\n") + 1
    return data[:place] + rows.encode() + data[place:]


def fence(data: bytes, other: bytes, random: Random) -> bytes:
    """Open, close, lengthen or remove a fence, a comment or a directive."""
    marks = (
        *(
            "```\n",
            "````bash\n",
            "~~~\n",
            "```bash\n",
            "<!-- step\n",
            "<!-- step\nid: x\n-->\n",
            "<!-- run\n",
        ),
        *(
            "-->\n",
            "--->\n",
            "<!-- expect\nstep: x\n-->\n",
            "<!-- skip\n-->\n",
            "<!-- ignore\nrules: [x]\n-->\n",
        ),
        *(
            "<!-- manual\nid: m\n-->\n",
            "---\n",
            "<!---->\n",
            "<![CDATA[\n",
            "<?\n",
            "<!-- ignore\nfile: true\n-->\n",
        ),
    )
    found = list(re.finditer(rb"(?m)^[ >\t-]*(```|~~~|<!--|-->)[^\n]*\n", data))
    if found and random.random() < 0.5:
        match = random.choice(found)
        return (
            data[: match.start()] + random.choice((b"", match[0] * 2, b"`" + match[0])) + data[match.end() :]
        )
    place = data.rfind(b"\n", 0, random.randrange(len(data) + 1)) + 1
    return data[:place] + random.choice(marks).encode() + data[place:]


def contain(data: bytes, other: bytes, random: Random) -> bytes:
    """Put the rest of a document into lists and quotes, a few or hundreds of levels deep."""
    mark = random.choice((b"> ", b"- ", b"1. ", b"   ", b">", b"* - > ", b"\t")) * random.choice(
        (1, 1, 3, 40)
    )
    lines = data.split(b"\n")
    place = random.randrange(len(lines))
    end = place + random.choice((3, 10, len(lines)))
    return b"\n".join([*lines[:place], *(mark + row for row in lines[place:end]), *lines[end:]])


def inline(data: bytes, other: bytes, random: Random) -> bytes:
    """Add prose that takes parsers a long time or that they read differently."""
    pieces = (
        *(
            "[" * 300,
            "![a](" * 100,
            "*a _b " * 200,
            "`" * 99,
            "<a " * 100,
            "|a" * 200 + "\n" + "|-" * 200,
            "# x\n" * 99,
        ),
        *(
            "[x](javascript:alert(1)) ",
            "[x](command:tenstorrent.showLesson?%5B%22a%22%5D) ",
            "[x]: <> 'a\n",
            "[x][]",
        ),
        *(
            "## Step 1: a\n\n```bash\npip install a\n```\n",
            "**Why:** x\n",
            "**Look for:** \x1b[31m\n",
            "<!-- a -- b -->",
        ),
        *(
            "```bash\n$ cat <<A\n$(((\n```\n",
            "```python\n>>> def f(:\n```\n",
            "&#0; &#xD800; &Tab; &",
            "\\\n" * 50,
        ),
    )
    place = data.rfind(b"\n", 0, random.randrange(len(data) + 1)) + 1
    return data[:place] + random.choice(pieces).encode() + b"\n" + data[place:]


def change_json(data: bytes, other: bytes, random: Random) -> bytes:
    """Change, remove, rename, repeat or nest something anywhere in a JSON document."""
    try:
        top = [json.loads(data)]
    except (ValueError, RecursionError):
        return value_of_json(data, other, random)
    for _ in range(random.choice((1, 1, 2, 5))):
        _change_json(top, random)
    return json.dumps(top[0], ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")


def value_of_json(data: bytes, other: bytes, random: Random) -> bytes:
    """Change JSON as text: a value that no library would write, or a duplicate key."""
    found = list(re.finditer(rb'"[^"\n]{1,60}":\s*', data))
    if not found:
        return data
    match = random.choice(found)
    odd = (
        b"NaN",
        b"-Infinity",
        b"1e400",
        b"[" * 2_000,
        b"01",
        b"'a'",
        b'"\\ud800"',
        b"1" * 5_000,
        b"",
        b"/**/1",
    )
    twice = match[0] + b"null," + match[0]
    return (
        data[: match.start()]
        + random.choice((twice, match[0] + random.choice(odd) + b","))
        + data[match.end() :]
    )


GENERAL: tuple[Mutation, ...] = (flip, cut, end_early, double, splice, join, put_odd)
TEXT: tuple[Mutation, ...] = (*GENERAL, change_lines, end_lines_otherwise)
YAML: tuple[Mutation, ...] = (
    *TEXT,
    value_of_yaml,
    value_of_yaml,
    key_of_yaml,
    key_of_yaml,
    deepen_yaml,
    alias_yaml,
)
MARKDOWN: tuple[Mutation, ...] = (*YAML, fence, fence, contain, inline)
JSON: tuple[Mutation, ...] = (
    *TEXT,
    change_json,
    change_json,
    change_json,
    change_json,
    change_json,
    value_of_json,
)


def odd_json(random: Random) -> Any:
    """Return a value that is rarely valid."""
    deep: Any = 1
    for _ in range(random.choice((3, 90, 101, 900))):
        deep = [deep] if random.random() < 0.5 else {"a": deep}
    values: tuple[Any, ...] = (
        *PATTERNS,
        *(
            None,
            True,
            False,
            0,
            -1,
            1.5,
            10**30,
            -(2**63),
            1e308,
            float("nan"),
            float("inf"),
            "",
            "x" * 5_000,
            deep,
        ),
        *(
            [],
            {},
            [[]],
            {"": None},
            "\ud800",
            "\0",
            "\x1b[2J",
            "\u202e",
            "../..",
            "/etc/passwd",
            "a\nb",
            "2026-13-45T99",
        ),
        *(
            ["a"] * 500,
            {str(n): n for n in range(200)},
            "<script>alert(1)</script>",
            "1",
            "passed",
            "ct4.train",
        ),
    )
    return random.choice(values)


def _change_json(top: list[Any], random: Random) -> None:
    holder: Any = top
    while True:
        places = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not places:
            return
        place = random.choice(places)
        inner = holder[place]
        if not isinstance(inner, dict | list) or not inner or random.random() < 0.2:
            break
        holder = inner
    way = random.choice(("odd", "odd", "odd", "out", "rename", "wrap", "swap"))
    if way == "out" and holder is not top:
        del holder[place]
    elif way == "rename" and isinstance(holder, dict):
        holder[random.choice(("", "a", f"{place}x", str(place).upper()))] = holder.pop(place)
    elif way == "wrap":
        holder[place] = random.choice(([holder[place]], {"a": holder[place]}, [holder[place]] * 50))
    elif way == "swap":
        holder[place], holder[places[0]] = holder[places[0]], holder[place]
    else:
        holder[place] = odd_json(random)


def _piece(data: bytes, random: Random) -> tuple[int, int]:
    start = random.randrange(len(data) + 1)
    return start, min(len(data), start + random.choice((1, 2, 8, 40, 200, 1_000)))


def _at(pattern: bytes, data: bytes, random: Random, put: str) -> bytes:
    """Replace the rest of the line after a match of a pattern."""
    found = list(re.finditer(pattern, data))
    if not found:
        return data + put.encode("utf-8", "replace")
    place = random.choice(found).end()
    end = data.find(b"\n", place)
    return data[:place] + put.encode("utf-8", "replace") + (data[end:] if end >= 0 else b"")


def change_signed(data: bytes, other: bytes, random: Random) -> bytes:
    """Change the certification that a bundle holds, in its last line; anything else as JSON."""
    lines = data.splitlines()
    try:
        envelope = json.loads(lines[1])
        payload = change_json(base64.b64decode(envelope["payload"]), other, random)
    except (ValueError, LookupError, TypeError, RecursionError):
        return change_json(data, other, random)
    envelope["payload"] = base64.b64encode(payload).decode()
    return b"\n".join([lines[0], json.dumps(envelope).encode()])


def change_checkpoint(data: bytes, other: bytes, random: Random) -> bytes:
    """Change the header of a checkpoint, or its metadata, and give it the right length."""
    end = 8 + int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8:end])
        if random.random() < 0.6:
            about = change_json(header["__metadata__"]["about"].encode(), other, random)
            header["__metadata__"]["about"] = about.decode("utf-8", "surrogatepass")
            text = json.dumps(header).encode()
        else:
            text = change_json(data[8:end], other, random)
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        return put_odd(data, other, random)
    return len(text).to_bytes(8, "little") + text + data[end:]
