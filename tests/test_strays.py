"""What a run or a test leaves at the top of a checkout cannot be committed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = {
    *(".ci", ".github", ".gitignore", ".pre-commit-hooks.yaml", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"),
    *("README.md", "SECURITY.md", "action.yml", "benchmarks", "docs", "lessons", "plugins", "pyproject.toml"),
    *("runner", "schemas", "tests", "tools"),
}


def git(*arguments: str) -> str:
    """Return what git prints; skip where this is not a checkout, such as in an unpacked source archive."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.stdout


def test_the_top_holds_only_parts_of_the_project() -> None:
    assert {name.partition("/")[0] for name in git("ls-files").splitlines()} == PARTS


@pytest.mark.parametrize(
    "name", ["a.md", "memory/x.json", "runs/x/record.json", "data/x.txt", "core", "x.safetensors"]
)
def test_a_file_left_at_the_top_is_ignored(name: str) -> None:
    assert git("check-ignore", "--no-index", name).splitlines() == [name]


@pytest.mark.parametrize("name", sorted(PARTS))
def test_no_part_of_the_project_is_ignored(name: str) -> None:
    path = f"{name}/new-file" if (ROOT / name).is_dir() else name
    assert git("check-ignore", "--no-index", path) == ""
