from __future__ import annotations

import os
import shlex
import stat
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesson_runner.execute.process import CommandResult
from lesson_runner.execute.shell import ShellState, run_block
from lesson_runner.model.errors import LessonError

Terminal = Callable[..., CommandResult]

VALUE = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
HARD = [
    "",
    "\n",
    "a\n\nb\n",
    "'",
    '"',
    "$HOME `id` $(id)",
    "\\",
    "\\n",
    "!!",
    "~",
    "*",
    "é\u2028🎉",
    "\x01\x7f\x1b[0m\r\t",
]


def round_trip(values: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        state = ShellState(Path(name) / "shell", Path(name) / "files")
        first, second = Path(name) / "1.sh", Path(name) / "2.sh"
        quoted = list(enumerate(map(shlex.quote, values)))
        first.write_bytes("".join(f"P{n}={v}; export E{n}={v}; A[{n}]={v}\n" for n, v in quoted).encode())
        second.write_text(
            "".join(
                f'printf %s "$P{n}" >p{n}; printf %s "${{A[{n}]}}" >a{n}\n'
                f"bash -c 'printf %s \"$E{n}\"' >e{n}\n"
                for n in range(len(values))
            )
        )
        for block in (first, second):
            finished = run_block(state, block, env=dict(os.environ), on_line=print)
            assert (finished.exit_code, finished.output) == (0, "")
        for number, value in enumerate(values):
            for kind in "pae":
                assert (state.start / f"{kind}{number}").read_bytes() == value.encode()


def test_hard_values_survive() -> None:
    round_trip(HARD)


@settings(max_examples=10, deadline=None)
@given(st.lists(VALUE, min_size=1, max_size=6))
def test_any_value_survives(values: list[str]) -> None:
    round_trip(values)


@pytest.mark.parametrize(
    ("before", "command", "expected"),
    [
        ("export A=1", "bash -c 'echo $A'", "1"),
        ("A=1", "echo $A; bash -c 'echo [$A]'", "1\n[]"),
        ("A=(x 'y z')", 'echo "${#A[@]} ${A[1]}"', "2 y z"),
        ("readonly A=1", "echo $A; A=2", "1\n{block}: line 1: A: readonly variable"),
        ("greet() { echo hello $1; }", "greet you", "hello you"),
        ("greet() { echo hello; }; export -f greet", "bash -c greet", "hello"),
        ("mkdir -p 'a b' && cd 'a b'", "pwd -P; cd - >/dev/null; pwd -P", "{start}/a b\n{start}"),
        ("unset HOME", "echo [${HOME-none}]; bash -c 'echo [${HOME-none}]'", "[none]\n[none]"),
        ("unset HOME", "HOME=/again; true", ""),
        ("umask 027", "umask", "0027"),
        ("shopt -s nullglob", "echo *.none end", "end"),
        ("IFS=:", 'A=x:y; set -- $A; echo "$1 $2"', "x y"),
        ("letter=1 names=2 i=3", "echo $letter $names $i", "1 2 3"),
        ("PATH=/nowhere", "echo $PATH", "/nowhere"),
        ("cd() { echo mine; }; declare() { echo mine; }", "cd; declare", "mine\nmine"),
        ("A=1; exit 0; A=2", "echo $A", "1"),
        ("set -eux; set -o noclobber; A=1", "echo $A ${B-}; echo x >f; echo y >f", "1"),
        ("trap 'echo own' EXIT; A=1", "echo $A", "1"),
        ("set -ET; trap 'echo debug' DEBUG; trap 'echo err' ERR; A=1", "echo $A", "1"),
        ("alias hi='echo hi'", "hi 2>/dev/null || echo none", "none"),
        ("set -- a b", "echo $#", "0"),
    ],
)
def test_state_passed_to_the_next_block(
    terminal: Terminal, state: ShellState, tmp_path: Path, before: str, command: str, expected: str
) -> None:
    terminal(before)
    shown = expected.format(block=tmp_path / "block.sh", start=state.start.resolve())
    assert terminal(command).output == shown


def test_state_is_passed_on_from_a_block_that_fails(terminal: Terminal) -> None:
    finished = terminal("A=1; mkdir sub; cd sub; f() { false; A=2; }; f; A=3")
    assert (finished.exit_code, finished.output) == (1, "")
    assert terminal('echo $A "${PWD##*/}"').output == "1 sub"


@pytest.mark.parametrize(
    ("text", "strict", "code", "output"),
    [
        ("false; echo on", True, 1, ""),
        ("false; echo on", False, 0, "on"),
        ("false | true; echo on", True, 1, ""),
        ("echo on; (exit 4)", False, 4, "on"),
        ("exit 3", True, 3, ""),
        ("exit 3", False, 3, ""),
        ("return 4", True, 4, ""),
        ("if false; then :; fi; false || echo on", True, 0, "on"),
        ("set +e; false; echo on", True, 0, "on"),
    ],
)
def test_exit_codes(terminal: Terminal, text: str, strict: bool, code: int, output: str) -> None:
    finished = terminal(text, strict=strict)
    assert (finished.exit_code, finished.output) == (code, output)


def test_a_block_runs_unchanged(terminal: Terminal, tmp_path: Path) -> None:
    text = (
        'echo "$LINENO $0 $#"\ncat <<EOF\n$((1 + 1)) "\nEOF\ncat <<\'EOF\'\n$A\\\nEOF\nset -v\n# read\nnope'
    )
    finished = terminal(text, strict=False)
    here = tmp_path / "block.sh"
    assert finished.output == f'1 bash 0\n2 "\n$A\\\n# read\nnope\n{here}: line 10: nope: command not found'
    assert finished.exit_code == 127


def test_a_syntax_error_is_reported_in_the_block(terminal: Terminal, tmp_path: Path) -> None:
    terminal("A=1")
    finished = terminal("echo $A\nif")
    assert finished.exit_code != 0
    assert f"{tmp_path / 'block.sh'}: line 3: syntax error" in finished.output
    assert terminal("echo $A").output == "1"


def test_tracing_shows_only_the_block(terminal: Terminal) -> None:
    assert terminal("set -x; A=1; echo hi").output.replace("+", "") == " A=1\n echo hi\nhi"


def test_extra_variables_are_for_one_block(terminal: Terminal) -> None:
    terminal("export A=mine; export KEPT=1")
    extra = {"A": 'x "$HOME" ~ \n2', "B": "only"}
    assert terminal("printf '%s,' \"$A\" $B; A=changed KEPT=2", extra=extra).output == 'x "$HOME" ~ \n2,only,'
    assert terminal("echo $A ${B-none} $KEPT").output == "mine none 2"


def test_a_block_that_is_killed_changes_nothing(terminal: Terminal, state: ShellState) -> None:
    terminal("A=1")
    assert terminal("A=2; sleep 60", deadline=time.monotonic() + 0.5).timed_out
    assert terminal("A=3; kill -TERM $$").signal == "SIGTERM"
    assert terminal("echo $A").output == "1"
    assert [path.name for path in state.folder.iterdir()] == ["state.sh"]


def test_an_incomplete_state_is_not_used(terminal: Terminal, state: ShellState) -> None:
    terminal("A=1")
    # As a full disk would leave it.
    terminal(f"A=2; __lesson_target={shlex.quote(str(state.folder))}/elsewhere")
    assert terminal("echo $A").output == "1"


def test_a_removed_folder_is_reported_and_replaced(terminal: Terminal, state: ShellState) -> None:
    terminal("mkdir sub; cd sub; rmdir ../sub")
    finished = terminal("pwd -P")
    assert "sub: No such file or directory" in finished.output
    assert finished.output.endswith(f"\n{state.start.resolve()}")


def test_secrets_stay_private(terminal: Terminal, state: ShellState) -> None:
    env = {**os.environ, "INHERITED": "hunter2"}
    terminal("export OWN=hunter3", env=env)
    assert stat.S_IMODE(state.saved.stat().st_mode) == 0o600
    assert "hunter3" in state.saved.read_text()
    assert "hunter2" not in state.saved.read_text()
    assert terminal("echo $INHERITED $OWN", env=env).output == "hunter2 hunter3"


def test_a_background_process_can_be_used_by_the_next_block(terminal: Terminal) -> None:
    first = terminal("sleep 60 >/dev/null & server=$!")
    try:
        assert terminal("kill -0 $server && echo up").output == "up"
    finally:
        first.family.stop(grace=1)


def test_without_bash_the_error_says_what_to_do(terminal: Terminal, tmp_path: Path) -> None:
    with pytest.raises(LessonError) as raised:
        terminal("true", env={"PATH": str(tmp_path)})
    assert raised.value.fix == "install bash"
