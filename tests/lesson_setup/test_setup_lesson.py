"""The lesson as a whole: on this machine, without a board, and with as much of one as a test can pretend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.lesson_setup.conftest import World

from lesson_runner.plugins import Hardware
from lesson_runner.plugins.checks import Finding, Machine
from lesson_runner.testing import plan_lesson, run_lesson
from lesson_setup import machine, plugin, summary
from lesson_setup.checks import table
from lesson_tenstorrent import plugin as tenstorrent
from lesson_tenstorrent.hardware import detect
from lesson_tenstorrent.hardware.places import Places
from lesson_tenstorrent.table import CHECKS_BY_ID

ROOT = Path(__file__).parents[2]
LESSON = ROOT / "lessons" / "verify-your-setup.md"
NO_BOARD = (Hardware("none", "a test"),)
BOARD = (Hardware("n150", "a test", devices=1),)

TTNN = '''
"""The functions of ttnn that the lesson calls, with only the keywords it uses."""

bfloat16, TILE_LAYOUT = "bfloat16", "tile"
opened = []


class Number(float):
    def item(self):
        return float(self)


class Tensor:
    def __init__(self, shape, value):
        self.shape, self.value = shape, value

    def min(self):
        return Number(self.value)

    max = min


def open_device(*, device_id):
    opened.append(device_id)
    return device_id


def close_device(device):
    opened.remove(device)


def full(*, shape, fill_value, dtype, layout, device):
    assert device in opened and dtype == bfloat16 and layout == TILE_LAYOUT
    return Tensor(shape, fill_value)


def add(a, b):
    assert opened
    return Tensor(a.shape, a.value + b.value)


def to_torch(tensor):
    return tensor
'''


def by_id(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {step["id"]: step for step in record["steps"]}


def output(folder: Path, record: dict[str, Any], step: str) -> str:
    run = folder / ".lesson" / "runs" / str(record["run_id"])
    return (run / "evidence" / step / "output.txt").read_text("utf-8")


@pytest.fixture
def plenty(monkeypatch: pytest.MonkeyPatch) -> None:
    """All packages are installed and the disk is large, whatever machine the tests run on."""

    def fine(machine: Machine) -> Finding:
        return Finding("ok", "a test")

    shared = {name: replace(CHECKS_BY_ID[name], run=fine) for name in ("packages", "disk")}
    monkeypatch.setattr(table, "CHECKS_BY_ID", {**CHECKS_BY_ID, **shared})
    monkeypatch.setattr(table, "disk_check", lambda wanted: shared["disk"])
    monkeypatch.setattr(summary, "check_packages", fine)


@pytest.fixture
def board(
    world: World, tmp_path: Path, use_world: Callable[[World], None], monkeypatch: pytest.MonkeyPatch
) -> World:
    """A machine with an n150, a tt-metal tree, ``tt-smi`` and a ``ttnn`` that adds as the real one does."""
    world.add_board("n150", iommu="DMA-FQ")
    use_world(world)
    tree = tmp_path / "tt-metal"
    (tree / "tt_metal").mkdir(parents=True)
    (tree / "VERSION").write_text("v0.73.1\n")
    (tree / "ttnn").mkdir()
    (tree / "ttnn" / "__init__.py").write_text(TTNN)
    tool = tmp_path / "bin" / "tt-smi"
    tool.parent.mkdir()
    tool.write_text("""#!/bin/sh\ntest "$*" = "-s --snapshot_no_tty" && echo '{"device_info": [{}]}'\n""")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(tree))
    for name in ("TT_METAL_HOME", "TT_METAL_RUNTIME_ROOT"):
        monkeypatch.setenv(name, str(tree))
    monkeypatch.delenv("TT_METAL_ARCH_NAME", raising=False)
    return world


# --- the document --------------------------------------------------------------------------------


