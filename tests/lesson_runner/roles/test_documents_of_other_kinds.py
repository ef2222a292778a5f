"""Blocks as they are in readmes, manuals and references of many projects."""

from __future__ import annotations

from pathlib import Path

import pytest

from lesson_runner.document.lessons import load_lesson
from lesson_runner.model import BlockRole
from lesson_runner.roles import roles_of


def of(text: str, folder: Path) -> tuple[BlockRole, ...]:
    path = folder / "a.md"
    path.write_text(text, "utf-8")
    return roles_of(load_lesson(path)[0])


@pytest.mark.parametrize(
    "text",
    [
        "```bash\nusage: shop [-h] [--dry-run] FILE\n\noptions:\n  -h, --help  show this\n```\n",
        "```sh\noptional arguments:\n  --data DATA  location\n  --model MODEL  type\n```\n",
        "```console\nshop.ProxyError: [SSL: TOO_LONG] invalid alert (_ssl.c:1091)\n```\n",
        "```console\nbash: shop: command not found\n```\n",
        "```console\ntotal 8\ndrwxr-xr-x 2 me me 4096 shop\n```\n",
        "```bash\nSuccessfully installed shop-1.0\n```\n",
        "```console\nNAME   READY   STATUS\nshop   1/1     Running\n```\n",
        "```bash\nfatal: not a git repository\n```\n",
        "```bash\n42\n```\n",
        "```\ngit version 2.40.1\n```\n",
        "```\nnode v18.0.0\n```\n",
        "```bash\nerror[E0382]: borrow of moved value\n```\n",
        "```bash\nTraceback (most recent call last):\n  File 'a.py', line 1\n```\n",
    ],
)
def test_what_only_a_program_prints_is_output(text: str, tmp_path: Path) -> None:
    assert of(f"# A page\n\n## Look\n\nSee this:\n\n{text}", tmp_path)[-1].role == "output"


def test_a_script_that_the_text_names_is_the_content_of_that_file(tmp_path: Path) -> None:
    (found,) = of(
        '`start.sh` consists of:\n\n```bash\n#!/bin/bash\nrm -f old.pid\nexec "$@"\n```\n', tmp_path
    )
    assert (found.role, found.file) == ("file", "start.sh")


@pytest.mark.parametrize(
    "sentence", ["Configure it to use the keys in `client.pem`.", "Add what `shop.get_items` returns."]
)
def test_python_is_not_the_content_of_a_file_of_another_kind(sentence: str, tmp_path: Path) -> None:
    (found,) = of(f"{sentence}\n\n```python\nimport os\nprint(os.getcwd())\n```\n", tmp_path)
    assert (found.role, found.file) == ("run", "")


@pytest.mark.parametrize(
    ("command", "marks"),
    [
        ("python train.py --in [PATH_TO_DATA] --n [COUNT]", ("[PATH_TO_DATA]", "[COUNT]")),
        ("python train.py [folder with train and test sets]", ("[folder with train and test sets]",)),
        ("GPU={AMD|NV} python3 train.py", ("{AMD|NV}",)),
        ("git clone https://github.com/{owner}/{repo}.git", ("{owner}", "{repo}")),
        ("git log stash@{upstream} ${HOME} $(echo {a,b})", ()),
        ("curl -w %{http_code} localhost; find . -exec ls {} +; [ -n A ] && ls file[A-Z]", ()),
    ],
)
def test_what_square_and_curly_brackets_leave_to_fill_in(
    command: str, marks: tuple[str, ...], tmp_path: Path
) -> None:
    (found,) = of(f"```bash\n{command}\n```\n", tmp_path)
    assert found.placeholders == marks


def test_what_a_person_does_in_a_browser_is_no_other_way(tmp_path: Path) -> None:
    above = "```bash\nmake up\n```\n\nOpen `http://localhost` in your web browser or run:"
    assert of(f"{above}\n\n```bash\ncurl localhost\n```\n", tmp_path)[-1].role == "run"


