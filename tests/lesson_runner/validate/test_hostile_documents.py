"""Any broken document is validated within seconds, with one line per diagnostic and no traceback."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lesson_runner.testing import lesson_text

SECONDS = 15.0
"""Seconds of processor time, so that a busy machine does not matter."""
HEAD = lesson_text("", id="hostile")
MEGABYTE = 1_000_000
WGET = "wget https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"


def laughs() -> str:
    rows = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    rows += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    return "---\n" + "\n".join(rows) + "\n---\n"


def shell_of(text: str) -> bytes:
    """Return a lesson whose only step has this text, repeated up to the size limit."""
    script = text * (1_900_000 // len(text))
    return f"{HEAD}<!-- step\nid: one\n-->\n```bash\n{script}\n```\n".encode()


HOSTILE: dict[str, Callable[[], bytes]] = {
    "nested-substitutions": lambda: (
        f"{HEAD}<!-- step\nid: one\n-->\n```bash\n{'$(' * 3000}echo a{')' * 3000}\n```\n".encode()
    ),
    "empty": lambda: b"",
    "one-newline": lambda: b"\n",
    "only-dashes": lambda: b"---",
    "binary": lambda: bytes(range(256)) * 1000,
    "zeros": lambda: b"\0" * MEGABYTE,
    "zeros-in-a-lesson": lambda: (HEAD + "\0 text \0\n```bash\necho \0\n```\n").encode(),
    "50-megabytes": lambda: HEAD.encode() + b"x" * 50 * MEGABYTE,
    "cyclic-aliases": lambda: b"---\nid: &a [*a]\ntags: &b {x: *b}\n---\n",
    "billion-laughs": lambda: laughs().encode(),
    "deep-yaml": lambda: b"---\nid: " + b"[" * 30_000 + b"\n---\n",
    "deep-yaml-mappings": lambda: b"---\n" + b"{a: " * 10_000 + b"\n---\n",
    "long-yaml-line": lambda: b"---\nid: " + b"a" * 60_000 + b"\n---\n",
    "opening-brackets": lambda: (HEAD + "[" * 10_000).encode(),
    "two-megabytes-of-brackets": lambda: (HEAD + "[" * 1_900_000).encode(),
    "links-half-open": lambda: (HEAD + "[a](" * 400_000).encode(),
    "images-half-open": lambda: (HEAD + "![" * 100_000 + "](x)").encode(),
    "brackets-both": lambda: (HEAD + "[" * 50_000 + "](x)" * 50_000).encode(),
    "backticks": lambda: (HEAD + " ".join("`" * n for n in range(1, 1500)) + "[a](b)").encode(),
    "html-half-open": lambda: (HEAD + "<a " * 300_000).encode(),
    "anchors-half-open": lambda: (HEAD + '<a id="' * 100_000).encode(),
    "comments-half-open": lambda: (HEAD + "<!-- step\n" * 100_000).encode(),
    "quotes": lambda: (HEAD + ">" * 10_000 + " x").encode(),
    "quotes-line-by-line": lambda: (HEAD + "\n".join(">" * n + " x" for n in range(1, 1500))).encode(),
    "lists": lambda: (HEAD + "\n".join("  " * n + "- x" for n in range(1, 900))).encode(),
    "lists-in-one-line": lambda: (HEAD + "- " * 10_000 + "x").encode(),
    "emphasis": lambda: (HEAD + "*a _b " * 200_000 + "[a](b)").encode(),
    "headings": lambda: (HEAD + "# same\n\n" * 100_000).encode(),
    "anchors-of-many-headings": lambda: (HEAD + "# same\n\n" * 5_000 + "[x](#same-4999) " * 2_000).encode(),
    "fences": lambda: (HEAD + "```bash\necho\n" * 50_000).encode(),
    "steps": lambda: (
        HEAD + "".join(f"<!-- step\nid: s{n}\n-->\n```bash\necho {n}\n```\n\n" for n in range(4_000))
    ).encode(),
    "needs-backwards": lambda: (
        HEAD
        + "".join(
            f"<!-- step\nid: s{n}\nneeds: [s{n + 1}]\n-->\n```bash\necho {n}\n```\n\n" for n in range(3_000)
        )
        + "<!-- step\nid: s3000\n-->\n```bash\necho\n```\n"
    ).encode(),
    "needs-in-a-circle": lambda: (
        HEAD
        + "".join(
            f"<!-- step\nid: s{n}\nneeds: [s{(n + 1) % 2_000}]\n-->\n```bash\necho\n```\n\n"
            for n in range(2_000)
        )
    ).encode(),
    "misspelt-keys": lambda: (
        HEAD + "".join(f"<!-- step\nid: s{n}\nNeeds: [x]\n-->\n```bash\necho\n```\n\n" for n in range(3_000))
    ).encode(),
    "table": lambda: (HEAD + "|" * 50_000 + "\n" + "|-" * 50_000 + "\n" + "|" * 50_000).encode(),
    "references": lambda: (
        HEAD + "".join(f"[r{n}]: x{n}\n" for n in range(20_000)) + "[r1] " * 1_000
    ).encode(),
    "crlf": lambda: HEAD.replace("\n", "\r\n").encode(),
    "carriage-returns": lambda: (HEAD + "\r" * MEGABYTE).encode(),
    "bom": lambda: b"\xef\xbb\xbf" * 1000 + HEAD.encode(),
    "tabs": lambda: (HEAD + "\t" * MEGABYTE + "x").encode(),
    "invalid-utf-8": lambda: HEAD.encode() + b"\xff\xfe\xc3\x28",
    "utf-16": lambda: HEAD.encode("utf-16"),
    "surrogates": lambda: HEAD.encode() + b"\xed\xa0\x80",
    "mojibake": lambda: (HEAD + "âœ… ğŸ“¦ Ã© " * 100_000).encode(),
    "mojibake-lines": lambda: (HEAD + "âœ… ğŸ“¦ Ã©\n\n" * 60_000).encode(),
    "deep-bash": lambda: (HEAD + "```bash\n" + "$(" * 10_000 + "\n```\n").encode(),
    "deep-bash-groups": lambda: (HEAD + "```bash\n" + "( " * 20_000 + ") " * 20_000 + "\n```\n").encode(),
    "deep-python": lambda: (HEAD + "```python\n" + "(" * 10_000 + ")" * 10_000 + "\n```\n").encode(),
    "deep-python-minus": lambda: (HEAD + "```python\nx = " + "-" * 100_000 + "1\n```\n").encode(),
    "long-bash": lambda: (HEAD + "```bash\n" + "echo a | b && c\n" * 100_000 + "```\n").encode(),
    "long-python": lambda: (HEAD + "```python\n" + "x = [1, 2, 3]\n" * 100_000 + "```\n").encode(),
    "words": lambda: (HEAD + "```bash\n" + "echo a b c d\n" * 40_000 + "```\n").encode(),
    "brackets-line-by-line": lambda: (HEAD + "```bash\n" + "(\n" * 45_000 + "```\n").encode(),
    "recognised": lambda: (HEAD + "## Step 1: a\n\n```bash\npip install a\n```\n" * 4_000).encode(),
    "looks-at-the-text": lambda: (
        HEAD + "".join(f"```bash\n{command}\n```\n" * 3_000 for command in ("head shakespeare.txt", WGET))
    ).encode(),
    "heredocs": lambda: (HEAD + "```bash\n" + "cat <<A\n" * 20_000 + "```\n").encode(),
    "two-megabytes-of-arithmetic": lambda: shell_of("$(("),
    "two-megabytes-of-parentheses": lambda: shell_of("(("),
    "two-megabytes-of-tests": lambda: shell_of("[[ "),
    "two-megabytes-of-words-in-parts": lambda: shell_of("a'b'"),
    "two-megabytes-of-pipes": lambda: shell_of("a | "),
    "two-megabytes-of-ifs": lambda: shell_of("if "),
    "command-links": lambda: (HEAD + '[x](command:tenstorrent.showLesson?["a"]) ' * 20_000).encode(),
    "dead-links": lambda: (HEAD + "[x](nowhere/at/all.md) " * 20_000).encode(),
    "tokens": lambda: (HEAD + "```bash\n" + "export HF_TOKEN=hf_" + "a" * MEGABYTE + "\n```\n").encode(),
    "escapes": lambda: (HEAD + "\x1b[31m[red](\x1b]0;title\x07)\n").encode(),
}


QUICK = {
    *("empty", "binary", "50-megabytes", "cyclic-aliases", "billion-laughs", "deep-yaml", "opening-brackets"),
    *("quotes", "crlf", "bom", "tabs", "zeros", "invalid-utf-8", "deep-bash", "deep-python", "escapes"),
    "two-megabytes-of-arithmetic",
}
"""The fast ones; ``.ci/run`` tries all."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in HOSTILE]
)
def test_validation_ends_in_time(name: str, tmp_path: Path) -> None:
    """Run in a separate process, because a crash of the interpreter must not look like a passed test."""
    path = tmp_path / f"{name}.md"
    path.write_bytes(HOSTILE[name]())
    began = _processor_time()
    done = subprocess.run(
        [sys.executable, "-m", "lesson_runner", "validate", path.name, "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    spent = _processor_time() - began
    assert done.returncode in (0, 1), done.stderr[-2000:]
    assert "Traceback" not in done.stderr
    assert spent < SECONDS, f"{spent:.1f} s"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["two-megabytes-of-arithmetic", "two-megabytes-of-words-in-parts"])
def test_planning_ends_in_time(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(HOSTILE[name]())
    began = _processor_time()
    command = [sys.executable, "-m", "lesson_runner", "plan", "a.md"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert _processor_time() - began < SECONDS


def _processor_time() -> float:
    """Return the processor time of the child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.slow
def test_all_of_them_in_one_folder(tmp_path: Path) -> None:
    for name, make in HOSTILE.items():
        if len(content := make()) < 100_000:
            (tmp_path / f"{name}.md").write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-m", "lesson_runner", "validate", ".", "--format", "text"],
        cwd=tmp_path,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr[-2000:]
    assert b"\x1b" not in done.stdout