@pytest.mark.slow
def test_it_validates_without_a_finding(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lesson_runner", "validate", str(LESSON), "--json"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["findings"] == []


def test_the_copy_at_the_top_is_the_one_in_the_package() -> None:
    (folder,) = plugin.lesson_directories()

    assert LESSON.resolve() == (Path(str(folder)) / LESSON.name).resolve()


def test_the_commands_in_the_lesson_are_what_runs(tmp_path: Path) -> None:
    plan = plan_lesson(LESSON, tmp_path, plugins=[plugin])

    ours = [step for step in plan.steps if step.action.startswith("setup.")]
    assert len(ours) == 5
    assert [step.command for step in ours] == [step.source for step in ours]


@pytest.mark.slow
def test_no_other_plugin_claims_its_blocks(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lesson_runner", "plan", str(LESSON), "--json"]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    others = {"which-python", "system-facts", "device-folder", "tt-smi", "where-is-ttnn", "first-tensor"}
    for step in json.loads(done.stdout)["steps"]:
        ours = "shell" if step["id"] in ("which-python", "device-folder", "tt-smi") else "python"
        assert step["action"] == ours if step["id"] in others else step["action"].startswith("setup.")


def test_every_check_is_in_the_lesson(tmp_path: Path) -> None:
    from lesson_setup.checks.table import IDS

    plan = plan_lesson(LESSON, tmp_path, plugins=[plugin])

    used = [name for step in plan.steps for name in step.params.get("checks", ())]
    assert sorted(used) == sorted(IDS)


# --- runs ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("plenty")
def test_without_a_board_it_passes_and_says_what_was_skipped(
    world: World, tmp_path: Path, use_world: Callable[[World], None]
) -> None:
    use_world(world)

    record = run_lesson(LESSON, tmp_path, plugins=[plugin], hardware=NO_BOARD)

    steps = by_id(record)
    assert record["status"] == "passed", [(step["id"], step["message"]) for step in record["steps"]]
    skipped = {name: step["message"] for name, step in steps.items() if step["status"] == "skipped"}
    assert set(skipped) == {"tt-smi", "first-tensor"}
    assert all("needs a board" in message for message in skipped.values())
    assert steps["hardware"]["metrics"] == {"devices": 0, "usable_devices": 0, "chips_on_bus": 0}
    assert steps["access"]["metrics"] == {"checks": 5, "failed_checks": 0, "warnings": 0, "skipped_checks": 5}
    assert steps["which-python"]["metrics"] == {"python_minor": sys.version_info.minor}
    assert steps["summary"]["metrics"]["ready"] == 1
    assert record["facts"] == {"setup": {"ready": True, "runs_on": "emulation"}}
    assert output(tmp_path, record, "summary").startswith("Ready: this machine runs lessons emulated")


@pytest.mark.usefixtures("plenty", "board")
def test_with_a_board_every_step_runs(tmp_path: Path) -> None:
    record = run_lesson(LESSON, tmp_path, plugins=[plugin], hardware=BOARD)

    steps = by_id(record)
    assert {name: step["message"] for name, step in steps.items() if step["status"] != "passed"} == {}
    assert steps["hardware"]["metrics"] == {"devices": 1, "usable_devices": 1, "chips_on_bus": 1}
    assert "device 0: card n150, firmware 18.10.0.0" in output(tmp_path, record, "hardware")
    assert "v0.73.1 (the file VERSION)" in output(tmp_path, record, "metal")
    assert record["facts"]["metal"] == {"version": "v0.73.1", "found_by": "the file VERSION"}
    assert "largest: 3.0" in output(tmp_path, record, "first-tensor")
    assert output(tmp_path, record, "where-is-ttnn").startswith(f"ttnn: {tmp_path}/tt-metal/ttnn")
    assert output(tmp_path, record, "summary").startswith(
        "Ready: this machine runs lessons on its board (1 device)."
    )


@pytest.mark.slow
@pytest.mark.usefixtures("plenty")
def test_without_permission_steps_that_open_the_board_do_not_run(board: World, tmp_path: Path) -> None:
    (board.places.devices / "0").unlink()
    (board.places.devices / "0").symlink_to("/nowhere/at/all")

    record = run_lesson(LESSON, tmp_path, plugins=[plugin], hardware=BOARD)

    steps = by_id(record)
    assert record["status"] == "failed"
    assert (steps["access"]["status"], steps["access"]["message"]) == (
        "failed",
        "failed: device files",
    )
    assert steps["first-tensor"]["status"] == steps["tt-smi"]["status"] == "not-reached"
    assert steps["metal"]["status"] == "passed"
    text = output(tmp_path, record, "summary")
    assert text.startswith("Not ready: 1 problem to fix.\n  - device files: 1 of 1 cannot be used")
    assert "--backend emulated" in text
    assert steps["summary"]["metrics"]["ready"] == 0


@pytest.mark.slow
@pytest.mark.usefixtures("plenty", "board")
def test_a_wrong_sum_fails_and_is_in_the_summary(tmp_path: Path) -> None:
    module = tmp_path / "tt-metal" / "ttnn" / "__init__.py"
    module.write_text(TTNN.replace("a.value + b.value", "a.value - b.value"))

    record = run_lesson(LESSON, tmp_path, plugins=[plugin], hardware=BOARD)

    steps = by_id(record)
    assert (steps["first-tensor"]["status"], steps["first-tensor"]["attempts"]) == ("failed", 2)
    assert "Add two tensors on the device" in output(tmp_path, record, "summary")
    assert output(tmp_path, record, "summary").startswith("Not ready: 1 problem to fix.")


@pytest.mark.slow
@pytest.mark.usefixtures("plenty", "board")
def test_without_tt_smi_the_lesson_still_passes(tmp_path: Path) -> None:
    (tmp_path / "bin" / "tt-smi").write_text("#!/bin/sh\nexit 1\n")

    record = run_lesson(LESSON, tmp_path, plugins=[plugin], hardware=BOARD)

    assert record["status"] == "passed"
    assert by_id(record)["tt-smi"]["status"] == "failed"
    assert "tt-smi" not in output(tmp_path, record, "summary")


@pytest.mark.usefixtures("plenty")
def test_the_summary_alone_makes_all_checks(
    world: World, tmp_path: Path, use_world: Callable[[World], None]
) -> None:
    world.add_board(driver=False)
    use_world(world)

    record = run_lesson(LESSON, tmp_path, plugins=[plugin], hardware=NO_BOARD, only=["summary"])

    assert by_id(record)["summary"]["status"] == "failed"
    assert "sudo modprobe tenstorrent" in output(tmp_path, record, "summary")


def test_evidence_is_kept_for_programs(
    world: World, tmp_path: Path, use_world: Callable[[World], None]
) -> None:
    world.add_board("p150a")
    use_world(world)

    record = run_lesson(LESSON, tmp_path, plugins=[plugin], hardware=BOARD, only=["hardware", "access"])

    folder = tmp_path / ".lesson" / "runs" / record["run_id"] / "evidence"
    hardware = json.loads((folder / "hardware" / "hardware.json").read_text())
    found = {"name": "n150", "kind": "silicon", "detected_by": "a test", "devices": 1}
    assert hardware["found"] == [found]
    assert (hardware["driver"], hardware["devices"][0]["architecture"]) == ("2.3.0", "blackhole")
    checks = json.loads((folder / "access" / "environment.json").read_text())
    assert [item["id"] for item in checks] == ["devices", "driver", "device-files", "huge-pages", "tt-smi"]
    assert {"id", "title", "why", "status", "found", "expected", "fix", "command"} == set(checks[0])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("system.checks=[pyton]", "pyton"),
        ("system.memory_gb=0", "memory_gb"),
        ("metal.metal=new", "metal"),
        ("summary.colour=red", "colour"),
    ],
)
def test_wrong_parameters_are_found_while_planning(
    lesson: Callable[..., Any], given: str, message: str
) -> None:
    said = lesson("plan", LESSON, "--param", given, plugins=[plugin])

    assert said.code == 2
    assert message in said.err
    assert "Traceback" not in said.err


