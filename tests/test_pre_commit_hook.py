"""``.pre-commit-hooks.yaml``: its form, which files it is for, and the hook in a repository."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from lesson_runner.testing import lesson_text

ROOT = Path(__file__).parents[1]
MANIFEST = ROOT / ".pre-commit-hooks.yaml"
HOOKS: list[dict[str, Any]] = yaml.safe_load(MANIFEST.read_text())
GOOD = lesson_text(
    "# Sample\n\n<!-- step\nid: one\nexpect: [{contains: a}]\n-->\n```bash\necho a\n```", status="draft"
)
needs_pre_commit = pytest.mark.skipif(find_spec("pre_commit") is None, reason="pre-commit is not installed")


def run(*command: object, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, check=False, cwd=cwd, env=env, text=True)


def git(folder: Path, *words: str) -> str:
    own = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main"]
    done = run("git", *own, *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@needs_pre_commit
def test_its_form() -> None:
    done = run(sys.executable, "-m", "pre_commit", "validate-manifest", MANIFEST, cwd=ROOT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_which_files_it_is_for(hook: dict[str, Any]) -> None:
    def wanted(path: str) -> bool:
        return bool(re.search(hook["files"], path)) and not re.search(hook["exclude"], path)

    assert wanted("lessons/first.md")
    assert wanted("content/lessons/deep/first.md")
    assert wanted("lessons/about-licenses.md")
    for path in (
        "README.md",
        "docs/guide.md",
        "lessons/README.md",
        "lessons/x/Contributing.md",
        "mylessons/a.md",
    ):
        assert not wanted(path)


@needs_pre_commit
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_in_a_repository(tmp_path: Path) -> None:
    """The hook is installed from a commit with what this working tree has, as a user's pre-commit would."""
    source, theirs = tmp_path / "source", tmp_path / "theirs"
    for name in git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    for folder in (source, theirs):
        folder.mkdir(exist_ok=True)
        git(folder, "init", "-q")
    git(source, "add", ".")
    git(source, "commit", "-qm", "all")
    hooks = [{"id": hook["id"]} for hook in HOOKS]
    config = {"repos": [{"repo": str(source), "rev": git(source, "rev-parse", "HEAD"), "hooks": hooks}]}
    (theirs / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    (theirs / "README.md").write_text("no lesson\n")
    (theirs / "lessons").mkdir()
    (theirs / "lessons" / "good.md").write_text(GOOD)
    env = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home")}

    def hook(name: str) -> subprocess.CompletedProcess[str]:
        git(theirs, "add", ".")
        return run(sys.executable, "-m", "pre_commit", "run", name, "--all-files", cwd=theirs, env=env)

    done = hook("lesson-validate")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed" in done.stdout

    (theirs / "lessons" / "bad.md").write_text(GOOD.replace("id: one", "id: One"))
    done = hook("lesson-validate")
    assert done.returncode == 1
    assert "lessons/bad.md:" in done.stdout
    assert "[wrong-value]" in done.stdout
    assert "README.md" not in done.stdout

    (theirs / "lessons" / "bad.md").unlink()
    (theirs / "lessons" / "good.md").write_text(GOOD.replace('"simulator"', "Simulator"))
    done = hook("lesson-validate-fix")
    assert done.returncode == 1, "pre-commit wants the change to be looked at"
    assert "files were modified by this hook" in done.stdout
    assert (theirs / "lessons" / "good.md").read_text() == GOOD.replace('"simulator"', "simulator")
    assert hook("lesson-validate-fix").returncode == 0
