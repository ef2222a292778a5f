"""The page of ``lesson survey`` in a real browser: on a screen and a phone, dark and light."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tests.lesson_runner.report.browser import SCHEMES, SCREENS, Opened

from lesson_runner.model import Diagnostic, Location
from lesson_runner.report.survey import CertificateState, LastRun, Survey, SurveyedLesson, render
from lesson_runner.run.outlook import Lack, Outlook

pytestmark = pytest.mark.slow
SCRIPT = "<script>alert(1)</script>"
NAMES = ("a", "a-lesson-whose-name-is-as-long-as-names-become-when-nobody-thinks-of-phones", "b" * 90)
ROLES = {"run": 12, "output": 7, "illustration": 30, "alternative": 2, "placeholder": 1, "interactive": 1}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lacks = (Lack("board"), Lack("command", f"{SCRIPT}{'x' * 80}"), Lack("file", f"~/{'y' * 90}/z"))
    outlooks = [
        Outlook(("one", "two"), {}, {}),
        Outlook(("one",), {"two": lacks, "three": (Lack("step", "two"),)}, {}),
        Outlook((), {"one": (Lack("permission", "system"),)}, {}),
    ]
    run = LastRun("20261201-100000-a", "failed", "2026-12-01T10:00:00Z", ("n150",), ("emulated",))
    certificate = CertificateState("n150", "stale", f"{SCRIPT} changed", "2026-11-30")
    good = [
        SurveyedLesson(name, f"{SCRIPT} {name}", Path("a.md"), ROLES, outlook, None, 0, last, [certificate])
        for name, outlook, last in zip(NAMES, outlooks, (None, run, run), strict=True)
    ]
    error = Diagnostic("yaml", "error", f"{SCRIPT} {'e' * 200}", Location(Path("c.md"), 3), "fix it")
    bad = SurveyedLesson("c" * 90, "C", Path("c" * 90 + ".md"), {}, None, error, 2)
    path = tmp_path_factory.mktemp("survey") / "survey.html"
    path.write_text(render(Survey([*good, bad], [{"name": SCRIPT}]), "html", Console()), "utf-8")
    return path


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("screen", SCREENS)
def test_the_page(browser: Any, file: Path, artifacts: Path, screen: str, scheme: str) -> None:
    shown = Opened(browser, file, screen, scheme)
    shown.page.screenshot(path=artifacts / f"survey-{screen}-{scheme}.png", full_page=True)
    assert shown.overflowing() == []
    assert shown.unreadable() == []
    assert shown.page.evaluate("document.scripts.length") == 0
    assert shown.page.get_by_role("row").count() == 1 + 1 + 1 + 3 + 1 + 5, "each lesson, error and lack"
    assert (shown.said, shown.asked) == ([], [file.as_uri()])
    shown.page.close()
