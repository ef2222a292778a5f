from __future__ import annotations

import os
import shlex
import stat
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesson_runner.execute.evaluation import CommandResult
from lesson_runner.execute.terminal import Terminal
from lesson_runner.model.errors import LessonError

Bash = Callable[..., CommandResult]

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
    """Check that values survive in a live bash, and in one that begins from the saved state."""
    quoted = list(enumerate(map(shlex.quote, values)))
    first = "".join(f"P{n}={v}; export E{n}={v}; A[{n}]={v}\n" for n, v in quoted)
    second = "".join(
        f'printf %s "$P{n}" >p{n}; printf %s "${{A[{n}]}}" >a{n}\nbash -c \'printf %s "$E{n}"\' >e{n}\n'
        for n in range(len(values))
    )
    with tempfile.TemporaryDirectory() as name:
        files = Path(name) / "files"
        terminal = Terminal(Path(name) / "shell", files, dict(os.environ))
        for number, block in enumerate((first, second, "exit", second)):
            finished = terminal.run(block, step=f"s{number}", on_line=print)
            assert (finished.exit_code, finished.output) == (0, "")
            if block == second:
                for place, value in enumerate(values):
                    for kind in "pae":
                        assert (files / f"{kind}{place}").read_bytes() == value.encode()
        terminal.close()


def test_hard_values_survive() -> None:
    round_trip(HARD)


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(st.lists(VALUE, min_size=1, max_size=6))
def test_any_value_survives(values: list[str]) -> None:
    round_trip(values)


KEPT = [
    ("export A=1", "bash -c 'echo $A'", "1"),
    ("A=1", "echo $A; bash -c 'echo [$A]'", "1\n[]"),
    ("A=(x 'y z')", 'echo "${#A[@]} ${A[1]}"', "2 y z"),
    ("readonly A=1", "echo $A; A=2", "1\nbash: line 1: A: readonly variable"),
    ("greet() { echo hello $1; }", "greet you", "hello you"),
    ("greet() { echo hello; }; export -f greet", "bash -c greet", "hello"),
    ("mkdir -p 'a b' && cd 'a b'", "pwd -P; cd - >/dev/null; pwd -P", "{home}/a b\n{home}"),
    (
        "mkdir -p a; pushd a >/dev/null; pushd / >/dev/null",
        "dirs -l; popd >/dev/null; popd",
        "/ {home}/a {home}\n{home}",
    ),
    ("unset HOME", "echo [${HOME-none}]; bash -c 'echo [${HOME-none}]'", "[none]\n[none]"),
    ("unset HOME", "HOME=/again; true", ""),
    ("umask 027", "umask", "0027"),
    ("ulimit -n 200", "ulimit -n", "200"),
    ("shopt -s nullglob", "echo *.none end", "end"),
    ("IFS=:", 'A=x:y; set -- $A; echo "$1 $2"', "x y"),
    ("letter=1 names=2 i=3", "echo $letter $names $i", "1 2 3"),
    ("PATH=/nowhere", "echo $PATH", "/nowhere"),
    ("cd() { echo mine; }; declare() { echo mine; }", "cd; declare", "mine\nmine"),
    ("alias hi='echo hi'", "hi", "hi"),
    ("set -u; set -f", "echo *; echo $NONE; echo on", "*\nbash: line 1: NONE: unbound variable"),
    ("set -o noclobber; echo x >f", "echo y >f", "bash: line 1: f: cannot overwrite existing file"),
    ("set +e", "false; echo on", ""),
    ("BASH_IT=1 BASHX=2 COMP_X=3 EPOCHX=4", "echo $BASH_IT $BASHX $COMP_X $EPOCHX", "1 2 3 4"),
    (
        "shopt -s nocasematch; random=1 uid=2 bash=3 _x=4",
        "[[ A = a ]] && echo $random $uid $bash $_x",
        "1 2 3 4",
    ),
]


@pytest.mark.parametrize("renewed", [False, True], ids=["same-bash", "new-bash"])
@pytest.mark.parametrize(("before", "command", "expected"), KEPT)
def test_what_a_block_leaves_for_the_next(
    bash: Bash, tmp_path: Path, before: str, command: str, expected: str, renewed: bool
) -> None:
    assert bash(before).exit_code == 0
    if renewed:
        bash("exit")
    assert bash(command).output == expected.format(home=(tmp_path / "files").resolve())


