"""Checks of a fake machine: a home, an environment, and programs with prepared answers."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from lesson_runner.plugins.checks import Check, Completed, Finding, Machine, checks_table, run_checks
from lesson_tenstorrent.busy import check_devices
from lesson_tenstorrent.devices import hardware_of
from lesson_tenstorrent.imports import check_import
from lesson_tenstorrent.probe import probe
from lesson_tenstorrent.table import CHECKS
from lesson_tenstorrent.tree import check_home
from lesson_tenstorrent.ttml import check_pip_ttnn
from lesson_tenstorrent.version import find_version

LOOK, IMPORT, OTHER = "look", "import", "other"


@dataclass(frozen=True, slots=True)
class FakeMachine(Machine):
    """A machine whose programs answer from a table."""

    answers: dict[str, Completed] = field(default_factory=dict)

    def run(self, command: Sequence[str], timeout: float = 10) -> Completed:
        key = command[-1] if command[-1] in (LOOK, IMPORT) else OTHER
        return self.answers.get(key, Completed(1, "", "nothing here"))


@pytest.fixture
def machine(tmp_path: Path) -> FakeMachine:
    return FakeMachine(environ={}, home=tmp_path, backend="ttml")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tt-metal"
    (folder / "tt_metal").mkdir(parents=True)
    return folder


def found(version: str = "", place: str = "/x/ttnn") -> Completed:
    return Completed(0, json.dumps({"place": place, "inside": [], "version": version}) + "\n", "")


# --- the machinery -----------------------------------------------------------------------------


def test_board_only_checks_are_skipped_with_the_reason(tmp_path: Path) -> None:
    board = Check("b", "board thing", "why", lambda machine: Finding("ok", "there"), board_only=True)
    (tmp_path / "0").touch()
    without = Machine(hardware=(hardware_of(tmp_path / "none"),))
    unwanted = Machine(hardware=(hardware_of(tmp_path),), backend="emulated")

    assert run_checks([board], without)[0][1].found == f"no board ({tmp_path}/none does not exist)"
    assert run_checks([board], unwanted)[0][1] == Finding("skipped", "not needed: --backend emulated")
    assert run_checks([board], replace(unwanted, backend="auto"))[0][1].status == "ok"
    assert run_checks([board], replace(without, backend="ttml"))[0][1].status == "ok"


def test_a_check_that_raises_is_a_failed_finding(machine: FakeMachine) -> None:
    def broken(machine: Machine) -> Finding:
        raise KeyError("x")

    checks = [Check("a", "a", "", broken), Check("b", "b", "", lambda machine: Finding("ok", ""))]

    assert [finding.status for _, finding in run_checks(checks, machine)] == ["failed", "ok"]


def test_the_table_explains_what_is_wrong_only() -> None:
    fine = Check("a", "first", "it matters", lambda machine: Finding("ok", ""))
    wrong = Check("b", "second one", "it matters more", lambda machine: Finding("ok", ""))

    shown = checks_table(
        [(fine, Finding("ok", "all", "much")), (wrong, Finding("failed", "no", "yes", "do it"))]
    )

    assert shown.split("\n") == [
        "ok       first       all",
        "FAILED   second one  no",
        "         expected: yes",
        "         why:      it matters more",
        "         fix:      do it",
    ]


def test_programs_that_hang_or_are_missing_do_no_harm() -> None:
    machine = Machine()

    assert machine.run([sys.executable, "-c", "import time; time.sleep(9)"], timeout=0.2).exit_code == 124
    assert machine.run(["no-such-program-here"]).exit_code == 127
    assert machine.run([sys.executable, "-c", "print('é')"]).output == "é\n"


@pytest.mark.slow
def test_the_children_of_a_program_end_with_it(tmp_path: Path) -> None:
    child = tmp_path / "child"
    script = f"sleep 60 & echo $! > {child}; wait"

    assert Machine().run(["sh", "-c", script], timeout=1).exit_code == 124

    until = time.monotonic() + 10  # its new parent needs a moment to reap it
    while _is_there(int(child.read_text())):
        assert time.monotonic() < until


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_user_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user id in a container: neither a variable nor the list of users names a home."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000)
    assert Machine().home == Path("/")


# --- devices and the tree ----------------------------------------------------------------------


def test_devices(machine: FakeMachine, tmp_path: Path) -> None:
    assert check_devices(machine).status == "failed"
    assert check_devices(replace(machine, backend="auto")).status == "skipped"
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "0").touch()
    board = replace(machine, hardware=(hardware_of(tmp_path / "dev"),))
    assert (check_devices(board).status, check_devices(board).found) == (
        "ok",
        f"1 device file in {tmp_path}/dev",
    )


def test_no_tree(machine: FakeMachine) -> None:
    finding = check_home(machine)

    assert finding.status == "failed"
    assert "TT_METAL_HOME is not set" in finding.found
    assert "export TT_METAL_HOME=" in finding.fix


@pytest.mark.parametrize("name", ["TT_METAL_HOME", "TT_METAL_RUNTIME_ROOT"])
def test_a_variable_with_a_missing_folder_is_named(machine: FakeMachine, tree: Path, name: str) -> None:
    finding = check_home(replace(machine, environ={name: "/nowhere/at-all"}))

    assert finding.status == "failed"
    assert f"{name}=/nowhere/at-all" in finding.found


def test_the_tree_is_found(machine: FakeMachine, tree: Path, tmp_path: Path) -> None:
    by_default = check_home(machine)
    by_variable = check_home(replace(machine, environ={"TT_METAL_HOME": "~/tt-metal"}))

    assert (by_default.status, by_default.found) == ("ok", f"{tree} (~/tt-metal)")
    assert (by_variable.status, by_variable.found) == ("ok", f"{tree} (TT_METAL_HOME)")


# --- ttnn --------------------------------------------------------------------------------------


def test_a_pip_ttnn_next_to_a_built_tree_is_a_fault(machine: FakeMachine, tree: Path) -> None:
    installed = replace(machine, answers={LOOK: found("0.60.0")})
    assert check_pip_ttnn(installed).status == "ok"

    (tree / "build").mkdir()
    finding = check_pip_ttnn(installed)
    assert finding.status == "failed"
    assert finding.command == (machine.python, "-m", "pip", "uninstall", "-y", "ttnn")
    assert "0.60.0" in finding.found
    assert check_pip_ttnn(replace(machine, answers={LOOK: found("")})).status == "ok"


KILLED = "the interpreter was killed by signal 11 (SIGSEGV)"


@pytest.mark.parametrize(
    ("answer", "what", "fix"),
    [
        (Completed(1, "", "ModuleNotFoundError: No module named 'ttnn'\n"), "No module", "build_metal.sh"),
        (
            Completed(1, "", "ImportError: undefined symbol: _ZN2tt10\n"),
            "two different builds",
            "LD_LIBRARY_PATH=",
        ),
        (
            Completed(1, "", "RuntimeError: std::bad_cast\n"),
            "share their types",
            "--clean && ./build_metal.sh",
        ),
        (Completed(-11, "", ""), KILLED, "-c 'import ttnn'"),
        (Completed(-99, "", ""), "signal 99", "-c 'import ttnn'"),
        (Completed(124, "", "no answer within 90 s"), "no answer", "-c 'import ttnn'"),
        (Completed(3, "", ""), "exit 3", "-c 'import ttnn'"),
    ],
)
def test_import_errors_have_fixes(machine: FakeMachine, answer: Completed, what: str, fix: str) -> None:
    finding = check_import("ttnn", replace(machine, answers={IMPORT: answer}))

    assert (finding.status, finding.command) == ("failed", ())
    assert what in finding.found
    assert fix in finding.fix


@pytest.mark.parametrize("error", ["ImportError: undefined symbol: _ZN2tt", "RuntimeError: std::bad_cast"])
def test_a_ttnn_from_pip_is_named_as_the_cause(machine: FakeMachine, error: str) -> None:
    answers = {IMPORT: Completed(1, "", error), LOOK: found("0.67.0")}

    finding = check_import("ttml", replace(machine, answers=answers))

    assert finding.command == (machine.python, "-m", "pip", "uninstall", "-y", "ttnn")
    assert finding.fix.startswith(" ".join(finding.command))


def test_a_package_that_an_import_wants_can_be_installed(machine: FakeMachine) -> None:
    error = Completed(1, "", "ModuleNotFoundError: No module named 'transformers.models'\n")

    finding = check_import("ttml", replace(machine, answers={IMPORT: error}))

    assert finding.command == (machine.python, "-m", "pip", "install", "transformers")
    assert "ttml imports it" in finding.found


def test_the_fix_names_the_folder_of_a_built_library(machine: FakeMachine, tree: Path) -> None:
    missing = {name: Completed(1, "", f"No module named '{name}'") for name in ("ttml", "ttnn")}
    (tree / "python_env" / "bin").mkdir(parents=True)
    (tree / "python_env" / "bin" / "activate").touch()
    for name in ("tt-train/sources/ttml", "build/tt-train/sources/ttml"):
        (tree / name).mkdir(parents=True)

    ttml = check_import("ttml", replace(machine, answers={IMPORT: missing["ttml"]}))
    ttnn = check_import("ttnn", replace(machine, answers={IMPORT: missing["ttnn"]}))

    assert ttml.fix.startswith(f"export PYTHONPATH={tree}/tt-train/sources/ttml:{tree}/build/tt-train/")
    assert ttnn.fix.startswith(f"source {tree}/python_env/bin/activate")


def test_probing_is_real_and_ignores_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "some_package").mkdir()
    monkeypatch.chdir(tmp_path)

    assert probe("some_package", Machine(), load=True).error.endswith("No module named 'some_package'")
    empty = Machine(environ={"PYTHONPATH": str(tmp_path)})
    assert "some_package is a folder without __init__.py" in probe("some_package", empty, load=True).error
    assert probe("some_package", empty, load=True).missing == "some_package"
    assert probe("json", Machine(), load=True).error == ""
    assert "decoder.py" in probe("json", Machine(), load=False).inside
    assert probe("pluggy", Machine(), load=False).version


def test_probing_imports_nothing_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json", "os", "importlib"):  # modules that the probe itself imports
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'taken')!r}, 'w')\n")
    monkeypatch.chdir(tmp_path)

    assert probe("pluggy", Machine(environ={}), load=True).version
    find_version(Machine(environ={}))

    assert not (tmp_path / "taken").exists()


def test_every_check_has_a_reason_and_a_unique_id() -> None:
    assert all(check.why and check.title for check in CHECKS)
    assert len({check.id for check in CHECKS}) == len(CHECKS)
