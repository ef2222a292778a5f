"""Paths in the home folder of a particular user, and a ~ that nothing expands."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.lesson_runner.validate.rules.code_lessons import found, lesson_with

from lesson_runner.testing import lesson_text
from lesson_runner.validate.rules import home_folders, tildes


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("cd /home/jane/tt-metal", "1:4"),
        ("ls /Users/jane/x", "1:4"),
        ('cd "/home/jane/x"', "1:5"),
        ("export A=/home/jane/x", "1:10"),
        ("export PATH=$PATH:/home/jane/bin", "1:19"),
        ("python3 x.py --data=/home/jane/x", "1:21"),
        ("echo hi > /home/jane/x", "1:11"),
        ("echo 'export A=/home/jane' >> ~/.bashrc", "1:16"),
        ("echo 'export A=/home/jane' | tee -a ~/.bashrc", "1:16"),
        ("cat > x.ini <<EOF\ndata = /home/jane/x\nEOF", "2:8"),
        ("python3 - <<EOF\nopen('/home/jane/x')\nEOF", "2:7"),
        ("docker run -v /home/jane/data:/data image", "1:15"),
        ("docker run --mount type=bind,source=/home/jane/data,target=/data image", "1:37"),
        ("cp a /mnt/c/Users/jane/x", "1:6"),
        ("sudo mkdir /home/jane/x", "1:12"),
        ("ls /root/models", "1:4"),
        ("for x in /home/jane/*; do ls $x; done", "1:10"),
        ("$HOME/x /home/user/models", "1:9"),
    ],
)
def test_homes_in_shell(text: str, place: str) -> None:
    assert found(home_folders.RULES, lesson_with(text)) == [f"{place} hard-coded-home"]


@pytest.mark.parametrize(
    "text",
    [
        "cd ~/x; cd $HOME/x; cd /home/$USER/x; cd /home/<name>/x; ls /home",
        "# cd /home/jane",
        "echo /home/jane/x",
        "cat <<EOF\n/home/jane\nEOF",
        "grep -r /home/jane .",
        "sed -i 's|/home/jane|~|' x",
        "[ -d /home/jane ] && ls",
        "docker run -v models:/home/app/models image ls /home/app",
        "docker run -e A=/home/app/x image",
        "scp x host:/home/jane/x",
        "ssh host ls /home/jane",
        "sudo useradd -m jane\ncd /home/jane/x",
        "/home/linuxbrew/.linuxbrew/bin/brew install x",
        "sudo ls /root/x",
        "curl http://localhost/home/jane/x",
        "ls ./home/jane dist/Users/jane",
    ],
)
def test_homes_that_are_fine(text: str) -> None:
    assert found(home_folders.RULES, lesson_with(text)) == []


def test_each_user_once() -> None:
    text = "cd /home/jane/a && ls /home/jane/b /Users/joe/c"
    assert found(home_folders.RULES, lesson_with(text)) == ["1:4 hard-coded-home", "1:36 hard-coded-home"]


def test_a_user_that_the_text_explains() -> None:
    lesson = lesson_with("cd /home/jane/x")
    for prose in ("Log in as the user `jane`.", "ssh jane@board", "The image has the user **jane**."):
        assert found(home_folders.RULES, replace(lesson, text=f"{prose}\n{lesson.text}")) == []
    assert found(home_folders.RULES, replace(lesson, text=f"Copy Jane's files.\n{lesson.text}"))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("open('/home/jane/x')", 1),
        ("A = f'/home/jane/{x}'", 1),
        ("p = r'C:\\Users\\jane\\x'", 1),
        ("import sys\nsys.path.insert(0, '/Users/jane/lib')", 1),
        ("print('/home/jane/x')", 0),
        ("'''Reads /home/jane.'''", 0),
        ("@app.route('/home/profile')\ndef f(): ...", 0),
        ("client.get('/home/profile')", 0),
        ("A = 'https://x.org/home/jane'", 0),
    ],
)
def test_homes_in_python(text: str, number: int) -> None:
    assert len(found(home_folders.RULES, lesson_with(text, "python"))) == number


TILDES = [
    ('mkdir -p "~/x"', "1:11"),
    ("cd '~/x'", "1:5"),
    ('export A="~/x"', "1:11"),
    ('A=~/x B="~/y" true', "1:10"),
    ('ls --dir="~/x"', "1:11"),
    ("ls --dir=~/x", "1:10"),
    ("ls -DX=~/x", "1:8"),
    ('echo hi > "~/x"', "1:12"),
    ('"~/bin/x" --help', "1:2"),
    ('ls "~"/x', "1:5"),
    ('A=("~/x")', "1:5"),
    ('A="${A:-~/x}"', "1:9"),
    ('export PATH="$PATH:~/bin"', "1:20"),
    ('A=$(ls "~/x")', "1:9"),
]


@pytest.mark.parametrize(("text", "place"), TILDES)
def test_tildes_in_shell(text: str, place: str) -> None:
    assert found(tildes.RULES, lesson_with(text)) == [f"{place} quoted-tilde"]


@pytest.mark.parametrize("text", [text for text, _ in TILDES if text.startswith("ls")])
def test_bash_agrees(text: str, tmp_path: Path) -> None:
    """What the rule finds is a path that begins with ``~`` for the program that gets it."""
    words = subprocess.run(
        ["bash", "-c", text.replace("ls", r"printf '%s\n'", 1)],
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "~/x" in words
    assert str(tmp_path) not in words


@pytest.mark.parametrize(
    "text",
    [
        "ls ~/x; A=~/x; export B=~/y; cd ~",
        'ls "$HOME/x" "${HOME}/x"',
        "A=${A:-~/x}",
        'echo "~/x"',
        'alias x="~/bin/x"',
        "bash -c '~/bin/x'",
        'ssh host "~/bin/x"',
        "git config core.hooksPath '~/hooks'",
        "sed 's/~/x/' '~/x'",
        'A="~/x"; A="${A/#\\~/$HOME}"',
        '[[ $1 == "~/"* ]] && ls',
        'case $1 in "~/"*) ls;; esac',
        'cut -d "~" x; ls "a~/x" "x ~/y"',
        "# cd '~/x'",
        "cat <<EOF\n'~/x'\nEOF",
    ],
)
def test_tildes_that_are_fine(text: str) -> None:
    assert found(tildes.RULES, lesson_with(text)) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("open('~/x')", 1),
        ("import os\np = os.path.join('~/a', 'b')", 1),
        ("Path('~/x')", 1),
        ("open(f'~/{x}')", 1),
        ("Path('~/x').expanduser()", 0),
        ("os.path.expanduser('~/x')", 0),
        ("os.path.expanduser(os.path.join('~/x', 'a'))", 0),
        ("print('~/x')", 0),
        ("open('~x')", 0),
    ],
)
def test_tildes_in_python(text: str, number: int) -> None:
    assert len(found(tildes.RULES, lesson_with(text, "python"))) == number


def test_fix_writes_the_home_folder(lesson: Callable[..., Any], tmp_path: Path) -> None:
    step = '<!-- step\nid: one\nexpect: [{exit: 0}]\n-->\n```bash\nmkdir -p "~/made"\nls "~/made"\n```'
    (tmp_path / "a.md").write_text(lesson_text(step))
    lesson("validate", "a.md", "--fix")
    assert (tmp_path / "a.md").read_text().count('"$HOME/made"') == 2
    assert [
        f for f in lesson("validate", "a.md", "--json").json["findings"] if f["rule"] == "quoted-tilde"
    ] == []
