"""The class and hardware of a run, from its record alone."""

from __future__ import annotations

from typing import Any

import pytest

from lesson_runner.certify.classes import Place, place_of_run

CARD = {"name": "p150", "detected_by": "a test", "devices": 2}


@pytest.mark.parametrize(
    ("record", "place"),
    [
        ({"hardware": [CARD]}, Place("silicon", "p150", CARD)),
        ({"hardware": [{**CARD, "devices": 0}, CARD]}, Place("silicon", "p150", CARD)),
        ({"hardware": [{**CARD, "kind": "mock"}]}, Place("host", "host", {})),
        ({"hardware": [{**CARD, "kind": "none"}]}, Place("host", "host", {})),
        ({"hardware": []}, Place("host", "host", {})),
        (
            {"hardware": [{**CARD, "kind": "simulator"}]},
            Place("simulator", "simulator", {**CARD, "kind": "simulator"}),
        ),
        ({"hardware": [{**CARD, "kind": "simulator"}, CARD]}, Place("silicon", "p150", CARD)),
        ({"labels": ["simulator"], "hardware": [CARD]}, Place("simulator", "simulator", {})),
        ({"labels": ["emulated", "simulator"]}, Place("emulated", "emulated", {})),
        ({"backend": "emulated", "hardware": [CARD]}, Place("emulated", "emulated", {})),
        (
            {"backend": "emulated", "hardware": [CARD, {**CARD, "kind": "emulated"}]},
            Place("emulated", "emulated", {**CARD, "kind": "emulated"}),
        ),
        (
            {"facts": {"backend": {"kind": "simulator"}}, "hardware": [CARD]},
            Place("simulator", "simulator", {}),
        ),
        ({"facts": {"backend": {"kind": "emulated", "mesh": [2, 4]}}}, Place("emulated", "emulated", {}, 8)),
        ({"facts": {"backend": "ttml"}, "hardware": [CARD]}, Place("silicon", "p150", CARD)),
        ({"facts": {"backend": {"mesh": [1, 2]}}, "hardware": [CARD]}, Place("silicon", "p150", CARD, 2)),
        (
            {"facts": {"backend": {"mesh": [1]}}, "hardware": [{**CARD, "kind": "simulator"}]},
            Place("simulator", "simulator", {**CARD, "kind": "simulator"}, 1),
        ),
        ({"facts": {"backend": {"mesh": [1, 0]}}, "hardware": [CARD]}, Place("silicon", "p150", CARD)),
        ({"facts": {"backend": {"mesh": ["1"]}}, "hardware": [CARD]}, Place("silicon", "p150", CARD)),
        ({"facts": {"backend": {"mesh": []}}, "hardware": [CARD]}, Place("silicon", "p150", CARD)),
        ({"facts": {"backend": {"mesh": 2}}, "hardware": [CARD]}, Place("silicon", "p150", CARD)),
    ],
)
def test_class_and_hardware_of_a_run(record: dict[str, Any], place: Place) -> None:
    said = place_of_run({"hardware": [], "labels": [], "backend": "auto", "facts": {}, **record})
    assert said == place
    assert said.chips_present == place.hardware.get("devices", 0)