@pytest.mark.parametrize("typed", [">>> shop.get('...')", ">>> with open(shop.name) as file:\n...     ..."])
def test_what_a_session_leaves_out_is_not_run(typed: str, tmp_path: Path) -> None:
    assert of(f"```pycon\n>>> import shop\n{typed}\n```\n", tmp_path)[-1].role == "illustration"


@pytest.mark.parametrize("title", ["Troubleshooting", "Shop FAQ", "Changelog", "Git cheat sheet"])
def test_a_page_that_nobody_follows_to_its_end(title: str, tmp_path: Path) -> None:
    assert of(f"# {title}\n\n## A topic\n\n```bash\nmake clean\n```\n", tmp_path)[-1].role == "reference"


def test_definitions_that_a_later_program_uses_run(tmp_path: Path) -> None:
    cells = (
        "class Model:\n    size = 3",
        "import math\nrows = [math.sqrt(4)]",
        "model = Model()\nprint(model.size, rows)",
        "def unused():\n    return 3",
        "print(unused(), other)",
    )
    found = of("\n\n".join(f"```python\n{cell}\n```" for cell in cells), tmp_path)
    assert [item.role for item in found] == ["run", "run", "run", "illustration", "illustration"]


def test_definitions_do_not_run_for_a_program_that_is_only_to_read(tmp_path: Path) -> None:
    text = "```python\ndef add(a, b):\n    return a + b\n```\n\nAn excerpt:\n\n"
    assert [item.role for item in of(f"{text}```python\nprint(add(1, 2))\n```\n", tmp_path)] == [
        "illustration",
        "illustration",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "```\nC:\\Users\\me> python --version\nPython 3.12.1\n```\n",
        "```\nPS> Get-ChildItem\n```\n",
        "```bash\nPS C:\\> git status\n```\n",
        "```bash\nshop list [--all] [--format FORMAT]\n```\n",
        "```bash\nshop delete NAME...\n```\n",
    ],
)
def test_what_no_shell_of_the_reader_takes_does_not_run(text: str, tmp_path: Path) -> None:
    assert of(text, tmp_path)[-1].role == "illustration"


@pytest.mark.parametrize(
    ("command", "role"),
    [
        ("terraform destroy", "interactive"),
        ("terraform apply -var size=3", "interactive"),
        ("terraform apply -auto-approve", "run"),
        ("terraform apply plan.bin", "run"),
        ("ansible-playbook -i hosts site.yml --ask-become-pass", "interactive"),
        ("[ -n a ] && echo yes", "run"),
        ("if [ -f a ]; then ls; fi", "run"),
        ("Rscript plot.R", "run"),
        ("SIZE=3 make", "run"),
        ("sleep 0.5", "run"),
    ],
)
def test_what_asks_before_it_begins(command: str, role: str, tmp_path: Path) -> None:
    assert of(f"```bash\n{command}\n```\n", tmp_path)[-1].role == role


@pytest.mark.parametrize("language", ["", "yaml", "python"])
def test_what_is_from_a_file_that_the_text_links_to_is_to_read(language: str, tmp_path: Path) -> None:
    (found,) = of(f"[_size.py_](size.py)\n\n```{language}\nsize: int = 3\nprint(size)\n```\n", tmp_path)
    assert found.role == "illustration"


@pytest.mark.parametrize(
    "code",
    [
        "import shop\nreply = await shop.get()\nprint(reply)",
        "import shop\nprint(shop)\nreturn shop",
        "import shop\nasync def main():\n    async with shop.open() as found:\n        ...\nprint(main())",
    ],
)
def test_python_that_python_refuses_does_not_run(code: str, tmp_path: Path) -> None:
    (found,) = of(f"```python\n{code}\n```\n", tmp_path)
    assert found.role == "illustration"


def test_a_session_with_await_does_not_run(tmp_path: Path) -> None:
    (found,) = of("```pycon\n>>> import shop\n>>> await shop.get()\n3\n```\n", tmp_path)
    assert found.role == "illustration"
