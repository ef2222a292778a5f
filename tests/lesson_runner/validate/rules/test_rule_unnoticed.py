"""Commands of a step whose failure does not count: the rule agrees with what bash does."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lesson_runner.validate.rules.code_lessons import found, lesson_with

from lesson_runner.testing import lesson_text
from lesson_runner.validate.rules.unnoticed import RULES

FAILS = "cat /nowhere/at-all"
SCRIPTS = [
    "{x} && true\necho end",
    "{x} && true",
    "true && {x}\necho end",
    "{x} && \\\n  true\necho end",
    "{x} && true > out\necho end",
    "{x} && true > out",
    "{x} && true | cat\necho end",
    "( {x} && true )\necho end",
    "( {x} && true; echo )\necho end",
    "{ {x} && true; }\necho end",
    "{ {x} && true; } | cat\necho end",
    "f() { {x} && true; }\nf\necho end",
    "f() { {x} && true; echo; }\nf\necho end",
    "for i in 1 2; do {x} && true; done\necho end",
    "for i in 1; do ( {x} && true ); done\necho end",
    "while true; do {x} && true; break; done\necho end",
    "if true; then {x} && true; fi\necho end",
    "if true; then {x} && true; fi",
    "if false; then true; elif true; then {x} && true; fi\necho end",
    "if false; then true; else {x} && true; fi\necho end",
    "case a in a) {x} && true;; esac\necho end",
    "case a in a) {x} && true;; esac",
    "true && { {x} && true; }\necho end",
    "! {x}\necho end",
    "export A=$({x})",
    'readonly A="$({x})"',
    "declare -i A=$({x})\necho end",
    "f() { local a=$({x}); }\nf",
    "A=$({x})\necho end",
    "A=1 B=$({x})\necho end",
    "A=($({x}))\necho end",
    "echo $({x})",
    'printf "%s\\n" "$({x})"',
    "ls <({x})",
    "while read -r a; do :; done < <({x})",
    "{x} | cat\necho end",
    "{x}; echo end",
    "exit\n{x}",
    "echo a; exit 0\n{x}",
    "exec true\n{x}",
    "exit 0 &\n{x}",
    "exec 3>&1\n{x}",
    "( exit 0 )\n{x}",
    "[ -d . ] || exit 0\n{x}",
]


def goes_on(script: str, folder: Path) -> bool:
    """Return whether bash ends a script as if nothing had failed."""
    options = ["-e", "-o", "pipefail", "-c", script]
    return subprocess.run(["bash", *options], capture_output=True, check=False, cwd=folder).returncode == 0


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_rule_agrees_with_bash(script: str, tmp_path: Path) -> None:
    script = script.replace("{x}", FAILS)
    assert bool(found(RULES, lesson_with(script, run=True))) == goes_on(script, tmp_path)


LEAVES = st.sampled_from([FAILS, "true", "ls /", f"export A=$({FAILS})", f"A=$({FAILS})"])
SCRIPT = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(" && ".join),
        st.tuples(inner, inner).map("\n".join),
        inner.map(lambda text: f"( {text} )"),
        inner.map(lambda text: f"{{ {text}\n}}"),
        inner.map(lambda text: f"for i in 1; do\n{text}\ndone"),
        inner.map(lambda text: f"if true; then\n{text}\nfi"),
    ),
    max_leaves=5,
)


@settings(max_examples=60)
@given(SCRIPT)
def test_what_passes_in_bash_although_it_failed_is_found(script: str) -> None:
    if FAILS in script and goes_on(script, Path("/tmp")):
        assert found(RULES, lesson_with(script, run=True))


@pytest.mark.parametrize(
    "script",
    [
        "[ -d x ] && ls\necho end",
        "[[ -d x ]] && ls\necho end",
        "test -d x && ls\necho end",
        "command -v x && ls\necho end",
        "grep -q a b && ls\necho end",
        "a && b || c\necho end",
        "a || true\necho end",
        "if a && b; then c; fi\necho end",
        "while a && b; do c; done\necho end",
        "export A=$(pwd) B=$(nproc)",
        "export A=$(git describe 2>/dev/null)",
        "export A=$(a || echo b)",
        'echo "$(date): $(hostname)"',
        "set +e\na && b\necho end",
        "a && b &\nwait $!",
        "! a",
        "# a && b\necho end",
        "cat <<EOF\na && b\nEOF\necho end",
    ],
)
def test_what_the_author_means(script: str) -> None:
    assert found(RULES, lesson_with(script, run=True)) == []


def test_only_steps_that_stop_at_failures_count(lesson: Callable[..., Any], tmp_path: Path) -> None:
    def rules(directive: str) -> list[str]:
        text = lesson_text(f"<!-- {directive}\n-->\n```bash\ncd /nowhere && ls\necho end\n```")
        (tmp_path / "a.md").write_text(text)
        return [item["rule"] for item in lesson("validate", "a.md", "--json").json["findings"]]

    assert "unnoticed-failure" in rules("step\nid: one\nexpect: [{contains: end}]")
    assert rules("step\nid: one\nwith: {strict: false}\nexpect: [{contains: end}]") == []
    assert "unnoticed-failure" not in rules("skip\nreason: to read")


def test_where_it_is(lesson: Callable[..., Any], tmp_path: Path) -> None:
    text = lesson_text(
        "<!-- step\nid: one\nexpect: [{contains: end}]\n-->\n```bash\ncd x && ls\necho end\n```"
    )
    (tmp_path / "a.md").write_text(text)
    (finding,) = lesson("validate", "a.md", "--json").json["findings"]
    assert (finding["line"], finding["column"]) == (text[: text.index("cd x")].count("\n") + 1, 1)
