"""
``lesson matrix`` with many certificates, compared with only checking their signatures with ``cryptography``.

::

    python -m benchmarks certificates
    python -m benchmarks.certificates --lessons 1000 --boards 10 --each 50 --turns 1
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from benchmarks.turns import Timing, in_turns
from lesson_runner.certify.envelope import pre_authentication_encoding, sign, write_bundle
from lesson_runner.certify.keys import KeyStore
from lesson_runner.certify.policy import load_policy
from lesson_runner.certify.policy_input import Pass
from lesson_runner.certify.rejudge import RejudgedStep
from lesson_runner.certify.statement import Digests, describe, payloads
from lesson_runner.certify.store import BUNDLE
from lesson_runner.document.lessons import load_lesson
from lesson_runner.document.schema.validator import load_schema
from lesson_runner.plugins.manager import Plugins
from lesson_runner.run.digests import content_digest
from lesson_runner.run.plan import make_plan

LESSON = """---
id: lesson-{number}
title: Lesson {number}
description: A lesson for a benchmark.
category: benchmarks
tags: [made-up]
supportedHardware: [{boards}]
---

# Lesson {number}

<!-- step
id: count
expect: [{{contains: part {number}}}]
-->
```bash
echo part {number}
```
"""
_TIME = "2026-01-01T00:00:00.000Z"


@dataclass(frozen=True, slots=True)
class Size:
    """How many lessons, boards and certificates are made."""

    lessons: int = 20
    boards: int = 10
    each: int = 10
    """Certificates of each lesson on each board, a day apart."""

    def __str__(self) -> str:
        count = self.lessons * self.boards * self.each
        return f"{self.lessons:,} lessons x {self.boards} boards x {self.each} certificates = {count:,}"


def run(folder: Path | None, turns: int, size: Size | None = None) -> tuple[str, list[Timing]]:
    """
    Measure, and return a description of what was measured and the times, the peer's first.

    Args:
        folder: where lessons and certificates are made and kept; a temporary one if ``None``.
    """
    size = size or Size()
    with tempfile.TemporaryDirectory() as made:
        base = folder or Path(made)
        if not (base / "certificates").is_dir():
            _make(base, size)
        public = base / "home" / "config" / "keys" / "bench.json"

        def signatures() -> object:
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
            from cryptography.hazmat.primitives.serialization import load_pem_public_key

            key = load_pem_public_key(json.loads(public.read_text())["public"].encode())
            assert isinstance(key, Ed25519PublicKey)
            for bundle in base.glob(f"certificates/*/*/*/{BUNDLE}"):
                for line in bundle.read_bytes().splitlines():
                    data = json.loads(line)
                    signed = pre_authentication_encoding(
                        data["payloadType"], base64.b64decode(data["payload"])
                    )
                    key.verify(base64.b64decode(data["signatures"][0]["sig"]), signed)
            return None

        def matrix() -> object:
            command = [sys.executable, "-m", "lesson_runner", "matrix", "--lessons", "lessons"]
            command += ["--certs", "certificates", "--format", "json", "-o", "matrix.json"]
            environment = {**os.environ, "LESSON_HOME": str(base / "home"), "LESSON_PLUGINS": ""}
            return subprocess.run(command, cwd=base, env=environment, check=True, capture_output=True)

        ways: dict[str, Callable[[], object]] = {"signatures alone": signatures, "lesson matrix": matrix}
        timings = in_turns(ways, turns)
        states = {item["state"] for item in json.loads((base / "matrix.json").read_text())}
        assert states == {"certified"}, states
    return str(size), timings


def _make(base: Path, size: Size) -> None:
    keys = KeyStore(base / "home" / "config" / "keys")
    keys.new("bench")
    key = keys.own("bench")
    names = load_schema("lesson")["$defs"]["hardware"]["enum"][: size.boards]
    plugins = Plugins(points=[])
    now = datetime.now(timezone.utc)
    (base / "lessons").mkdir(parents=True)
    for number in range(size.lessons):
        path = base / "lessons" / f"lesson-{number}.md"
        path.write_text(LESSON.format(number=number, boards=", ".join(names)))
        for board in names:
            both = _payloads(path, board, plugins)
            for day in range(size.each):
                target = base / "certificates" / f"lesson-{number}" / board / f"{day}"
                target.mkdir(parents=True)
                signed = [sign(payload, key) for payload in _dated(both, now - timedelta(days=day + 1))]
                (target / BUNDLE).write_bytes(write_bundle(signed))


def _payloads(path: Path, board: str, plugins: Plugins) -> tuple[bytes, bytes]:
    lesson, problems = load_lesson(path)
    plan = make_plan(lesson, problems, plugins, "default")
    simulated = board == "simulator"
    record: Mapping[str, Any] = {
        "hardware": [
            {
                "name": board,
                "detected_by": "a benchmark",
                "devices": 1,
                "kind": "simulator" if simulated else "silicon",
            }
        ],
        "labels": [],
        "backend": "auto",
        "facts": {},
        "profile": "default",
        "params": {},
        "versions": {"lesson-runner": "0", "python": "3", "platform": "made up", "torch": "2.6.0"},
        "plugins": [{"name": f"plugin-{number}", "version": "1"} for number in range(6)],
        "started": _TIME,
        "finished": _TIME,
        "seconds": 100.0,
    }
    runs = [
        Pass({**record, "run_id": f"run-{number}"}, (RejudgedStep("count", "passed"),)) for number in range(2)
    ]
    digests = Digests(content_digest(lesson), plan.digest, "0" * 64)
    policy = load_policy("simulator" if simulated else "board")
    return payloads(describe(lesson, runs, digests, policy, ()), digests, runs)


def _dated(both: tuple[bytes, bytes], time: datetime) -> Iterator[bytes]:
    """Yield the payloads as they would be on another day: the first contains the digest of the second."""
    theirs, ours = both
    issued = json.loads(ours)["predicate"]["issued"]
    then = f"{time:%Y-%m-%dT%H:%M:%S}.000Z".encode()
    dated = ours.replace(_TIME.encode(), then).replace(issued.encode(), then)
    before, after = (hashlib.sha256(data).hexdigest().encode() for data in (ours, dated))
    yield theirs.replace(before, after)
    yield dated


def main() -> None:
    """Read the sizes, measure, and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.certificates")
    parser.add_argument("--lessons", type=int, default=Size().lessons)
    parser.add_argument("--boards", type=int, default=Size().boards)
    parser.add_argument("--each", type=int, default=Size().each)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="make them in this folder, and keep them")
    given = parser.parse_args()
    what, timings = run(given.folder, given.turns, Size(given.lessons, given.boards, given.each))
    sys.stdout.write(f"{what}\n")
    for item in timings:
        sys.stdout.write(f"  {item.name:<20} {item.median:8.2f} s\n")


if __name__ == "__main__":
    main()