@pytest.mark.parametrize(
    ("before", "command", "expected"),
    [
        ("sleep 60 & server=$!", "[ $! = $server ] && kill %1 && wait %1 || echo $?", "143"),
        ("trap 'echo caught' USR1", "kill -USR1 $$; sleep 0.1", "caught"),
        ("trap 'echo failed' ERR", "false || true; echo on", "on"),
        ("exec 3>log", "echo into >&3; cat log", "into"),
        ("exec >log 2>&1", "echo hidden; nope", ""),
        ("set -- a b", "echo $#: $1", "2: a"),
        ("set -x; A=1", "{ set +x; } 2>/dev/null; echo $A", "1"),
        ("set -ET; trap 'echo debug >/dev/null' DEBUG; A=1", "echo $A", "1"),
        ("cat <<EOF >f\n$((1 << 2))\nEOF", "cat f", "4"),
    ],
)
def test_what_only_the_same_bash_keeps(bash: Bash, before: str, command: str, expected: str) -> None:
    bash(before)
    assert bash(command, strict=False).output == expected


def test_the_status_of_the_last_block(bash: Bash) -> None:
    bash("false", strict=False)
    assert bash("echo $?").output == "1"


@pytest.mark.parametrize(
    "end", ["exit 3", "false", "exec sleep 0", "kill -TERM $$", "set -e; (exit 4)", "exec false"]
)
def test_a_bash_that_ends_costs_nothing_else(bash: Bash, end: str) -> None:
    bash("A=1; mkdir sub; cd sub; sleep 60 & server=$!")
    bash(f"A=2; cd ..; {end}")
    assert bash("echo $A ${PWD##*/}; kill -0 $server && echo up").output == "1 sub\nup"


@pytest.mark.parametrize(
    "trap", ["kill $server; exit 0", "exit", "echo ended $?", "A='(it'\"'\"'s)'\nexit 0"]
)
def test_a_trap_on_exit_does_not_hide_a_failure(bash: Bash, trap: str) -> None:
    bash(f"sleep 60 & server=$!\nend() {{\n  {trap}\n}}\ntrap 'end' EXIT\ntrap 'end; :' EXIT")
    said = bash("(exit 5)\necho no")
    assert (said.exit_code, said.output) == (5, "ended 5" if "echo" in trap else "")
    assert bash("trap 'echo ended; exit 0' EXIT\nexit").output == "ended"
    assert bash("trap '' EXIT; trap 'exit 3' EXIT\nexit 0").exit_code == 3
    assert "__lesson" not in bash("set -x; trap 'echo ended; exit 0' EXIT\nfalse").output


def test_another_attempt_begins_in_the_state_of_the_first(bash: Bash) -> None:
    bash("A=1; mkdir sub")
    assert bash("cd sub; A=2; sleep 60 & false", step="b", attempt=1).exit_code == 1
    again = bash('echo $A "${PWD##*/}"; cd sub; jobs', step="b", attempt=2)
    assert (again.exit_code, again.output) == (0, "1 files")
    assert again.still_running == ()


def test_a_new_shell_continues_where_exec_replaced_the_old_one(bash: Bash) -> None:
    bash("A=1; hi() { echo hi; }")
    finished = bash("export B=2; cd /\nexec bash\necho $A $B; pwd")
    assert (finished.exit_code, finished.output) == (0, "1 2\n/")
    assert bash("echo $B; pwd").output == "2\n/"


def test_a_startup_file_is_read_as_in_a_bash(bash: Bash, tmp_path: Path) -> None:
    (tmp_path / ".bashrc").write_text(
        'case $- in *i*) ;; *) return ;; esac\n[ -z "$PS1" ] && return\nfalse\ndeclare -A MAP=([a]=1)\n'
    )
    finished = bash(
        'echo "export FROM=42" >> ~/.bashrc\nsource ~/.bashrc', env={**os.environ, "HOME": str(tmp_path)}
    )
    assert (finished.exit_code, finished.output) == (0, "")
    assert bash("echo $FROM ${MAP[a]}").output == "42 1"
    assert bash("source ~/.profile").exit_code == 1


