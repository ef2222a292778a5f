"""Lessons without directives run in a home folder and with Python packages of their own."""

from __future__ import annotations

import os
import stat
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.fake_plugin import fake_plugin
from tests.lesson_runner.execute.conftest import why_not

from lesson_runner.execute.own_home import home_variables, make_home
from lesson_runner.execute.own_python import make_python
from lesson_runner.plugins import ActionCall, Block, Lesson
from lesson_runner.testing import lesson_text

Command = Callable[..., Any]
Fence = tuple[str, str]
SETTINGS = "[user]\n\tname = Ann Example\n\temail = ann@example.org\n[commit]\n\tgpgsign = true\n"


def typed(block: Block, lesson: Lesson) -> Sequence[ActionCall] | None:
    """Make a step of each shell and Python block, as for a tutorial without directives."""
    action = {"bash": "shell", "python": "python"}.get(block.language)
    return [ActionCall(action, {"script": block.text}, block.location, block.text)] if action else None


TYPIST = fake_plugin("typist", interpret_block=typed)


def snapshot(folder: Path) -> dict[str, object]:
    """Return everything in a folder: its mode, when it was changed, and its content."""
    found: dict[str, object] = {}
    for path in [folder, *folder.rglob("*")]:
        facts = path.lstat()
        content = path.readlink() if path.is_symlink() else path.read_bytes() if path.is_file() else None
        # A file that is read, or linked to, keeps its times of change, but not all of those of access.
        found[str(path.relative_to(folder))] = (stat.S_IFMT(facts.st_mode), facts.st_mtime_ns, content)
    return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder of a user who has a project, a library, settings and keys."""
    folder = tmp_path / "me"
    for name, text in {
        ".gitconfig": SETTINGS,
        ".bashrc": "export FROM_BASHRC=yes\n",
        ".config/pip/pip.conf": "[global]\ndisable-pip-version-check = true\n",
        ".ssh/id_ed25519": "kumquat",
        ".netrc": "kumquat",
        "project/data.txt": "mine\n",
        "project/tool.sh": "echo tool\n",
        "models/large/weights": "weights\n",
        "work/draft": "draft\n",
        "list.txt": "one\n",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setenv("HOME", str(folder))
    for name in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "GIT_CONFIG_GLOBAL", "VIRTUAL_ENV"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def run(lesson: Command, tmp_path: Path) -> Command:
    """Runs blocks as the steps of a lesson without directives; returns statuses and outputs in order."""

    def follow(*blocks: str | Fence, options: Sequence[str] = (), code: int = 0) -> list[tuple[str, str]]:
        fences = [("bash", block) if isinstance(block, str) else block for block in blocks]
        body = "".join(
            f"## Step {n}: go on\n\n```{language}\n{text}\n```\n\n"
            for n, (language, text) in enumerate(fences, 1)
        )
        (tmp_path / "a.md").write_text(lesson_text(body))
        workspace = ("--workspace", tmp_path / ".lesson")
        said = lesson(
            "run",
            tmp_path / "a.md",
            "--allow",
            "shell,system",
            "--json",
            *workspace,
            *options,
            plugins=[TYPIST],
        )
        assert said.code == code, said
        return results(tmp_path, said.json)

    return follow


def results(tmp_path: Path, record: Any) -> list[tuple[str, str]]:
    evidence = tmp_path / ".lesson/runs" / record["run_id"] / "evidence"
    return [
        (
            step["status"],
            output.read_text() if (output := evidence / step["id"] / "output.txt").exists() else "",
        )
        for step in record["steps"]
    ]


def wheel(folder: Path, name: str, version: str) -> Path:
    """Make a wheel of a module with a console script of the same name that prints its version."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    about = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", f"def main():\n    print('{name}', {version!r})\n")
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/entry_points.txt", f"[console_scripts]\n{name} = {name}:main\n")
        archive.writestr(f"{about}/RECORD", "")
    return path


def unpack(package: Path) -> str:
    """Return a command that installs a wheel in the Python of the terminal, faster than pip does."""
    find = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return f'python -m zipfile -e {package} "$(python -c "{find}")"'


# --- nothing outside of the run changes ---


