"""Counting and describing devices."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lesson_tenstorrent.devices import count_devices, describe_devices


@pytest.mark.parametrize(
    ("names", "count", "words"),
    [
        ([], 0, "has no device files"),
        (["0"], 1, "1 device file in"),
        (["0", "1", "10"], 3, "3 device files in"),
        (["0", "by-id", "1x", "-1"], 1, "1 device file in"),
    ],
)
def test_counts_numbered_files(tmp_path: Path, names: list[str], count: int, words: str) -> None:
    for name in names:
        (tmp_path / name).touch()

    assert count_devices(tmp_path) == count
    assert words in describe_devices(tmp_path)


def test_no_folder_is_no_device(tmp_path: Path) -> None:
    assert count_devices(tmp_path / "tenstorrent") == 0
    assert describe_devices(tmp_path / "tenstorrent").endswith("tenstorrent does not exist")


def test_the_plugin_imports_no_heavy_module() -> None:
    code = (
        "import sys, lesson_tenstorrent.plugin\n"
        "print(sorted({'numpy', 'torch', 'packaging', 'subprocess', 'ttnn'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    assert done.stdout.strip() == "[]"