@pytest.mark.parametrize(
    ("text", "strict", "code", "output"),
    [
        ("false; echo on", True, 1, ""),
        ("false; echo on", False, 0, "on"),
        ("false | true; echo on", True, 1, ""),
        ("false | true; echo on", False, 0, "on"),
        ("echo on; (exit 4)", False, 4, "on"),
        ("exit 3", True, 3, ""),
        ("exit 3", False, 3, ""),
        ("if false; then :; fi; false || echo on", True, 0, "on"),
        ("false && true; echo on", True, 0, "on"),
        ("false && true\necho on", True, 0, "on"),
        ("echo on; false && true", True, 1, "on"),
        ("set +e; false; echo on", True, 0, "on"),
        ("set +e\nfalse\necho on", True, 0, "on"),
        ("set -e\nfalse\necho on", False, 1, ""),
        (": ${NONE:?missing}\necho on", True, 1, "bash: line 1: NONE: missing"),
        ("break; echo on", True, 0, "on"),
        ("break 9; echo on", True, 125, ""),
        ("echo o\0n\nfalse", True, 1, "on"),
        ("time { echo on; }; echo off", True, 0, "on\noff"),
    ],
)
def test_exit_codes(bash: Bash, text: str, strict: bool, code: int, output: str) -> None:
    finished = bash("TIMEFORMAT=; " + text if "time" in text else text, strict=strict)
    assert (finished.exit_code, finished.output.strip()) == (code, output)


def test_a_block_is_evaluated_unchanged(bash: Bash) -> None:
    text = 'echo "$LINENO $0 $#"\ncat <<EOF\n$((1 + 1)) "\nEOF\ncat <<\'EOF\'\n$A\\\nEOF\n# no\nnope'
    finished = bash(text, line=20, strict=False)
    assert finished.output == '20 bash 0\n2 "\n$A\\\nbash: line 28: nope: command not found'
    assert finished.exit_code == 127


def test_a_here_document_without_an_end_is_the_rest_of_the_block(bash: Bash) -> None:
    finished = bash("echo on\ncat <<EOF\nno end", line=7)
    assert finished.output.startswith("on\nbash: line ")
    assert finished.output.endswith("delimited by end-of-file (wanted `EOF')\nno end")


def test_a_syntax_error_is_reported_at_its_line(bash: Bash) -> None:
    bash("A=1")
    finished = bash("echo $A\nif", line=7)
    assert finished.exit_code != 0
    assert "line 9: syntax error" in finished.output
    assert bash("echo $A").output == "1"


def test_the_statement_that_fails_is_named_with_its_last_words(bash: Bash) -> None:
    finished = bash("echo one\n\nls /nowhere; echo two", line=5)
    assert finished.failed is not None
    assert (finished.failed.line, finished.failed.text) == (7, "ls /nowhere")
    assert finished.last_words == "ls: cannot access '/nowhere': No such file or directory"
    silent = bash("echo one; grep -q x /dev/null; echo two")
    assert silent.failed is not None
    assert (silent.failed.text, silent.last_words) == ("grep -q x /dev/null", "")


def test_standard_output_can_be_kept_apart(bash: Bash) -> None:
    finished = bash("echo a; echo b >&2; bash -c 'echo c; echo d >&2'", apart=True)
    assert finished.stdout == "a\nc"
    assert sorted(finished.output.split("\n")) == ["a", "b", "c", "d"]
    assert bash("echo a; echo b >&2").stdout is None


def test_output_of_an_earlier_block_does_not_mix_with_a_later_one(bash: Bash) -> None:
    bash("(while [ ! -e go ]; do sleep 0.01; done; echo late; touch went) &")
    assert bash("touch go; while [ ! -e went ]; do sleep 0.01; done; echo now").output == "now"


def test_tracing_shows_only_the_block(bash: Bash) -> None:
    assert bash("set -x; A=1; echo hi").output.replace("+", "") == " A=1\n echo hi\nhi"


def test_extra_variables_are_for_one_block(bash: Bash) -> None:
    bash("export A=mine; export KEPT=1")
    extra = {"A": 'x "$HOME" ~ \n2', "B": "only"}
    assert bash("printf '%s,' \"$A\" $B; A=changed KEPT=2", extra=extra).output == 'x "$HOME" ~ \n2,only,'
    assert bash("echo $A ${B-none} $KEPT").output == "mine none 2"


