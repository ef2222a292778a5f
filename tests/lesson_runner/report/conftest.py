"""The browser that opens pages, and the folder for its screenshots."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.lesson_runner.report.browser import chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    path = chromium()
    if path is None:
        pytest.skip("there is no Chromium or Chrome; .ci/browser installs one")
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Playwright is not installed; see .ci/browser"
    )
    pytest.importorskip("matplotlib", reason="drawings need the `report` extra")
    with playwright.sync_playwright() as driver:
        # In a container, often as root, Chromium cannot use its sandbox; it opens only our page.
        started = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    given = os.environ.get("LESSON_TEST_ARTIFACTS")
    folder = Path(given) if given else tmp_path_factory.mktemp("pages")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