HARMLESS = (
    "git config --global user.name Somebody && git config --global alias.st status",
    "echo 'export A=1' >> ~/.bashrc; source ~/.bashrc; echo $A $FROM_BASHRC",
    "mkdir -p ~/work/new && echo x > ~/work/new/file && ls ~/work",
    "cd && echo here > note && pwd | sed s,.*/,,",
    'cat >> "${XDG_CONFIG_HOME:-$HOME/.config}/app.ini" <<< key=value',
    "rm -rf ~/models ~/.config ~/.ssh; mkdir -p ~/models/large; echo 1 >> ~/list.txt; cat ~/list.txt",
    "python3 - <<'EOF'\nimport os\nopen(os.path.expanduser('~/written'), 'w').write('x')\nEOF",
    ("python", "from pathlib import Path\n\n(Path.home() / 'note').write_text('x')"),
    "HISTFILE=~/.bash_history; set -o history; echo a; history -w; touch $HOME/.hushlogin",
    "ls ~ | xargs",
)


@pytest.fixture
def unchanged(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """
    The environment that the user has activated, with pip from below and a package `kept`.

    At the end, checks that nothing has changed in the home folder, this environment and the current folder,
    nor at the top of the runner's own environment.
    """
    active, runners = tmp_path / "active", Path(sys.prefix)
    make_python(active, str(runners / "bin"))
    packages = next(active.glob("lib/python*/site-packages"))
    (packages / "kept.py").write_text("print('kept')\n")
    (packages / "kept-1.0.dist-info").mkdir()
    for name, text in {
        "METADATA": "Metadata-Version: 2.1\nName: kept\nVersion: 1.0\n",
        "RECORD": "kept.py,,\n",
        "INSTALLER": "pip\n",
    }.items():
        (packages / "kept-1.0.dist-info" / name).write_text(text)
    monkeypatch.setenv("VIRTUAL_ENV", str(active))
    monkeypatch.setenv("PATH", f"{active}/bin{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    here = tmp_path / "here"
    here.mkdir()
    (here / "a.md").touch()
    watched = [home, active, here]
    own = [runners / "bin", next(runners.glob("lib/python*/site-packages"))]

    def seen() -> list[Any]:
        tops = [{(path.name, path.lstat().st_mtime_ns) for path in folder.iterdir()} for folder in own]
        return [*map(snapshot, watched), *tops]

    before = seen()
    monkeypatch.chdir(here)
    yield active
    assert seen() == before


@pytest.mark.slow
@pytest.mark.usefixtures("unchanged")
def test_nothing_outside_of_the_run_changes(run: Command) -> None:
    done = run(*HARMLESS)

    assert [status for status, _ in done] == ["passed"] * len(done), done
    output = [text for _, text in done]
    assert output[1:4] == ["1 yes", "new", "home"]
    assert output[5] == "one\n1"
    assert output[-1] == "list.txt models note work written"


@pytest.mark.slow  # pip needs a second or more each time
@pytest.mark.usefixtures("unchanged")
def test_no_package_outside_of_the_run_changes(run: Command, tmp_path: Path) -> None:
    done = run(
        f"pip install --no-index -q {wheel(tmp_path, 'lemon', '1.0')}",
        "lemon; python -m pip list | grep lemon",
        "pip config set global.timeout 7",
        "pip uninstall -y kept; python -c 'import kept'",
        ("python", "import kept, lemon\n\nlemon.main()"),
    )

    assert [status for status, _ in done] == ["passed"] * len(done), done
    output = [text for _, text in done]
    assert output[1].split() == ["lemon", "1.0"] * 2
    assert output[3].endswith("kept")
    assert output[4] == "kept\nlemon 1.0"


def test_an_annotated_lesson_stays_in_the_home_of_the_user(
    lesson: Command, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "a.md").write_text(lesson_text("<!-- step\nid: one\n-->\n```bash\ncd; pwd\n```\n"))

    said = lesson("run", "a.md", "--allow", "shell", "--json")

    assert said.code == 0, said
    assert results(tmp_path, said.json)[0][1] == f"{home}"
    assert {path.name for path in (tmp_path / ".lesson/runs" / said.json["run_id"]).iterdir()}.isdisjoint(
        {"home", "python"}
    )


# --- what the home folder shows ---


@pytest.mark.usefixtures("home")
def test_git_commits_as_the_user_without_the_keys_of_the_user(run: Command) -> None:
    (done,) = run(
        "git init -q x && cd x && git commit -q --allow-empty -m a && git log --format='%an %ae %G?'"
    )
    assert done == ("passed", "Ann Example ann@example.org N")


def test_git_says_what_is_missing_if_the_user_has_no_identity(
    run: Command, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / ".gitconfig").write_text("[user]\n\tuseConfigOnly = true\n")
    ((status, output),) = run("git init -q x && cd x && git commit --allow-empty -m a", code=1)
    assert status == "failed"
    assert "user.email" in output


def test_what_the_lesson_uses_is_there_and_what_it_makes_is_not(run: Command, home: Path) -> None:
    done = run(
        "cat ~/project/data.txt; sh $HOME/project/tool.sh; ls -A ~ | xargs",
        "git init -q --bare x; git clone -q x ~/work; ls ~/work | wc -l | xargs\n"
        "[ ! -e ~/.netrc ] && echo hidden",
    )
    assert done[0] == ("passed", "mine\ntool\n.config .gitconfig project")
    assert done[1] == ("passed", "warning: You appear to have cloned an empty repository.\n0\nhidden")
    assert "kumquat" not in str(done)
    assert (home / "work/draft").read_text() == "draft\n"


@pytest.mark.usefixtures("home")
def test_the_user_is_told_which_folders_are_no_copies(run: Command, tmp_path: Path) -> None:
    done = run("ls ~/project", "ls ~/project")
    (events,) = tmp_path.glob(".lesson/runs/*/events.jsonl")
    assert events.read_text().count("[yours, not a copy: ~/project;") == 1
    assert done[0] == done[1] == ("passed", "data.txt\ntool.sh")  # what is judged has no word of it


@pytest.mark.parametrize(
    ("block", "shown"),
    [
        ("cd ~/project", ["project"]),
        ("python run.py --model $HOME/models/large", ["models"]),
        ("cat ${HOME}/project/data.txt && ls ~/models", ["models", "project"]),
        ("x = Path.home() / 'project'", ["project"]),
        ("open(os.path.expanduser('~/project/data.txt'))", ["project"]),
        ("mkdir -p ~/project && cp ~/work/draft ~/project/", ["work"]),
        ("cat > ~/project", []),
        ("hf download a/b --local-dir ~/models/small\nls ~/models/large", ["models/large"]),
        ("git clone https://git.example/you/project.git\ncd ~/project", []),
        ("rm -rf ~/project", []),
        ("cat ~/.ssh/id_ed25519 ~/.netrc", []),
        ("ls ~/.config ~/.config/pip", []),
        ("ls ~/../me/project ~/. ~root/project a~/project /x~/project", []),
    ],
)
def test_what_is_linked(home: Path, tmp_path: Path, block: str, shown: list[str]) -> None:
    assert make_home(tmp_path / "home", [block]) == [f"~/{name}" for name in shown]
    for name in shown:
        assert (tmp_path / "home" / name).readlink() == home / name


def test_a_repository_is_linked_as_a_whole(home: Path, tmp_path: Path) -> None:
    (home / "project/.git").mkdir()
    block = "cd ~/project\nmkdir -p ~/project/build && cd ~/project/build && cmake .."
    assert make_home(tmp_path / "home", [block]) == ["~/project"]


WORDS = [
    "~/",
    "$HOME/",
    "Path.home() / '",
    "project",
    "work",
    "..",
    "/",
    "~",
    " ",
    "\n",
    "mkdir ",
    "> ",
    ".ssh",
    "'",
]


@settings(max_examples=30)
@given(texts=st.lists(st.lists(st.sampled_from(WORDS), max_size=12).map("".join), max_size=3))
def test_no_text_links_what_is_not_in_the_home_folder_or_is_secret(
    texts: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("homes")
    user = folder / "me"
    for name in ("project", "work", ".ssh"):
        (user / name).mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(user))
        patch.setenv("LESSON_HOME", str(folder))
        linked = make_home(folder / "home", texts)
    assert set(linked) <= {"~/project", "~/work"}


def test_variables_that_lead_home_lead_to_the_home_of_the_run(home: Path, tmp_path: Path) -> None:
    own = tmp_path / "home"
    for name in (".rustup", ".cache/pip", "go/pkg/mod", "go/bin"):
        (home / name).mkdir(parents=True)
    given = {
        "CARGO_HOME": str(home / ".cargo"),
        "GOPATH": str(home / "go"),
        "npm_config_prefix": "/usr/local",
        "PATH": f"{home}/go/bin:/usr/bin",
        "PIP_INDEX_URL": "https://index.example/simple",
    }

    got = home_variables(own, given, passed={"GOPATH"})

    assert got == {
        "HOME": str(own),
        "GEM_HOME": str(own / ".gem"),
        "CONDA_ENVS_PATH": str(own / ".conda/envs"),
        "GOPATH": str(home / "go"),
        "GOMODCACHE": str(home / "go/pkg/mod"),
        "PIP_CACHE_DIR": str(home / ".cache/pip"),
        "PIP_INDEX_URL": "https://index.example/simple",
        "RUSTUP_HOME": str(home / ".rustup"),
        "npm_config_prefix": str(own / ".local"),
        "PATH": f"{own}/.local/bin:{own}/.gem/bin:{own}/go/bin:{home}/go/bin:/usr/bin",
    }
    assert "PIP_CACHE_DIR" not in home_variables(own, given, shared=False)


# --- later runs in the same files ---


@pytest.mark.usefixtures("home")
def test_resumed_and_continued_runs_have_the_same_home(run: Command, lesson: Command, tmp_path: Path) -> None:
    blocks = (
        "echo note > ~/note",
        "cat ~/note; test -e ../../../../go-on",
    )
    assert [status for status, _ in run(*blocks, code=1)] == ["passed", "failed"]
    (tmp_path / "go-on").touch()

    again = lesson("resume", "--allow", "shell", "--json", plugins=[TYPIST])
    assert results(tmp_path, again.json)[1] == ("passed", "note")
    later = run(*blocks, options=("--from", "step-2"))
    assert later[1] == ("passed", "note")


def test_a_removed_run_leaves_what_its_home_links_to(run: Command, lesson: Command, home: Path) -> None:
    before = snapshot(home)
    run("ls ~/project; mkdir -p ~/cache/a && touch ~/cache/a/b && chmod -R a-w ~/cache")
    assert lesson("runs", "rm", "--keep", "0", "--yes").code == 0
    assert snapshot(home) == before
    assert list(Path(".lesson/runs").iterdir()) == []


# --- Python ---


@pytest.mark.usefixtures("home")
def test_a_program_from_below_finds_what_a_step_installs(run: Command, tmp_path: Path) -> None:
    active = tmp_path / "active"
    make_python(active, str(Path(sys.executable).parent))
    tool = active / "bin/show-lemon"
    tool.write_text(f"#!{active}/bin/python\nimport lemon\n\nlemon.main()\n")
    tool.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIRTUAL_ENV", str(active))
        patch.setenv("PATH", f"{active}/bin{os.pathsep}{os.environ['PATH']}")
        done = run(
            f"{unpack(wheel(tmp_path, 'lemon', '2.0'))}\nshow-lemon",
            "python -m venv --without-pip a && . a/bin/activate\npython -c 'import lemon' || echo apart",
        )
    assert done[0] == ("passed", "lemon 2.0")
    assert done[1][1].endswith("apart")


def test_a_python_without_pip_says_so(run: Command, home: Path, tmp_path: Path) -> None:
    import venv

    venv.create(tmp_path / "bare", symlinks=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIRTUAL_ENV", str(tmp_path / "bare"))
        patch.setenv("PATH", f"{tmp_path}/bare/bin{os.pathsep}{os.environ['PATH']}")
        ((status, output),) = run("pip install x", code=1)
    assert status == "failed"
    assert output.startswith(f"pip: {tmp_path}/bare/bin/python has no pip; ")


def test_a_python_that_does_not_work_is_named(run: Command, home: Path, tmp_path: Path) -> None:
    (tmp_path / "old/bin").mkdir(parents=True)
    (tmp_path / "old/bin/python").write_text("#!/bin/sh\necho 'too old' >&2\nexit 1\n")
    (tmp_path / "old/bin/python").chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIRTUAL_ENV", str(tmp_path / "old"))
        patch.setenv("PATH", f"{tmp_path}/old/bin{os.pathsep}{os.environ['PATH']}")
        run("true", code=1)
    (events,) = tmp_path.glob(".lesson/runs/*/events.jsonl")
    assert "old/bin/python cannot make a virtual environment for the run: too old" in events.read_text()


# --- in a sandbox ---


@pytest.mark.slow
@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_in_a_sandbox_the_home_is_the_same_and_shows_only_who_the_user_is(
    run: Command, home: Path, tmp_path: Path
) -> None:
    with (home / ".gitconfig").open("a") as file:
        file.write('[url "https://me:kumquat@git.example/"]\n\tinsteadOf = git:\n')
    before = snapshot(home)
    done = run(
        "echo note > ~/note; cat ~/project/data.txt || echo hidden; cat ~/.gitconfig",
        "cat ~/note; ls -A ~ | xargs; touch $VIRTUAL_ENV/a; cd; touch b",
        'printf \'#!/bin/sh\\ntouch %s/planted; exec /bin/sh "$@"\' "$PWD" > ../python/bin/sh;'
        " chmod +x ../python/bin/sh; exit",
        "ls -A; ls -A ~",
        options=("--sandbox",),
    )
    assert [status for status, _ in done] == ["passed"] * 4
    assert "hidden" in done[0][1]
    assert "Ann Example" in done[0][1]
    assert "kumquat" not in str(done)
    assert done[1][1].startswith("note\n.gitconfig note")
    assert not list(tmp_path.rglob("planted"))
    assert snapshot(home) == before
