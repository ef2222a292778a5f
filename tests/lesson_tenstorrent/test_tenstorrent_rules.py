"""The rule about tt-metal versions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lesson_runner.testing import ModuleEntryPoint, lesson_text
from lesson_tenstorrent import plugin

BODY = "<!-- step\nid: one\nexpect: [{contains: hi}]\n-->\n```bash\necho hi\n```\n"
Lesson = Callable[..., Any]


def findings(lesson: Lesson, folder: Path, **front: str) -> list[tuple[int, str]]:
    (folder / "a.md").write_text(lesson_text(BODY, **front))
    found = lesson("validate", "a.md", "--json", points=[ModuleEntryPoint(plugin, "tenstorrent")]).json[
        "findings"
    ]
    assert {item["rule"] for item in found} <= {"tenstorrent.metal-versions"}
    assert {item["severity"] for item in found} <= {"error"}
    return [(item["line"], item["message"]) for item in found]


@pytest.mark.parametrize(
    ("minimum", "recommended"),
    [
        ("v0.67.0", "v0.67.0"),
        ("0.67.0", "v0.73.1"),
        ("v0.67.0", "v0.67.0-dev20260203"),
        ("v0.67.0", "v0.67.0-rc5"),
        ("v0.66.0-rc5", "v0.66.0-rc7"),
        ("v0.66.0-rc5", "v0.66.0"),
    ],
)
def test_consistent_versions(lesson: Lesson, tmp_path: Path, minimum: str, recommended: str) -> None:
    front = {"minTTMetalVersion": minimum, "recommended_metal_version": recommended}

    assert findings(lesson, tmp_path, **front) == []


@pytest.mark.parametrize(
    ("minimum", "recommended"),
    [
        ("v0.67.0", "v0.66.0"),
        ("v0.67.0", "v0.66.0-rc7"),
        ("v0.66.0-rc7", "v0.66.0-rc5"),
        ("v0.67.1", "v0.67.0"),
    ],
)
def test_a_recommended_version_that_is_too_old(
    lesson: Lesson, tmp_path: Path, minimum: str, recommended: str
) -> None:
    front = {"minTTMetalVersion": minimum, "recommended_metal_version": recommended}

    message = (
        f"'recommended_metal_version' is {recommended}, which is older than 'minTTMetalVersion', {minimum}"
    )
    assert findings(lesson, tmp_path, **front) == [(9, message)]


@pytest.mark.parametrize("key", ["minTTMetalVersion", "recommended_metal_version"])
@pytest.mark.parametrize(
    "text",
    [
        *("v0.67.0-latest", "0.67.0.0.1", "v0.67 or later", "v0.67.0-"),
        pytest.param(f"v0.{'6' * 5_000}.0", id="more digits than Python reads"),
    ],
)
def test_not_a_tt_metal_version(lesson: Lesson, tmp_path: Path, key: str, text: str) -> None:
    assert findings(lesson, tmp_path, **{key: text}) == [
        (8, f"'{key}' is {text!r}, which is not a tt-metal version")
    ]


def test_the_rule_is_explained(lesson: Lesson) -> None:
    said = lesson("explain", "tenstorrent.metal-versions", points=[ModuleEntryPoint(plugin, "tenstorrent")])

    assert said.code == 0
    assert "minTTMetalVersion" in said.out
