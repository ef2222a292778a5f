"""No file of a run and no output of a command holds a secret."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import stat
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.execute.redaction.redactor import REDACTED, Redactor
from lesson_runner.run.clean import LARGEST, clean_evidence
from lesson_runner.testing import lesson_text

SECRET = "kQ9vX2mL7pR4tZ8wB3nC6yD1"  # does not look like a token by itself
BODY = """
# Say {title}

<!-- step
id: shown
expect: [{{contains: "[redacted]"}}]
-->
```bash
printenv UPLOAD | grep --color=always "${{UPLOAD:0:4}}"
printf '%s\\\\0' $(echo "$UPLOAD" | fold -w 1)
python3 -c 'import os; print("\\u200b".join(os.environ["UPLOAD"]))'
echo "$UPLOAD" | base64
echo "$UPLOAD" | xxd -p 2>/dev/null || true
echo "$UPLOAD" > "$UPLOAD.txt"
mkdir "dir-$UPLOAD" && touch "dir-$UPLOAD/x"
```

<!-- step
id: evidence
optional: true
-->
```bash
cd "$LESSON_RUN_FOLDER/evidence/evidence"
echo "x $UPLOAD x" > "$UPLOAD.txt"
echo "$UPLOAD" > "y-$UPLOAD.txt"
echo "$UPLOAD" | gzip > packed.gz
printf '\\\\0%s' "$UPLOAD" > binary
echo "$UPLOAD" > ../_shared/corpus-0123456789abcdef.txt
exit 3
```
"""


def lesson(folder: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("LESSON_")},
        "UPLOAD": SECRET,
        "LESSON_HOME": str(folder / "home"),
    }
    return subprocess.run(
        [sys.executable, "-m", "lesson_runner", *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
    )


def holds(data: bytes) -> bool:
    """Return whether bytes hold a secret, ignoring escapes and invisible characters."""
    text = data.decode("utf-8", "replace")
    plain = re.sub(r"\x1b\[[\d;]*[A-Za-z]|[\0-\x08\x0e-\x1f\u200b\ufffd]|\\u200b|\\u0000|\\ufffd", "", text)
    join_checks = re.sub(r"\s+", "", plain)
    return any(SECRET in item or SECRET.encode().hex() in item for item in (text, plain, join_checks))


@pytest.mark.parametrize(
    "form", [pytest.param([], id="text"), pytest.param(["--json"], id="json", marks=pytest.mark.slow)]
)
def test_a_run_shows_and_stores_no_secret(tmp_path: Path, form: list[str]) -> None:
    body = BODY.replace("$LESSON_RUN_FOLDER", "..")
    (tmp_path / "a.md").write_text(lesson_text(body.format(title="it").replace("\\\\0", "\\0")))
    said = lesson(tmp_path, "run", "a.md", "--allow", "shell", "--env", "UPLOAD", *form)
    assert said.returncode == 0, said
    assert not holds(said.stdout + said.stderr)
    (run,) = (tmp_path / ".lesson" / "runs").iterdir()
    kept = {"shell", "files"}  # the terminal and what steps made, as they made it
    for path in (
        found for item in run.iterdir() if item.name not in kept for found in (item, *item.rglob("*"))
    ):
        assert SECRET not in str(path)
        if path.is_file():
            assert not holds(path.read_bytes()), path
    record = json.loads((run / "record.json").read_text())
    shown, evidence = record["steps"]
    assert shown["status"] == "passed"
    assert "evidence: " in evidence["message"]
    assert f"{REDACTED}.txt: a secret was redacted" in evidence["message"]
    assert "packed.gz: removed, because it held a secret" in evidence["message"]
    assert "binary: removed, because it held a secret" in evidence["message"]
    assert {f"evidence/evidence/{REDACTED}.txt", f"evidence/evidence/y-{REDACTED}.txt"} <= set(
        evidence["artifacts"]
    )
    left = [json.loads(line).get("left") for line in (run / "events.jsonl").read_text().splitlines()]
    assert {f"{REDACTED}.txt", f"dir-{REDACTED}/x"} <= set(next(filter(None, left)))
    for kind in ("html", "markdown", "junit", "ctrf", "json"):
        report = lesson(tmp_path, "report", "latest", "--format", kind)
        assert report.returncode == 0, report
        assert not holds(report.stdout + report.stderr), kind


@pytest.mark.slow
def test_a_run_with_a_secret_in_a_file_name_is_not_resumed(tmp_path: Path) -> None:
    step = "<!-- step\nid: {}\n-->\n```bash\n{}\n```\n\n"
    steps = step.format("one", 'touch "$UPLOAD"') + step.format("two", "false")
    (tmp_path / "a.md").write_text(lesson_text(steps))
    assert lesson(tmp_path, "run", "a.md", "--allow", "shell", "--env", "UPLOAD").returncode == 1
    said = lesson(tmp_path, "resume", "--allow", "shell", "--env", "UPLOAD")
    assert said.returncode == 2, said
    assert b"a file of step 'one' cannot be compared: its name holds a secret" in said.stderr
    assert not holds(said.stdout + said.stderr)


@pytest.mark.slow
@pytest.mark.parametrize("where", ["id", "title", "path"])
def test_a_secret_in_a_lesson(tmp_path: Path, where: str) -> None:
    """A run does not start if an id is a secret: files are found by it. Everything else is redacted."""
    secret = SECRET.lower()
    step = f"id: {secret if where == 'id' else 'one'}\ntitle: Say {secret if where == 'title' else 'it'}"
    name = f"{secret}.md" if where == "path" else "a.md"
    text = lesson_text(f"<!-- step\n{step}\n-->\n```bash\necho it\n```\n", id="a")
    (tmp_path / name).write_text(text)
    environment = {**os.environ, "UPLOAD": secret, "LESSON_HOME": str(tmp_path / "home")}
    command = [sys.executable, "-m", "lesson_runner", "run", name, "--allow", "shell", "--env", "UPLOAD"]
    said = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert b"Traceback" not in said.stderr
    assert secret.encode() not in said.stdout + said.stderr
    assert said.returncode == (0 if where in ("title", "path") else 2), said
    if where == "id":
        assert b"the step's id on line" in said.stderr
    for path in (tmp_path / ".lesson").rglob("*"):
        assert secret not in str(path)
        assert (
            not path.is_file()
            or path.name in ("script.sh", "state.sh")
            or secret.encode() not in path.read_bytes()
        )


# --- files of all kinds ---


def packed(kind: str) -> bytes:
    buffer = io.BytesIO()
    data = f"the {SECRET} in it".encode()
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("a/b.txt", data)
    else:
        with tarfile.open(fileobj=buffer, mode=f"w:{kind}") as tar:  # type: ignore[call-overload]
            member = tarfile.TarInfo("a/b.txt")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


REMOVED = {
    "raw": b"\x89PNG\0\1" + SECRET.encode(),
    "UTF-16 in binary": b"\0\1\2\3" + SECRET.encode("utf-16-le"),
    "late": b"\0" * 3_000_000 + SECRET.encode() + b"\0" * 9,
    "gz": gzip.compress(SECRET.encode()),
    **{kind: packed(kind) for kind in ("zip", "gz", "bz2", "xz", "")},
}
KEPT = {
    "UTF-8": f"a {SECRET} b".encode(),
    "no UTF-8": b"a \xff" + SECRET.encode() + b"\xfe b",
    "UTF-16": f"a {SECRET} b".encode("utf-16"),
    "UTF-32": f"a {SECRET} b".encode("utf-32"),
    "JSON": json.dumps({"a": [SECRET], SECRET: 1}).encode(),
    "coloured": f"a \x1b[31m{SECRET[:5]}\x1b[0m{SECRET[5:]} b".encode(),
    "lines": f"a {SECRET[:9]}\n{SECRET[9:]} b".encode(),
}


@pytest.mark.parametrize("data", REMOVED.values(), ids=REMOVED)
def test_a_binary_file_with_a_secret_is_removed(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.bin").write_bytes(data)
    assert clean_evidence(tmp_path, Redactor([SECRET]), {}) == ["x.bin: removed, because it held a secret"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", KEPT.values(), ids=KEPT)
def test_a_text_with_a_secret_is_rewritten(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.txt"
    path.write_bytes(data)
    path.chmod(0o640)
    os.link(path, tmp_path.parent / f"{tmp_path.name}-elsewhere")
    assert clean_evidence(tmp_path, Redactor([SECRET]), {}) == ["x.txt: a secret was redacted"]
    assert SECRET.encode() not in path.read_bytes().replace(b"\0", b"").replace(b"\n", b"")
    assert REDACTED.encode() in path.read_bytes().replace(b"\0", b"")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert (tmp_path.parent / f"{tmp_path.name}-elsewhere").read_bytes() == data, (
        "a file of somebody else's is left alone"
    )


def test_files_without_secrets_and_special_files_are_unchanged(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("nothing\n")
    (tmp_path / "b.bin").write_bytes(bytes(range(256)) * 99)
    (tmp_path / "c.zip").write_bytes(b"PK\3\4 is no archive")
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("/dev/zero")
    before = {path: path.lstat() for path in tmp_path.iterdir()}
    seen: dict[str, Any] = {}
    assert clean_evidence(tmp_path, Redactor([SECRET]), seen) == []
    assert {path: path.lstat() for path in tmp_path.iterdir()}.keys() == before.keys()
    (tmp_path / "a.txt").write_text(f"{SECRET}\n")
    assert len(clean_evidence(tmp_path, Redactor([SECRET]), seen)) == 1, "a changed file is looked at again"


def test_a_file_too_large_to_check_is_removed(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(LARGEST + 1)
    (said,) = clean_evidence(tmp_path, Redactor([SECRET]), {})
    assert said == f"large: removed, because it is too large to check for secrets ({LARGEST + 1:,} bytes)"


def test_redacted_names_stay_distinct(tmp_path: Path) -> None:
    other = "vB5kN8xM1qW3eR6tY9uI2oP4"
    (tmp_path / f"{SECRET}.txt").touch()
    (tmp_path / f"{other}.txt").touch()
    (tmp_path / f"in-{SECRET}").mkdir()
    clean_evidence(tmp_path, Redactor([SECRET, other]), {})
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"{REDACTED}.txt", f"{REDACTED}-2.txt", f"in-{REDACTED}"}
