"""What blocks need, as it is found in their syntax trees; and what earlier blocks make."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesson_runner.document.lessons import load_lesson
from lesson_runner.model import BlockRole, Lesson, Role
from lesson_runner.roles.needs import with_needs

SHELL = [
    ("rg x && ls | jq . ; (fzf)", "command rg, command jq, command fzf"),
    ("echo hi; cd; export A=1; [ -f x ]; printf x; sleep 1", ""),
    ("nohup env A=1 time nice -n 5 tool --flag &", "command tool"),
    ("find . | xargs -n 1 tool", "command tool"),
    ("timeout -k 5 30 tool", "command tool"),
    ("sudo -u me tool", "sudo, command tool"),
    ("bash -c 'tool; cd /srv/x'", "command tool, file /srv/x"),
    ("X=$(tool) ; echo \"$(other)\"", "command tool, command other"),
    # Where the author asks first, or has another way, nothing is needed.
    ("if command -v tool; then tool; fi", ""),
    ("command -v tool && tool", ""),
    ("which tool || echo none", ""),
    ("tool || echo none", ""),
    ("[ -d /srv/x ] && cd /srv/x", ""),
    ("case $OSTYPE in linux*) apt install x;; *) brew install x;; esac", ""),
    ("until curl -s localhost:8000; do sleep 1; done", ""),
    ("tool || exit 1", "command tool"),
    ("cd /srv/x || { echo no; exit 1; }", "file /srv/x"),
    ("f() { tool; }\nalias g=tool\nf; g", ""),
    # Text is not code.
    ("echo 'tool | other' # tool", ""),
    ("cat > x <<'END'\ntool\nEND\ncat x", ""),
    # Files.
    ("cd ~/app && ./run.sh", "file ~/app, file ~/app/run.sh"),
    ("mkdir -p a/b && cd a/b && touch c && cat c ../b/c && cd ../.. && ls a", ""),
    ("cd sub\ncat one.txt", "file sub, file sub/one.txt"),
    ("source /opt/x/activate\ntool\npython -c 'import numpy'", "file /opt/x/activate"),
    ("eval \"$(conda shell.bash hook)\"; conda activate x; tool $X", "command conda"),
    ("python examples/a.py --n 3", "file examples/a.py"),
    ("cat < in.txt > out.txt; cat out.txt", "file in.txt"),
    ("cp a.txt b.txt && cat b.txt", "file a.txt"),
    ("tar xzf a.tar.gz && cd a && make", "file a.tar.gz, command make"),
    ("cd \"$WHERE\" && ./run.sh; cat *.txt /path/to/x $X", "env WHERE, env X"),
    ("cat $HOME/x ${HOME}/y ~/z /dev/null", "file ~/x, file ~/y, file ~/z"),
    ("python3 -m venv v && source v/bin/activate && v/bin/pip list", ""),
    ("docker compose -f stack.yml up -d", "docker, file stack.yml"),
    ("docker run --device /dev/accel/0 image", "docker, file /dev/accel/0"),
    ("npx create-thing app && cd app && node x.js", "network registry.npmjs.org, command npx, command node"),
    ("python a.py && cat made.txt ~/x", "file a.py, file ~/x"),
    ("scp a.txt me@example.org:/x; ssh example.org ls",
     "command scp, command ssh, network example.org"),
    ("cargo build", "command cargo, file Cargo.toml"),
    ("cargo new app && cd app && cargo build", "command cargo"),
    # Variables.
    ("echo $A; deploy --token \"$B\" ${C:-x} ${D} $1 $? $PATH", "env B, env D, command deploy"),
    ("A=1; for f in x; do use $A $f; done", "command use"),
    ("export A=$A:x; A=$A", ""),
    # The network.
    ("git clone https://github.com/a/b.git && cd b && ls src", "network github.com, command git"),
    ("git clone git@example.org:a/b && cd b", "network example.org, command git"),
    ("git clone ../there here && cd here", "command git"),
    ("curl -fsSL https://example.org/a.txt -o b.txt && cat b.txt", "network example.org, command curl"),
    ("wget -q https://example.org/a.txt?x=1 && cat a.txt", "network example.org, command wget"),
    ("curl localhost:8000/health http://127.0.0.1:9/x",
     "server localhost:8000, server 127.0.0.1:9, command curl"),
    ("python3 -m http.server 8123 &\ncurl localhost:8123", "command curl"),
    ("pip install -q 'numpy>=1' pyyaml && python -c 'import numpy, yaml, torch'",
     "network pypi.org, command pip, python torch"),
    ("pip install --no-index ./a.whl", "command pip, file a.whl"),
    ("pip install -r requirements.txt\npython -c 'import a, b'",
     "network pypi.org, command pip, file requirements.txt"),
    ("npm install\nnode app.js",
     "network registry.npmjs.org, command npm, file package.json, command node, file app.js"),
    ("docker pull ghcr.io/a/b:1; docker pull nginx", "docker, network ghcr.io, network registry-1.docker.io"),
    ("sudo apt-get install -y jq && jq .", "sudo, linux, command apt-get, network"),
    ("open -a Safari", "macos"),
    ("cat /proc/cpuinfo", "linux, file /proc/cpuinfo"),
    # Python in a shell.
    ("python - <<'END'\nimport numpy\nopen('x.csv')\nEND", "python numpy, file x.csv"),
    ("python -m pytest -q", "python pytest"),
    # What cannot be read has no needs.
    ("if then", ""),
    ("curl https://<your-host>/x && cat <file name>", "command curl"),
]  # fmt: skip

PYTHON = [
    ("import os, json.decoder, numpy.linalg as n\nfrom torch import nn\nfrom . import x",
     "python numpy, python torch"),
    ("try:\n    import a\nexcept ImportError:\n    a = None\nimport b", "python b"),
    ("try:\n    import a\nfinally:\n    pass", "python a"),
    ("def f():\n    import a\nif x:\n    import b\nif __name__ == '__main__':\n    import c", "python c"),
    ("import os\nos.environ['A'] = '1'\nprint(os.environ['A'], os.environ['B'], os.environ.get('C'))",
     "env B"),
    ("with open('a', 'w') as f: pass\nopen('a')\nopen('b')\nPath('c').read_text()", "file b, file c"),
    ("import requests\nrequests.get('http://localhost:5000/x')\nrequests.get('https://example.org')",
     "python requests, server localhost:5000, network example.org"),
    ("from openai import OpenAI\nc = OpenAI(base_url='http://localhost:8000/v1')",
     "python openai, server localhost:8000"),
    ("!pip install a\nimport a", "python a"),
    ("not python at all", ""),
]  # fmt: skip


def lesson_of(folder: Path, blocks: Sequence[tuple[str, str]]) -> Lesson:
    path = folder / "a.md"
    path.write_text("\n".join(f"````{language}\n{code}\n````\n" for language, code in blocks), "utf-8")
    return load_lesson(path)[0]


def read(folder: Path, *blocks: tuple[str, str], roles: Sequence[Role] = ()) -> tuple[BlockRole, ...]:
    lesson = lesson_of(folder, blocks)
    run: Role = "run"
    all_roles = (*roles, *[run] * len(blocks))
    return with_needs(
        lesson,
        [
            BlockRole(block, n, role, "", "")
            for n, (block, role) in enumerate(zip(lesson.blocks, all_roles, strict=False), 1)
        ],
    )


def shown(item: BlockRole) -> set[str]:
    return set(map(str, item.needs))


@pytest.mark.parametrize(
    ("language", "code", "expected"),
    [*(("bash", *case) for case in SHELL), *(("python", *case) for case in PYTHON)],
)
def test_the_needs_of_one_block(tmp_path: Path, language: str, code: str, expected: str) -> None:
    (found,) = read(tmp_path, (language, code))
    assert shown(found) == set(filter(None, expected.split(", ")))
    assert not found.earlier


MADE = [
    ("git clone https://github.com/a/b", "cd b && python examples/x.py", "file b, file b/examples/x.py"),
    ("mkdir d e && cd d", "cd ../e", "file ../e"),
    ("tool() { :; }\nX=1", "tool $X", "command tool, env X"),
    ("source settings.sh", "deploy $X", "env X"),
    ("python -m http.server 8000 &", "curl localhost:8000", "server localhost:8000"),
    ("uvicorn app:app --port 5000 &", "curl localhost:5000/x", "server localhost:5000"),
    ("docker run -d -p 8080:80 nginx", "curl localhost:8080", "server localhost:8080"),
    ("some-server &", "curl localhost:5000/x", "server localhost:5000"),
    ("pip install httpie pillow", "http --version && python -c 'import PIL'", "command http, python PIL"),
    ("pip install -r r.txt", "python -c 'import x'", "python x"),
    ("echo 'def f(): 1' > own.py; mkdir pack", "python -c 'import own, pack'", "file own.py, file pack"),
    ("wget https://example.org/a.zip && unzip a.zip", "ls a/data", "file a/data"),
    ("python train.py --output model.bin", "cat model.bin", "file model.bin"),
]


@pytest.mark.parametrize(("first", "second", "expected"), MADE)
def test_what_an_earlier_block_makes(tmp_path: Path, first: str, second: str, expected: str) -> None:
    maker, found = read(tmp_path, ("bash", first), ("bash", second))
    assert not maker.earlier
    assert {(str(need), need.made_by) for need in found.earlier} == {
        (name, 1) for name in expected.split(", ")
    }
    assert not shown(found) & set(expected.split(", "))


def test_files_that_the_reader_saves_and_blocks_that_only_show(tmp_path: Path) -> None:
    blocks = [("python", "import numpy"), ("bash", "cat out.txt; git x"), ("bash", "python app.py")]
    lesson = lesson_of(tmp_path, blocks)
    saved, only_shown, used = lesson.blocks
    found = with_needs(
        lesson,
        [
            BlockRole(saved, 1, "file", "", "", file="app.py"),
            BlockRole(only_shown, 2, "illustration", "", ""),
            BlockRole(used, 3, "run", "", ""),
        ],
    )
    assert [shown(item) for item in found] == [set(), set(), set()]
    assert [(str(need), need.made_by) for need in found[2].earlier] == [("file app.py", 1)]


@pytest.mark.parametrize(
    ("roles", "needed"),
    [(("run", "run"), False), (("alternative", "run"), True), (("alternative", "alternative"), False)],
)
def test_only_the_main_path_makes_things_for_the_main_path(
    tmp_path: Path, roles: tuple[Role, Role], needed: bool
) -> None:
    blocks = [("bash", "mkdir app"), ("bash", "cd app")]
    assert ("file app" in shown(read(tmp_path, *blocks, roles=roles)[1])) == needed


@settings(max_examples=60)
@given(
    st.text(st.sampled_from("abc $~/.-|&;()<>'\"\\\n=#{}[]`*?:0"), max_size=60),
    st.sampled_from(["bash", "python"]),
)
def test_any_text(tmp_path_factory: pytest.TempPathFactory, text: str, language: str) -> None:
    """Nothing raises, and each need could be written in a directive."""
    for need in read(tmp_path_factory.getbasetemp(), (language, text))[0].needs:
        assert "\n" not in need.value
        assert need.kind not in ("command", "python", "env") or need.value.strip("+-._") != ""


@pytest.mark.slow
def test_many_blocks_take_linear_time(tmp_path: Path) -> None:
    """Ten times as many blocks take about ten times as long, not a hundred times."""

    def seconds(count: int) -> float:
        blocks = [("bash", f"mkdir d{n} && cd d{n} && touch f{n} && cat f{n - 1}") for n in range(count)]
        lesson = lesson_of(tmp_path, blocks)
        roles = [BlockRole(block, n, "run", "", "") for n, block in enumerate(lesson.blocks, 1)]
        clock = time.process_time()
        with_needs(lesson, roles)
        return time.process_time() - clock

    seconds(10)
    assert seconds(300) < 40 * max(seconds(30), 0.005)
