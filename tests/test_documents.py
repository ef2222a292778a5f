"""The project's own documents: nothing left to fill in, no link into nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "lessons").glob("*.md")])


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_nothing_is_left_to_fill_in(path: Path) -> None:
    assert re.findall(r"@[A-Z]{3,}@|\bTODO\b|\bTBD\b", path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_leads_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|command:|#)([^)#\s]+)", path.read_text("utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_ci_begins_with_the_readmes_test_command() -> None:
    commands = re.findall(r"```bash\n(.*?)\n```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    first = next(row for row in script.splitlines() if ".venv" in row and not row.startswith("#"))
    assert first == commands[1]


@pytest.mark.parametrize("name", ["architecture.md", "design-notes.md"])
def test_paths_of_code_that_a_page_names_exist(name: str) -> None:
    tops = (ROOT, ROOT / "runner" / "lesson_runner", *(ROOT / "plugins").glob("lesson_*"))
    paths = re.findall(r"`((?:[\w-]+/)+(?:\w+\.py)?)`", (ROOT / "docs" / name).read_text("utf-8"))
    assert len(paths) > 5
    assert [path for path in paths if not any((top / path).exists() for top in tops)] == []


def test_the_architecture_fits_on_two_screens() -> None:
    rows = (ROOT / "docs" / "architecture.md").read_text("utf-8").splitlines()
    assert len(rows) <= 100
    assert max(map(len, rows)) <= 220
