"""Boards: what the driver's files show, when tt-umd and ttnn are asked, and which source is trusted."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.lesson_tenstorrent.hardware.worlds import World, ttnn_of, umd_of, values

from lesson_runner.plugins import Hardware
from lesson_runner.plugins.manager import Plugins
from lesson_tenstorrent import devices

P300C = [("p300c", "A"), ("p300c", "A")]


@pytest.mark.parametrize(
    ("devices", "name", "chips", "boards", "architecture"),
    [
        ([("n150", "A")], "n150", 1, ["n150"], "wormhole_b0"),
        ([("n300", "A")], "n300", 2, ["n300"], "wormhole_b0"),
        ([("n300", "A"), ("n300", "B")], "n300", 4, ["n300"] * 2, "wormhole_b0"),
        ([("n300", letter) for letter in "ABCD"], "t3k", 8, ["n300"] * 4, "wormhole_b0"),
        ([("p100a", "A")], "p100", 1, ["p100"], "blackhole"),
        ([("p150a", "A"), ("p150b", "B")], "p150", 2, ["p150"] * 2, "blackhole"),
        (P300C, "p300c", 2, ["p300c"], "blackhole"),
        ([("p300b", "A")] * 2, "p300", 2, ["p300"], "blackhole"),
        ([("p300c", "")] * 4, "p300x2", 4, ["p300c"] * 2, "blackhole"),
        ([*P300C, ("p300c", "B"), ("p300c", "B")], "p300x2", 4, ["p300c"] * 2, "blackhole"),
        ([("galaxy-wormhole", tray) for tray in "ABCD" * 8], "galaxy", 32, ["galaxy"] * 4, "wormhole_b0"),
        ([("galaxy-blackhole", "A")], "galaxy", 1, ["galaxy"], "blackhole"),
    ],
)
def test_the_driver_names_the_boards(
    world: World,
    devices: list[tuple[str, str]],
    name: str,
    chips: int,
    boards: list[str],
    architecture: str,
) -> None:
    for card, serial in devices:
        world.add(card, serial)

    found = world.detect()

    assert (found.name, found.devices, found.kind) == (name, chips, "silicon")
    assert found.usable
    facts = values(found)
    assert facts["boards"] == len(boards)
    assert facts["board_types"] == boards
    assert facts["architecture"] == architecture
    assert facts["firmware"] == "18.10.0.0"
    assert facts["driver"] == "tt-kmd 2.4.0"
    assert facts["pci"] == [f"0000:{number:02x}:00.0" for number in range(len(devices))]
    assert facts["cards"] == [card for card, _ in devices]
    assert facts["tt-umd"] == facts["ttnn"] == "not asked: the driver already named the cards"
    assert f"in {world.places.devices}; the driver's files in /sys" in found.detected_by


def test_different_boards_have_no_name_but_are_listed(world: World) -> None:
    world.add("p150a", "A")
    world.add("n150", "B")
    found = world.detect()
    assert (found.name, found.devices) == ("unknown", 2)
    assert values(found)["board_types"] == ["n150", "p150"]


def test_a_machine_without_boards_starts_no_process(world: World) -> None:
    world.add_package("tt_umd", f"open({str(world.root / 'asked')!r}, 'w')")
    assert world.detect().found == Hardware("none", f"{world.root}/dev does not exist", kind="none").found
    assert world.detect(thorough=True).facts == {}
    assert not (world.root / "asked").exists()


def test_chips_on_the_bus_without_a_driver_are_reported_but_are_not_a_board(world: World) -> None:
    world.write("sys/bus/pci/devices/0000:01:00.0/vendor", "0x1e52")
    world.write("sys/bus/pci/devices/0000:02:00.0/vendor", "0x8086")
    found = world.detect()
    assert (found.name, found.kind, found.devices) == ("none", "none", 0)
    assert "1 Tenstorrent chip on the PCI bus, but the driver (tt-kmd) is not loaded" in found.detected_by
    assert values(found) == {"pci": ["0000:01:00.0"]}

    world.write("sys/module/tenstorrent/version", "2.4.0")
    assert "created no device file" in world.detect().detected_by


def test_if_the_driver_does_not_name_the_cards_tt_umd_is_asked(world: World) -> None:
    world.add()
    world.add_package("tt_umd", umd_of("N300", 2, 2))
    found = world.detect()
    assert (found.name, found.devices, found.kind) == ("n300", 2, "silicon")
    facts = values(found)
    assert facts["board_types"] == ["n300"]
    assert facts["firmware"] == "18.10.0"
    assert facts["tt-umd"] == "says n300, 2 chips"
    assert facts["/sys"] == "it does not name the cards: the driver or the firmware is too old"
    assert facts["ttnn"] == "not asked: tt-umd already answered"


def test_if_tt_umd_is_missing_ttnn_is_asked(world: World) -> None:
    world.add()
    world.add_package("ttnn", ttnn_of("N150", 1))
    found = world.detect()
    assert (found.name, found.devices) == ("n150", 1)
    assert values(found)["tt-umd"] == "not installed"
    assert values(found)["cluster type"] == "N150"


def test_devices_count_even_if_no_source_names_them(world: World) -> None:
    world.add()
    found = world.detect()
    assert (found.name, found.devices, found.kind) == ("unknown", 1, "silicon")
    assert found.detected_by == f"1 device file in {world.places.devices}"
    assert [values(found)[name] for name in ("tt-umd", "ttnn")] == ["not installed"] * 2


def test_a_thorough_detection_asks_every_source(world: World) -> None:
    world.add("n300", "A")
    world.add_package("tt_umd", umd_of("N300", 2, 2))
    world.add_package("ttnn", ttnn_of("N300", 2))
    facts = values(world.detect(thorough=True))
    assert [facts[name] for name in ("tt-umd", "/sys", "ttnn")] == ["says n300, 2 chips"] * 3
    assert "disagreement" not in facts


def test_the_more_specific_name_is_used_and_is_not_a_disagreement(world: World) -> None:
    for card, serial in P300C:
        world.add(card, serial)
    world.add_package("tt_umd", umd_of("P300", 2, 2))
    world.add_package("ttnn", ttnn_of("P300", 2))
    found = world.detect(thorough=True)
    assert found.name == "p300c"
    assert "the driver's files in /sys" in found.detected_by
    assert "disagreement" not in values(found)


def test_tt_umd_is_trusted_most_and_a_disagreement_is_reported(world: World) -> None:
    world.add("n150", "A")
    world.add_package("tt_umd", umd_of("N300", 2, 2))
    world.add_package("ttnn", ttnn_of("T3K", 8))
    found = world.detect(thorough=True)
    assert (found.name, found.devices) == ("n300", 2)
    assert values(found)["disagreement"] == (
        "tt-umd says n300, 2 chips; /sys says n150, 1 chip; ttnn says t3k, 8 chips"
    )


def test_a_different_number_of_chips_is_a_disagreement_too(world: World) -> None:
    world.add("n300", "A")
    world.add_package("tt_umd", umd_of("N300", 1, 2))
    found = world.detect(thorough=True)
    assert (found.name, found.devices) == ("n300", 1)
    assert values(found)["disagreement"] == "tt-umd says n300, 1 chip; /sys says n300, 2 chips"


def test_devices_in_use_are_not_opened(world: World) -> None:
    world.add(users=[1234, 77])
    for name, source in (("tt_umd", umd_of("N150", 1)), ("ttnn", ttnn_of("N150", 1))):
        world.add_package(name, source)
    found = world.detect(thorough=True)
    assert (found.name, found.devices) == ("unknown", 1)
    facts = values(found)
    assert facts["tt-umd"] == facts["ttnn"] == "not asked: processes 77, 1234 have a device open"
    assert facts["used by"] == [77, 1234]


@pytest.mark.parametrize(
    ("wanted", "numbers", "name"),
    [("0", [0], "n300"), ("1,2", [1, 2], "n300"), ("0000:03", [3], "n300"), ("9", [], "unknown")],
)
def test_only_visible_devices_count(world: World, wanted: str, numbers: list[int], name: str) -> None:
    for letter in "ABCD":
        world.add("n300", letter)
    found = world.detect(TT_VISIBLE_DEVICES=wanted)
    assert (found.name, found.devices) == (name, 2 * len(numbers))
    assert values(found)["visible"] == numbers
    assert f"4 device files in {world.places.devices}, {len(numbers)} of them visible" in found.detected_by
    assert world.detect(TT_VISIBLE_DEVICES=" ").name == "t3k"


def test_other_entries_in_the_device_folder_do_not_count(world: World, tmp_path: Path) -> None:
    world.add("n150", "A")
    world.write("dev/by-id/board", "")
    assert world.detect().devices == 1


def test_the_hook_detects_this_machine(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    plugins = Plugins(("lesson_tenstorrent.plugin",), ())
    monkeypatch.setattr(devices, "DEVICES", world.places.devices)
    for name in ("TT_METAL_SIMULATOR", "TT_METAL_MOCK_CLUSTER_DESC_PATH", "TT_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    (found,) = plugins.detect_hardware()
    assert (found.name, found.kind) == ("none", "none")
    assert "/dev/tenstorrent" in found.device_files
    assert "TT_METAL_HOME" in found.path_variables
    assert found.packages == ("ttnn", "ttml")

    world.add()
    world.add_package("tt_umd", umd_of("P100", 1))
    monkeypatch.setenv("PYTHONPATH", world.variables["PYTHONPATH"])
    (found,) = plugins.detect_hardware()
    assert (found.name, found.devices) == ("p100", 1)
    assert values(found)["ttnn"] == "not asked: tt-umd already answered"
    (found,) = plugins.detect_hardware(thorough=True)
    assert values(found)["ttnn"] == "not installed"
    assert all(info.error is None for info in plugins.infos.values())


def test_devices_that_this_user_may_not_open_are_listed(world: World) -> None:
    """A dangling link represents them: not even root can open it."""
    world.add("n150", "A")
    closed = world.places.devices / "1"
    closed.symlink_to("/nowhere/at/all")

    assert values(world.detect())["not permitted"] == [str(closed)]
