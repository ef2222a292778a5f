"""A certificate contains no secret, and is rejudged on redacted evidence."""

from __future__ import annotations

import re

import pytest
from tests.lesson_runner.certify.garden import LESSON, Bench, garden

SECRET = "Wq8-zuckerruebe-lauert-71"


def test_a_certificate_holds_for_output_with_a_secret(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GARDEN_PASSWORD", SECRET)
    monkeypatch.setattr(garden, "facts", {"gate": f"opened with {SECRET}"})
    monkeypatch.setattr(garden, "labels", (f"key {SECRET}",))
    (bench.folder / "gate").write_text(SECRET)
    said = (
        'echo "beans: 5"; echo "gate: $(cat "$LESSON_WORKSPACE"/../gate "$LESSON_WORKSPACE"/../../../gate)"'
    )
    text = LESSON.replace("echo beans: 5", said)
    *_, pattern = re.findall(r"expect: \[.*\]", text)
    bench.write(text.replace(pattern, 'expect: [{contains: "gate: [redacted]"}]'))

    done = bench.certify()

    assert done.code == 0, done
    assert bench.verify()["holds"]
    files = [path for path in bench.certificate.rglob("*") if path.is_file()]
    assert any("opened with [redacted]" in path.read_text("utf-8", "replace") for path in files)
    assert [path for path in files if SECRET in path.read_text("utf-8", "replace")] == []
    assert SECRET not in done.out
