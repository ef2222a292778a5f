"""Shell blocks that do not parse, and those that only look like that."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.lesson_runner.validate.rules.code_lessons import found, lesson_with

from lesson_runner.model import Scope
from lesson_runner.testing import lesson_text
from lesson_runner.validate.rules import downloads, pipes, shell_blocks

RULES = shell_blocks.RULES
EVERY_RULE = (*shell_blocks.RULES, *downloads.RULES, *pipes.RULES)
BASH = shutil.which("bash")
needs_bash = pytest.mark.skipif(BASH is None, reason="compares with bash, which is not here")


@pytest.mark.parametrize(
    ("script", "place"),
    [
        ('echo "hi\necho there', "1:6"),
        ("ls\necho 'hi", "2:6"),
        ("cd x\nif true; then\n  echo a", "2:1"),
        ("for i in 1 2; do echo $i", "1:1"),
        ("while true\n  echo\ndone", "1:1"),
        ("case $x in\n  a) b;;", "1:1"),
        ("for x in *; do\n  if true; then\n    echo\ndone", "2:3"),
        ("say() {\n  echo", "1:7"),
        ("echo (a)", "1:6"),
        ("pip install x (CPU only)\nls", "1:15"),
        ("echo ü$(ls", "1:7"),
        ("echo `ls", "1:6"),
        ("files=(a b", "1:7"),
        ("echo ${a", "1:6"),
        ("ls | | wc", "1:6"),
        ("&& ls", "1:1"),
        ("ls &&", "1:6"),
        ("echo hi )", "1:9"),
        ("ls\nfi", "2:1"),
        ("echo a; done", "1:9"),
        ('python3 train.py \\\n  --steps 3 \\\n  --name "x', "3:10"),
        ('export TOKEN=<your token>\necho "x', "2:6"),
    ],
)
def test_blocks_that_do_not_parse(script: str, place: str) -> None:
    assert found(RULES, lesson_with(script)) == [f"{place} shell-syntax"]
    assert f"{place} shell-syntax" in found(RULES, lesson_with(script, run=True))


@pytest.mark.parametrize(
    "script",
    [
        "# don't (worry)\necho \"it's\" 'and \"so' on",
        "source <(tt-env) && cat <<< 'x' >out.txt 2>&1 &",
        "cat > run.sh << 'END'\nif it's never closed (\nEND\nchmod +x run.sh",
        "./install.sh \\\n  --no-kmd \\              # no driver\n  --quiet",
        "[ -d ~/tt-vllm ] && echo '✓ found' || echo '✗ missing'",
        "for i do echo; done; x=${x-`pwd`}; case $x in (a|b) ;; esac",
        'curl http://localhost:8000 -d \'{\n  "prompt": "It is"\n}\'',
        "if [ $a = ~ -o $b = ~ ]; then ls; fi",
        ": <<=cut\nWords (many) of it's own\n=cut",
        "docker stop $(docker ps -q) 2>/dev/null || true",
        '-virtfs local,path="$HOME/code"',
        "cat <<END\nnever ends, which bash only warns of",
    ],
)
@needs_bash
def test_scripts_that_bash_accepts_are_not_errors(script: str) -> None:
    assert bash_accepts(script)
    assert found(RULES, lesson_with(script)) == []
    assert found(RULES, lesson_with(script, run=True)) == []


@pytest.mark.parametrize(
    "text",
    [
        "export HF_TOKEN=<your-token>",
        "npm init <package> (same as `npx create-<package>`)",
        "python train.py [--resume (y|n)]",
        "for step in 500 1000; do\n  ...",
        "for step in 500 1000; do\n  python train.py …",
        "Step 100: loss 2.31 (validation)\nIt's what you should see",
        "$ tt-smi -s\nBoards (2): it's \"fine",
        '(venv) $ python -c "\n> print(1)\n> "\n1',
        "me@host:~/tt-metal$ cat <<END\nit's\nEND\nit's",
        "$ curl x -d '{\n  1\n}'\nit",
        "$ node\n> main();\n(nothing)",
        "% ls | \\\n  wc\n(12)",
    ],
)
def test_blocks_that_are_only_shown(text: str) -> None:
    assert found(RULES, lesson_with(text)) == []


def test_a_terminal_without_prompts_is_not_checked() -> None:
    assert found(RULES, lesson_with("echo (a)", "console")) == []
    assert found(RULES, lesson_with("$ echo (a)", "console")) == ["1:8 shell-syntax"]


def test_a_hidden_block_is_checked(lesson: Callable[..., Any], tmp_path: Path) -> None:
    text = '<!-- run\nid: one\nexpect: [{contains: a}]\n```bash\necho "a\n```\n-->\n'
    (tmp_path / "a.md").write_text(lesson_text(text))
    said = lesson("validate", "a.md", "--json").json["findings"]
    line = (tmp_path / "a.md").read_text().split("\n").index('echo "a') + 1
    assert [(item["rule"], item["line"], item["column"]) for item in said] == [("shell-syntax", line, 6)]


def test_places_in_a_list(lesson: Callable[..., Any], tmp_path: Path) -> None:
    block = "<!-- step\nid: one\nexpect: [{contains: a}]\n-->\n```bash\nls\n\techo ü '\n```\n"
    text = "".join(f"   {line}\n" if line else "\n" for line in ("1. x\n\n" + block).split("\n")).lstrip()
    (tmp_path / "a.md").write_text(lesson_text(text))
    said = lesson("validate", "a.md", "--json").json["findings"]
    rows = (tmp_path / "a.md").read_text().split("\n")
    line = next(index for index, row in enumerate(rows) if "echo ü" in row)
    assert [(item["rule"], item["line"], item["column"]) for item in said] == [
        ("shell-syntax", line + 1, rows[line].index("'") + 1)
    ]


def test_without_bash_it_is_a_warning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    shell_blocks._bash.cache_clear()
    try:
        rule = shell_blocks.RULES[0]
        assert rule.check is not None
        [item] = rule.check(lesson_with("echo 'a"), Scope())
        assert item.severity == "warning"
    finally:
        shell_blocks._bash.cache_clear()


@pytest.mark.parametrize(
    ("script", "places"),
    [
        ("hf login --token <your-token>", ["1:18"]),
        ("ls\nexport TOKEN=<the token>\nscp <file-name> x", ["2:14"]),
        ('echo "<your-token>"', []),
        ("echo '<your-token>'  # <your-token>", []),
        ("cat <<END\n<your-token>\nEND", []),
        ("sort <in.txt >out.txt", []),
        ("cat <(ls) <<< x", []),
    ],
)
def test_placeholders_in_steps(script: str, places: list[str]) -> None:
    wanted = [f"{place} placeholder-in-step" for place in places]
    assert found(RULES, lesson_with(script, run=True)) == wanted
    assert found(RULES, lesson_with(script)) == []


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "$(" * 10_000,
        '"$(' * 10_000,
        "|" * 60_000,
        "${" * 30_000,
        "<<a\n" * 10_000,
        "(curl x.io |" * 5_000,
        'bash -c "$(curl ' * 3_500,
        "$(<a-b> " * 7_000,
        "\0" * 20_000,
        "\ud800" * 20_000,
        "a@b" * 20_000,
        "for i do ls; done\n" * 3_000,
        'echo hi "x" $y <a-b> curl http://x.io\n' * 50_000,
        "curl http://x.io -O; }\n" * 2_500,
    ],
    ids=lambda text: f"{text[:12]!r}*",
)
@pytest.mark.parametrize("run", [False, True])
def test_hostile_text_is_fast(text: str, run: bool) -> None:
    began = time.process_time()
    found(EVERY_RULE, lesson_with(text, run=run))
    assert time.process_time() - began < 3


WORDS_OF_BASH = re.findall(
    r"\S+ ", "if then fi for do done case in esac while echo bash wget curl sh -c -O [[ "
)
PIECES = st.sampled_from(
    [
        *"()[]{}<>|&;$\"'`\\ \n#!=~*?",
        "$(",
        "<(",
        "<<E\n",
        "E\n",
        "]]",
        "$ ",
        "> ",
        "http://x.io ",
        *WORDS_OF_BASH,
    ]
)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(PIECES, st.text(max_size=4)), max_size=40).map("".join), st.booleans())
@example("{\U000f0000\n{\U0010ffff", True)
@example("\ud800'", True)
@example("a\x85b '", True)
def test_any_text(text: str, run: bool) -> None:
    for item in found(EVERY_RULE, lesson_with(text, run=run)):
        line, column = map(int, item.split()[0].split(":"))
        lines = text.split("\n")
        assert 1 <= line <= len(lines)
        assert 1 <= column <= len(lines[line - 1]) + 1


def bash_accepts(script: str) -> bool:
    done = subprocess.run(
        [str(BASH), "--norc", "-n"], input=script.encode(), capture_output=True, check=False
    )
    return done.returncode == 0


WORDS = st.sampled_from(
    ["a", "$x", '"a b"', "'it'", "${x:-y}", "$(ls)", "`ls`", "--y=1", "{a,b}", "*.md", "~/x", "\\\n"]
)
SIMPLE = st.lists(WORDS, min_size=1, max_size=4).map(lambda words: "echo " + " ".join(words))
SCRIPTS = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda two: f"{two[0]} | {two[1]}"),
        st.tuples(inner, inner).map(lambda two: f"{two[0]} &&\n  {two[1]}"),
        st.tuples(inner, inner).map(lambda two: f"if {two[0]}; then\n{two[1]}\nfi"),
        inner.map(lambda one: f"for i in 1 2; do {one}; done"),
        inner.map(lambda one: f"for i do\n{one}\ndone"),
        inner.map(lambda one: f"while read -r line; do\n{one}\ndone < file"),
        inner.map(lambda one: f"case $x in\n  (a|b) {one} ;;\n  *) ;;\nesac"),
        inner.map(lambda one: f"( {one} )"),
        inner.map(lambda one: f"{{ {one}; }} 2>&1"),
        inner.map(lambda one: f"f() {{\n{one}\n}}"),
        inner.map(lambda one: f"{one} <<'END'\nit's (\nEND\n"),
        inner.map(lambda one: f"[[ -n $x && ! -d y ]] || {one}"),
        inner.map(lambda one: f"# it's (\n{one} # \"\n"),
        inner.map(lambda one: f"x=$({one}) y=(1 2) {one}"),
    ),
    max_leaves=6,
)


@pytest.mark.slow
@needs_bash
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCRIPTS, st.booleans())
def test_no_diagnostic_if_bash_has_no_error(script: str, run: bool) -> None:
    said = found(RULES, lesson_with(script, run=run))
    assert not said or not bash_accepts(script)


@pytest.mark.parametrize(
    ("session", "place"),
    [
        ("$ cat <<END\nhello", "1:7"),
        ("$ ls\na\n$ echo 'never closed\n> rm x", "3:8"),
        ("$ if true; then\nhello", "1:3"),
    ],
)
def test_a_command_of_a_step_s_terminal_must_end(session: str, place: str) -> None:
    """What follows may be output, so it does not run."""
    assert found(RULES, lesson_with(session, "console", run=True)) == [f"{place} shell-syntax"]


@pytest.mark.parametrize(
    ("script", "place"),
    [
        ("cat <<END\n  a\n  END\nrm a", "3:3"),
        ("cat <<END\na\nEND \nrm a", "3:1"),
        ("cat <<-END\n\ta\n  END\nrm a", "3:3"),
        ("cat <<'THE END'\na\n THE END\nrm a", "3:2"),
        ("cat <<END\nAN END\nEND\nrm a", ""),
        ("cat <<-END\n\ta\n\tEND\ncat <<A <<'B C'\nA\nB C\nrm a", ""),
        ("a=$(cat <<END\nEND\n)\nrm a", ""),
    ],
)
@pytest.mark.parametrize("prompt", ["", "$ "])
@needs_bash
def test_a_here_document_does_not_hide_the_rest_of_a_step(script: str, place: str, prompt: str) -> None:
    text = f"$ {script}".replace("\nrm a", "\n$ rm a").replace("\ncat", "\n$ cat") if prompt else script
    language = "console" if prompt else "bash"
    expected = [f"{place} shell-syntax"] if place else []
    assert found(RULES, lesson_with(text, language, run=True)) == expected
