"""
Folders that a stranger has changed: a document of this kind is a list of changes, one per line.

A line is a JSON list: the change, which of the folder's files it changes, and a number that decides how.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from tools.fuzz.mutations import odd_json

SECRET = "canary-7d1f"
"""A text outside the folder, which must never be shown."""
LARGEST = 10_000_000
"""The most bytes that are read of a file to change a part of it."""
ORIGINALS = [b'["odd", 0, 0]']
BOMBS: tuple[Callable[[], bytes], ...] = (
    lambda: b"[" * 200_000,
    lambda: b'{"a":' * 99 + b"1" + b"}" * 99,
    lambda: b"[" + b"{}," * 1_500_000 + b"{}]",
    lambda: b"[" + b'{"a":1},' * 400_000 + b"{}]",
    lambda: b'"' + b"x" * 20_000_000 + b'"',
    lambda: b"1" * 4_000,
    lambda: b"\xff\xfe" * 100,
    lambda: b"NaN",
    lambda: b"step,loss,seconds\n" + b"".join(b"%d,1e308,1\n" % n for n in range(1, 200_000)),
    lambda: b"\n" * 20_000_000,
    lambda: b"",
)
NAMES = ("a\nb", "\x1b[2J", "\u202etxt", "-rf", "a" * 250, "\udcff", "...", "CON", " ", "record.json")


def change(data: bytes, other: bytes, random: Random) -> bytes:
    """Return the list with one change more, or one fewer."""
    changes = data.splitlines()
    if len(changes) > 1 and random.random() < 0.2:
        del changes[random.randrange(len(changes))]
    else:
        new = [random.choice([*CHANGES]), random.randrange(10**6), random.randrange(10**9)]
        changes.append(json.dumps(new).encode())
    return b"\n".join(changes)


def apply(data: bytes, folder: Path, outside: Path) -> None:
    """Change a folder as a document says; skip changes that are no longer possible."""
    for line in data.splitlines():
        paths = sorted(path for path in folder.rglob("*") if not path.is_symlink() and os.path.lexists(path))
        with suppress(OSError, ValueError, LookupError, TypeError, AttributeError, ZeroDivisionError):
            name, place, number = json.loads(line)
            CHANGES[name](paths[place % len(paths)], Random(number), outside)


def _away(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _link(path: Path, random: Random, outside: Path) -> None:
    targets = (
        "/dev/zero",
        "/dev/tty",
        "/proc/self/mem",
        "/",
        path.name,
        outside / "secret",
        outside / "pipe",
    )
    _away(path)
    path.symlink_to(random.choice(targets))


def _link_to_alike(path: Path, random: Random, outside: Path) -> None:
    """Replace a folder or a file by a link to a similar one with secrets."""
    target = outside / "like" / str(random.randrange(10**9))
    if path.is_dir():
        shutil.copytree(path, target, symlinks=True)
        for file in target.rglob("*"):
            if file.is_file() and not file.is_symlink():
                file.write_text(SECRET)
    else:
        target.parent.mkdir(exist_ok=True)
        target.write_text(SECRET)
    _away(path)
    path.symlink_to(target)


def _pipe(path: Path, random: Random, outside: Path) -> None:
    _away(path)
    os.mkfifo(path)


def _socket(path: Path, random: Random, outside: Path) -> None:
    _away(path)
    here = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(f"/proc/self/fd/{here}/{path.name}")
    os.close(here)


def _sparse(path: Path, random: Random, outside: Path) -> None:
    with path.open("rb+") as file:
        file.truncate(random.choice((2**40, 60 * 2**30, 33 * 2**20, 31 * 2**20)))


def _short(path: Path, random: Random, outside: Path) -> None:
    with path.open("rb+") as file:
        file.truncate(random.randrange(path.stat().st_size + 1))


def _folder(path: Path, random: Random, outside: Path) -> None:
    _away(path)
    path.mkdir()


def _gone(path: Path, random: Random, outside: Path) -> None:
    _away(path)


def _renamed(path: Path, random: Random, outside: Path) -> None:
    path.rename(path.with_name(random.choice(NAMES)))


def _more(path: Path, random: Random, outside: Path) -> None:
    place = path if path.is_dir() else path.parent
    for name in NAMES:
        (place / name).write_bytes(b"x")
    for number in range(random.choice((0, 1500))):
        (place / str(number)).touch()


def _deep(path: Path, random: Random, outside: Path) -> None:
    place = path if path.is_dir() else path.parent
    Path(place, *"d" * random.choice((10, 300, 900))).mkdir(parents=True)


def _bomb(path: Path, random: Random, outside: Path) -> None:
    content = random.choice(BOMBS)()
    path.write_bytes(content)


def _odd(path: Path, random: Random, outside: Path) -> None:
    """Change a value somewhere inside the JSON."""
    if path.stat().st_size > LARGEST:
        return
    lines = path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()]
    place = random.randrange(len(lines))
    data = json.loads(lines[place])
    _change_value(data, random)
    lines[place] = json.dumps(data)
    path.write_text("\n".join(lines) + "\n")


def _change_value(data: Any, random: Random) -> None:
    while True:
        keys: list[Any] = list(data) if isinstance(data, dict) else list(range(len(data)))
        key = random.choice(keys)
        if not isinstance(data[key], dict | list) or not data[key] or random.random() < 0.2:
            data[key] = random.choice((_hostile_values(random), odd_json(random)))
            return
        data = data[key]


def _hostile_values(random: Random) -> Any:
    return random.choice(
        (
            *(1e308, -1e308, float("nan"), float("inf"), 10**400, 10**18, -1, 0, None, True, [], {}),
            *(
                "../../../etc/passwd",
                "/etc/passwd",
                "..",
                ".",
                "",
                "a\0b",
                "\ud800",
                "x" * 2_000_000,
                "a/../b",
            ),
            *("\x1b]0;x\x07", "a\nb", "../01-whole", [[[]]] * 1000, {str(n): n for n in range(5000)}),
        )
    )


def _claim(path: Path, random: Random, outside: Path) -> None:
    """Make the record say something else about the files, or give it many more steps."""
    (path,) = [name / "record.json" for name in path.parents if (name / "record.json").is_file()]
    if path.stat().st_size > LARGEST:
        return
    record = json.loads(path.read_text())
    step = random.choice(record["steps"])
    what = random.randrange(5)
    if what == 0:
        for facts in step.get("artifacts", {}).values():
            facts["bytes"] = random.choice((0, 2**40, 10**30))
    elif what == 1:
        step["artifacts"] = {f"evidence/{n}": {"bytes": n} for n in range(random.choice((3, 20_000)))}
    elif what == 2:
        like = random.choice(("verdicts", "claims", "diagnoses"))
        step[like] = [*step.get(like, ()), *({"x": 1},)] * random.choice((3, 10_000))
    elif what == 3:
        count = random.choice((30, 2_000))  # of a report, a millisecond each
        record["steps"] += [{**step, "id": f"{step['id']}-{n}"} for n in range(count)]
    else:
        step["metrics"] = {
            f"m{n}": random.choice((1e308, 1, 10**400)) for n in range(random.choice((9, 30_000)))
        }
    path.write_text(json.dumps(record))


CHANGES: Mapping[str, Callable[[Path, Random, Path], None]] = {
    "link": _link,
    "link to alike": _link_to_alike,
    "pipe": _pipe,
    "socket": _socket,
    "sparse": _sparse,
    "short": _short,
    "folder": _folder,
    "gone": _gone,
    "renamed": _renamed,
    "more": _more,
    "deep": _deep,
    "bomb": _bomb,
    "odd": _odd,
    "claim": _claim,
}
