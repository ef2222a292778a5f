"""Checks of a tree's submodules, of the variables that point at it, of ttml, and of packages."""

from __future__ import annotations

import subprocess
import sys
import venv
from dataclasses import replace
from pathlib import Path

import pytest

from lesson_runner.plugins import Hardware
from lesson_runner.plugins.checks import Finding, Machine
from lesson_tenstorrent.packages import import_check, package_check
from lesson_tenstorrent.tree import check_metal_variables, check_submodules, check_variables
from lesson_tenstorrent.ttml import check_unrelated_ttml

UNINSTALL = (sys.executable, "-m", "pip", "uninstall", "-y", "ttml")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(home=tmp_path, workspace=tmp_path / "space", backend="ttml")


# --- ttml --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inside", "status"),
    [
        (["__init__.py", "tensor_train.py"], "failed"),
        (["__init__.py", "../ttml-1.0.dist-info"], "failed"),
        (["__init__.py", "autograd", "models"], "ok"),
        (["__init__.py", "_ttml.so"], "ok"),
        (None, "ok"),
    ],
)
def test_the_unrelated_ttml_is_recognised(
    machine: Machine, tmp_path: Path, inside: list[str] | None, status: str
) -> None:
    for name in inside or ():
        path = tmp_path / "lib" / "ttml" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch() if name.endswith((".py", ".so")) else path.mkdir()
        if name.endswith("dist-info"):
            (path / "METADATA").write_text("Metadata-Version: 2.1\nName: ttml\nVersion: 1.0\n")
    environ = {**machine.environ, "PYTHONPATH": str(tmp_path / "lib")}

    finding = check_unrelated_ttml(replace(machine, environ=environ))

    assert finding.status == status
    by_pip = "../ttml-1.0.dist-info" in (inside or ())
    assert finding.command == (UNINSTALL if by_pip else ())
    assert ("pip did not install it" in finding.found) == (status == "failed" and not by_pip)


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

    assert (finding.status, finding.found) == ("ok", f"1 submodule in {tree}")


def test_a_submodule_at_another_commit(machine: Machine, tree: Path) -> None:
    git(tree / "umd", "commit", "-q", "--allow-empty", "-m", "three")

    finding = check_submodules(machine)

    assert (finding.status, finding.found) == ("failed", "umd is at another commit")
    assert finding.command == ("git", "-C", str(tree), "submodule", "update", "--init", "--recursive")
    assert finding.fix.endswith("then build again: ./build_metal.sh --build-tt-train")


def test_a_submodule_that_was_never_fetched(machine: Machine, tree: Path) -> None:
    git(tree, "submodule", "deinit", "-q", "-f", "umd")

    assert check_submodules(machine).found == "umd is not checked out"


def test_a_tree_without_git_is_not_taken_for_the_repository_around_it(
    machine: Machine, tmp_path: Path
) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "tt-metal" / "tt_metal").mkdir(parents=True)

    finding = check_submodules(machine)

    assert (finding.status, finding.command) == ("warning", ())
    assert finding.found == f"not known: {tmp_path}/tt-metal is not a git checkout"


def test_the_error_of_git_is_shown(machine: Machine, tree: Path) -> None:
    (tree / ".git" / "HEAD").write_text("nonsense")

    finding = check_submodules(machine)

    assert finding.status == "warning"
    assert finding.found.startswith("not known: fatal: ")


def test_a_submodule_in_conflict_has_no_command(machine: Machine, tree: Path) -> None:
    def commit(branch: str) -> None:
        git(tree / "umd", "commit", "-q", "--allow-empty", "-m", branch)
        git(tree, "commit", "-q", "-a", "-m", branch)

    git(tree, "branch", "other")
    commit("one side")
    git(tree / "umd", "checkout", "-q", "HEAD^")
    git(tree, "checkout", "-q", "-f", "other")
    commit("other side")
    with pytest.raises(subprocess.CalledProcessError):
        git(tree, "merge", "-q", "-")

    finding = check_submodules(machine)

    assert (finding.status, finding.found, finding.command) == ("failed", "umd is in conflict", ())
    assert "resolve the conflict" in finding.fix


def test_no_tree_at_all(machine: Machine) -> None:
    bare = replace(machine, environ={})

    for check in (check_submodules, check_variables):
        assert check(bare).found == "TT_METAL_HOME is not set and ~/tt-metal does not exist"


# --- variables ---------------------------------------------------------------------------------


