"""Checks of a tree's submodules, of the variables that point at it, of ttml, and of packages."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lesson_tenstorrent.checks import Finding, Machine
from lesson_tenstorrent.packages import import_check, package_check
from lesson_tenstorrent.tree import check_submodules, check_variables
from lesson_tenstorrent.ttml import check_unrelated_ttml


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(devices=tmp_path / "none", home=tmp_path, workspace=tmp_path / "space", backend="ttml")


# --- ttml --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inside", "status"),
    [
        (["__init__.py", "tensor_train.py"], "failed"),
        (["__init__.py", "autograd", "models"], "ok"),
        (["__init__.py", "_ttml.so"], "ok"),
        (None, "ok"),
    ],
)
def test_the_unrelated_ttml_is_told_apart(
    machine: Machine, tmp_path: Path, inside: list[str] | None, status: str
) -> None:
    for name in inside or ():
        path = tmp_path / "lib" / "ttml" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch() if "." in name else path.mkdir()
    environ = {**machine.environ, "PYTHONPATH": str(tmp_path / "lib")}

    finding = check_unrelated_ttml(replace(machine, environ=environ))

    assert finding.status == status
    assert (finding.fix == "pip uninstall -y ttml") == (status == "failed")


# --- submodules --------------------------------------------------------------------------------


def git(folder: Path, *arguments: str) -> None:
    options = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "protocol.file.allow=always"]
    subprocess.run(["git", *options, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository that looks like tt-metal, with one submodule."""
    part, folder = tmp_path / "part", tmp_path / "tt-metal"
    for repository in (part, folder):
        repository.mkdir()
        git(repository, "init", "-q")
        git(repository, "commit", "-q", "--allow-empty", "-m", "one")
    (folder / "tt_metal").mkdir()
    git(folder, "submodule", "add", "-q", str(part), "umd")
    git(folder, "commit", "-q", "-m", "two")
    return folder


def test_submodules_at_their_commits(machine: Machine, tree: Path) -> None:
    finding = check_submodules(machine)

    assert (finding.status, finding.found) == ("ok", f"1 submodules in {tree}")


def test_a_submodule_at_another_commit(machine: Machine, tree: Path) -> None:
    git(tree / "umd", "commit", "-q", "--allow-empty", "-m", "three")

    finding = check_submodules(machine)

    assert (finding.status, finding.found) == ("failed", "umd is at another commit")
    assert finding.fix == f"cd {tree} && git submodule update --init --recursive --force"


def test_a_submodule_that_was_never_fetched(machine: Machine, tree: Path) -> None:
    git(tree, "submodule", "deinit", "-q", "-f", "umd")

    assert check_submodules(machine).found == "umd is not there"


def test_a_tree_without_git(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "tt-metal" / "tt_metal").mkdir(parents=True)

    finding = check_submodules(replace(machine, environ={**machine.environ, "GIT_CEILING_DIRECTORIES": "/"}))

    assert finding.status == "warning"
    assert finding.found.startswith("not known: ")


def test_no_tree_at_all(machine: Machine) -> None:
    bare = replace(machine, environ={})

    for check in (check_submodules, check_variables):
        assert check(bare).found == "TT_METAL_HOME is not set and ~/tt-metal is not there"


# --- variables ---------------------------------------------------------------------------------


def test_variables(machine: Machine, tree: Path) -> None:
    environ = {"TT_METAL_HOME": str(tree), "PYTHONPATH": f"/x:{tree}/build_Release"}

    missing = check_variables(replace(machine, environ=environ))
    complete = check_variables(replace(machine, environ={**environ, "LD_LIBRARY_PATH": f"{tree}/build/lib"}))

    assert (missing.status, missing.found) == ("warning", f"LD_LIBRARY_PATH not set to a folder of {tree}")
    assert missing.fix == f"export LD_LIBRARY_PATH={tree}/build/lib:$LD_LIBRARY_PATH"
    assert complete.status == "ok"


# --- packages ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "status", "fix"),
    [
        ("pytest", "ok", ""),
        ("pytest>=1", "ok", ""),
        ("pytest<1", "warning", "pip install 'pytest<1'"),
        ("no-such-package-of-anybody", "warning", "pip install no-such-package-of-anybody"),
        ("./here", "failed", ""),
    ],
)
def test_packages(machine: Machine, text: str, status: str, fix: str) -> None:
    finding = package_check(text).run(machine)

    assert (finding.status, finding.fix) == (status, fix)


def test_a_module_is_looked_for_and_not_imported(machine: Machine) -> None:
    found: Finding = import_check("this").run(machine)

    assert found.status == "ok"
    assert "this" not in sys.modules
    assert import_check("no_such_module").run(machine).status == "warning"
