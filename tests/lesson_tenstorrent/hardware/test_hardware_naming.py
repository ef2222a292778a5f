"""Naming a machine's boards as lessons do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesson_runner.document.schema.validator import load_schema
from lesson_tenstorrent.hardware import naming
from lesson_tenstorrent.hardware.naming import (
    CHIPS,
    CLUSTER_TYPES,
    NAMES,
    ON_PCI,
    UNKNOWN,
    agree,
    board_name,
    boards_of,
    boards_of_cluster_type,
    system_name,
)


def test_the_names_are_those_in_the_lesson_schema() -> None:
    assert set(NAMES) == set(load_schema("lesson")["$defs"]["hardware"]["enum"])


@pytest.mark.parametrize(
    ("card", "name"),
    [
        *(("n150", "n150"), ("n300", "n300"), ("p100", "p100"), ("p100a", "p100"), ("p150a", "p150")),
        *(("p150b", "p150"), ("p150c", "p150"), ("p300a", "p300"), ("p300b", "p300"), ("p300c", "p300c")),
        *(("galaxy-wormhole", "galaxy"), ("galaxy-blackhole", "galaxy"), ("ubb", "galaxy")),
        *(("ubb_blackhole_cf", "galaxy"), ("galaxy", "galaxy"), ("P300", "p300"), (" n150\n", "n150")),
        *(
            ("unknown", UNKNOWN),
            ("not known", UNKNOWN),
            ("", UNKNOWN),
            ("e150", UNKNOWN),
            ("quasar", UNKNOWN),
        ),
    ],
)
def test_names_of_boards_in_the_driver_and_in_tt_umd(card: str, name: str) -> None:
    assert board_name(card) == name


@pytest.mark.parametrize(
    ("boards", "name"),
    [
        (["n150"], "n150"),
        (["n300"], "n300"),
        (["n300"] * 2, "n300"),
        (["n300"] * 4, "t3k"),
        (["p100"], "p100"),
        (["p150"] * 4, "p150"),
        (["p300"], "p300"),
        (["p300c"], "p300c"),
        (["p300c"] * 2, "p300x2"),
        (["p300", "p300c"], "p300x2"),
        (["galaxy"] * 4, "galaxy"),
        (["n150", "n300"], UNKNOWN),
        ([UNKNOWN], UNKNOWN),
        ([], UNKNOWN),
    ],
)
def test_machines(boards: list[str], name: str) -> None:
    assert system_name(boards) == name


@pytest.mark.parametrize(
    ("parts", "boards"),
    [
        ([("n300", "a"), ("n300", "a")], ("n300",)),
        ([("n300", "a"), ("n300", "b")], ("n300", "n300")),
        ([("n300", "")] * 8, ("n300",) * 4),
        ([("n300", "same")] * 8, ("n300",) * 4),
        ([("p300", "a")], ("p300",)),
        ([("galaxy", tray) for tray in "abcd" * 8], ("galaxy",) * 4),
        ([("p150", "a"), ("n150", "b")], ("n150", "p150")),
        ([], ()),
    ],
)
def test_boards_are_counted_by_id_and_by_number_of_chips(
    parts: list[tuple[str, str]], boards: tuple[str, ...]
) -> None:
    assert boards_of(parts, CHIPS) == boards


def test_cluster_types_of_ttnn() -> None:
    found = {name: system_name(boards_of_cluster_type(name)) for name in CLUSTER_TYPES}
    assert found == {
        **{name.upper(): name for name in ("n150", "n300", "p100", "p150", "p300", "t3k")},
        **dict.fromkeys(("P150_X2", "P150_X4", "P150_X8"), "p150"),
        "N300_2X2": "n300",
        "P300_X2": "p300x2",
        **dict.fromkeys(("GALAXY", "TG", "BLACKHOLE_GALAXY"), "galaxy"),
    }
    assert len(boards_of_cluster_type("N300_2x2")) == 2
    for name in ("CUSTOM", "INVALID", "SIMULATOR_BLACKHOLE", ""):
        assert boards_of_cluster_type(name) == ()


BOARD = st.sampled_from([*naming.BOARDS, UNKNOWN]) | st.text(max_size=8)


@given(st.lists(st.tuples(BOARD, st.sampled_from(["", "a", "b"])), max_size=40))
def test_any_boards_have_a_known_name(parts: list[tuple[str, str]]) -> None:
    for parts_per_board in (CHIPS, ON_PCI):
        boards = boards_of([(board_name(name), board) for name, board in parts], parts_per_board)
        assert len(boards) <= len(parts)
        assert bool(boards) == bool(parts)
        assert system_name(boards) in {*NAMES, UNKNOWN}
    assert system_name([name for name, _ in parts]) in {*NAMES, UNKNOWN}


@given(st.text())
def test_any_text_is_a_board_or_unknown(text: str) -> None:
    assert board_name(text) in {*naming.BOARDS, UNKNOWN}
    assert system_name(boards_of_cluster_type(text)) in {*NAMES, UNKNOWN}


@given(BOARD, BOARD)
def test_agreeing_is_mutual(one: str, other: str) -> None:
    assert agree(one, other) == agree(other, one)
    assert agree(one, one)
    assert not agree("n150", "n300")
    assert agree("p300", "p300c")
    assert agree(UNKNOWN, "n150")
