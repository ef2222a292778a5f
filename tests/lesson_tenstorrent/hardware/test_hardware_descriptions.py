"""Descriptions of machines, read by the real tt-umd, and by the real ttnn where it is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from tests.lesson_tenstorrent.hardware.descriptors import NAMES, shared_descriptor, write_descriptor
from tests.lesson_tenstorrent.hardware.worlds import World, ttnn_of, umd_of, values

from lesson_tenstorrent.hardware.detect import detect

with_umd = pytest.mark.skipif(
    find_spec("tt_umd") is None,
    reason="tt-umd is not installed: it has wheels for Linux, and Python below 3.14",
)
with_ttnn = pytest.mark.skipif(
    find_spec("ttnn") is None, reason="ttnn is not installed: .ci/real-ttnn installs it and runs this"
)
MACHINES: dict[str, tuple[Sequence[tuple[str, int]], str]] = {
    "n150": ([("n150", 1)], "n150"),
    "two n150": ([("n150", 1)] * 2, "n150"),
    "p300x2": ([("p300", 2)] * 2, "p300x2"),
    "t3k": ([("n300", 2)] * 4, "t3k"),
    "galaxy": ([("ubb", 8)] * 4, "galaxy"),
    "mixed": ([("p150", 1), ("p300", 2)], "unknown"),
}
"""Descriptions that the tests write: their boards, each with its number of chips, and the expected name."""


def hw(description: Path) -> dict[str, Any]:
    """Return what ``lesson hw --json`` reports for a description."""
    environ = {**os.environ, "TT_METAL_MOCK_CLUSTER_DESC_PATH": str(description)}
    command = [sys.executable, "-m", "lesson_runner", "hw", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, check=True)
    (found,) = json.loads(done.stdout)["hardware"]
    assert isinstance(found, dict)
    return found


@with_umd
@pytest.mark.parametrize("name", NAMES)
def test_descriptions_from_tt_metal(name: str) -> None:
    found = hw(shared_descriptor(name))
    chips = {"n150": 1, "p150": 1, "n300": 2, "p300": 2, "t3k": 8}[name]
    assert (found["name"], found["kind"], found["devices"]) == (name, "mock", 0)
    facts = {key: fact["value"] for key, fact in found["facts"].items()}
    assert facts["chips"] == chips
    assert facts["boards"] == (4 if name == "t3k" else 1)
    assert facts["architecture"] == ("blackhole" if name[0] == "p" else "wormhole_b0")
    assert facts["tt-umd"] == f"says {name}, {chips} chip{'s' * (chips > 1)}"
    assert found["facts"]["chips"]["found_by"].startswith("tt-umd ")
    assert f"{name}.yaml; tt-umd" in found["detected_by"]
    if find_spec("ttnn"):
        assert facts["ttnn"] == facts["tt-umd"]
    assert "disagreement" not in facts


@with_umd
@pytest.mark.parametrize("kind", MACHINES)
def test_descriptions_of_our_own(kind: str, tmp_path: Path) -> None:
    boards, name = MACHINES[kind]
    path = write_descriptor(tmp_path / "a.yaml", boards)
    found = detect(environ={**os.environ, "TT_METAL_MOCK_CLUSTER_DESC_PATH": str(path)})
    assert (found.name, found.kind, found.usable) == (name, "mock", False)
    facts = values(found)
    assert facts["boards"] == len(boards)
    assert facts["chips"] == sum(count for _, count in boards)


@with_umd
@pytest.mark.parametrize(
    ("boards", "reason"),
    [
        ([("q500", 1)], "No existing board type for board ID"),
        ([("n150", 1), ("p150", 1)], "Chips with differing architectures detected"),
    ],
)
def test_a_description_that_tt_umd_refuses_is_unknown_with_the_reason(
    tmp_path: Path, boards: Sequence[tuple[str, int]], reason: str
) -> None:
    path = write_descriptor(tmp_path / "a.yaml", boards)
    found = detect(environ={**os.environ, "TT_METAL_MOCK_CLUSTER_DESC_PATH": str(path)})
    assert (found.name, found.kind) == ("unknown", "mock")
    assert reason in str(values(found)["tt-umd"])


@with_umd
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Invalid YAML"),
        ("x: [", "yaml-cpp: error"),
        ("arch: {0: blackhole}\n", "Invalid YAML"),
        ("\x00\xff", "Error"),
    ],
)
def test_an_invalid_description(world: World, tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(text.encode("latin-1"))
    (world.root / "packages/tt_umd/__init__.py").unlink()
    (world.root / "packages/tt_umd").rmdir()
    found = world.detect(TT_METAL_MOCK_CLUSTER_DESC_PATH=str(path))
    assert (found.name, found.kind, found.devices) == ("unknown", "mock", 0)
    assert reason in str(values(found)["tt-umd"])
    assert "nothing installed here can read it" in found.detected_by


@with_umd
@with_ttnn
@pytest.mark.parametrize("kind", ["n150", "two n150"])
def test_ttnn_and_tt_umd_agree_on_our_own_descriptions(kind: str, tmp_path: Path) -> None:
    boards, name = MACHINES[kind]
    found = hw(write_descriptor(tmp_path / "a.yaml", boards))
    assert found["name"] == name
    assert found["facts"]["ttnn"]["value"] == found["facts"]["tt-umd"]["value"]


@with_ttnn
def test_ttnn_is_asked_if_tt_umd_is_missing(world: World, tmp_path: Path) -> None:
    path = write_descriptor(tmp_path / "a.yaml", [("n150", 1)])
    (world.root / "packages/ttnn/__init__.py").unlink()
    (world.root / "packages/ttnn").rmdir()
    found = world.detect(TT_METAL_MOCK_CLUSTER_DESC_PATH=str(path))
    assert (found.name, found.kind) == ("n150", "mock")
    assert values(found)["tt-umd"] == "not installed"
    assert values(found)["cluster type"] == "N150"


@with_ttnn
def test_ttnn_without_a_board_says_why_in_one_line(world: World) -> None:
    (world.root / "packages/ttnn/__init__.py").unlink()
    (world.root / "packages/ttnn").rmdir()
    if Path("/dev/tenstorrent").is_dir():
        pytest.skip("there is a board in this machine, and ttnn would open it")
    world.add("n150", "A")
    said = str(values(world.detect(thorough=True))["ttnn"])
    assert "No chips detected in the cluster" in said
    assert "backtrace" not in said


def test_a_missing_description(world: World, tmp_path: Path) -> None:
    found = world.detect(TT_METAL_MOCK_CLUSTER_DESC_PATH=str(tmp_path))
    assert (found.name, found.kind, found.devices, found.facts) == ("unknown", "mock", 0, {})
    assert found.detected_by.startswith("the description TT_METAL_MOCK_CLUSTER_DESC_PATH=")
    assert found.detected_by.endswith(f"={tmp_path}, which is not a file")
    endless = world.detect(TT_METAL_MOCK_CLUSTER_DESC_PATH="/dev/zero")
    assert (endless.kind, endless.facts) == ("mock", {})


def test_a_description_replaces_boards(world: World, tmp_path: Path) -> None:
    world.add("n150", "A")
    source = umd_of("P150", 1).split("class TopologyDiscovery:")[0]
    reader = "class ClusterDescriptor:\n    create_from_yaml_content = staticmethod(lambda text: Cluster())\n"
    world.add_package("tt_umd", source + reader)
    world.add_package("ttnn", ttnn_of("P300", 2))
    path = world.write("a.yaml", "")

    found = world.detect(TT_METAL_MOCK_CLUSTER_DESC_PATH=str(path))
    assert (found.name, found.kind, found.usable) == ("p150", "mock", False)
    assert "ttnn" not in found.facts

    facts = values(world.detect(thorough=True, TT_METAL_MOCK_CLUSTER_DESC_PATH=str(path)))
    assert facts["disagreement"] == "tt-umd says p150, 1 chip; ttnn says p300, 2 chips"


SOC = "arch_name: {}\ngrid: {{x_size: 2, y_size: 2}}\n"


def test_a_simulator_replaces_boards_and_descriptions(world: World, tmp_path: Path) -> None:
    world.add("n150", "A")
    program = world.write("sim/libttsim.so", "")
    world = replace(world, environ={"TT_METAL_MOCK_CLUSTER_DESC_PATH": str(tmp_path)})
    found = world.detect(TT_METAL_SIMULATOR=str(program))
    assert (found.name, found.kind, found.devices) == ("simulator", "simulator", 1)
    assert found.usable
    assert found.detected_by == f"TT_METAL_SIMULATOR={program}"
    assert found.facts == {}

    world.write("sim/soc_descriptor.yaml", "")
    assert values(world.detect(TT_METAL_SIMULATOR=str(program))) == {"tt-umd": "not installed"}
    assert world.detect(TT_METAL_SIMULATOR="  ").kind == "mock"
    assert world.detect(TT_METAL_SIMULATOR="", TT_METAL_MOCK_CLUSTER_DESC_PATH="").name == "n150"


@with_umd
@pytest.mark.parametrize("inside", [True, False])
def test_the_architecture_of_a_simulator(tmp_path: Path, inside: bool) -> None:
    (tmp_path / "soc_descriptor.yaml").write_text(SOC.format("BLACKHOLE"))
    (tmp_path / "libttsim.so").touch()
    path = tmp_path if inside else tmp_path / "libttsim.so"
    found = detect(environ={**os.environ, "TT_METAL_SIMULATOR": str(path)})
    assert values(found) == {"architecture": "blackhole"}


@pytest.mark.parametrize("variable", ["TT_METAL_SIMULATOR", "TT_METAL_MOCK_CLUSTER_DESC_PATH"])
@pytest.mark.parametrize("path", ["x" * 5000, "/dev/null/x", "~", "\udcff"])
def test_impossible_paths(world: World, variable: str, path: str) -> None:
    found = world.detect(**{variable: path}, thorough=False)
    assert not found.usable
    assert "which " in found.detected_by


def test_a_missing_simulator(world: World) -> None:
    found = world.detect(TT_METAL_SIMULATOR="/no/such/simulator")
    assert (found.name, found.kind, found.usable) == ("simulator", "simulator", False)
    assert found.detected_by == "TT_METAL_SIMULATOR=/no/such/simulator, which does not exist"
