"""What a person types from a block: the text that steps run, and that rules and plugins see."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.lesson_runner.validate.rules.code_lessons import lesson_with

from lesson_runner.document.shell import shell_commands
from lesson_runner.document.transcripts import typed
from lesson_runner.plugins import Block, Location
from lesson_runner.testing import lesson_text, plan_lesson, run_lesson
from lesson_runner.validate.rules.code.shell_tree import shells


@pytest.mark.parametrize(
    "script",
    [
        "echo hi\n$ echo no prompt, as the first line has none",
        "",
        "# $ comment\necho $A",
        "cat <<< '$ '",
        "cat > f <<'END'\n$ ls\nEND",
        "echo '\n$ ls\n'",
        "git clone git@github.com:a/b",
    ],
)
def test_other_blocks_are_not_changed(script: str) -> None:
    assert typed(script).text == script
    assert not typed(script).transcript


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        ("$ echo hi\nhi\n$ ls\na b", "echo hi\n\nls\n"),
        ("# first\n\n$ echo hi\nhi", "\n\necho hi\n"),
        ("$ echo a \\\n    b\na b", "echo a \\\n    b\n"),
        ("$ echo $((1 + 1)); cat <<EOF\nhi\nEOF\n2\nhi", "echo $((1 + 1)); cat <<EOF\nhi\nEOF\n\n"),
        ("$ grep '((' a; cat <<EOF\n$ hi\nEOF\nhi", "grep '((' a; cat <<EOF\n$ hi\nEOF\n"),
        ("$ echo $((1 << EOF))\n1\nEOF", "echo $((1 << EOF))\n\n"),
        ("$ for i in 1 2; do\n> echo $i\n> done\n1\n2", "for i in 1 2; do\necho $i\ndone\n\n"),
        ("$ cat > f <<'EOF'\nx = 1\n\nEOF\n$ cat f\nx = 1", "cat > f <<'EOF'\nx = 1\n\nEOF\ncat f\n"),
        ("$ cat <<EOF\n> x\n> EOF\nx", "cat <<EOF\nx\nEOF\n"),
        ("$ cat <<< word\nword", "cat <<< word\n"),
        ("$ echo $((1 << 2))\n4", "echo $((1 << 2))\n"),
        ("$ echo hi\n> output that looks like a prompt\n", "echo hi\n\n"),
        ("$ echo hi\nhi\n> output", "echo hi\n\n"),
        # Other prompts.
        ("% ls\na", "ls\n"),
        ("me@host:~/tt-metal$ ls\na\nroot@4f2a:/# id\n0", "ls\n\nid\n"),
        ("me@mac tt-metal % ls\na", "ls\n"),
        ("[me@host ~]$ ls\na", "ls\n"),
        ("(venv) $ ls\na\n$ id", "ls\n\nid"),
        ("$ ls\na\nme@host:~$ id", "ls\n\n"),
        ("$ source env/bin/activate\n(env) $ ls", "source env/bin/activate\nls"),
        ("  $ ls\n  a\n  $ id", "ls\n\nid"),
        ("$ ls\r\na\r\n$ id\r\n", "ls\n\nid\n"),
        ("$ ls\n$\n$ id", "ls\n\nid"),
        # More lines of one command.
        ("$ python -c \"\n> print(1)\n> \"\n1", 'python -c "\nprint(1)\n"\n'),
        ("$ ls |\n> wc\n3", "ls |\nwc\n"),
        ("$ cat <<A <<B\na\nA\n$ b\nB\nout", "cat <<A <<B\na\nA\n$ b\nB\n"),
        ("$ cat <<EOF\n> a\n\n> b\n> EOF\nout", "cat <<EOF\na\n\nb\nEOF\n"),
        ("$ cat <<'END-1'\n# A\n> quoted\n$ b\nEND-1\nout", "cat <<'END-1'\n# A\n> quoted\n$ b\nEND-1\n"),
        # Output.
        ("$ curl x\n% Total\n  % Received\n$ ls", "curl x\n\n\nls"),
        ("$ tool --help\nUsage:\n  $ tool rm\n$ ls", "tool --help\n\n\nls"),
        ("$ node\n> main();\n(nothing)", "node\n\n"),
        ("$ diff a b\n> rm x", "diff a b\n"),
        ("$ diff a \\\n> b\n> rm x", "diff a \\\nb\n"),
        ("$ echo $((a << b))\nrm x", "echo $((a << b))\n"),
        ("$ echo $((a << b))\nrm x\nb", "echo $((a << b))\n\n"),
        ("$ echo a\\\\\nrm x", "echo a\\\\\n"),
        ("$ scp a me@host:\nme@host: 100% done\n$ ls", "scp a me@host:\n\nls"),
    ],
)  # fmt: skip
def test_prompts_and_output_are_removed_and_line_numbers_stay(session: str, expected: str) -> None:
    read = typed(session)
    assert read.text == expected
    assert read.transcript
    rows = session.replace("\r\n", "\n").split("\n")
    for row, cut, line in zip(rows, read.cut, read.text.split("\n"), strict=True):
        assert line in ("", row[cut:])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Welcome\n$ ls\na", "\nls\n"),
        ("cat > f <<END\n$ ls\nEND", "cat > f <<END\n$ ls\nEND"),
        ("ls", "ls"),
        ("$ cat <<END\nx\nEND\nout", "cat <<END\nx\nEND\n"),
    ],
)
def test_a_step_runs_what_rules_and_plugins_see(tmp_path: Path, text: str, expected: str) -> None:
    """If the language of a block says that it shows a terminal, output may come before the first prompt."""
    body = f"<!-- step\nid: one\nexpect: [{{exit: 0}}]\n-->\n```console\n{text}\n```\n"
    [step] = plan_lesson(lesson_text(body), tmp_path).steps
    [shell] = shells(lesson_with(text, "console", run=True))
    commands = shell_commands(Block("console", text, Location(Path("a.md"), 1)))

    assert typed(step.params["script"]).text.rstrip("\n") == expected.rstrip("\n")
    assert shell.source == expected
    assert commands
    assert commands[0].source.split("\n")[0] in expected


@pytest.mark.parametrize("text", ["$ <<a\n", "$ a \\\n", "$ 'a\n> ", "$ (a\n> b\n", "> \n", "(a) me@b:\n"])
def test_hostile_text_is_fast(text: str) -> None:
    began = time.process_time()
    typed(f"$ x <<a\n{text * (60_000 // len(text))}", terminal=True)
    assert time.process_time() - began < 2


@pytest.mark.parametrize("text", ["$ " + "cat <<A " * 40_000 + "\nA", "$ '\n" + "> a\n" * 80_000])
def test_long_commands_are_read_fast(text: str) -> None:
    began = time.process_time()
    typed(text)
    assert time.process_time() - began < 4


def test_output_is_never_executed(tmp_path: Path) -> None:
    terminal = (
        "Last login: today\ntouch bad0\n"
        "me@host:~/x$ cat > f.sh <<'EOF'\n> % touch bad1\n> echo made\n> EOF\n"
        "me@host:~/x$ tail -1 f.sh | sh\nmade\n> touch bad2\n% touch bad3\n  me@host:~/x$ touch bad4\n"
        "me@host:~/x$ for i in 1 2; do\n> touch good$i\n> done\ntouch bad5\n"
    )
    body = f"<!-- step\nid: one\nexpect: [{{lines: [made]}}]\n-->\n```console\n{terminal}```\n"

    record = run_lesson(lesson_text(body), tmp_path)

    assert record["status"] == "passed"
    files = tmp_path / ".lesson" / "files"
    assert sorted(path.name for path in files.iterdir()) == ["f.sh", "good1", "good2"]
    assert (files / "f.sh").read_text() == "% touch bad1\necho made\n"