# --- the commands --------------------------------------------------------------------------------


def test_hardware_on_the_command_line(
    lesson: Callable[..., Any], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.add_board("n300", iommu="DMA")
    monkeypatch.setattr(detect, "Places", lambda: world.places)

    said = lesson("hw", "--quick", plugins=[tenstorrent])

    assert said.code == 0
    assert "tt-kmd 2.3.0" in said.out
    (found,) = lesson("hw", "--quick", "--json", plugins=[tenstorrent]).json["hardware"]
    assert found["name"] == "n300"
    facts = {name: fact["value"] for name, fact in found["facts"].items()}
    assert (facts["cards"], facts["firmware"]) == (["n300"], "18.10.0.0")
    assert facts["pci"] == facts["iommu"] == ["0000:01:00.0"]
    world.add_board(number=1, driver=False)
    (found,) = lesson("hw", "--quick", "--json", plugins=[tenstorrent]).json["hardware"]
    assert found["facts"]["no device file"]["value"] == ["0000:02:00.0"]


def test_checks_on_the_command_line(
    lesson: Callable[..., Any], world: World, use_world: Callable[[World], None]
) -> None:
    use_world(world)
    plugins = [plugin, tenstorrent]

    good = lesson("doctor", "--check", "python,memory", plugins=plugins)
    assert good.code == 0
    assert [line.split()[0] for line in good.out.splitlines()[:2]] == ["ok", "ok"]
    bad = lesson(
        *("doctor", "verify-your-setup", "--check", "memory", "--check", "disk"),
        *("--param", "disk_gb=1e9", "--json"),
        plugins=plugins,
    )
    assert bad.code == 1
    assert {item["id"]: item["status"] for item in bad.json["checks"]} == {"disk": "failed", "memory": "ok"}


@pytest.mark.usefixtures("plenty", "board")
@pytest.mark.parametrize(("minimum", "status"), [("v0.73.0", "ok"), ("v9.0.0", "failed")])
def test_the_oldest_tt_metal_on_the_command_line(
    lesson: Callable[..., Any], minimum: str, status: str
) -> None:
    said = lesson(
        *("doctor", "verify-your-setup", "--backend", "ttml", "--check", "tt-metal-version"),
        *("--param", f"metal={minimum}", "--json"),
        plugins=[plugin],
    )

    assert [item["status"] for item in said.json["checks"]] == [status]


@pytest.mark.usefixtures("plenty")
def test_readiness_on_the_command_line(
    lesson: Callable[..., Any], world: World, use_world: Callable[[World], None]
) -> None:
    use_world(world)
    command = ("doctor", "verify-your-setup")

    assert "\nReady. " in lesson(*command, plugins=[plugin]).out
    world.add_board(driver=False)
    missing = lesson(*command, "--json", plugins=[plugin])
    assert missing.code == 1
    assert (missing.json["ready"], missing.json["runs_on"]) == (False, "emulation")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--check", "pyton"], "python"),
        (["verify-your-setup", "--param", "metal=new"], "metal"),
        (["--backend", "gpu"], "expected auto, ttml or emulated"),
        (["verify-your-setup", "--param", "disk_gb=-1"], "disk_gb"),
        (["--param", "disk_gb=1"], "LESSON"),
    ],
)
def test_wrong_arguments_are_explained(
    lesson: Callable[..., Any], arguments: list[str], message: str
) -> None:
    said = lesson("doctor", *arguments, plugins=[plugin, tenstorrent])

    assert said.code == 2
    assert message in said.err


def test_the_former_commands_are_unknown(lesson: Callable[..., Any]) -> None:
    said = lesson("setup", "check", plugins=[plugin])

    assert said.code == 2
    assert "No such command 'setup'" in said.err


# --- the summary ---------------------------------------------------------------------------------


def test_emulated_because_the_user_asks(world: World) -> None:

    said = summary.summarise(replace(world.machine, backend="emulated"), BOARD, [], [])

    assert (said.ready, said.runs_on) == (True, "emulation")
    assert "as --backend emulated asks" in said.lines[0]


def test_the_usual_system_folders() -> None:
    assert Places(Path("/dev/tenstorrent"), Path("/sys"), Path("/proc")) == machine.PLACES
