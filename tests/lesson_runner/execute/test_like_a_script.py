"""Evaluate blocks in the terminal, statement by statement, and as scripts of bash, and compare."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesson_runner.execute.terminal import Terminal

SAME = [
    "trap 'echo error $?' ERR\nfalse",
    "break\necho a",
    "continue\necho a",
    "continue 2\necho a; false\necho no",
    "set +o pipefail; true | false | true\n# a comment\necho ${PIPESTATUS[@]}\necho $?",
    "false | true || true; echo ${PIPESTATUS[0]}; echo b",
    "false | cat <<E || true; [ ${PIPESTATUS[1]} = 0 ]\na\nE\necho b",
    "mkdir -p a/b\ncd $_\ntouch x; ls ../b; false || echo $_ $?",
    "[ -e nothing ] || false || true\n[ -e nothing ] && echo a\necho $? $_",
    "shopt -s nocasematch; echo a\nfalse\necho no",
    "shopt -s nocasematch; set -C; echo a >f\necho b >f || echo kept\ncat f",
    "IFS=0123456789abcdefghijklmnopqrstuvwxyz\necho A\n(exit 13) || echo B\necho C",
    "(exit 3) & wait -n || echo $?",
    "sleep 0.01 & wait; echo waited",
    "printf 'a\\nb\\n' >f\nexec <f\nread -r x; echo $x\nwhile read -r x; do echo $x; done",
    "exec 0<&-; cat 2>/dev/null || echo closed",
    "coproc cat\necho hi >&${COPROC[1]}\nread -r x <&${COPROC[0]}; echo $x; kill $COPROC_PID",
    "exec 9>f; echo x >&9\ncat f",
    "set -v\nset +v 2>/dev/null\necho a",
    "for i in 1 2; do for j in 1 2; do echo $i$j; continue 2; done; done; echo a",
    "trap 'echo error' ERR\nfalse || echo a\nfalse\necho no",
]
"""Blocks that went wrong, or nearly."""

COMMAND = st.sampled_from(
    [
        "true",
        "false",
        "echo a",
        "x=1",
        "echo $x",
        "[ $x = 1 ]",
        "(exit 3)",
        "echo $?",
        "f",
        "! true",
        "! false",
        "x=$(false)",
        "set +e",
        "set -e",
        "set -o pipefail",
        "set +o pipefail",
        "shopt -s nocasematch",
        "IFS=e",
        "echo $((x + 1))",
        "[[ $x == 1 ]]",
        "((x))",
        "let x=x+1",
        "cd .",
        "exit 4",
        "cat",
        "a=(1 2)",
        "echo ${a[@]}",
        "set -- p q",
        "echo $# $1",
        "unset x",
        "readonly r=1",
        "trap 'echo error $?' ERR",
        ": # comment",
        "f() { echo f; return 2; }",
        "cat <<E\nhere $x\nE",
    ]
)
JOINED = st.tuples(
    COMMAND, st.sampled_from(["{} && {}", "{} || {}", "{} | {}", "{}; {}", "! {} && {}"]), COMMAND
)
"""Lists and pipelines of two commands."""


@st.composite
def statement(draw: st.DrawFn) -> str:
    """Return a statement of one command, of two, or a compound one."""
    first = draw(COMMAND)
    kind = draw(
        st.sampled_from(
            ["{}", "{}", "pair", "( {}\n)", "{{ {}\n}}", "if {}\nthen echo yes\nelse echo no; fi"]
        )
    )
    if kind != "pair":
        return kind.format(first)
    before, joined, after = draw(JOINED)
    return before if "<<" in before else joined.format(before, after)


def as_a_script(block: str, folder: Path, strict: bool) -> tuple[int, str]:
    """Return the exit code and the output of a block that bash reads from a file."""
    (folder / "home").mkdir()
    prelude = "set -eo pipefail; " if strict else ""
    (folder / "script").write_text(f"{prelude}shopt -s expand_aliases\n{block}\n")
    ended = subprocess.run(
        ["bash", "--norc", "../script"],
        cwd=folder / "home",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return ended.returncode, plain(ended.stdout.decode())


def plain(output: str) -> str:
    """Return output without where bash found an error, and without its words about a loop that is none."""
    lines = re.sub(
        r"^(?:\.\./script|bash): (?:eval: )?(?:line \d+: )?", "", output, flags=re.MULTILINE
    ).split("\n")
    return "\n".join(line for line in lines if line and "only meaningful in a" not in line)


def in_the_terminal(block: str, folder: Path, strict: bool) -> tuple[int, str]:
    """Return the exit code and the output of a block in a terminal."""
    terminal = Terminal(folder / "shell", folder / "files", dict(os.environ))
    try:
        said = terminal.run(block, step="one", strict=strict, on_line=lambda _: None)
    finally:
        terminal.close()
    return said.exit_code, plain(re.sub(r"(?m)^\[still running .*$", "", said.output))


def compare(block: str, strict: bool) -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        expected = as_a_script(block, folder, strict)
        assert in_the_terminal(block, folder, strict) == expected
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("block", SAME)
def test_a_block_does_what_a_script_does(block: str, strict: bool) -> None:
    compare(block, strict)


@settings(max_examples=int(os.environ.get("MANY", "20")), deadline=None)
@given(block=st.lists(statement(), min_size=1, max_size=8).map("\n".join), strict=st.booleans())
def test_any_block_does_what_a_script_does(block: str, strict: bool) -> None:
    compare(block, strict)