def test_variables_with_folders_of_the_tree(machine: Machine, tree: Path) -> None:
    bare = {key: value for key, value in machine.environ.items() if key != "PYTHONPATH"}
    environ = {**bare, "TT_METAL_HOME": str(tree), "PYTHONPATH": f"/x:{tree}/build_Release"}
    (tree / "build_Release").mkdir()

    nothing = check_variables(replace(machine, environ={**bare, "LD_LIBRARY_PATH": f"{tree}-2/build/lib"}))
    missing = check_variables(replace(machine, environ=environ))
    complete = check_variables(replace(machine, environ={**environ, "LD_LIBRARY_PATH": f"{tree}/build/lib"}))

    assert nothing.found == f"PYTHONPATH and LD_LIBRARY_PATH without a folder of {tree}"
    assert (missing.status, missing.found) == ("warning", f"LD_LIBRARY_PATH without a folder of {tree}")
    assert missing.fix == f"export LD_LIBRARY_PATH={tree}/build/lib:$LD_LIBRARY_PATH"
    assert complete.status == "ok"


def test_a_pth_file_is_as_good_as_the_variable(machine: Machine, tree: Path, tmp_path: Path) -> None:
    """In a fresh virtual environment, without pip, which is quick to create."""
    venv.create(tmp_path / "venv", symlinks=True)
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    environ = {key: value for key, value in machine.environ.items() if key != "PYTHONPATH"}
    here = replace(
        machine,
        python=str(tmp_path / "venv" / "bin" / "python"),
        environ={**environ, "LD_LIBRARY_PATH": f"{tree}/build/lib"},
    )
    assert check_variables(here).found == f"PYTHONPATH without a folder of {tree}"

    (tree / "ttnn").mkdir()
    (site / "ttnn-custom.pth").write_text(f"{tree}/ttnn\n")

    assert check_variables(here).status == "ok"


def test_metal_variables(machine: Machine, tree: Path) -> None:
    home = {"TT_METAL_HOME": str(tree)}
    one = check_metal_variables(replace(machine, environ=home))
    two = check_metal_variables(replace(machine, environ={**home, "TT_METAL_RUNTIME_ROOT": f"{tree}-2"}))
    same = check_metal_variables(replace(machine, environ={**home, "TT_METAL_RUNTIME_ROOT": "~/tt-metal"}))

    assert (one.status, one.fix) == ("warning", f"export TT_METAL_RUNTIME_ROOT={tree}")
    assert (two.status, two.fix) == ("failed", "export TT_METAL_RUNTIME_ROOT=$TT_METAL_HOME")
    assert same.status == "ok"


@pytest.mark.parametrize(
    ("name", "board", "status"),
    [
        ("blackhole", "blackhole", "ok"),
        ("Blackhole", "blackhole", "ok"),
        ("wormhole_b0", "blackhole", "failed"),
        ("wormhole_b0", "", "ok"),
        ("", "blackhole", "ok"),
    ],
)
def test_the_architecture_agrees_with_the_board(
    machine: Machine, tree: Path, name: str, board: str, status: str
) -> None:
    facts = {"architecture": {"value": board, "found_by": "a test"}}
    trees = dict.fromkeys(("TT_METAL_HOME", "TT_METAL_RUNTIME_ROOT"), str(tree))
    environ = {**trees, "TT_METAL_ARCH_NAME": name}
    hardware = (Hardware("p150", "a test", 1, facts=facts),)

    finding = check_metal_variables(replace(machine, environ=environ, hardware=hardware))

    assert finding.status == status
    if status == "failed":
        assert finding.found == f"TT_METAL_ARCH_NAME={name}, the board is {board}"
        assert finding.fix == f"export TT_METAL_ARCH_NAME={board}"


def test_with_different_boards_the_variable_must_not_be_set(machine: Machine, tree: Path) -> None:
    facts = {"architecture": {"value": "blackhole, wormhole_b0", "found_by": "a test"}}
    environ = {"TT_METAL_HOME": str(tree), "TT_METAL_ARCH_NAME": "blackhole"}
    hardware = (Hardware("unknown", "a test", 2, facts=facts),)

    finding = check_metal_variables(replace(machine, environ=environ, hardware=hardware))

    assert finding.found == "TT_METAL_ARCH_NAME=blackhole, the board is blackhole and wormhole_b0"
    assert finding.fix == "unset TT_METAL_ARCH_NAME"


# --- packages ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "status", "fix"),
    [
        ("pytest", "ok", ""),
        ("pytest>=1", "ok", ""),
        ("pytest<1", "warning", f"{sys.executable} -m pip install 'pytest<1'"),
        (
            "no-such-package-of-anybody",
            "warning",
            f"{sys.executable} -m pip install no-such-package-of-anybody",
        ),
        ("./here", "failed", ""),
    ],
)
def test_packages(machine: Machine, text: str, status: str, fix: str) -> None:
    finding = package_check(text).run(machine)

    assert (finding.status, finding.fix) == (status, fix)


def test_a_module_is_looked_up_and_not_imported(machine: Machine) -> None:
    found: Finding = import_check("this").run(machine)

    assert found.status == "ok"
    assert "this" not in sys.modules
    missing = import_check("no_such_module").run(machine)
    assert (missing.status, missing.command) == ("warning", ())  # on PyPI, anybody can own that name
