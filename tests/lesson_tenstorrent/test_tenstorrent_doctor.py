"""``lesson doctor`` as a user runs it: a process, a real git tree, packages that break when imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.testing import lesson_text
from lesson_tenstorrent.table import CHECKS_BY_ID

ROOT = Path(__file__).parents[2]
ALLOWED = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "protocol.file.allow", "GIT_CONFIG_VALUE_0": "always"}
"""Lets git clone a submodule from a local folder, which it refuses by default."""
ONE_CHECK = "<!-- step\nid: a\nuses: tenstorrent.check\nwith: {checks: [submodules]}\n-->\n```text\nx\n```\n"


@dataclass(frozen=True, slots=True)
class Home:
    """An empty home of a user, with only the variables that a test sets."""

    path: Path

    def doctor(self, *arguments: object, **variables: object) -> subprocess.CompletedProcess[str]:
        """Run ``lesson doctor``; without a board, so that nothing depends on the machine of the tests."""
        ours = ("TT_", "LESSON_", "PYTHONPATH", "LD_LIBRARY_PATH")
        env = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        env |= {"HOME": str(self.path), "LESSON_PLUGINS": "ct4,tenstorrent", **ALLOWED}
        env |= {key: str(value) for key, value in variables.items()}
        command = [sys.executable, "-m", "lesson_runner", "doctor", *map(str, arguments)]
        return subprocess.run(
            command,
            capture_output=True,
            check=False,
            cwd=self.path,
            env=env,
            stdin=subprocess.DEVNULL,
            text=True,
        )

    def findings(self, *arguments: object, **variables: object) -> Mapping[str, Any]:
        """Return what a run that insists on a board found, by the checks' ids."""
        done = self.doctor(*arguments, "--backend", "ttml", "--json", **variables)
        assert done.returncode in (0, 1), done.stderr
        found = {item["id"]: item for item in json.loads(done.stdout)["checks"]}
        assert done.returncode == any(item["status"] == "failed" for item in found.values())
        return found

    def package(self, name: str, code: str, *others: str) -> Path:
        """Write a package, with empty files next to its code, and return the folder for ``PYTHONPATH``."""
        folder = self.path / "lib"
        for file in ("__init__.py", *others):
            (folder / name / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / name / file).touch()
        (folder / name / "__init__.py").write_text(code)
        return folder