def test_a_block_that_is_killed_changes_nothing(bash: Bash, tmp_path: Path) -> None:
    bash("A=1")
    assert bash("A=2; sleep 60", deadline=time.monotonic() + 0.5).timed_out
    assert bash("A=3; kill -TERM $$").signal == "SIGTERM"
    assert bash("echo $A").output == "1"


def test_a_state_that_cannot_be_saved_is_reported(bash: Bash, tmp_path: Path) -> None:
    bash("A=1")
    # As on a full disk.
    finished = bash("A=2; __lesson_describe() { printf cut; }")
    assert finished.state_error
    assert bash("exit").exit_code == 0
    assert bash("echo $A").output == "1"


def test_a_damaged_state_is_refused(terminals: Callable[..., Terminal], bash: Bash, tmp_path: Path) -> None:
    bash("A=1", step="a")
    (tmp_path / "shell" / "before" / "b.sh").write_text("A=")
    with pytest.raises(LessonError, match=r"b\.sh: the state of the terminal is damaged"):
        terminals().run("echo $A", step="b", on_line=print)


def test_a_question_changes_neither_the_terminal_nor_its_saved_states(tmp_path: Path) -> None:
    """Also in a resumed run, whose last state is that after the failed attempt."""
    shown: list[str] = []

    def begin() -> Terminal:
        return Terminal(tmp_path / "shell", tmp_path / "home", dict(os.environ))

    def ask(terminal: Terminal, step: str) -> str:
        question = 'A=5; cd /; trap : EXIT; set -e; false; printf %s "$A"'
        answered = terminal.ask('printf %s "$A"', step=step, deadline=time.monotonic() + 20)
        assert terminal.ask(question, step=step, deadline=time.monotonic() + 20) in ("", "5")
        return answered

    with closing(begin()) as terminal:
        assert ask(terminal, "a") == ""
        terminal.run("A=1", step="a", on_line=shown.append)
        assert ask(terminal, "b") == "1"
        terminal.run("A=2\nfalse", step="b", on_line=shown.append, strict=False)
    with closing(begin()) as terminal:
        assert ask(terminal, "b") == "1"
        for attempt in (1, 2):
            again = terminal.run("echo $A $PWD; A=3; exit 1", step="b", attempt=attempt, on_line=shown.append)
            assert again.output.split() == ["1", str(tmp_path / "home")]


def test_a_continued_run_begins_from_the_state_before_its_first_step(
    terminals: Callable[..., Terminal], bash: Bash
) -> None:
    for step, block in {"a": "A=1", "b": "A=2", "c": "A=3"}.items():
        bash(block, step=step)
    continued = terminals()
    assert continued.run("echo $A", step="b", on_line=print).output == "1"
    assert continued.run("A=4; echo $A; exit", step="c", on_line=print).output == "4"
    assert terminals().run("echo $A", step="new", on_line=print).output == "1"


def test_a_removed_folder_is_reported_and_replaced(bash: Bash, tmp_path: Path) -> None:
    bash("mkdir sub; cd sub; rmdir ../sub")
    bash("exit")
    shown: list[str] = []
    assert bash("pwd -P", on_line=shown.append).output == str((tmp_path / "files").resolve())
    assert "sub: No such file or directory" in shown[0]


def test_secrets_stay_private(bash: Bash, tmp_path: Path) -> None:
    bash("export OWN=hunter3", env={**os.environ, "INHERITED": "hunter2"})
    saved = tmp_path / "shell" / "state.sh"
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    assert "hunter3" in saved.read_text()
    assert "hunter2" not in saved.read_text()
    assert bash("echo $INHERITED $OWN").output == "hunter2 hunter3"


def test_without_bash_the_error_says_what_to_do(bash: Bash, tmp_path: Path) -> None:
    with pytest.raises(LessonError) as raised:
        bash("true", env={"PATH": str(tmp_path)})
    assert raised.value.fix == "install bash"


def test_a_block_that_replaces_what_the_runner_needs_is_an_error(bash: Bash) -> None:
    with pytest.raises(LessonError, match="its status is unknown"):
        bash("builtin() { echo mine; }")
    assert bash("echo on").output == "on"
