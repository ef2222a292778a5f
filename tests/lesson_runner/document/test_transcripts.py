"""What a person types from a block: the text that steps run, and that rules and plugins see."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.conftest import last_files
from tests.lesson_runner.validate.rules.code_lessons import lesson_with

from lesson_runner.document.shell import shell_commands
from lesson_runner.document.transcripts import as_script, typed, typed_in, typed_python
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
        ("me@host:~/tt-metal$ ls\na\nroot@4f2a:/# id\n0", "ls\n\n\n"),
        ("me@mac tt-metal % ls\na", "ls\n"),
        ("[me@host ~]$ ls\na", "ls\n"),
        ("(venv) $ ls\na\n$ id", "ls\n\nid"),
        ("$ ls\na\nme@host:~$ id", "ls\n\n"),
        ("$ source env/bin/activate\n(env) $ ls", "source env/bin/activate\nls"),
        ("  $ ls\n  a\n  $ id", "ls\n\nid"),
        ("$ ls\r\na\r\n$ id\r\n", "ls\n\nid\n"),
        ("$ ls\n$\n$ id", "ls\n\nid"),
        ("bash-5.1$ ls\na\nbash-5.1# id\n0", "ls\n\nid\n"),
        ("~/work $ ls\na\n~ $ id", "ls\n\nid"),
        ("Laptop:~ me$ ls\na", "ls\n"),
        ("me@host:~$ ls\n$ touch x\n❯ touch x\n% touch x\n# touch x", "ls\n\n\n\n"),  # noqa: RUF001
        # More lines of one command.
        ("% for i in 1; do\nfor> echo $i\nfor> done\n1", "for i in 1; do\necho $i\ndone\n"),
        ("$ python3 -c '\nprint(1)'\n1", "python3 -c '\nprint(1)'\n"),
        ("$ if true\nthen\n  echo a\nfi\na", "if true\nthen\n  echo a\nfi\n"),
        ("$ echo a &&\n\n> echo b\na\nb", "echo a &&\n\necho b\n\n"),
        ("$ x=$(cat <<A\n> b\nA\n)\n> rm", "x=$(cat <<A\n> b\nA\n)\n"),
        ("$ ls  # it's \\\n> rm", "ls  # it's \\\n"),
        ("$ f() {\n> ls |  # all\n> wc; }\n> rm", "f() {\nls |  # all\nwc; }\n"),
        ("$ python -c \"\n> print(1)\n> \"\n1", 'python -c "\nprint(1)\n"\n'),
        ("$ ls |\n> wc\n3", "ls |\nwc\n"),
        ("$ cat <<A <<B\na\nA\n$ b\nB\nout", "cat <<A <<B\na\nA\n$ b\nB\n"),
        ("$ cat <<EOF\n> a\n\n> b\n> EOF\nout", "cat <<EOF\na\n\nb\nEOF\n"),
        ("$ cat <<'END-1'\n# A\n> quoted\n$ b\nEND-1\nout", "cat <<'END-1'\n# A\n> quoted\n$ b\nEND-1\n"),
        # Output.
        ("$ printf '> a\\n$ rm x\\n'\n> a\n$ rm x\n$ ls", "printf '> a\\n$ rm x\\n'\n\n\nls"),
        ("$ echo \"$((1 << N)) << N\"\n2\nN\nrm x", 'echo "$((1 << N)) << N"\n\n\n'),
        ("$ echo 'never closed\n> rm x\n$ ls", "echo 'never closed\n\nls"),
        ("$ python3\n>>> rm()\n$ ls", "python3\n\nls"),
        ("$ curl x\n% Total\n  % Received\n$ ls", "curl x\n\n\nls"),
        ("$ tool --help\nUsage:\n  $ tool rm\n$ ls", "tool --help\n\n\nls"),
        ("$ node\n> main();\n(nothing)", "node\n\n"),
        ("$ diff a b\n> rm x", "diff a b\n"),
        ("$ diff a \\\n> b\n> rm x", "diff a \\\nb\n"),
        ("$ echo $((a << b))\nrm x", "echo $((a << b))\n"),
        ("$ echo $((a << b))\nrm x\nb", "echo $((a << b))\n\n"),
        ("$ echo a\\\\\nrm x", "echo a\\\\\n"),
        ("$ echo a \\ \nrm x\n$ ls", "echo a \\ \n\nls"),
        ("$ http://x.io $<<E\nrm x\n$ ls", "http://x.io $<<E\n\nls"),
        ("$ scp a me@host:\nme@host: 100% done\n$ ls", "scp a me@host:\n\nls"),
        ("me@host:~$ git log\nyou@there.org Use # rm x\nme@host:~$ ls", "git log\n\nls"),
        ("me@host:~$ docker run -it x\nroot@4f2a:/# rm x\nme@host:~$ ls", "docker run -it x\n\nls"),
        ("bash-5.1$ cat log\nnote:/x $ rm x\nbash-5.2$ ls", "cat log\n\nls"),
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


@pytest.mark.slow
@pytest.mark.parametrize("text", ["$ <<a\n", "$ a \\\n", "$ 'a\n> ", "$ (a\n> b\n", "> \n", "(a) me@b:\n"])
def test_hostile_text_is_fast(text: str) -> None:
    began = time.process_time()
    typed(f"$ x <<a\n{text * (60_000 // len(text))}", terminal=True)
    assert time.process_time() - began < 2


@pytest.mark.slow
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
    directive = "<!-- step\nid: one\nexpect: [{lines: [made]}]\noutput: ignore\n-->\n"
    body = f"{directive}```console\n{terminal}```\n"

    record = run_lesson(lesson_text(body), tmp_path)

    assert record["status"] == "passed"
    files = last_files(tmp_path / ".lesson")
    assert sorted(path.name for path in files.iterdir()) == ["f.sh", "good1", "good2"]
    assert (files / "f.sh").read_text() == "% touch bad1\necho made\n"


WORDS = st.text("ab <>|&;(){}#$`'\"\\=1\n", max_size=12)
HERE = st.lists(st.text("ab <$#>'\"", max_size=6).filter(lambda line: line.strip() != "END"), max_size=3)


def quoted(word: str) -> str:
    return "'" + word.replace("'", "'\\''") + "'"


SIMPLE = st.one_of(
    WORDS.map(lambda word: f"printf %s {quoted(word)}"),
    st.integers(0, 9).map(lambda number: f'echo $(({number} << A)) "<< END"'),
    HERE.map(lambda lines: "\n".join(["cat <<'END'", *lines, "END"])),
    st.just("ls  # it's a comment \\"),
)
COMMANDS = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        inner.map(lambda command: f"if true; then\n{command}\nfi"),
        inner.map(lambda command: f"for i in 1 2\ndo\n{command}\ndone"),
        inner.map(lambda command: f"{{\n{command}\n}}"),
        inner.map(lambda command: f"true &&\n{command}"),
        inner.map(lambda command: f"echo \\\n  a |\n{command}"),
    ),
    max_leaves=3,
)
OUTPUT = st.sampled_from(
    [
        "> touch x",
        "touch x",
        "END",
        "A",
        "'",
        '"',
        "fi",
        "done",
        "}",
        "% touch x",
        "# touch x",
        "  $ x",
        ">>> x",
        "",
    ]
)
PROMPTS = st.sampled_from(
    ["$ ", "% ", "(venv) $ ", "me@host:~/a$ ", "[me@host a]$ ", "root@4f2a:/# ", "bash-5.1$ "]
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(COMMANDS, st.lists(OUTPUT, max_size=3)), min_size=1, max_size=3),
    PROMPTS,
    st.booleans(),
)
def test_exactly_the_commands_are_typed(parts: list[tuple[str, list[str]]], prompt: str, bare: bool) -> None:
    """Whatever the commands print, and with or without prompts before their further lines."""
    lines: list[str] = []
    expected: list[str] = []
    for command, output in parts:
        first, *more = command.split("\n")
        # Without a prompt, such a line cannot be told from the next command.
        assume(not (bare and any(line.startswith(prompt.strip()) for line in more)))
        lines += [prompt + first, *(line if bare else f"> {line}" for line in more)]
        shown = [line for line in output if not prompt.endswith(line[:2])]
        lines += shown
        expected += [first, *more, *([""] * len(shown))]

    read = typed("\n".join(lines))

    assert read.text.split("\n") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('x = """\n>>> 1\n"""', 'x = """\n>>> 1\n"""'),
        (">>> 1 + 2\n3\n>>> x = 4\n", "1 + 2\n\nx = 4\n"),
        (">>> for i in [1]:\n...     i\n...\n1\n... touch()", "for i in [1]:\n    i\n\n\n"),
        (">>> x = 1\n... touch()\n... and more", "x = 1\n\n"),
        (">>> f(1,\n  2)\n3", "f(1,\n  2)\n"),
        ('>>> print("""a\n... b""")\na\nb', 'print("""a\nb""")\n\n'),
        (">>> print('>>> touch()')\n>>> touch()", "print('>>> touch()')\n"),
        ("# A comment\n>>> 1 / 0\nTraceback (most recent call last):\n  File", "\n1 / 0\n\n"),
        ("In [1]: 1 + 1\nOut[1]: 2\n\nIn [2]: (3 +\n   ...: 4)\nOut[2]: 7", "1 + 1\n\n\n(3 +\n4)\n"),
    ],
)  # fmt: skip
def test_what_is_typed_at_python_s_prompt(text: str, expected: str) -> None:
    assert typed_python(text).text == expected


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("console", "Welcome\n$ cat <<A\n> b\n\n> A\nb\n$ ls\n"),
        ("console", "# cat <<A\nb\nA\nb\n# id -u\n0\n"),
        ("pycon", "Python 3\n>>> 1\n1\n"),
        ("terminal", "% ls\n% Total\n"),
    ],
)
def test_a_step_s_script_says_the_same_without_the_language(language: str, text: str) -> None:
    block = Block(language, text, Location(Path("a.md"), 1))
    read = typed_in(block)
    again = typed_python(as_script(block)) if language == "pycon" else typed(as_script(block))
    assert (again.text, again.first) == (read.text, read.first)