def git(folder: Path, *arguments: str) -> None:
    options = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"]
    subprocess.run(["git", *options, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    (tmp_path / "home").mkdir()
    return Home(tmp_path / "home")


@pytest.fixture
def tree(home: Home, tmp_path: Path) -> Path:
    """A git repository that looks like tt-metal v0.67.0, built, whose one submodule is not checked out."""
    part, folder = tmp_path / "part", home.path / "tt-metal"
    for repository in (part, folder):
        repository.mkdir()
        git(repository, "init", "-q")
        (repository / "file").write_text("x")
        git(repository, "add", "file")
        git(repository, "commit", "-q", "-m", "one")
    (folder / "tt_metal").mkdir()
    (folder / "build").mkdir()
    git(folder, "submodule", "add", "-q", str(part), "umd")
    git(folder, "commit", "-q", "-m", "two")
    git(folder, "tag", "v0.67.0")
    git(folder, "submodule", "deinit", "-q", "-f", "umd")
    return folder


# --- without a board -----------------------------------------------------------------------------


def test_without_a_board_it_is_quick_and_says_why_checks_are_skipped(home: Home) -> None:
    started = time.monotonic()
    done = home.doctor("--backend", "emulated", "--json")
    seconds = time.monotonic() - started

    found = {item["id"]: item for item in json.loads(done.stdout)["checks"]}
    skipped = {name for name, item in found.items() if item["status"] == "skipped"}
    assert list(found) == list(CHECKS_BY_ID)
    assert skipped == {name for name, check in CHECKS_BY_ID.items() if check.board_only} | {"devices"}
    assert all("not needed: --backend emulated" in found[name]["found"] for name in skipped)
    assert seconds < 20, "it takes about one second; a machine that is busy with other tests may take longer"


@pytest.mark.slow
def test_for_the_lesson(home: Home) -> None:
    done = home.doctor(ROOT / "lessons" / "ct4-finetuning-basics.md", "--backend", "emulated", "--json")

    assert [item["id"] for item in json.loads(done.stdout)["checks"]] == list(CHECKS_BY_ID)


@pytest.mark.slow
def test_a_package_that_a_lesson_asks_for(home: Home) -> None:
    """In a lesson without directives: what its set-up commands install is checked."""
    lesson = home.path / "a.md"
    block = "```bash\npip install no-such-package-of-anybody\n```\n"
    lesson.write_text(lesson_text(f"# A\n\n## Step 1: Install\n\n{block}"))

    (found,) = home.findings(lesson).values()

    assert (found["id"], found["status"]) == ("package-no-such-package-of-anybody", "warning")
    assert found["command"] == [sys.executable, "-m", "pip", "install", "no-such-package-of-anybody"]


# --- a tree ----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_everything_that_is_wrong_has_a_fix(home: Home, tree: Path) -> None:
    found = home.findings(TT_METAL_HOME=tree, TT_METAL_RUNTIME_ROOT=home.path)

    wrong = {name: item for name, item in found.items() if item["status"] in ("failed", "warning")}
    expected = {"devices", "submodules", "metal-variables", "environment-variables", "ttnn", "ttml"}
    assert expected <= set(wrong)
    assert [name for name, item in wrong.items() if not (item["fix"] and item["found"] and item["why"])] == []
    assert found["tt-metal-home"]["found"] == f"{tree} (TT_METAL_HOME)"
    assert found["tt-metal-version"]["status"] == "ok"
    assert found["metal-variables"]["status"] == "failed"
    assert found["ttnn"]["fix"] == f"cd {tree} && ./build_metal.sh --build-tt-train"


@pytest.mark.slow
def test_the_lessons_minimum_raises_the_gate(home: Home, tree: Path) -> None:
    step = ONE_CHECK.replace("submodules", "tt-metal-version")
    lesson = home.path / "a.md"
    status = {}
    for minimum in ("v0.67.0", "v0.68.0"):
        lesson.write_text(lesson_text(step, minTTMetalVersion=minimum))
        status[minimum] = home.findings(lesson)["tt-metal-version"]["status"]

    assert status == {"v0.67.0": "ok", "v0.68.0": "failed"}


@pytest.mark.slow
def test_fix_checks_out_a_submodule(home: Home, tree: Path) -> None:
    lesson = home.path / "a.md"
    lesson.write_text(lesson_text(ONE_CHECK))
    before = home.doctor(lesson, "--backend", "ttml")
    assert before.returncode == 1
    assert "FAILED   submodules  umd is not checked out" in before.stdout
    assert f"fix:      git -C {tree} submodule update --init --recursive  # then build again" in before.stdout
    assert not (tree / "umd" / "file").exists()

    unasked = home.doctor(lesson, "--backend", "ttml", "--fix")
    assert unasked.returncode == 2
    assert "there is no terminal" in unasked.stderr
    assert not (tree / "umd" / "file").exists()

    done = home.doctor(lesson, "--backend", "ttml", "--fix", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"$ git -C {tree} submodule update --init --recursive\n" in done.stdout
    assert "exit code 0" in done.stdout
    assert f"submodules: failed -> ok (1 submodule in {tree})" in done.stdout
    assert (tree / "umd" / "file").read_text() == "x"


@pytest.mark.slow
def test_changes_in_a_submodule_are_not_discarded(home: Home, tree: Path) -> None:
    git(tree, "submodule", "update", "--init")
    (tree / "umd" / "file").write_text("another version")
    git(tree / "umd", "commit", "-q", "-a", "-m", "three")
    (tree / "umd" / "file").write_text("not yet committed")
    lesson = home.path / "a.md"
    lesson.write_text(lesson_text(ONE_CHECK))

    done = home.doctor(lesson, "--backend", "ttml", "--fix", "--yes")

    assert done.returncode == 1
    assert "exit code 1" in done.stdout
    assert "nothing changed" in done.stdout
    assert (tree / "umd" / "file").read_text() == "not yet committed"


# --- imports -----------------------------------------------------------------------------------------

TT_TRAIN = ("autograd/__init__.py", "_ttml.so")
"""Files that only tt-train's ttml has."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "found", "fix"),
    [
        ("raise RuntimeError('std::bad_cast')", "do not share their types", "build_metal.sh --clean &&"),
        (
            "raise ImportError('x.so: undefined symbol: _ZN2tt10DevicePool5_instE')",
            "two different builds",
            "LD_LIBRARY",
        ),
        ("import no_such_thing", "No module named 'no_such_thing'", "contains the module no_such_thing"),
        ("raise ImportError(\"No module named 'loguru'\")", "'loguru'", "-m pip install loguru"),
        ("import os; os.kill(os.getpid(), 9)", "killed by signal 9 (SIGKILL)", "-c 'import ttml'"),
        ("print('loud')", "", ""),
    ],
)
def test_an_import_that_fails_is_explained(home: Home, code: str, found: str, fix: str) -> None:
    lib = home.package("ttml", code, *TT_TRAIN)

    finding = home.findings("--check", "ttml", PYTHONPATH=lib)["ttml"]

    assert finding["status"] == ("failed" if found else "ok")
    assert found in finding["found"]
    assert fix in finding["fix"]
    assert "Traceback" not in finding["found"]


@pytest.mark.slow
def test_a_ttnn_from_pip_next_to_a_tree(home: Home, tree: Path) -> None:
    lib = home.package("ttnn", "raise ImportError('undefined symbol: x')")
    (lib / "ttnn-0.60.0.dist-info").mkdir()
    (lib / "ttnn-0.60.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: ttnn\nVersion: 0.60.0\n"
    )

    found = home.findings(PYTHONPATH=lib)

    uninstall = [sys.executable, "-m", "pip", "uninstall", "-y", "ttnn"]
    assert found["pip-ttnn"]["found"] == "ttnn 0.60.0 from pip"
    assert found["pip-ttnn"]["command"] == found["ttnn"]["command"] == uninstall


@pytest.mark.slow
def test_the_ttml_of_pypi(home: Home) -> None:
    lib = home.package("ttml", "raise SystemExit('it must not be imported')", "tensor.py")
    (lib / "ttml-1.0.dist-info").mkdir()
    (lib / "ttml-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: ttml\nVersion: 1.0\n")

    found = home.findings(PYTHONPATH=lib)["unrelated-ttml"]

    assert found["status"] == "failed"
    assert found["command"] == [sys.executable, "-m", "pip", "uninstall", "-y", "ttml"]
