"""Checks of a machine that does not exist: a home, an environment, and programs that answer as told."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from packaging.version import Version

from lesson_tenstorrent.checks import Check, Completed, Finding, Machine, run_checks, table
from lesson_tenstorrent.environment import (
    CHECKS,
    check_devices,
    check_home,
    check_pip_ttnn,
    check_version,
    importable,
    probe,
)
from lesson_tenstorrent.metal import find_home, find_version, parse_version

GIT, LOOK, IMPORT, ASK = "git", "look", "import", "ask"


@dataclass(frozen=True, slots=True)
class Told(Machine):
    """A machine whose programs answer from a table."""

    answers: dict[str, Completed] = field(default_factory=dict)

    def run(self, command: Sequence[str], timeout: float = 10) -> Completed:
        key = GIT if command[0] == "git" else command[-1] if command[-1] in (LOOK, IMPORT) else ASK
        return self.answers.get(key, Completed(1, "", "nothing here"))


@pytest.fixture
def machine(tmp_path: Path) -> Told:
    return Told(environ={}, home=tmp_path, devices=tmp_path / "dev", backend="ttml")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tt-metal"
    (folder / "tt_metal").mkdir(parents=True)
    return folder


def found(version: str = "", place: str = "/x/ttnn") -> Completed:
    return Completed(0, json.dumps({"place": place, "inside": [], "version": version}) + "\n", "")


# --- the machinery -----------------------------------------------------------------------------


def test_what_only_a_board_needs_is_skipped_with_the_reason(tmp_path: Path) -> None:
    board = Check("b", "board thing", "why", lambda machine: Finding("ok", "there"), board_only=True)
    (tmp_path / "0").touch()
    without = Machine(devices=tmp_path / "none")
    unwanted = Machine(devices=tmp_path, backend="emulated")

    assert run_checks([board], without)[0][1].found == f"no board ({tmp_path}/none is absent)"
    assert run_checks([board], unwanted)[0][1] == Finding("skipped", "not needed: --backend emulated")
    assert run_checks([board], Machine(devices=tmp_path))[0][1].status == "ok"
    assert run_checks([board], replace(without, backend="ttml"))[0][1].status == "ok"


def test_a_check_that_raises_is_a_failed_finding(machine: Told) -> None:
    def broken(machine: Machine) -> Finding:
        raise KeyError("x")

    checks = [Check("a", "a", "", broken), Check("b", "b", "", lambda machine: Finding("ok", ""))]

    assert [finding.status for _, finding in run_checks(checks, machine)] == ["failed", "ok"]


def test_the_table_explains_what_is_wrong_only() -> None:
    fine = Check("a", "first", "it matters", lambda machine: Finding("ok", ""))
    wrong = Check("b", "second one", "it matters more", lambda machine: Finding("ok", ""))

    shown = table([(fine, Finding("ok", "all", "much")), (wrong, Finding("failed", "no", "yes", "do it"))])

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


# --- devices and the tree ----------------------------------------------------------------------


def test_devices(machine: Told, tmp_path: Path) -> None:
    assert check_devices(machine).status == "failed"
    assert check_devices(replace(machine, backend="auto")).status == "skipped"
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "0").touch()
    assert check_devices(machine).status == "ok"


def test_no_tree(machine: Told) -> None:
    finding = check_home(machine)

    assert finding.status == "failed"
    assert "TT_METAL_HOME is not set" in finding.found
    assert "export TT_METAL_HOME=" in finding.fix


@pytest.mark.parametrize("name", ["TT_METAL_HOME", "TT_METAL_RUNTIME_ROOT"])
def test_a_variable_that_points_nowhere_is_named(machine: Told, tree: Path, name: str) -> None:
    finding = check_home(replace(machine, environ={name: "/nowhere/at-all"}))

    assert finding.status == "failed"
    assert f"{name}=/nowhere/at-all" in finding.found


def test_the_tree_is_found(machine: Told, tree: Path, tmp_path: Path) -> None:
    by_default = check_home(machine)
    by_variable = check_home(replace(machine, environ={"TT_METAL_HOME": "~/tt-metal"}))

    assert (by_default.status, by_default.found) == ("ok", f"{tree} (~/tt-metal)")
    assert (by_variable.status, by_variable.found) == ("ok", f"{tree} (TT_METAL_HOME)")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v0.67.0", "0.67.0"),
        ("0.73.1", "0.73.1"),
        ("v0.67.0-dev20260203", "0.67.0.dev20260203"),
        ("v0.66.0-rc7-12-gabc1234", "0.66.0rc7"),
        ("v0.67.0-3-gabc1234\n", "0.67.0"),
        ("abc1234", None),
        ("", None),
    ],
)
def test_versions_are_read_from_tags(text: str, version: str | None) -> None:
    assert parse_version(text) == (Version(version) if version else None)


@pytest.mark.parametrize(
    ("tag", "status"),
    [
        ("v0.67.0", "ok"),
        ("v0.67.0-rc1", "ok"),
        ("v0.67.0-dev20260203", "ok"),
        ("v0.73.1", "ok"),
        ("v0.66.0-rc7", "failed"),
        ("v0.66.0", "failed"),
        ("v0.64.5", "failed"),
        ("abc1234", "warning"),
    ],
)
def test_the_version_is_compared(machine: Told, tree: Path, tag: str, status: str) -> None:
    told = replace(machine, answers={GIT: Completed(0, tag + "\n", "")})

    finding = check_version(told, Version("0.67.0"), "it repeats itself")

    assert finding.status == status
    assert finding.expected == "v0.67.0 or newer"
    assert ("it repeats itself" in finding.found) == (status == "failed")
    if status == "warning":
        assert "not known" in finding.found


def test_other_sources_of_the_version(machine: Told, tree: Path) -> None:
    home = find_home(machine)
    assert home is not None

    installed = replace(machine, answers={ASK: Completed(0, "0.70.0\n", "")})
    assert find_version(installed, home) == (Version("0.70.0"), "the installed ttnn package")
    (tree / "VERSION").write_text("v0.68.0-rc2\n")
    assert find_version(installed, home) == (Version("0.68.0rc2"), "the file VERSION")


# --- ttnn --------------------------------------------------------------------------------------


def test_a_pip_ttnn_beside_a_built_tree_is_a_fault(machine: Told, tree: Path) -> None:
    installed = replace(machine, answers={LOOK: found("0.60.0")})
    assert check_pip_ttnn(installed).status == "ok"

    (tree / "build").mkdir()
    finding = check_pip_ttnn(installed)
    assert (finding.status, finding.fix) == ("failed", "pip uninstall -y ttnn")
    assert "0.60.0" in finding.found
    assert check_pip_ttnn(replace(machine, answers={LOOK: found("")})).status == "ok"


@pytest.mark.parametrize(
    ("answer", "what", "fix"),
    [
        (Completed(1, "", "ModuleNotFoundError: No module named 'ttnn'\n"), "No module", "build_metal.sh"),
        (Completed(1, "", "ImportError: undefined symbol: _ZN2tt10\n"), "undefined", "pip uninstall -y ttnn"),
        (
            Completed(1, "", "RuntimeError: std::bad_cast\n"),
            "bad_cast",
            "./build_metal.sh --clean && ./build",
        ),
        (Completed(-11, "", ""), "signal 11", "python -c 'import ttnn'"),
        (Completed(124, "", "no answer within 90 s"), "no answer", "python -c 'import ttnn'"),
    ],
)
def test_import_errors_have_fixes(machine: Told, answer: Completed, what: str, fix: str) -> None:
    finding = importable("ttnn", replace(machine, answers={IMPORT: answer}))

    assert finding.status == "failed"
    assert what in finding.found
    assert fix in finding.fix


def test_probing_is_real_and_ignores_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "some_package").mkdir()
    monkeypatch.chdir(tmp_path)

    assert probe("some_package", Machine(), load=True).error.endswith("No module named 'some_package'")
    assert probe("json", Machine(), load=True).error == ""
    assert "decoder.py" in probe("json", Machine(), load=False).inside
    assert probe("pluggy", Machine(), load=False).version


def test_every_check_says_why() -> None:
    assert all(check.why and check.title for check in CHECKS)
