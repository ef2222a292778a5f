"""The devices of each board, and the locks that keep two lessons off one board."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from tests.lesson_fleet.toys import until
from tests.lesson_tenstorrent.hardware.worlds import World

from lesson_fleet import boards
from lesson_fleet.boards import Board, environment, hold_board, pretended_boards, real_boards, wait_until_free
from lesson_runner.model.errors import HardwareError
from lesson_tenstorrent.hardware.detect import detect


@pytest.fixture(autouse=True)
def own_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boards, "locks_folder", lambda: tmp_path / "locks")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "world")


def visible(world: World, hardware: str, count: int, **environ: str) -> list[str | None]:
    return [item.visible for item in real_boards(hardware, count, world.places, environ)]


def test_the_only_board_needs_no_hiding(world: World) -> None:
    world.add("n150", "a")
    (board,) = real_boards("n150", 1, world.places, {})
    assert board == Board("0", ("device-0",), None)


def test_boards_of_one_kind(world: World) -> None:
    for serial in "abcd":
        world.add("n300", serial)
    assert visible(world, "n300", 4) == ["0", "1", "2", "3"]
    assert visible(world, "n300", 2) == ["0", "1"]
    assert visible(world, "n300", 2, TT_VISIBLE_DEVICES="1,3") == ["1", "3"]


def test_boards_of_two_kinds(world: World) -> None:
    for card in ("p150a", "n150", "p150b"):
        world.add(card, card)
    assert visible(world, "n150", 1) == ["1"]
    assert visible(world, "p150", 2) == ["0", "2"]


def test_a_board_with_two_devices(world: World) -> None:
    for serial in ("a", "b", "a", "b"):
        world.add("p300", serial)
    assert real_boards("p300", 2, world.places, {}) == [
        Board("0,2", ("device-0", "device-2"), "0,2"),
        Board("1,3", ("device-1", "device-3"), "1,3"),
    ]


def test_a_system_uses_all_of_its_boards(world: World) -> None:
    for serial in "abcd":
        world.add("n300", serial)
    (system,) = real_boards("t3k", 1, world.places, {})
    assert system.visible is None
    single = real_boards("n300", 4, world.places, {})
    with (
        hold_board([system]),
        pytest.raises(HardwareError, match="still hold the board"),
        hold_board(single, 0),
    ):
        pass
    # The other way round; a failed attempt leaves nothing locked.
    with hold_board(single), pytest.raises(HardwareError), hold_board([system], 0):
        pass
    with hold_board([system], 0):
        pass


def test_a_driver_that_does_not_identify_its_devices(world: World) -> None:
    for _ in range(2):
        world.add()
    with pytest.raises(
        HardwareError, match="Ray was told that this machine has 2 n150, but the driver shows 0"
    ):
        real_boards("n150", 2, world.places, {})
    world.add("n150", "a")
    with pytest.raises(
        HardwareError, match="Ray was told that this machine has 2 n150, but the driver shows 1"
    ):
        real_boards("n150", 2, world.places, {})


def test_no_board_is_used_twice() -> None:
    two = pretended_boards("n150", 2, "node")
    with hold_board(two) as (first, _), hold_board(two) as (second, _):
        assert {first.name, second.name} == {"pretended 1", "pretended 2"}
        with pytest.raises(HardwareError, match="pretended 1, pretended 2"), hold_board(two, 0):
            pass
        with (
            hold_board(pretended_boards("n150", 2, "another")),
            hold_board(pretended_boards("n300", 1, "node")),
        ):
            pass
    with hold_board(two, 0) as (again, _):
        assert again == first


def test_a_board_is_free_when_its_last_holder_is_gone(tmp_path: Path) -> None:
    boards_here = pretended_boards("n150", 1, "node")
    with hold_board(boards_here) as (_, held):
        process = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, pass_fds=held
        )
    try:
        with pytest.raises(HardwareError), hold_board(boards_here, 0):
            pass
        process.kill()
        wait_until_free(boards_here, 60)
        with hold_board(boards_here, 0):
            pass
    finally:
        process.kill()
        process.communicate()
    boards.remove_locks(boards_here)
    assert list((tmp_path / "locks").iterdir()) == []
    until(lambda: process.poll() is not None, "the process ends")


def test_the_environment_of_a_lesson(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    monkeypatch.setenv("LESSON_LABELS", "another")
    monkeypatch.setenv("PYTHONBREAKPOINT", "ray.util.rpdb.set_trace")
    monkeypatch.setenv("TT_METAL_HOME", "/opt/tt-metal")
    seen = environment(Board("1", ("device-1",), "1"), "n150", pretended=False, places=world.places)
    assert (seen["TT_VISIBLE_DEVICES"], seen["TT_METAL_HOME"]) == ("1", "/opt/tt-metal")
    assert not {name for name in seen if name.startswith("RAY_")}
    assert not {"LESSON_LABELS", "PYTHONBREAKPOINT", "TT_METAL_MOCK_CLUSTER_DESC_PATH"} & seen.keys()


def test_a_pretended_board_hides_real_ones(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (board,) = pretended_boards("n150", 1, "node")
    seen = environment(board, "n150", pretended=True, places=world.places)
    assert seen["LESSON_LABELS"] == "emulated,pretended n150"
    assert "TT_METAL_MOCK_CLUSTER_DESC_PATH" not in seen
    world.add("n150", "a")
    monkeypatch.setenv("TT_METAL_SIMULATOR", "/sim")
    seen = environment(board, "n150", pretended=True, places=world.places)
    found = detect(world.places, environ=seen)
    assert (found.kind, found.devices) == ("mock", 0)
