from __future__ import annotations

import pytest

from lesson_runner.execute.console import commands


@pytest.mark.parametrize(
    "script",
    ["echo hi\n$ echo no prompt, as the first line has none", "", "# $ comment\necho $A", "cat <<< '$ '"],
)
def test_other_blocks_stay_as_they_are(script: str) -> None:
    assert commands(script) == script


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        ("$ echo hi\nhi\n$ ls\na b", "echo hi\n\nls\n"),
        ("# first\n\n$ echo hi\nhi", "\n\necho hi\n"),
        ("$ echo a \\\n    b\na b", "echo a \\\n    b\n"),
        ("$ for i in 1 2; do\n> echo $i\n> done\n1\n2", "for i in 1 2; do\necho $i\ndone\n\n"),
        ("$ cat > f <<'EOF'\nx = 1\n\nEOF\n$ cat f\nx = 1", "cat > f <<'EOF'\nx = 1\n\nEOF\ncat f\n"),
        ("$ cat <<EOF\n> x\n> EOF\nx", "cat <<EOF\nx\nEOF\n"),
        ("$ cat <<< word\nword", "cat <<< word\n"),
        ("$ echo $((1 << 2))\n4", "echo $((1 << 2))\n"),
        ("$ echo hi\n> output that looks like a prompt\n", "echo hi\noutput that looks like a prompt\n"),
        ("$ echo hi\nhi\n> output", "echo hi\n\n"),
    ],
)
def test_prompts_and_output_go_and_line_numbers_stay(session: str, expected: str) -> None:
    assert commands(session) == expected
    assert session.count("\n") == expected.count("\n")
